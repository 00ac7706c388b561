"""The C floor."""

from typing import ClassVar

from bench.build import program
from bench.peers.peer import Told


class Floor(Told):
    name: ClassVar[str] = "floor"

    def command(self) -> list[str]:
        greeting = self.setting.greeting_file()
        return [str(program("floor")), *([greeting] if greeting else [])]
