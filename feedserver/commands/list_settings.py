"""`feedserver settings`: what `serve` would take from the environment."""

from argparse import Namespace

from feedserver.commands.folder import add_data, settings_of
from feedserver.settings import TABLE
from publisher.command_line import Command
from publisher.output import Screen, clean_line


def _run(args: Namespace, screen: Screen) -> None:
    settings = settings_of(args)
    rows = [(s.variable, _text(getattr(settings, s.name)), s.help) for s in TABLE]
    screen.give(
        [{"variable": variable, "value": value, "help": text} for variable, value, text in rows]
    )
    for row in rows:
        screen.say("\t".join(map(clean_line, row)))


def _text(value: object) -> str:
    """Return a value as it is written in its variable."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ",".join(f"{name}={address}" for name, address in value)
    return str(value)


COMMAND = Command("", add_data, _run, ("feedserver settings",))
