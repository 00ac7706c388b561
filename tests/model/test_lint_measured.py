"""How often the check of numbers is right, on pairs that it was not made with."""

from __future__ import annotations

import json
from pathlib import Path

from feedserver.lint.contradictions import contradicted
from feedserver.lint.languages import language_of

PAIRS = Path(__file__).parent / "lint"
LANGUAGES = ("en", "uk", "de")
DOCS = Path(__file__).resolve().parents[2] / "docs"


def measured(half: str) -> dict[str, tuple[int, int, int, int]]:
    """Return of each language: found, of so many; told without reason, of so many."""
    figures = {}
    for name in LANGUAGES:
        language = language_of(name, "")
        assert language is not None
        told = {True: [0, 0], False: [0, 0]}
        for line in (PAIRS / half / f"{name}.jsonl").read_text().splitlines():
            pair = json.loads(line)
            found = contradicted(pair["headline"], pair["body"], language) is not None
            told[pair["contradicted"]][0] += found
            told[pair["contradicted"]][1] += 1
        figures[name] = (*told[True], *told[False])
    figures["all"] = tuple(map(sum, zip(*figures.values(), strict=True)))
    return figures


def row(name: str, figures: tuple[int, int, int, int]) -> str:
    found, contradicted_, false, others = figures
    return (
        f"| {name} | {found} of {contradicted_} ({found / contradicted_:.1%}) "
        f"| {false} of {others} ({false / others:.1%}) |"
    )


def test_the_figures_in_the_guide_are_those_of_the_unseen_half() -> None:
    guide = (DOCS / "publishing.md").read_text()
    names = {"en": "English", "uk": "Ukrainian", "de": "German", "all": "all"}
    for code, figures in measured("unseen").items():
        assert row(names[code], figures) in guide


def test_there_are_enough_pairs_and_none_is_in_both_halves() -> None:
    heads = {}
    for half in ("seen", "unseen"):
        lines = [
            json.loads(line)
            for name in LANGUAGES
            for line in (PAIRS / half / f"{name}.jsonl").read_text().splitlines()
        ]
        assert sum(line["contradicted"] for line in lines) >= 250
        assert sum(not line["contradicted"] for line in lines) >= 250
        heads[half] = {line["headline"] for line in lines}
        assert len(heads[half]) == len(lines)
    assert not heads["seen"] & heads["unseen"]
