"""The parts of a worker and its supervisor that need no process: rates, saved states, reports, errors, tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from triptych.core.asset import Asset, AssetStore
from triptych.core.errors import FileProblem, InvalidRequest, NotANumber, OutOfMemory, TriptychError
from triptych.core.request import Request
from triptych.core.state import Saved
from triptych.jobs.errors import StorageError, StorageFull
from triptych.workers import tasks
from triptych.workers.faults import RETRIED, fault_of
from triptych.workers.reports import Reports
from triptych.workers.running import PREVIEW_EVERY, STEP_EVERY, Running
from triptych.workers.saved import pack, unpack
from triptych.workers.states import States

REQUEST = Request(prompt="a star", seed=1)


# ------------------------------------------------------------------------------------------------------ rates


@given(total=st.integers(1, 300), partials=st.integers(1, 3), gap=st.floats(0.0001, 0.05))
def test_the_previews_that_were_asked_for_come_however_fast_the_steps(total: int, partials: int, gap: float) -> None:
    running = Running("a", 1, partials=partials)
    seen = [step for step in range(1, total + 1) if running.wants_preview(0, step, total, step * gap)]
    assert len(seen) >= min(partials, total - 1)
    assert len(seen) <= partials + 1 + total * gap / PREVIEW_EVERY
    assert total not in seen


def test_nobody_watching_costs_nothing_and_one_preview_is_on_its_way() -> None:
    running = Running("a", 1)
    assert not running.wants_preview(0, 5, 10, 100.0)
    running.partials = 0
    assert running.wants_preview(0, 5, 10, 100.0)
    running.previewing = True
    assert not running.wants_preview(0, 6, 10, 200.0)


@given(steps=st.integers(2, 400), gap=st.floats(0.0005, 0.3))
def test_steps_are_told_ten_times_a_second_and_the_last_one_always(steps: int, gap: float) -> None:
    running = Running("a", 1)
    told = [step for step in range(1, steps + 1) if running.tells_step(0, step, steps, step * gap)]
    assert told[-1] == steps
    assert len(told) <= 2 + steps * gap / STEP_EVERY


# ---------------------------------------------------------------------------------------------- saved states


def saved() -> Saved:
    x = torch.arange(24, dtype=torch.float32).view(2, 3, 4) / 7
    levels = torch.linspace(0, 1, 5, dtype=torch.float64)
    return Saved(3, {"i": 3, "path": "flow"}, {"x": x, "alphas": levels, "times": levels})


def test_a_saved_state_comes_back_to_the_last_bit() -> None:
    found = unpack(pack(saved(), REQUEST, "0" * 64), REQUEST, "0" * 64)
    assert found is not None
    assert (found.step, found.facts) == (3, saved().facts)
    assert found.tensors.keys() == saved().tensors.keys()
    for name, tensor in saved().tensors.items():
        assert found.tensors[name].dtype == tensor.dtype
        assert torch.equal(found.tensors[name], tensor)


def test_a_state_of_another_request_or_other_weights_is_none() -> None:
    data = pack(saved(), REQUEST, "0" * 64)
    assert unpack(data, REQUEST.model_copy(update={"seed": 2}), "0" * 64) is None
    assert unpack(data, REQUEST, "1" * 64) is None


@given(place=st.integers(0, 10_000), value=st.integers(0, 255), cut=st.booleans())
def test_a_state_that_was_altered_anywhere_is_none_or_the_same(place: int, value: int, cut: bool) -> None:
    data = bytearray(pack(saved(), REQUEST, None))
    place %= len(data)
    same = data[place] == value
    data[place] = value
    if cut:
        del data[place:]
    found = unpack(bytes(data), REQUEST, None)
    if found is not None and (cut or not same):
        # Spaces and the spelling of JSON in the header are not part of the state.
        for name, tensor in saved().tensors.items():
            assert torch.equal(found.tensors[name], tensor)


def test_states_lie_in_a_folder_until_their_job_is_done(tmp_path: Path) -> None:
    states = States(tmp_path / "states")
    assert states.of("a") == {}
    states.put("a", 0, b"zero")
    states.put("a", 1, b"one")
    states.put("b", 0, b"other")
    assert states.of("a") == {0: b"zero", 1: b"one"}
    states.drop("a", 0)
    assert states.of("a") == {1: b"one"}
    assert states.jobs == {"a", "b"}
    states.drop("a")
    assert (states.of("a"), states.of("b")) == ({}, {0: b"other"})
    states.drop("b")
    assert not list((tmp_path / "states").iterdir())


def test_a_state_that_cannot_be_written_fails_nothing(tmp_path: Path) -> None:
    (tmp_path / "states").write_text("a file where the folder should be")
    states = States(tmp_path / "states")
    states.put("a", 0, b"zero")
    assert states.of("a") == {}


# --------------------------------------------------------------------------------------------------- reports


def test_reports_are_told_in_order_and_kept_while_the_storage_refuses() -> None:
    told: list[int] = []
    full = True

    def tell(number: int) -> None:
        if full:
            raise StorageFull("the disk is full")
        told.append(number)

    reports = Reports()
    for number in range(3):
        reports.tell(lambda number=number: tell(number))
    assert reports.refused
    reports.again()
    assert told == []
    full = False
    reports.again()
    assert told == [0, 1, 2]
    assert not reports.refused


def test_a_report_that_can_never_be_told_does_not_hold_up_the_others() -> None:
    told: list[str] = []

    def broken() -> None:
        raise ValueError("no such column")

    reports = Reports()
    reports.tell(broken)
    reports.tell(lambda: told.append("next"))
    assert told == ["next"]


# ---------------------------------------------------------------------------------------------------- errors


def test_errors_have_a_code_and_unexpected_ones_hide_their_text() -> None:
    assert fault_of(InvalidRequest("steps", "too many")) == {
        "code": "invalid_request",
        "message": "steps: too many",
        "param": "steps",
    }
    assert fault_of(StorageError("x"))["code"] == "file_problem"
    assert fault_of(NotANumber("x"))["code"] == "not_a_number"
    assert fault_of(TriptychError("x"))["code"] == "failed"
    hidden = fault_of(RuntimeError("sk-secret in /home/me"))
    assert hidden["code"] == "internal_error"
    assert "secret" not in hidden["message"]
    assert fault_of(OutOfMemory("x"))["code"] in RETRIED
    assert fault_of(NotANumber("x"))["code"] not in RETRIED


# ----------------------------------------------------------------------------------------------------- tasks


@pytest.fixture
def inputs(tmp_path: Path) -> AssetStore:
    return AssetStore(tmp_path / "inputs")


def picture(inputs: AssetStore) -> dict[str, Any]:
    asset = Asset.of(np.zeros((8, 8, 3), np.uint8), "x")
    inputs.put(asset)
    return asset.model_dump(mode="json")


def test_a_request_gets_its_pictures_and_its_seed(inputs: AssetStore) -> None:
    request = tasks.request_of("job-1", {"prompt": "a", "init": picture(inputs), "strength": 0.5}, inputs)
    assert request.seed == tasks.seed_of("job-1")
    assert request.init is not None
    assert request.init.loaded
    assert tasks.request_of("job-1", {"prompt": "a", "seed": 5}, inputs).seed == 5


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        ({"instruction": "x"}, "image"),
        ({"picture": "/etc/passwd", "instruction": "x"}, "image"),
        ({"picture": {"sha256": "../../etc/passwd", "width": 1, "height": 1}, "instruction": "x"}, "image"),
        ({"picture": None, "instruction": "x"}, "image"),
    ],
)
def test_a_picture_is_named_by_its_hash_alone(inputs: AssetStore, payload: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        tasks.step_of("job", "edit", payload, inputs)
    assert caught.value.parameter == told


def test_a_picture_that_is_not_kept_is_told(inputs: AssetStore) -> None:
    payload = {"picture": {"sha256": "0" * 64, "width": 8, "height": 8}, "instruction": "x"}
    with pytest.raises(FileProblem, match="not at hand"):
        tasks.step_of("job", "edit", payload, inputs)


@pytest.mark.parametrize(
    ("kind", "more", "parameter"),
    [
        ("edit", {}, "edit"),  # no instruction
        ("edit", {"instruction": "x", "on_event": 1}, "on_event"),
        ("edit", {"instruction": "x", "mask": "masks/fox.png"}, "mask"),
        ("edit", {"instruction": "x", "mask": {"sha256": "zz"}}, "mask"),
        ("edit", {"instruction": "x", "references": [{"role": "identity"}]}, "references"),
        ("dance", {}, "kind"),
    ],
)
def test_a_step_is_refused_before_it_begins(
    inputs: AssetStore, kind: str, more: dict[str, Any], parameter: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        tasks.step_of("job", kind, {"picture": picture(inputs), **more}, inputs)
    assert caught.value.parameter == parameter
