"""How often the check of numbers is right, on pairs that it was not made with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

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
