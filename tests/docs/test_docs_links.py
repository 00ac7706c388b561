"""What the documents point at is there: pages, chapters, files, targets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prose import DOCS, GUIDES, PAGES, anchors, code, links, name_of, table
from support.server import ROOT

FOLDERS = ("feedserver/", "publisher/", "web/", "tests/", "bench/", "docs/")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for link in links(page.read_text()):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name} points at {link}"
        if anchor:
            assert anchor in anchors(target.read_text()), f"{page.name} points at {link}"


@pytest.mark.parametrize("page", GUIDES, ids=name_of)
def test_every_path_that_is_named_exists(page: Path) -> None:
    for path in code(page.read_text()):
        if path.startswith(FOLDERS) and re.fullmatch(r"[\w./-]+", path):
            assert (ROOT / path).exists(), f"{page.name} names {path}"


def test_the_readmes_map_names_every_folder() -> None:
    rows = table((ROOT / "README.md").read_text(), "folder")
    assert {row[0].strip("`") for row in rows} == set(FOLDERS)


def test_every_module_of_the_server_is_on_a_map_or_in_a_folder_that_is() -> None:
    named = set(code((ROOT / "CONTRIBUTING.md").read_text()))
    named |= set(code((DOCS / "architecture.md").read_text()))
    named |= {f"feedserver/{name}.py" for name in re.findall(r"feedserver\.(\w+)", _layers())}
    beside = {"__init__.py", "__main__.py"}
    for module in (ROOT / "feedserver").glob("*.py"):
        assert module.name in beside or f"feedserver/{module.name}" in named, module.name


def _layers() -> str:
    return (DOCS / "architecture.md").read_text().split("```layers")[1].split("```")[0]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_target_of_make_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = page.read_text()
    named = re.findall(r"(?:`|^)make ([a-z-]+)", text, re.MULTILINE)
    assert set(named) <= targets


def test_every_target_that_make_lists_is_explained() -> None:
    listed = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    explained = {row[0] for row in table((ROOT / "CONTRIBUTING.md").read_text(), "command")}
    assert {f"`make {name}`" for name in listed - {"help", "clean"}} <= explained
