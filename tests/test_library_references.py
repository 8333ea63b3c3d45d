"""References in the library: which adapter is at work, what the plan takes from them, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from triptych.core.asset import Asset
from triptych.core.errors import InvalidRequest
from triptych.core.plan import Plan, PlanObject
from triptych.core.request import Request
from triptych.evals.reading import Detection, Reading
from triptych.library import Library

PICTURE = Asset.of(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8), "r.png")
CORNER = Reading((Detection("ring", 0.9, (0.0, 0.0, 0.25, 0.25), {}),))


def request(role: str, **fields: Any) -> Request:
    given = {"prompt": "a ring", "seed": 1, "width": 64, "height": 64, "references": [{"asset": PICTURE, "role": role}]}
    return Request.make(**given, **fields)


@pytest.fixture
def library(tiny_library: Library, monkeypatch: pytest.MonkeyPatch) -> Library:
    """One whose readers see a ring in the upper left corner of every picture."""
    monkeypatch.setattr(tiny_library, "_read", lambda asset: CORNER)
    return tiny_library


def test_the_adapter_works_with_references_that_are_looked_at(library: Library) -> None:
    assert library.adapters(request("identity")) == ("flow-reference",)
    assert library.adapters(request("style", model="tokens")) == ("tokens-reference",)
    assert library.adapters(request("layout")) == ()


def test_a_layout_is_read_into_the_plan_and_told(library: Library) -> None:
    one = request("layout", model="diffusion")
    plan = library.plan(one, 0)
    assert plan is not None
    assert plan.objects
    x0, y0, x1, y1 = min((item.box for item in plan.objects), key=lambda box: box[0] + box[1])
    assert (x0 + x1) / 2 == pytest.approx(0.125, abs=0.13)
    assert (x1 - x0) * (y1 - y0) == pytest.approx(1 / 16, rel=1e-3)
    notes = library.notes(one, library.registry.capabilities("diffusion"))
    assert any(note.parameter == "references" and "ring" in note.text for note in notes)


@pytest.mark.parametrize("role", ["scale", "layout"])
def test_where_there_is_no_plan_it_is_refused_and_beside_a_given_one_set_aside(library: Library, role: str) -> None:
    capabilities = library.registry.capabilities("flow")
    with pytest.raises(InvalidRequest, match=r"references.*plan"):
        library.notes(request(role, use_plan=False), capabilities)
    plan = Plan(objects=(PlanObject(noun="ring", box=(0.5, 0.5, 0.9, 0.9)),))
    notes = library.notes(request(role, plan=plan), capabilities)
    assert [note.action for note in notes if note.parameter == "references"] == ["ignored"]


def test_a_model_that_cannot_look_says_what_it_takes(library: Library) -> None:
    from triptych.core.contract import resolve

    with pytest.raises(InvalidRequest, match=r"identity.*diffusion.*scale, layout"):
        resolve(request("identity"), library.registry.capabilities("diffusion"), name="diffusion")
