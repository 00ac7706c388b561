"""The command `completion` of both programs: it prints what makes a shell ask them for words."""

from __future__ import annotations

from argparse import Namespace

from publisher.command_line import Command, Program
from publisher.completion.table import load_commands, make_commands
from publisher.output import Screen
from publisher.parser import Parser

SHELLS = ("bash", "zsh", "fish")


def completion_command(program: Program) -> Command:
    """Return the command `completion` of a program."""
    name = program.name

    def add_arguments(parser: Parser) -> None:
        parser.when_missing("SHELL", f"which shell? {name} completion {'|'.join(SHELLS)}")
        parser.add_argument(
            "shell", choices=SHELLS, metavar="SHELL", help=f"one of {', '.join(SHELLS)}"
        )

    def run(args: Namespace, screen: Screen) -> None:
        from argcomplete.shell_integration import shellcode  # only now: help does without it

        if load_commands(name) is None:
            make_commands(program)  # so that the first Tab does not wait for it
        script = shellcode([name], use_defaults=False, shell=args.shell)
        screen.give({"shell": args.shell, "script": script})
        screen.say(script.rstrip())

    examples = (f"{name} completion bash", f"{name} completion fish | source")
    return Command("SHELL", add_arguments, run, examples)
