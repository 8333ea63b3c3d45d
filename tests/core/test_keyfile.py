"""The file of keys: private, whole, and no writer's names lost to another."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from triptych.core.errors import FileProblem
from triptych.core.keyfile import KEYS, change, read


def test_writers_at_once_lose_no_name_of_each_other(tmp_path: Path) -> None:
    names = [f"name {number}" for number in range(24)]
    threads = [threading.Thread(target=change, args=(tmp_path, lambda kept, one=one: kept | {one: 1})) for one in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(read(tmp_path)) == set(names)
    assert (tmp_path / KEYS).stat().st_mode & 0o777 == 0o600


def test_what_is_damaged_is_told_and_left(tmp_path: Path) -> None:
    for text in ("{", "[]", '"a"'):
        (tmp_path / KEYS).write_text(text)
        with pytest.raises(FileProblem, match="is damaged"):
            change(tmp_path, lambda kept: kept | {"a": 1})
        assert (tmp_path / KEYS).read_text() == text


def test_no_change_writes_nothing(tmp_path: Path) -> None:
    assert change(tmp_path, lambda kept: kept) == {}
    assert not (tmp_path / KEYS).exists()
