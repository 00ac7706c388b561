"""Which file system is it, and does it overwrite in place?"""

from __future__ import annotations

from pathlib import Path

import pytest

from feedserver.sqlite.filesystem import FileSystem, file_system

MOUNTS = """\
21 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro
30 21 0:26 / /srv rw - btrfs /dev/vdb rw,compress=zstd
31 30 0:27 / /srv/in\\040place rw - btrfs /dev/vdc rw,nodatacow
32 21 254:3 / /journaled rw - ext4 /dev/vdd rw,data=journal
33 21 0:30 / /pool rw - zfs pool/data rw
34 21 0:31 / /remote rw - nfs4 server:/data rw
35 21 0:32 / /odd rw - oddfs none rw
36 21 254:4 / /xfs rw - xfs /dev/vde rw
37 21 0:33 / /hidden rw - tmpfs tmpfs rw
38 21 0:34 / /hidden rw - zfs pool/over rw
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/var/lib/feedserver", FileSystem("ext4", True)),
        ("/srv/feed", FileSystem("btrfs", False)),
        ("/srv/in place/feed", FileSystem("btrfs", True)),
        ("/srv/in placement", FileSystem("btrfs", False)),
        ("/journaled/feed", FileSystem("ext4 with data=journal", False)),
        ("/pool", FileSystem("zfs", False)),
        ("/remote/feed", FileSystem("nfs4", None)),
        ("/odd/feed", FileSystem("oddfs", None)),
        ("/xfs/feed", FileSystem("xfs", True)),
        ("/hidden/feed", FileSystem("zfs", False)),
    ],
)
def test_the_mount_that_holds_the_folder_tells(
    tmp_path: Path, path: str, expected: FileSystem
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    assert file_system(Path(path), mounts) == expected


def test_it_is_said_where_a_destroyed_key_may_be_left() -> None:
    assert FileSystem("ext4", True).remark is None
    for in_place, words in ((False, "does not overwrite"), (None, "is not known")):
        remark = FileSystem("somefs", in_place).remark
        assert remark is not None
        assert words in remark
        assert "somefs" in remark


def test_where_nothing_is_told_nothing_is_known(tmp_path: Path) -> None:
    assert file_system(tmp_path, tmp_path / "none") == FileSystem("unknown", None)
    assert file_system(tmp_path).name != "unknown"
