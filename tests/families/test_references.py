"""References in the families that look at them: they change the picture, each role otherwise, and leave the base."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from triptych.adapters.reference import ROLES
from triptych.core.asset import Asset
from triptych.core.capabilities import Capabilities
from triptych.core.errors import InvalidRequest
from triptych.core.inputs import MAX_REFERENCES
from triptych.core.recipe import pixels_sha256
from triptych.core.request import Request
from triptych.engine import Engine
from triptych.families.references import fitted
from triptych.library import Library

from .painting import PLAN, paint, resolved


def picture(seed: int, width: int = 64, height: int = 64) -> Asset:
    return Asset.of(np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8), f"r{seed}.png")


def reference(seed: int = 1, role: str = "identity", **sizes: int) -> dict[str, Any]:
    return {"asset": picture(seed, **sizes), "role": role}


@pytest.fixture(params=["flow", "tokens"])
def family(request: pytest.FixtureRequest, tiny_library: Library) -> Iterator[Any]:
    """A family that says that it looks at references, as the card of a model with an adapter does."""
    family: Any = tiny_library.family(request.param)
    before: Capabilities = family.capabilities
    roles = (*ROLES, *before.reference_roles)
    family.capabilities = before.model_copy(update={"reference_roles": roles})
    yield family
    family.capabilities = before


def weights(family: Any) -> str:
    digest = hashlib.sha256()
    for module in (family.network, family.plan_input):
        for name, tensor in sorted(module.state_dict().items()):
            digest.update(name.encode() + tensor.numpy().tobytes())
    return digest.hexdigest()


def test_picture_role_and_number_of_a_reference_count(family: Any) -> None:
    bare = paint(family, PLAN)
    made = [
        paint(family, PLAN, references=given)
        for given in (
            [reference()],
            [reference(2)],
            [reference(role="style")],
            [reference(), reference(2)],
            [reference(2), reference()],
        )
    ]
    told = [pixels_sha256(each) for each in (bare, *made)]
    assert len(set(told)) == len(told)


def test_the_base_is_untouched_and_paints_as_ever(family: Any) -> None:
    before, bare = weights(family), paint(family, PLAN)
    paint(family, PLAN, references=[reference()])
    assert weights(family) == before
    assert not any("_forward_hooks" in vars(m) and m._forward_hooks for m in family.network.modules())
    np.testing.assert_array_equal(paint(family, PLAN), bare)


def test_same_pixels_alone_and_in_the_company_of_others_with_and_without_references(
    family: Any, tiny_library: Library
) -> None:
    given: list[dict[str, Any]] = [
        {"references": [reference()], "plan": PLAN},
        {"plan": PLAN},
        {"references": [reference(3, "pose")], "guidance": 1.0, "plan": PLAN},
        {"references": [reference(k, "style") for k in range(3)], "plan": PLAN},
        {"references": [reference(4, width=64, height=32)], "plan": PLAN},
    ]
    requests = [
        Request.make(prompt=f"a ring {k}", model=family.name, seed=k, **fields) for k, fields in enumerate(given)
    ]
    alone = [painted(tiny_library, [request])[0] for request in requests]
    assert len(set(alone)) == len(alone)
    assert painted(tiny_library, requests) == alone
    assert painted(tiny_library, requests[::-1]) == alone[::-1]
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert painted(tiny_library, requests[:2]) == alone[:2]
    finally:
        torch.set_num_threads(before)


def painted(library: Library, requests: list[Request]) -> list[str]:
    return [pixels_sha256(pictures[0].pixels) for pictures in Engine(library).generate_many(requests)]


def test_each_reference_is_read_alone(family: Any) -> None:
    """What is seen of the first does not depend on how many follow, and every token of all is there."""
    one, two = (
        family.encode(resolved(family, references=[reference(k) for k in range(1, n + 1)]), PLAN).positive.memory
        for n in (1, 2)
    )
    assert two.tokens == 2 * one.tokens
    axis = 0 if family.name == "flow" else 1
    for (k, v), (both_k, both_v) in zip(one.seen, two.seen, strict=True):
        M = k.shape[axis]
        assert both_k.shape[axis] == 2 * M
        assert torch.equal(both_k.narrow(axis, 0, M), k)
        assert torch.equal(both_v.narrow(axis, 0, M), v)


def test_ten_references_are_taken_and_eleven_are_not(family: Any) -> None:
    paint(family, PLAN, references=[reference(k) for k in range(MAX_REFERENCES)])
    with pytest.raises(InvalidRequest, match="references"):
        resolved(family, references=[reference(k) for k in range(MAX_REFERENCES + 1)])


def test_the_row_that_guidance_leads_away_from_has_seen_nothing(family: Any) -> None:
    condition = family.encode(resolved(family, references=[reference()]), PLAN)
    assert condition.positive.memory is not None
    assert condition.negative.memory is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [((640, 640), (128, 128)), ((1600, 1000), (128, 80)), ((1000, 20), (128, 32)), ((5, 9), (64, 128))],
)
def test_a_reference_keeps_its_shape(given: tuple[int, int], expected: tuple[int, int]) -> None:
    width, height = given
    assert fitted(picture(0, width, height), (128, 128)) == expected
