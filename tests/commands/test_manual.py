"""The man pages say what --help says, and render."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from feedserver.commands.program import PROGRAM as FEEDSERVER
from publisher.command_line import Program
from publisher.commands.program import PROGRAM as PUBLISHER
from publisher.manual import manual_page

PROGRAMS = [pytest.param(program, id=program.name) for program in (PUBLISHER, FEEDSERVER)]
SIGNS = {r"\e": "\\", r"\-": "-", r"\(aq": "'", r"\(dq": '"', r"\(ga": "`", r"\(ha": "^"}
MACROS = {".TH", ".SH", ".SS", ".PP", ".TP", ".RS", ".RE", ".nf", ".fi"}


def words_of(text: str) -> str:
    return " ".join(text.split())


def plain(page: str) -> str:
    """Return the words of a page; fail where a line or a sign is none that the page may have."""
    words = []
    for line in page.splitlines():
        macro, _, rest = line.partition(" ")
        if line.startswith("."):
            assert macro in MACROS, line
            line = "" if macro == ".RS" else rest.strip('"')
        assert line.isprintable(), line
        line = re.sub(r"\\f[BR]|\\&", "", line)
        line = re.sub(r"\\(?:\(..|.)", lambda sign: {**SIGNS, r"\(ti": "~"}[sign[0]], line)
        words.append(line)
    return words_of("\n".join(words))


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_page_has_the_words_of_every_help_in_its_order(program: Program) -> None:
    page = plain(manual_page(program))
    for part in program.about.replace("{commands}", "").strip().split("\n\n"):
        assert words_of(part).removeprefix("usage: ") in page
    at = page.index(" COMMANDS ")
    for entry in program.table:
        command = entry.load()
        parser = program.parser(entry, command)
        told = words_of(parser.format_help())
        said = [words_of(parser.usage or ""), parser.description or ""]
        for argument in parser.arguments():
            said += [argument["shown"], words_of(argument["help"])]
        for words in [*said, *command.examples]:
            assert words_of(words) in told
            at = page.index(words_of(words), at)
        options = {option for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", told)}
        assert options <= set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", page))


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_page_renders_without_a_warning(program: Program) -> None:
    if not shutil.which("groff"):
        pytest.skip("groff is not installed")
    done = subprocess.run(
        ["groff", "-man", "-ww", "-Kutf8", "-Tutf8", "-P-c"],
        input=manual_page(program),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stderr == ""
    shown = words_of(re.sub(".\b", "", done.stdout))
    for entry in program.table:
        assert f"{program.name} {entry.name}" in shown
    assert "feedserver token add" in shown or program is PUBLISHER
