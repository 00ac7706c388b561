"""`feedserver embed`: the lines that put a feed on another page."""

from argparse import Namespace
from html import escape

from feedserver.commands.folder import add_data, existing_feed, read_in_folder, settings_of
from feedserver.errors import BadSetting
from feedserver.site.assets import released_sri, ticker_version
from publisher.command_line import Command
from publisher.output import Screen, clean
from publisher.parser import Parser

_WILDCARDS = {"", "0.0.0.0", "::"}  # noqa: S104 - a server can listen there, but no reader can connect
_STYLE = "live-ticker:not([layout=line]) { display: block; block-size: 28em }"


def _add_arguments(parser: Parser) -> None:
    parser.add_argument("slug", metavar="SLUG")
    parser.add_argument("--url", help="the address that readers see (FEEDSERVER_URL)")
    add_data(parser)


def _run(args: Namespace, screen: Screen) -> None:
    settings = settings_of(args)
    if not settings.url and (settings.port == 0 or settings.host in _WILDCARDS):
        raise BadSetting("which address do readers see? Say it with --url https://news.example")
    site = settings.public_url

    feed = read_in_folder(args, lambda mirror: existing_feed(mirror, args.slug))
    page = f"{site}/feeds/{feed.slug}"
    ticker = (
        f'<live-ticker src="{page}"><a href="{page}">{escape(clean(feed.title))}</a></live-ticker>'
    )
    script = f'<script type="module" src="{site}/ticker.js"></script>'
    version, integrity = ticker_version(), released_sri()
    pinned = (
        f'<script type="module" src="{site}/ticker-{version}.js"\n'
        f'  integrity="{integrity}" crossorigin="anonymous"></script>'
        if integrity
        else None
    )
    result = {"html": f"{script}\n{ticker}", "style": _STYLE}
    screen.give(result | ({"pinned_script": pinned} if pinned else {}))
    if pinned:
        screen.say(f"<!-- or, to stay with version {version}:\n{pinned}\n-->")
    else:
        screen.notice(
            f"the ticker {version} is not released: its file changes with every build, so no "
            "version can be pinned"
        )
    screen.say(
        f"{script}\n{ticker}\n"
        f"<!-- and in the page's style sheet, so that nothing on it moves:\n{_STYLE} -->"
    )


COMMAND = Command(
    "SLUG", _add_arguments, _run, ("feedserver embed world --url https://news.example",)
)
