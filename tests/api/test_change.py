"""The one door for both kinds of edit: which of the two is called, and what only one of them takes."""

from __future__ import annotations

from typing import Any

import pytest

from triptych.api import change
from triptych.core.errors import InvalidRequest


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    calls: list[tuple[str, dict[str, Any]]] = []
    for name in ("edit_with_mask", "edit_as_told"):
        monkeypatch.setattr(change, name, lambda picture, words, name=name, **options: calls.append((name, options)))
    return calls


@pytest.mark.parametrize(
    ("options", "door", "lock"),
    [
        ({}, "edit_as_told", None),
        ({"mask": "1,1,5,5"}, "edit_with_mask", 1.0),
        ({"mask": "1,1,5,5", "lock": 0.5}, "edit_with_mask", 0.5),
        ({"lock": 0.0, "seed": 3}, "edit_with_mask", 0.0),
    ],
)
def test_a_mask_or_a_lock_decides(called: list[Any], options: dict[str, Any], door: str, lock: float | None) -> None:
    change.edit("a.png", "a fox", **options)
    ((name, given),) = called
    assert name == door
    assert given.get("lock") == lock
    assert given["model"] == "flow"
    assert given.get("seed") == options.get("seed")


@pytest.mark.parametrize("name", change.WITH_MASK_ONLY)
def test_what_only_a_mask_takes_is_refused_without_one(called: list[Any], name: str) -> None:
    with pytest.raises(InvalidRequest, match=f"{name}: needs a mask or a lock"):
        change.edit("a.png", "make the fox blue", **{name: None})
    assert not called
