"""`feedserver demo`."""

from __future__ import annotations

from pathlib import Path


def run(port: int, data: Path) -> int:
    """Play the seed story."""
    return 0
