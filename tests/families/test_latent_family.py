"""The doors that flow and diffusion share: rows of guidance, words, plans, sizes, samplers, previews."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from triptych.core.errors import TriptychError
from triptych.core.events import Pixels
from triptych.core.plan import Plan
from triptych.families.latent import WHOLE_DECODE_SIDE, LatentState
from triptych.families.pixels import to_pixels
from triptych.library import Library

from .painting import PLAN, paint, resolved, rows_of, walk


@pytest.fixture(params=["flow", "diffusion"])
def family(request: pytest.FixtureRequest, tiny_library: Library) -> Any:
    return tiny_library.family(request.param)


def differ(*pictures: Pixels) -> bool:
    return len({picture.tobytes() for picture in pictures}) == len(pictures)


def test_a_picture_begins_with_noise_of_its_own_and_ends_after_its_steps(family: Any) -> None:
    request = resolved(family, steps=3, n=2, sampler="euler")
    states = walk(family, request)
    assert [(state.step, state.total, state.done) for state in states] == [
        (0, 3, False),
        (1, 3, False),
        (2, 3, False),
        (3, 3, True),
    ]
    first = states[0]
    assert isinstance(first, LatentState)
    assert first.sampler.x.shape == (16, 8, 8)
    assert abs(first.sampler.x.std().item() - 1) < 0.1
    second = family.begin(request, first.condition, 1)
    assert not torch.equal(second.sampler.x, first.sampler.x)
    assert torch.equal(family.begin(request, first.condition, 0).sampler.x, first.sampler.x)


def test_advance_is_pure(family: Any) -> None:
    """The engine tries a step again alone when a batch fails, so a state may be advanced twice."""
    state = walk(family, resolved(family, steps=2, sampler="dpmpp_2m"))[0]
    before = state.sampler.x.clone()
    with torch.inference_mode():
        prediction = family.forward([state])[0]
        twice = [family.advance(state, prediction).sampler.x for _ in range(2)]
    assert torch.equal(twice[0], twice[1])
    assert torch.equal(state.sampler.x, before)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, [2, 2, 2, 2]),
        ({"guidance": 1.0}, [1, 1, 1, 1]),
        ({"guidance": 0.0}, [2, 2, 2, 2]),
        ({"guidance_interval": (0.25, 0.75)}, [1, 2, 2, 1]),
        ({"guidance_interval": (0.0, 0.0)}, [1, 1, 1, 1]),
    ],
)
def test_guidance_costs_a_row_only_where_it_acts(
    family: Any, monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any], expected: list[int]
) -> None:
    rows = rows_of(family, monkeypatch, "predict")
    walk(family, resolved(family, steps=4, sampler="euler", **fields))
    assert rows == expected


def test_states_of_any_settings_share_one_call(family: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = [
        resolved(family, steps=2, guidance=1.0, sampler="euler"),
        resolved(family, prompt="two red crosses", steps=9, guidance=4.0, sampler="heun"),
    ]
    states = [family.begin(request, family.encode(request, None), 0) for request in requests]
    assert family.batch_key(states[0]) == family.batch_key(states[1])
    wide = resolved(family, steps=2, width=96, height=64)  # in windows of the native size
    assert family.batch_key(family.begin(wide, family.encode(wide, None), 0)) == family.batch_key(states[0])
    rows = rows_of(family, monkeypatch, "predict")
    with torch.inference_mode():
        assert [p.shape for p in family.forward(states)] == [(16, 8, 8)] * 2
    assert rows == [3]


def test_words_negative_words_guidance_seed_and_plan_all_change_the_picture(family: Any) -> None:
    changes: list[dict[str, Any]] = [
        {},
        {"prompt": "a red square"},
        {"negative": "a red square"},
        {"guidance": 6.0},
        {"guidance": 6.0, "guidance_rescale": 0.7},
        {"guidance_interval": (0.5, 1.0)},
        {"seed": 4},
        {"index": 1},
        {"plan": PLAN},
        {"plan": PLAN.model_copy(update={"background": "meadow"})},
    ]
    assert differ(*(paint(family, **{"steps": 2, **change}) for change in changes))


def test_a_plan_that_says_nothing_is_no_plan(family: Any) -> None:
    assert np.array_equal(paint(family, Plan(), steps=1), paint(family, None, steps=1))


def test_without_guidance_the_negative_prompt_does_nothing(family: Any) -> None:
    plain, negated = (paint(family, steps=2, guidance=1.0, negative=words) for words in ("", "a red square"))
    assert np.array_equal(plain, negated)


@pytest.mark.parametrize(("width", "height"), [(96, 64), (64, 112), (128, 96)])
def test_other_sizes_than_the_native_one(family: Any, width: int, height: int) -> None:
    states = walk(family, resolved(family, steps=1, width=width, height=height), PLAN)
    assert states[-1].sampler.x.shape == (16, height // 8, width // 8)
    assert family.preview(states[-1]).shape == (height // 8, width // 8, 3)
    assert family.decode(states[-1:])[0].shape == (height, width, 3)


def test_every_sampler_and_schedule_paints(family: Any) -> None:
    capabilities = family.capabilities
    # Enough steps for the multistep ones to leave the first order, in which they begin and end.
    pictures = {name: paint(family, steps=6, sampler=name) for name in capabilities.samplers}
    # DDIM without chance is Euler in other words (Song et al. 2021, section 4.3).
    assert np.abs(pictures.pop("ddim").astype(int) - pictures["euler"]).max() <= 1
    assert differ(*pictures.values())
    assert differ(*(paint(family, steps=3, sampler="euler", schedule=name) for name in capabilities.schedules))


@pytest.mark.parametrize("steps", [1, 2])
def test_few_steps_are_enough_for_every_sampler(family: Any, steps: int) -> None:
    for name in family.capabilities.samplers:
        assert paint(family, steps=steps, sampler=name).shape == (64, 64, 3)


def test_a_preview_is_small_and_there_from_the_first_step(family: Any) -> None:
    states = walk(family, resolved(family, steps=2))
    assert family.preview(states[0]) is None
    for state in states[1:]:
        preview = family.preview(state)
        assert (preview.shape, preview.dtype) == ((8, 8, 3), np.uint8)


def test_large_latents_are_decoded_in_tiles(family: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways agree where both are possible; the tiled one is taken beyond the size that fits at once."""
    from triptych.families import latent

    state = walk(family, resolved(family, steps=1, width=128, height=96))[-1]
    whole = family.decode([state])[0]
    taken: list[int] = []
    tiled = latent.decode_tiled
    monkeypatch.setattr(latent, "decode_tiled", lambda *given: taken.append(1) or tiled(*given))
    assert WHOLE_DECODE_SIDE >= 16
    family.decode([state])
    assert taken == []
    monkeypatch.setattr(latent, "WHOLE_DECODE_SIDE", 15)
    assert family.decode([state])[0].shape == whole.shape
    assert taken == [1]


def test_not_a_number_is_an_error_and_never_a_picture() -> None:
    picture = torch.zeros(3, 8, 8)
    picture[1, 2, 3] = float("nan")
    with pytest.raises(TriptychError, match="not-a-number"):
        to_pixels(picture)


def test_pixels_are_rounded_and_clipped() -> None:
    picture = torch.tensor([-9.0, -1.0, 0.0, 0.999, 1.0, 9.0]).expand(3, 1, 6)
    assert to_pixels(picture)[0, :, 0].tolist() == [0, 0, 128, 255, 255, 255]
