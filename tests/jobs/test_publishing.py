"""A picture is whole or not there."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from triptych.jobs import StorageError, StorageFull, publish, sweep


def test_what_was_published_lies_there_and_nothing_else(tmp_path: Path) -> None:
    path = publish(tmp_path / "pictures" / "a.png", b"picture")
    assert path.read_bytes() == b"picture"
    publish(path, b"again")
    assert [one.name for one in path.parent.iterdir()] == ["a.png"]
    assert path.read_bytes() == b"again"


@pytest.mark.parametrize(
    ("call", "code", "error"),
    [
        ("fsync", errno.EIO, StorageError),
        ("fsync", errno.ENOSPC, StorageFull),
        ("fsync", errno.EDQUOT, StorageFull),
        ("replace", errno.EROFS, StorageError),
    ],
)
def test_a_disk_that_refuses_leaves_the_old_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int, error: type[StorageError]
) -> None:
    path = publish(tmp_path / "a.png", b"old")

    def refuse(*args: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(f"triptych.jobs.publishing.os.{call}", refuse)
    with pytest.raises(error, match="cannot write") as caught:
        publish(path, b"new")
    assert type(caught.value) is error
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_sweep_takes_what_a_killed_writer_left(tmp_path: Path) -> None:
    publish(tmp_path / "a.png", b"whole")
    (tmp_path / ".b.png.123.part").write_bytes(b"half")
    assert sweep(tmp_path) == 1
    assert [one.name for one in tmp_path.iterdir()] == ["a.png"]
    assert sweep(tmp_path / "missing") == 0
