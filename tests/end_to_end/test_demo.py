"""`feedserver demo`, as a person meets it who has just found this project."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.server import ROOT, Server
from terminal import PATIENCE, Demo, clean_environ

from feedserver.commands import demo
from feedserver.errors import SetupError
from publisher.output import Screen

PROGRAM = [str(Path(sys.executable).parent / "feedserver")]
TOLD = "The story is told"


def items(demo: Demo) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(f"{demo.url}/v1/feeds/world/items").json()["items"]
    return found


def story() -> list[dict[str, Any]]:
    lines = (ROOT / "feedserver/newsfeed.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def instruction(demo: Demo) -> str:
    """Return what it tells to type in another terminal."""
    lines = re.findall(r"^  (\S.*)$", demo.text.partition("in another terminal")[2], re.MULTILINE)
    return "\n".join(line for line in lines if re.match(r"export |\S*publisher ", line))


def test_the_demo_tells_the_seed_story_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    with Demo(PROGRAM, tmp_path) as demo:
        demo.wait_for("Ctrl-C ends it")
        assert httpx.get(f"{demo.url}/feeds/world").status_code == 200
        demo.wait_for("  update   item")
        assert TOLD not in demo.text, "its lines come only in the end"
        demo.wait_for(TOLD)
        assert re.findall(r"^  (\w+) +item \d+: ", demo.text, re.MULTILINE) == [
            line["verb"] for line in story()
        ]
        newest, oldest = items(demo)
        assert newest["headline"] == story()[2]["headline"]
        assert newest["updated_at"] > newest["published_at"]
        assert "injuring seven" in newest["blocks"][0][0]
        assert "corrections" not in newest
        assert oldest["published_at"] == "2025-05-17T03:20:00.000Z"
        assert oldest["corrections"][0]["note"] == story()[4]["note"]
        page = httpx.get(f"{demo.url}/feeds/world").text
        assert page.index(newest["headline"]) < page.index("slowing sharply")
        assert len(demo.group) >= 2
        assert demo.interrupt() == 0
        assert demo.group == []
        assert demo.faults == []
        assert "Stopped" in demo.lines[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["demo-data"]
    assert "feed.db" in [path.name for path in (tmp_path / "demo-data").iterdir()]
    assert not list((tmp_path / "demo-data").glob("*-wal"))


def test_the_first_live_item_comes_soon_and_the_others_leave_time_to_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Counted in pauses, without the seconds that the publisher takes."""
    waited: list[float] = []
    monkeypatch.setattr(demo.time, "sleep", waited.append)
    monkeypatch.setattr(demo, "_publish", lambda *_, **__: {"id": 1})
    server = subprocess.Popen(["/bin/sleep", "60"], text=True)
    try:
        screen = Screen("feedserver", as_json=False)
        demo._tell(screen, server, "", {"token": "", "import-token": ""}, 6.0)
    finally:
        server.kill()
        server.wait()
    assert waited == [0.0, 3.0, 6.0, 6.0, 6.0]


def test_the_demo_in_json_is_its_address_and_an_item_a_line(tmp_path: Path) -> None:
    with Demo(PROGRAM, tmp_path, "--json") as demo:
        demo.wait_for(story()[-1]["note"])
        begun, *told = map(json.loads, demo.lines)
        assert httpx.get(f"{begun['url']}/feeds/{begun['feed']}").status_code == 200
        assert (tmp_path / begun["token"]).read_text().startswith("nf_")
        assert [item["feed"] for item in told] == ["world"] * len(story())
        assert demo.interrupt() == 0
        assert demo.faults == []
    assert len(demo.lines) == 1 + len(story())


def test_the_demo_takes_its_port_from_the_variable_and_no_other_setting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    environ = {
        "FEEDSERVER_PORT": port,
        "FEEDSERVER_HOST": "::1",
        "FEEDSERVER_URL": "https://n.example",
    }
    with Demo(PROGRAM, tmp_path, port=None, **environ) as demo:
        demo.wait_for("Ctrl-C ends it")
        assert demo.url == f"http://127.0.0.1:{port}"
        feed = httpx.get(f"{demo.url}/v1/feeds/world").json()
        assert feed["url"] == f"{demo.url}/feeds/world"
        assert demo.interrupt() == 0


def test_make_hands_its_port_and_folder_on() -> None:
    told_to = {
        "PORT=9000": "feedserver demo --port 9000",
        "DATA=other": "feedserver demo --data other",
        "port=9000 data=other": "feedserver demo --port 9000 --data other",
        "": "feedserver demo",
    }
    for word, command in told_to.items():
        environ = {
            name: value for name, value in clean_environ().items() if name not in {"PORT", "DATA"}
        }
        told = subprocess.run(
            ["make", "--no-print-directory", "--dry-run", "demo", *word.split()],
            cwd=ROOT, env=environ, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        assert told.rstrip().endswith(command), told


def test_what_it_tells_to_type_in_another_terminal_works(tmp_path: Path) -> None:
    with Demo(PROGRAM, tmp_path, "--data", "a folder/it's mine") as demo:
        demo.wait_for("Everything that it keeps")
        typed = instruction(demo)
        assert typed.splitlines()[-1].count("publisher post") == 1
        done = subprocess.run(
            ["/bin/sh", "-ec", typed],
            cwd=tmp_path,
            env=clean_environ(),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "Bridge over the Psel reopens" in [item.get("headline") for item in items(demo)]
        assert demo.interrupt() == 0


def test_a_second_demo_in_the_folder_starts_anew(tmp_path: Path) -> None:
    epochs = set()
    for _ in range(2):
        with Demo(PROGRAM, tmp_path, "--data", "data") as demo:
            demo.wait_for("  post     item")
            token = (tmp_path / "data/token").read_text().strip()
            assert "Mine" not in [item["headline"] for item in items(demo)]
            answer = httpx.post(
                f"{demo.url}/v1/feeds/world/items",
                json={"headline": "Mine"},
                headers={"Authorization": f"Bearer {token}"},
            )
            assert answer.status_code == 201
            epochs.add(httpx.get(f"{demo.url}/v1/feeds/world/items").json()["epoch"])
            assert demo.interrupt() == 0
    assert len(epochs) == 2


@pytest.mark.parametrize("moment", ["", "Ctrl-C ends it", "  post     item"])
def test_ctrl_c_at_any_moment_leaves_no_process(tmp_path: Path, moment: str) -> None:
    with Demo(PROGRAM, tmp_path) as demo:
        demo.wait_for(moment)
        code = demo.interrupt()
        assert demo.group == []
        if moment:
            assert code == 0
            assert demo.faults == []


def test_a_demo_that_is_told_to_end_ends_its_server_too(tmp_path: Path) -> None:
    with Demo(PROGRAM, tmp_path) as demo:
        demo.wait_for("Ctrl-C ends it")
        assert demo.terminate() == 0
        assert demo.group == []


def test_a_second_demo_leaves_the_folder_of_a_running_one_alone(tmp_path: Path) -> None:
    with Demo(PROGRAM, tmp_path) as first:
        first.wait_for("  post     item")
        with Demo(PROGRAM, tmp_path) as second:
            assert second.ended() == 1
            [line] = second.faults
            assert "another demo runs in demo-data" in line
            assert "--data" in line
        assert items(first)
        assert (tmp_path / "demo-data/feed.db").exists()
        assert first.interrupt() == 0


def test_a_demo_removes_no_file_that_it_did_not_make(tmp_path: Path) -> None:
    with Demo(PROGRAM, tmp_path) as demo:
        demo.wait_for("Ctrl-C ends it")
        assert demo.interrupt() == 0
    thesis = tmp_path / "demo-data/thesis.txt"
    thesis.write_text("ten years of work")
    with Demo(PROGRAM, tmp_path) as demo:
        assert demo.ended() == 1
        assert "something else than a demo" in demo.faults[0]
    assert thesis.exists()
    assert (tmp_path / "demo-data/feed.db").exists()


def test_a_folder_that_holds_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    thesis = tmp_path / "mine" / "thesis.txt"
    thesis.parent.mkdir()
    thesis.write_text("ten years of work")
    for data in ("mine", "mine/thesis.txt"):
        with Demo(PROGRAM, tmp_path, "--data", data) as demo:
            assert demo.ended() == 1
            assert demo.text == ""
            [line] = demo.faults
            assert line.startswith("feedserver: ")
            assert "--data" in line
    assert [path.name for path in thesis.parent.iterdir()] == ["thesis.txt"]
    assert thesis.read_text() == "ten years of work"


def test_a_port_in_use_is_said_and_nothing_is_left_running(tmp_path: Path) -> None:
    with Demo(PROGRAM, tmp_path, "--data", "one") as one:
        one.wait_for("Ctrl-C ends it")
        port = one.url.rpartition(":")[2]
        with Demo(PROGRAM, tmp_path, "--data", "other", "--port", port) as other:
            assert other.ended() == 1
            assert f"port {port}: it is in use" in other.faults[0]
            assert "--port" in other.faults[0]
            assert "make demo PORT=" in other.faults[0]
            assert other.group == []
        assert one.interrupt() == 0


def test_what_the_demo_could_not_post_stays_in_no_editors_outbox(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    with pytest.raises(SetupError, match="could not post"):
        demo._publish(story()[0], None, server.url, "nf_unknown", imported=False)
    assert list(home.rglob("*.json")) == []
