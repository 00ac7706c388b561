"""Run the tests of the seams with the oldest and the newest versions that pyproject.toml allows.

`make test-ends` runs it, with any Python. Each end has an environment of its own in `.ends/`.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SEAMS = ("uvicorn", "websockets", "starlette")  # whose inner parts are used
TESTS = ("tests/websocket", "tests/process")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def ranges() -> dict[str, tuple[str, str]]:
    """Return the lowest version and the whole range of each of them."""
    found = {}
    for text in PROJECT["dependencies"]:
        if match := re.fullmatch(r"([\w-]+)(>=([\d.]+),<[\d.]+)", text):
            found[match[1]] = (match[3], match[2])
    missing = set(SEAMS) - set(found)
    if missing:
        sys.exit(f"pyproject.toml gives no range like >=1,<2 for {', '.join(sorted(missing))}")
    return {name: found[name] for name in SEAMS}


def install(end: str, wanted: list[str]) -> Path:
    """Make an environment with these versions and all others as pinned; return its Python."""
    folder = ROOT / ".ends" / end
    venv.create(folder, with_pip=True)
    python = folder / "bin/python"
    pins = (ROOT / "constraints.txt").read_text().splitlines()
    others = folder / "constraints.txt"
    others.write_text("\n".join(pin for pin in pins if pin.partition("==")[0] not in SEAMS))
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--upgrade", "--constraint", others, "--editable", f"{ROOT}[test]", *wanted]
    if subprocess.run(command, check=False).returncode:
        sys.exit(f"cannot install the {end} versions, {' '.join(wanted)}: nothing was tested")
    return python


def main() -> None:
    ends = {
        "oldest": [f"{name}=={lowest}" for name, (lowest, _) in ranges().items()],
        "newest": [f"{name}{whole}" for name, (_, whole) in ranges().items()],
    }
    for end, wanted in ends.items():
        python = install(end, wanted)
        listing = [python, "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check"]
        found = subprocess.run(listing, capture_output=True, text=True, check=True).stdout
        names = [line for line in found.splitlines() if line.partition("==")[0] in SEAMS]
        print(f"the {end}: {', '.join(names)}", flush=True)
        tests = [python, "-m", "pytest", "-q", "-m", "not more", *sys.argv[1:], *TESTS]
        if code := subprocess.run(tests, cwd=ROOT, check=False).returncode:
            sys.exit(code)


if __name__ == "__main__":
    main()
