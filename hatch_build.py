"""Puts the man pages into the wheel, where `make man` has made them."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ManPages(BuildHookInterface):
    """What hatchling calls before it builds."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add each page to the files that are installed beside the programs."""
        for page in sorted(Path(self.root, "build/man").glob("*.1")):
            build_data["shared_data"][str(page)] = f"share/man/man1/{page.name}"
