"""What the commands of a program are and take, as plain data: for completion and man pages."""

from __future__ import annotations

from typing import Any

from publisher.command_line import Program


def describe(program: Program) -> list[dict[str, Any]]:
    """Return each command: `name`, `summary`, `usage`, `examples`, `description`, `arguments`.

    The arguments are those of `Parser.arguments`.
    """
    described = []
    for entry in program.table:
        command = entry.load()
        parser = program.parser(entry, command)
        described.append(
            {
                "name": entry.name,
                "summary": entry.summary,
                "usage": parser.usage or "",
                "description": parser.description or "",
                "examples": list(command.examples),
                "arguments": parser.arguments(),
            }
        )
    return described
