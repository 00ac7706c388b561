"""`feedserver serve`: serve the feeds of one folder, until a signal ends it."""

from argparse import Namespace

from feedserver.commands.folder import settings_of
from feedserver.service import serve
from feedserver.settings import TABLE
from publisher.command_line import Command
from publisher.output import Screen
from publisher.parser import Parser


def _add_arguments(parser: Parser) -> None:
    for setting in TABLE:
        option = f"--{setting.name.replace('_', '-')}"
        parser.add_argument(
            option,
            dest=setting.name,
            metavar="DIR" if setting.name == "data" else None,
            help=f"{setting.help} ({setting.variable})",
        )


def _run(args: Namespace, screen: Screen) -> int:
    def say_ready(address: str) -> None:
        screen.give({"status": "ready", "url": address})
        screen.say(f"feedserver is ready at {address}")

    return serve(settings_of(args), ready=say_ready)


COMMAND = Command(
    "",
    _add_arguments,
    _run,
    ("feedserver serve --data /var/lib/feedserver --port 8000",),
    needs_stdout=False,
)
