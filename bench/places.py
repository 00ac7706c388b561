"""Where the benchmarks find things and keep what they build."""

from pathlib import Path

BENCH = Path(__file__).parent
ROOT = BENCH.parent
CACHE = BENCH / ".cache"
REPORTS = CACHE / "reports"
DOCUMENT = ROOT / "docs" / "performance.md"
PLOT = ROOT / "docs" / "performance.svg"


def cache(name: str) -> Path:
    """A folder of that name in the cache, made if needed."""
    folder = CACHE / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder
