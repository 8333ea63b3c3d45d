from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from triptych.core.errors import FileProblem
from triptych.core.files import check_folder, read_bytes, write_atomically


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_writes_and_replaces_whole_files(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.bin"
    assert write_atomically(path, b"one") == path
    write_atomically(path, b"two")
    assert path.read_bytes() == b"two"
    assert names(path.parent) == ["a.bin"]


def test_new_files_have_ordinary_rights(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(b"")
    assert write_atomically(tmp_path / "ours", b"").stat().st_mode == plain.stat().st_mode


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_nothing_and_keeps_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"before")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if call == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(FileProblem, match=r"cannot write .*a\.bin: the disk is full; nothing was left behind"):
        write_atomically(path, b"after")
    assert path.read_bytes() == b"before"
    assert names(tmp_path) == ["a.bin"]


def test_a_path_beneath_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileProblem, match="a part of the path is a file, not a folder") as caught:
        write_atomically(tmp_path / "file" / "a.bin", b"x")
    assert caught.value.exit_code == 3
    with pytest.raises(FileProblem, match="cannot write in"):
        check_folder(tmp_path / "file" / "sub")


def test_a_folder_in_the_way_stays(tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    with pytest.raises(FileProblem, match=r"cannot write .*a\.png"):
        write_atomically(tmp_path / "a.png", b"x")
    assert names(tmp_path) == ["a.png"]


def test_a_folder_that_nobody_can_write() -> None:
    if not Path("/proc/self").exists():
        pytest.skip("this system has no /proc")
    with pytest.raises(FileProblem, match="cannot write in /proc/self"):
        check_folder(Path("/proc/self"))


def test_check_folder_leaves_nothing(tmp_path: Path) -> None:
    check_folder(tmp_path / "new")
    assert names(tmp_path / "new") == []


def test_reading_is_capped(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert read_bytes(path, 5) == b"12345"
    with pytest.raises(FileProblem, match="is larger than"):
        read_bytes(path, 4)
    with pytest.raises(FileProblem, match="no such file"):
        read_bytes(tmp_path / "b", 4)
    with pytest.raises(FileProblem, match="it is a folder"):
        read_bytes(tmp_path, 4)
