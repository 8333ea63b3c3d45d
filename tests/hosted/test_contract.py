"""Nothing is silently ignored: for every hosted model and every parameter, the call that would be sent differs, or
there is a note, or it is refused.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from triptych.core.asset import Asset, FileAsset
from triptych.core.errors import InvalidRequest
from triptych.core.inputs import CONTROL_KINDS, ROLES, Control, Lora, Reference, Region
from triptych.core.plan import Plan, PlanObject
from triptych.core.request import Request
from triptych.hosted import catalogue, prices
from triptych.hosted.orders import Order, order

PICTURE = Asset.of(np.full((32, 32, 3), 90, np.uint8), "fox.png")
MAP = Asset.of(np.arange(1024, dtype=np.uint8).reshape(32, 32), "map.png")
PLAN = Plan(objects=(PlanObject(noun="fox", box=(0.2, 0.2, 0.8, 0.8)),))
GIVEN: dict[str, dict[str, Any]] = {
    "prompt": {"prompt": "a cat"},
    "prompt empty": {"prompt": " "},
    "negative": {"negative": "blurry"},
    "seed": {"seed": 7},
    "seed large": {"seed": 2**40 + 7},
    "n": {"n": 2},
    "size": {"width": 1536, "height": 1024},
    "size 4K": {"width": 4096, "height": 4096},
    "size odd": {"width": 1001, "height": 777},
    "size narrow": {"width": 4096, "height": 128},
    "quality": {"quality": "high"},
    "steps": {"steps": 4},
    "sampler": {"sampler": "euler"},
    "schedule": {"schedule": "linear"},
    "guidance": {"guidance": 3.0},
    "guidance_interval": {"guidance_interval": (0.1, 0.8)},
    "guidance_rescale": {"guidance_rescale": 0.5},
    "temperature": {"temperature": 0.8},
    "top_k": {"top_k": 50},
    "top_p": {"top_p": 0.9},
    "plan": {"plan": PLAN},
    "use_plan": {"use_plan": False},
    "init": {"init": PICTURE},
    "strength": {"init": PICTURE, "strength": 0.5},
    "strength_map": {"init": PICTURE, "strength_map": MAP},
    **{f"reference {role}": {"references": (Reference(asset=PICTURE, role=role),)} for role in ROLES},  # type: ignore[arg-type]
    "references": {"references": tuple(Reference(asset=PICTURE) for _ in range(10))},
    **{f"control {kind}": {"controls": (Control(kind=kind, map=MAP),)} for kind in CONTROL_KINDS},  # type: ignore[arg-type]
    "loras": {"loras": (Lora(file=FileAsset(sha256="0" * 64, name="ink.safetensors")),)},
    "regions": {"regions": (Region(prompt="a fox", box=(0, 0, 0.5, 1)),)},
}
"""One value or more for every field of a request; the test below holds it complete."""


def calls(laid_out: Order) -> list[Any]:
    provider, _ = catalogue.find(laid_out.model.name)
    return [provider.call(task, "https://api.example/v1") for task in laid_out.tasks]


def test_every_field_is_covered() -> None:
    covered = {name for fields in GIVEN.values() for name in fields}
    assert covered | {"model"} == set(Request.model_fields)


@pytest.mark.parametrize("parameter", GIVEN)
@pytest.mark.parametrize("name", catalogue.models())
def test_changes_the_call_or_has_a_note_or_is_refused(name: str, parameter: str) -> None:
    plain = order(Request.make(prompt="a fox", model=name))
    fields = {"prompt": "a fox", **GIVEN[parameter]}
    try:
        asked = order(Request.make(model=name, **fields))
    except InvalidRequest as refused:
        if not refused.parameter:
            pytest.fail("refused without naming what")
        return
    differs = calls(asked) != calls(plain)
    noted = set(asked.notes) - set(plain.notes)
    assert differs or noted, "it made no difference and nobody was told"
    assert asked.estimate > 0


@pytest.mark.parametrize("name", catalogue.models())
def test_the_key_and_the_seed_are_only_where_they_belong(name: str) -> None:
    takes = catalogue.find(name)[1].capabilities
    first, second = (calls(order(Request.make(prompt="a fox", model=name, seed=seed))) for seed in (1, 2))
    assert (first != second) == takes.seed


@pytest.mark.parametrize("name", catalogue.models())
def test_every_size_that_is_declared_can_be_asked(name: str) -> None:
    takes = catalogue.find(name)[1].capabilities
    for width, height in {takes.native_size, *takes.sizes}:
        asked = order(Request.make(prompt="a fox", model=name, width=width, height=height))
        assert (asked.request.width, asked.request.height) == (width, height)
        assert not [note for note in asked.notes if note.parameter == "size"]
        assert calls(asked)


@pytest.mark.parametrize("name", catalogue.models())
def test_every_price_is_dated_and_says_where_it_was_read(name: str) -> None:
    price = prices.PRICES[name]
    assert price.source
    assert price.kind in ("vendor", "secondary")
    assert price.read in price.words
    few, many = (order(Request.make(prompt="a fox", model=name, n=n)).estimate for n in (1, 4))
    assert many == pytest.approx(4 * few)


def test_the_price_table_has_no_model_too_many() -> None:
    assert set(prices.PRICES) == set(catalogue.models())
