"""An editor at work on one item: `racing.py NAME ITEM COUNT SEED` runs so many commands, in turn.

Prints one JSON object a line: the words of a command, its exit code, what stood in the editor, and
what a person was shown afterwards, which is what it printed, but not in JSON.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import shlex
import sys
from pathlib import Path

from publisher.commands.program import main

EDITOR = """\
cat "$2" >> "$HOME/opened"
sed -i "1s/.*/Rewritten as $1/; s/<<<<<<< .* ======= \\\\(.*\\\\) >>>>>>>/\\\\1/" "$2"
"""
HOME = Path(os.environ["HOME"])


def run(*words: str) -> tuple[int, str, str]:
    """Run a command; return its exit code, stdout and stderr."""
    opened = HOME / "opened"
    opened.write_text("")
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(words)
    told = {
        "words": words,
        "code": code,
        "opened": opened.read_text(),
        "shown": "" if "--json" in words else out.getvalue() + err.getvalue(),
    }
    print(json.dumps(told), flush=True)
    return code, out.getvalue(), err.getvalue()


def ways_out(said: str) -> list[list[str]]:
    return [shlex.split(line)[1:] for line in said.splitlines() if line.startswith("  publisher ")]


def work(name: str, item: str, count: int, chance: random.Random) -> None:
    script = HOME / "editor.sh"
    script.write_text(EDITOR)
    print("ready", flush=True)
    sys.stdin.readline()  # until the other one is there
    run("show", item)
    for number in range(count):
        token = f"{name}{number}"
        os.environ["EDITOR"] = f"sh {script} {token}"
        typed = chance.choice(
            [
                [f"--headline=Drone kills {token}"],
                [f"--headline=Drone kills {token}"],
                [f"--body=First. It was {token}. Last."],
                [f"--add-tag={token}"],
                [f"--tag={token}"],
                [f"--remove-tag={name}{chance.randrange(number + 1)}"],
                [f"--byline={token}", f"--body=Only {token}."],
                ["--edit"],
                ["show"],
                ["pin"], ["unpin"], ["hold"], ["release"],
            ]
        )  # fmt: skip
        if not typed[0].startswith("-"):
            run(*typed, item)
            continue
        verb = chance.choice(["fix", "update"])
        more = ["--json"] * (chance.random() < 0.2)
        code, _, err = run(verb, item, *typed, f"--note={token}", *more)
        if code == 1:
            if not more and chance.random() < 0.5:
                run(*chance.choice(ways_out(err)))
            run("outbox", "drop", "--all")


if __name__ == "__main__":
    name, item, count, seed = sys.argv[1:]
    work(name, item, int(count), random.Random(f"{name} {seed}"))
