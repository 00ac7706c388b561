"""The wheel holds all that it takes, and README's five minutes really work with it."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
from email.parser import BytesParser
from pathlib import Path
from urllib.parse import urljoin
from zipfile import ZipFile

import httpx
import pytest
from packaging.requirements import Requirement
from support.server import ROOT
from terminal import PATIENCE, Demo, clean_environ

import feedserver
from feedserver.commands.program import PROGRAM as FEEDSERVER
from publisher.commands.program import PROGRAM as PUBLISHER
from publisher.manual import manual_page


def run(*command: str, folder: Path, **environ: str) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=clean_environ(**environ),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_programs_of_the_wheel_say_how_they_are_used(installed: Path, tmp_path: Path) -> None:
    for name in ("feedserver", "publisher"):
        program = str(installed / ".venv/bin" / name)
        assert run(program, "--help", folder=tmp_path).startswith(f"usage: {name}")
        version = f"{name} {feedserver.__version__}\n"
        assert run(program, "--version", folder=tmp_path) == version


def test_the_demo_of_the_wheel_works_in_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    with Demo([str(installed / ".venv/bin/feedserver")], tmp_path) as demo:
        demo.wait_for("The story is told")
        with httpx.Client(base_url=demo.url) as client:
            page = client.get("/feeds/world")
            assert "Drone strike on civilian bus" in page.text
            ticker = client.get("/ticker.js")
            assert ticker.headers["content-type"].startswith("text/javascript")
            assert "live-ticker" in ticker.text
            assert "interface LiveTicker" in client.get("/ticker.d.ts").text
            assert client.get("/feed.css").headers["content-type"].startswith("text/css")
            assert client.get("/openapi.json").json()["openapi"]
            for path in ("/", "/feeds/world/embed", "/v1/feeds"):
                assert client.get(path).status_code == 200
            linked = set(re.findall(r'(?:src|href)="([^"#]+)"', page.text))
            own = {urljoin(f"{demo.url}/feeds/world", link) for link in linked}
            served = sorted(url for url in own if url.startswith(demo.url))
            for url in served:
                assert client.get(url).status_code == 200, url
            for kind in ("javascript", "css"):
                assert any(kind in client.get(url).headers["content-type"] for url in served)
        assert demo.interrupt() == 0
        assert demo.group == []


def commands() -> list[str]:
    """Return the blocks of commands under README's five minutes."""
    readme = (ROOT / "README.md").read_text()
    section = readme.partition("## Your own feed in five minutes\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"^```(?:sh)?\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2, "one block for each terminal"
    return blocks


def test_the_five_minutes_of_the_readme_work_as_they_are_written(
    installed: Path, tmp_path: Path
) -> None:
    (tmp_path / "venv").symlink_to(installed / ".venv")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    first, second = (block.replace("127.0.0.1:8000", f"127.0.0.1:{port}") for block in commands())
    [install] = [line for line in first.splitlines() if "pip install" in line]
    assert install == "python3 -m venv venv && venv/bin/pip install ."
    first = first.replace(install, "")
    assert first.rstrip().splitlines()[-1] == "feedserver serve"
    home = {"HOME": str(tmp_path), "FEEDSERVER_PORT": port}
    server = subprocess.Popen(
        ["/bin/sh", "-ec", first.replace("feedserver serve", "exec feedserver serve")],
        cwd=tmp_path,
        env=clean_environ(**home),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        while "ready at" not in (line := server.stdout.readline()):
            assert line, "the server did not start"
        url = f"http://127.0.0.1:{port}"
        export, *typed = second.splitlines()
        assert export.startswith("export ")
        shown = []
        for number, command in enumerate(typed):
            assert command.startswith("publisher ")
            run("/bin/sh", "-ec", f"{export}\n{command}", folder=tmp_path, **home)
            page = httpx.get(f"{url}/feeds/world").text
            shown.append(page)
            assert ("Bridge over the Psel reopens" in page) is (number in {1, 2, 3})
        login, post, update, correct, kill = shown
        assert "Traffic flows again since" not in login
        assert "<em>noon</em>" in post
        assert "reopens after two years" in update
        assert "Updated" in update
        assert "It reopened at 11:40, not at noon." in correct
        assert "We could not confirm this report." in kill
        assert (tmp_path / "ann.token").stat().st_mode & 0o077 == 0
        for file in (tmp_path / "feed-data").iterdir():
            assert b"Psel" not in file.read_bytes(), file.name
    finally:
        server.send_signal(signal.SIGINT)
        assert server.wait(PATIENCE) == 0
        server.stdout.close()


@pytest.fixture(scope="session")
def wheel(installed: Path) -> Path:
    [path] = (installed / "wheels").iterdir()
    return path


def test_one_wheel_for_every_system_gives_both_programs(wheel: Path) -> None:
    assert wheel.name == f"feedserver-{feedserver.__version__}-py3-none-any.whl"
    with ZipFile(wheel) as files:
        [entries] = [name for name in files.namelist() if name.endswith("entry_points.txt")]
        assert re.findall(r"^(\w+) =", files.read(entries).decode(), re.MULTILINE) == [
            "feedserver",
            "publisher",
        ]


def test_the_wheel_brings_the_man_pages(installed: Path) -> None:
    for program in (PUBLISHER, FEEDSERVER):
        page = installed / ".venv/share/man/man1" / f"{program.name}.1"
        assert page.read_text() == manual_page(program)


def test_what_the_wheel_needs_is_to_be_had_on_every_system(wheel: Path) -> None:
    with ZipFile(wheel) as files:
        [name] = [name for name in files.namelist() if name.endswith(".dist-info/METADATA")]
        about = BytesParser().parsebytes(files.read(name))
    assert about["Requires-Python"] == ">=3.11"
    needed = [Requirement(line) for line in about.get_all("Requires-Dist")]
    for system, missing in (("linux", set()), ("darwin", set()), ("win32", {"uvloop"})):
        machine = {"sys_platform": system, "extra": ""}
        left_out = {
            need.name
            for need in needed
            if need.marker and "extra" not in str(need.marker) and not need.marker.evaluate(machine)
        }
        assert left_out == missing, system
    assert not [need for need in needed if need.url]  # each is named, none has an address


def test_the_guide_installs_the_wheel_that_is_built(wheel: Path) -> None:
    for guide in ("publishing.md", "operating.md"):
        text = (ROOT / "docs" / guide).read_text()
        assert set(re.findall(r"feedserver-[\w.-]+\.whl", text)) == {wheel.name}
    first = re.findall(r"^## (.+)$", (ROOT / "docs/publishing.md").read_text(), re.MULTILINE)[0]
    assert first == "Installing it"
