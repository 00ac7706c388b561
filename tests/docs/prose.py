"""Reads Markdown as the tests need it: files, chapters, tables, code and links."""

from __future__ import annotations

import re
from pathlib import Path

from support.server import ROOT

DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md")])
OWN = [DOCS / "architecture.md", DOCS / "protocol.md", DOCS / "operating.md"]
GUIDES = [*OWN, ROOT / "CONTRIBUTING.md", ROOT / "README.md"]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def chapter(page: Path, title: str) -> str:
    """Return what stands below a heading, up to the next one of its level or above."""
    found = re.search(rf"^(#+) {re.escape(title)}\n", page.read_text(), re.MULTILINE)
    assert found, f"{page.name} has no chapter {title}"
    rest = page.read_text()[found.end() :]
    return re.split(rf"^#{{1,{len(found[1])}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def table(text: str, first: str) -> list[list[str]]:
    """Return the rows of the table whose first heading is `first`, each a list of cells."""
    start = text.index(f"| {first} |")
    rows = []
    for line in text[start:].splitlines()[2:]:
        if not line.startswith("|"):
            break
        cells = line.replace(r"\|", "\0").strip("|").split("|")
        rows.append([cell.replace("\0", "|").strip() for cell in cells])
    return rows


def code(text: str) -> list[str]:
    """Return what stands in single backticks."""
    return re.findall(r"`([^`\n]+)`", without_blocks(text))


def blocks(text: str, language: str = "") -> list[str]:
    """Return the fenced blocks of a language."""
    return [body for kind, body in _FENCE.findall(text) if kind == language]


def without_blocks(text: str) -> str:
    return _FENCE.sub("", text)


def links(text: str) -> list[str]:
    return _LINK.findall(without_blocks(text))


def anchors(text: str) -> set[str]:
    """Return the anchors that a page's headings have on the web."""
    headings = _HEADING.findall(without_blocks(text))
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}
