"""What long texts took goes back to the system as they are freed."""

from __future__ import annotations

import subprocess
import sys

from support.server import ROOT

PROGRAM = """
import sys
from pathlib import Path
from feedserver.linux.allocator import return_long_texts

def held():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

if sys.argv[1] == "returned":
    return_long_texts()
del (large := [bytes(20_000_000)])[:]  # after this glibc would take long texts from its heap
small, start = [], held()
texts = []
for number in range(1_000):
    texts.append(b"x" * 60_000)
    small.append(b"y" * 600)  # what stays between them
most = held()
del texts
print(most - start, held() - start)
"""


def test_memory_of_long_texts_is_returned_whatever_lies_between_them() -> None:
    for kind, part in (("returned", 0.2), ("as it comes", 2)):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, kind],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONPATH": str(ROOT)},
            timeout=60,
        )
        most, left = map(int, done.stdout.split())
        assert most > 50_000_000
        assert left < part * most, kind
