"""The file system of a folder: does it overwrite in place, so that a destroyed key is gone?"""

from __future__ import annotations

import fcntl
import os
import re
import struct
from dataclasses import dataclass
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
_IN_PLACE = frozenset({"ext2", "ext3", "ext4", "xfs", "jfs", "tmpfs", "ramfs", "vfat", "exfat"})
_COPIES = frozenset({"btrfs", "zfs", "bcachefs", "nilfs2", "f2fs"})
_GETFLAGS, _NOCOW = 0x80086601, 0x00800000  # as in Linux's fs.h
_REMOTE = re.compile(r"nfs4?|cifs|smb3|9p|ceph|glusterfs|fuse(\..+)?")


@dataclass(frozen=True, slots=True)
class FileSystem:
    """`in_place` says whether it overwrites in place; None: nothing is known of this kind."""

    name: str
    in_place: bool | None

    @property
    def remark(self) -> str | None:
        """What an operator should know about erasing there; None: nothing."""
        if self.in_place is True:
            return None
        if self.in_place is False:
            return (
                f"the file system {self.name} does not overwrite in place: a key that was "
                "destroyed may still be read from the device"
            )
        return (
            f"whether the file system {self.name} overwrites in place is not known: a key that "
            "was destroyed may still be read from the device"
        )


def file_system(path: Path, mounts: Path = MOUNTS) -> FileSystem:
    """Return the file system that holds `path`."""
    try:
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return FileSystem("unknown", None)
    here = path.resolve()
    found, depth = FileSystem("unknown", None), -1
    for line in lines:
        mounted, _, source = line.partition(" - ")
        point = Path(_unescaped(mounted.split(" ")[4]))
        # A later mount at the same point hides the earlier one.
        if (here == point or point in here.parents) and len(point.parts) >= depth:
            kind, _, options = (*source.split(" ", 2), "", "")[:3]
            found, depth = _judged(kind, f"{mounted} {options}"), len(point.parts)
    if found.name == "btrfs" and _never_copied(path):
        return FileSystem(found.name, True)
    return found


def _judged(kind: str, options: str) -> FileSystem:
    if kind.startswith("ext") and "data=journal" in options:
        return FileSystem(f"{kind} with data=journal", False)
    if kind == "btrfs" and "nodatacow" in options:
        return FileSystem(kind, True)
    if kind in _COPIES:
        return FileSystem(kind, False)
    if _REMOTE.fullmatch(kind):
        return FileSystem(kind, None)
    return FileSystem(kind, True if kind in _IN_PLACE else None)


def _never_copied(path: Path) -> bool:
    """Say whether a file is marked so that even btrfs overwrites it in place."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        flags = struct.unpack("l", fcntl.ioctl(fd, _GETFLAGS, struct.pack("l", 0)))[0]
    except OSError:
        return False
    finally:
        os.close(fd)
    return bool(flags & _NOCOW)


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
