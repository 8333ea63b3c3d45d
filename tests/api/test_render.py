"""A draft rendered again: same plan, same seed, a better tier, then larger; and what is no draft is refused."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from triptych import api
from triptych.api import seeing
from triptych.api.render import TIERED, render, request_for
from triptych.api.results import Image, capabilities_of
from triptych.api.upscale import upscale
from triptych.core.asset import AssetStore
from triptych.core.errors import FileProblem, InvalidRequest
from triptych.core.plan import Plan, PlanObject
from triptych.core.request import Request
from triptych.evals.composition import agreement
from triptych.evals.reading import Detection, Reading
from triptych.library import Library

MODELS = ("flow", "diffusion", "tokens")
PLAN = Plan(background="meadow", objects=(PlanObject(noun="circle", colour="red", box=(0.2, 0.2, 0.6, 0.6)),))
READING = Reading((Detection("circle", 0.9, (0.1, 0.1, 0.4, 0.4), {"blue": 1.0}),), {"meadow": 0.9})


@pytest.fixture(autouse=True)
def models(tiny_library: Library, monkeypatch: pytest.MonkeyPatch) -> Library:
    """The tiny models and a reader that always sees the same, in the place of the built-in ones."""
    monkeypatch.setattr("triptych.api.results.library", lambda: tiny_library)
    monkeypatch.setattr(seeing, "readers", lambda: SimpleNamespace(read=lambda pictures: [READING for _ in pictures]))
    return tiny_library


def draft(model: str = "flow", **fields: Any) -> Image:
    fields = {"seed": 5, "plan": PLAN, **fields}
    return api.generate("a red circle", model=model, quality="low", **fields).images[0]


@pytest.mark.parametrize("model", MODELS)
def test_plan_and_seed_are_the_drafts_and_the_tier_is_the_new_one(model: str) -> None:
    made = render(draft(model), quality="medium", scale=2)
    request = made.image.recipe.request
    assert request is not None
    assert (request.plan, request.seed, request.quality) == (PLAN, 5, "medium")
    whole = api.generate("a red circle", model=model, quality="medium", seed=5, plan=PLAN).images[0]
    assert np.array_equal(made.painted, whole.pixels)  # as if it had been asked for at once
    assert made.image.pixels.shape == (128, 128, 3)
    assert request.steps == whole.recipe.request.steps  # type: ignore[union-attr]


def test_the_picture_of_a_series_is_that_one() -> None:
    second = api.generate("a red circle", quality="low", seed=5, n=3).images[1]
    whole = api.generate("a red circle", quality="medium", seed=5, n=3).images[1]
    assert second.plan == whole.plan
    assert np.array_equal(render(second, quality="medium", scale=1).painted, whole.pixels)


def test_what_the_person_had_chosen_stays() -> None:
    capabilities = capabilities_of("flow")
    chosen = draft(steps=3, sampler="heun").recipe.request
    assert chosen is not None
    request = request_for(chosen, "high", None, capabilities)
    assert (request.steps, request.sampler) == (3, "heun")
    left = draft().recipe.request
    assert left is not None
    assert left.steps == capabilities.tiers["low"].steps
    assert all(getattr(request_for(left, "high", None, capabilities), name) is None for name in TIERED)


def test_a_draft_without_plan_is_rendered_without() -> None:
    made = render(draft(plan=None, use_plan=False), quality="medium", scale=1)
    request = made.image.recipe.request
    assert request is not None
    assert request.plan is None
    assert not request.use_plan


@pytest.mark.parametrize("model", ["flow", "diffusion"])
def test_larger_than_the_draft_starts_from_the_draft(model: str) -> None:
    made = render(draft(model), quality="low", size=(96, 96), to=150)
    step = made.image.recipe.step
    assert step is not None
    assert made.painted.shape == (96, 96, 3)
    assert made.image.pixels.shape == (150, 150, 3)
    assert step.settings["strength"] == 0.6
    free = render(draft(model), quality="low", size=(96, 96), scale=1, strength=1.0)
    assert not np.array_equal(free.painted, made.painted)


@pytest.mark.parametrize(
    ("model", "fields"), [("flow", {"strength": 0.5}), ("tokens", {}), ("diffusion", {"size": (96, 80)})]
)
def test_replay(model: str, fields: dict[str, object], tmp_path: Path) -> None:
    first = draft(model)
    path = render(first, quality="low", scale=2, **fields).image.save(tmp_path / "large.png")  # type: ignore[arg-type]
    with pytest.raises(FileProblem, match="not at hand"):
        api.replay(path, home=tmp_path)
    from triptych.core.readers import read_recipe

    step = read_recipe(path).step
    assert step is not None
    step.source.fill(first.pixels)
    AssetStore(tmp_path / "inputs").put(step.source)
    assert api.replay(path, home=tmp_path).verdict == "exact"


def test_a_file_is_as_good_as_the_picture(tmp_path: Path) -> None:
    first = draft()
    path = first.save(tmp_path / "draft.png")
    made = render(path, scale=1)
    assert np.array_equal(made.painted, render(first, scale=1).painted)
    assert made.composition.as_json() == {"before": 1, "after": 1, "pairs": 1, "iou": 1.0, "score": 1.0}
    step = made.image.recipe.step
    assert step is not None
    assert step.source.name == "draft.png"
    assert step.report["composition"]["pairs"] == 1


def test_what_is_no_draft_is_refused(tmp_path: Path) -> None:
    first = draft()
    larger = upscale(first, scale=2).image
    with pytest.raises(InvalidRequest, match=r"last step: upscale\); `triptych upscale`"):
        render(larger)
    with pytest.raises(InvalidRequest, match="last step: render"):
        render(render(first, quality="low", scale=1).image)
    over = api.generate("a circle", seed=1, steps=2, init=upscale(first, scale=2).image.recipe.step.source).images[0]  # type: ignore[union-attr]
    with pytest.raises(InvalidRequest, match="painted over another one"):
        render(over)
    recipe = tmp_path / "draft.json"
    recipe.write_text(first.recipe.dumps())
    with pytest.raises(InvalidRequest, match="recipe without its picture"):
        render(recipe)


def test_refusals_come_before_the_painting() -> None:
    first, events = draft(), []
    for fields, words in (
        ({"strength": 1.5}, "strength"),
        ({"size": (50, 50)}, "width"),
        ({"to": 32}, "does not enlarge"),
        ({"to": 128, "scale": 2.0}, "not both"),
        ({"quality": "best"}, "quality"),
    ):
        with pytest.raises(InvalidRequest, match=words):
            render(first, on_event=events.append, **fields)  # type: ignore[arg-type]
    assert not events


def test_agreement_is_of_pairs_of_one_noun() -> None:
    fox, owl = ("fox", (0.0, 0.0, 0.4, 0.4)), ("owl", (0.5, 0.5, 0.9, 0.9))
    same = agreement([fox, owl], [owl, fox])
    assert (same.pairs, same.iou, same.score) == (2, 1.0, 1.0)
    half = agreement([fox], [("fox", (0.2, 0.0, 0.6, 0.4))])
    assert half.iou == pytest.approx(1 / 3)
    lost = agreement([fox, owl], [fox])
    assert (lost.pairs, lost.iou, lost.score) == (1, 1.0, 0.5)
    other = agreement([fox], [("owl", (0.0, 0.0, 0.4, 0.4))])
    assert (other.pairs, other.iou, other.score) == (0, None, 0.0)
    assert agreement([], []).score is None
    near = agreement([fox, ("fox", (0.05, 0.0, 0.45, 0.4))], [fox])
    assert (near.pairs, near.iou) == (1, 1.0)


def test_the_request_of_a_recipe_has_no_second_draft() -> None:
    made = render(draft(), quality="low", scale=1, strength=0.5)
    request = made.image.recipe.request
    assert isinstance(request, Request)
    assert (request.init, request.strength) == (None, None)
