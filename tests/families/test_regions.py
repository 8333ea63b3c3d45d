"""Regions: who has a say where, and that what a region says is heard there and nowhere else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from triptych.core.asset import Asset
from triptych.core.inputs import Region
from triptych.core.plan import Plan
from triptych.families.reading import Reading
from triptych.families.regions import covered, readings_of, shares_of
from triptych.library import Library

from .painting import PLAN, paint, resolved, rows_of, walk

LEFT = Region(prompt="a red circle", box=(0.0, 0.0, 0.5, 1.0))
RIGHT = Region(prompt="a star at night", box=(0.5, 0.0, 1.0, 1.0))


def test_a_box_covers_cells_by_their_share() -> None:
    found = covered(Region(prompt="a", box=(0.125, 0.0, 0.5, 0.5)), (2, 4))
    assert torch.equal(found, torch.tensor([[0.5, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]))


def test_a_mask_covers_cells_by_its_mean() -> None:
    grey = np.zeros((16, 32), np.uint8)
    grey[:, :12] = 255
    found = covered(Region(prompt="a", mask=Asset.of(grey)), (1, 4))
    assert torch.allclose(found, torch.tensor([[1.0, 0.5, 0.0, 0.0]]), atol=1 / 255)


def test_the_whole_has_what_regions_leave() -> None:
    half = LEFT.model_copy(update={"weight": 0.5})
    whole, left, right = shares_of([half, RIGHT], (1, 4))
    assert torch.equal(left, torch.tensor([[0.5, 0.5, 0.0, 0.0]]))
    assert torch.equal(right, torch.tensor([[0.0, 0.0, 1.0, 1.0]]))
    assert torch.equal(whole, torch.tensor([[0.5, 0.5, 0.0, 0.0]]))


def test_a_region_that_names_a_place_is_read_with_it(tiny_library: Library) -> None:
    asked: list[str] = []

    def position(plan: Plan | None) -> torch.Tensor:
        asked.append(plan.background if plan else "")
        return torch.ones(1)

    whole = Reading(torch.zeros(2, 3), torch.zeros(1))
    text = tiny_library.family("flow").text

    def words(prompt: str) -> Reading:
        return Reading(text.states(prompt), whole.position)

    plain, night = readings_of([LEFT, RIGHT], Plan(background="meadow"), whole, position, words)
    assert asked == ["night"]
    assert plain.position is whole.position
    assert torch.equal(plain.text, text.states("a red circle"))
    assert torch.equal(night.position, torch.ones(1))


@pytest.fixture(params=["flow", "diffusion"])
def family(request: pytest.FixtureRequest, tiny_library: Library) -> Any:
    return tiny_library.family(request.param)


def test_a_region_costs_a_row_of_its_own(family: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rows_of(family, monkeypatch, "predict")
    walk(family, resolved(family, steps=1, guidance=1.0, regions=(LEFT, RIGHT)), PLAN)
    assert rows == [2]  # the whole has nothing left to say
    rows.clear()
    walk(family, resolved(family, steps=1, guidance=3.0, regions=(LEFT,)), PLAN)
    assert rows == [4]


def test_what_a_region_says_is_heard_in_the_region_alone(family: Any) -> None:
    """In one step the latent outside of the region is that of the prompt for the whole, to the last bit."""
    request = resolved(family, steps=2, guidance=1.0)
    region = resolved(family, steps=2, guidance=1.0, regions=(RIGHT,))
    plain, divided = (family.forward([family.begin(one, family.encode(one, PLAN), 0)])[0] for one in (request, region))
    assert torch.allclose(plain[:, :, :4], divided[:, :, :4], atol=1e-6)
    assert not torch.allclose(plain[:, :, 4:], divided[:, :, 4:], atol=1e-3)


def test_regions_reach_into_windows_and_every_walk(family: Any) -> None:
    small = paint(family, PLAN, steps=2, width=128, height=128)
    divided = paint(family, PLAN, steps=2, width=128, height=128, regions=(LEFT, RIGHT))
    assert small.shape == divided.shape == (128, 128, 3)
    assert not np.array_equal(small, divided)


def test_a_region_over_everything_is_the_picture(family: Any) -> None:
    """One region over everything is a request of its own with the same words and plan."""
    everywhere = Region(prompt="a red circle", box=(0.0, 0.0, 1.0, 1.0))
    alone = paint(family, PLAN, steps=2, prompt="a red circle")
    divided = paint(family, PLAN, steps=2, prompt="a blue ring", regions=(everywhere,))
    assert np.abs(alone.astype(int) - divided.astype(int)).max() <= 1


def test_tokens_are_written_by_the_voice_that_owns_their_place(
    tiny_library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    family: Any = tiny_library.family("tokens")
    rows = rows_of(family, monkeypatch, "prefill", "decode_step")
    states = walk(family, resolved(family, guidance=3.0, regions=(LEFT, RIGHT)), PLAN)
    assert set(rows) == {4}  # the whole, two regions, and the unconditional one
    assert len(states[0].slots) == 4
    owner = torch.tensor(states[0].condition.owner).view(8, 8)
    assert (owner[:, :4] == 1).all()
    assert (owner[:, 4:] == 2).all()


def test_one_region_over_everything_writes_the_tokens_of_its_own_prompt(tiny_library: Library) -> None:
    family: Any = tiny_library.family("tokens")
    everywhere = Region(prompt="a red circle", box=(0.0, 0.0, 1.0, 1.0))
    alone = walk(family, resolved(family, prompt="a red circle"), PLAN)[-1].drawn
    divided = walk(family, resolved(family, prompt="a blue ring", regions=(everywhere,)), PLAN)[-1].drawn
    assert alone == divided
    assert family.cache.free == family.cache.slots
