"""The commands and options of a program, kept on disk, so that a Tab need not load them.

The file is made anew when a file of the programs has changed.
"""

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import feedserver
from publisher.completion.known import completion_folder

if TYPE_CHECKING:
    from publisher.command_line import Program

Commands = dict[str, dict[str, Any]]
_FORMAT = 1
_NEEDED = ("dest", "names", "metavar", "values", "choices", "help")


def load_commands(name: str) -> Commands | None:
    """Return what each command of a program takes; None where that is not kept.

    It is what `describe` says, but only what a Tab needs.
    """
    try:
        with open(_path(name), encoding="utf-8") as file:
            raw = json.load(file)
        if raw["stamp"] != _stamp():
            return None
        return dict(raw["commands"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def make_commands(program: "Program") -> Commands:
    """Return what each command of a program takes, and keep it where that is possible."""
    from publisher.description import describe  # only now: a Tab does without what it loads

    commands = {
        command["name"]: {
            "summary": command["summary"],
            "arguments": [
                {name: argument[name] for name in _NEEDED} for argument in command["arguments"]
            ],
        }
        for command in describe(program)
    }
    try:
        path = _path(program.name)
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        draft = f"{path}.{os.getpid()}"
        with open(draft, "w", encoding="utf-8") as file:
            json.dump({"stamp": _stamp(), "commands": commands}, file)
        os.replace(draft, path)
    except OSError:
        return commands  # the next Tab makes it anew
    return commands


def _path(name: str) -> str:
    return os.path.join(completion_folder(), f"{name}.commands.json")


def _stamp() -> list[Any]:
    """Return what changes whenever a file of the programs does."""
    newest = count = size = 0
    root = os.path.dirname(os.path.dirname(os.path.abspath(feedserver.__file__)))
    folders = [f"{root}/feedserver", f"{root}/publisher"]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                name = entry.name
                if name.endswith(".py"):
                    found = entry.stat()
                    newest = max(newest, found.st_mtime_ns)
                    size += found.st_size
                    count += 1
                elif "." not in name and name != "__pycache__" and entry.is_dir():
                    folders.append(entry.path)
    return [_FORMAT, feedserver.__version__, sys.version, root, newest, count, size]
