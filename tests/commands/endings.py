"""How a command ends."""

from __future__ import annotations

import subprocess

Done = subprocess.CompletedProcess[str]


def done(command: Done) -> str:
    """Return what a command that did its work printed."""
    assert command.returncode == 0, command.stderr
    return command.stdout


def refused(command: Done, *words: str, code: int = 1) -> str:
    """Return the sentence of a command that was refused; it prints nothing else."""
    assert command.returncode == code, (command.stdout, command.stderr)
    assert command.stdout == ""
    assert "Traceback" not in command.stderr, command.stderr
    sentence = command.stderr.strip()
    if code == 1:
        assert "\n" not in sentence
        assert sentence.startswith("feedserver: ")
        assert len(sentence.split()) > 3
    for word in words:
        assert word in sentence, sentence
    return sentence
