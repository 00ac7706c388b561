"""The C floor."""

from typing import ClassVar

from bench.build import program
from bench.peers.peer import Told


class Floor(Told):
    name: ClassVar[str] = "floor"
    options: ClassVar[tuple[str, ...]] = ()

    def command(self) -> list[str]:
        greeting = self.setting.greeting_file()
        return [str(program("floor")), *self.options, *([greeting] if greeting else [])]


class FloorSend(Floor):
    """The same with send(), which costs the kernel a little less."""

    name: ClassVar[str] = "floor-send"
    options: ClassVar[tuple[str, ...]] = ("--send",)
