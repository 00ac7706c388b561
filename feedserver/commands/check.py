"""`feedserver check`: is all readable, and does the state follow from the journal?"""

import asyncio
from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from pathlib import Path
from typing import Any

from feedserver.commands.folder import add_data, settings_of
from feedserver.commands.progress import shown_progress
from feedserver.live.hub import now_millis
from feedserver.model import Millis
from feedserver.sqlite import keys
from feedserver.sqlite.backup import last_backup
from feedserver.sqlite.checking import Looked, check
from feedserver.sqlite.filesystem import file_system
from feedserver.sqlite.findings import CONTRADICTION, FUTURE, Finding
from feedserver.sqlite.opening import accept_clock
from feedserver.sqlite.repairing import repair
from feedserver.wire import time_text
from publisher.command_line import Command
from publisher.output import Screen

KEPT_MAX = 1000  # findings that are listed; of the rest only the number is told
MENDED = frozenset({CONTRADICTION, FUTURE})
_DAY: Millis = 86_400_000


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--repair",
        action="store_true",
        help="give items of the future the time of now, and make rows anew from the journal",
    )
    parser.add_argument(
        "--accept-clock",
        action="store_true",
        help="have a running server take this machine's clock as it is",
    )
    add_data(parser)


class _Report:
    """What one look has found, as far as it is listed."""

    def __init__(self) -> None:
        self.wrong: list[Finding] = []
        self.more = 0
        self.remarks: list[str] = []

    def found(self, finding: Finding) -> None:
        if len(self.wrong) < KEPT_MAX:
            self.wrong.append(finding)
        else:
            self.more += 1

    def remark(self, remark: str) -> None:
        if len(self.remarks) < KEPT_MAX:
            self.remarks.append(remark)

    @property
    def count(self) -> int:
        return len(self.wrong) + self.more


def _run(args: Namespace, screen: Screen) -> int:
    folder = settings_of(args).data
    if args.accept_clock:
        accept_clock(folder, now_millis())
    report, looked = _look(folder, screen)
    stamped = made = 0
    while args.repair and any(finding.kind in MENDED for finding in report.wrong):
        done = asyncio.run(repair(folder, report.wrong, now_millis))
        stamped, made = stamped + done[0], made + done[1]
        before = report.count
        report, looked = _look(folder, screen)
        if report.count >= before:
            break
    _tell(folder, report, looked, (stamped, made), screen)
    return 1 if report.count else 0


def _look(folder: Path, screen: Screen) -> tuple[_Report, Looked]:
    report = _Report()
    with shown_progress(quiet=screen.as_json) as progress:
        looked = check(folder, now_millis(), report.found, report.remark, progress)
    for remark in (_backup_remark(folder), file_system(folder / keys.FILE).remark):
        if remark is not None:
            report.remark(remark)
    return report, looked


def _backup_remark(folder: Path) -> str:
    last = last_backup(folder)
    if last is None:
        return "no backup was ever made with feedserver backup, as far as this folder knows"
    days = max(0, now_millis() - last.at) // _DAY
    age = f"{days} days ago" if days > 1 else "yesterday" if days else "today"
    return f"the last backup was made {age}, at {time_text(last.at)}, in {last.folder}"


def _tell(
    folder: Path, report: _Report, looked: Looked, mended: tuple[int, int], screen: Screen
) -> None:
    stamped, made = mended
    screen.give(
        {
            "records": looked.records,
            "items": looked.items,
            "wrong": [_finding(one) for one in report.wrong],
            "more": report.more,
            "remarks": report.remarks,
            "restamped": stamped,
            "rebuilt": made,
        }
    )
    if stamped:
        screen.say(f"repaired: {stamped} items bear the time of now")
    if made:
        screen.say(f"repaired: {made} rows were made anew; restart the server, which kept old ones")
    for finding in report.wrong:
        screen.say(f"wrong: {finding.detail}")
    if report.more:
        screen.say(f"wrong: {report.more} more")
    for remark in report.remarks:
        screen.say(f"remark: {remark}")
    things = "1 thing is" if report.count == 1 else f"{report.count} things are"
    says = f"{things} wrong" if report.count else "nothing is wrong"
    screen.say(f"checked {looked.records} records and {looked.items} items in {folder}: {says}")


def _finding(finding: Finding) -> dict[str, Any]:
    return {name: value for name, value in asdict(finding).items() if value is not None}


COMMAND = Command(
    "[--repair] [--accept-clock]",
    _add_arguments,
    _run,
    ("feedserver check --data /var/lib/feedserver",),
)
