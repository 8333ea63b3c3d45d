"""Outpainting through the Python door over tiny models: pixels kept, refusals, the plan of the whole, once more."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image as PillowImage

from triptych import api
from triptych.api import seeing
from triptych.api.outpaint import again, outpaint
from triptych.core.asset import AssetStore, assets_in
from triptych.core.errors import InvalidRequest
from triptych.core.plan import Plan, PlanObject
from triptych.core.readers import read_recipe
from triptych.evals.reading import Detection, Reading
from triptych.library import Library

READING = Reading((Detection("circle", 0.9, (0.1, 0.1, 0.4, 0.4), {"blue": 1.0}),), {"meadow": 0.9, "night": 0.1})


@pytest.fixture(autouse=True)
def models(tiny_library: Library, monkeypatch: pytest.MonkeyPatch) -> Library:
    """The tiny models and a reader that always sees the same, in the place of the built-in ones."""
    monkeypatch.setattr("triptych.api.results.library", lambda: tiny_library)
    monkeypatch.setattr(seeing, "readers", lambda: SimpleNamespace(read=lambda pictures: [READING for _ in pictures]))
    return tiny_library


def picture(width: int = 64, height: int = 64, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, (height, width, channels), dtype=np.uint8)


@pytest.mark.parametrize("model", ["flow", "diffusion"])
@pytest.mark.parametrize(
    ("size", "extend"), [((64, 64), "left=32"), ((150, 90), "right=50,bottom=7"), ((33, 40), "top=20")]
)
def test_the_pictures_own_pixels_stay(model: str, size: tuple[int, int], extend: str, tmp_path: Path) -> None:
    source = picture(*size, channels=4 if size[0] == 150 else 3)
    result = outpaint(source, extend, model=model, seed=1, steps=2)
    assert np.array_equal(result.image.pixels[result.extents.place(size)], source)
    assert result.report.changed_pixels == 0
    path = result.save(tmp_path / "wide.png")
    with PillowImage.open(path) as written:
        assert np.array_equal(np.asarray(written)[result.extents.place(size)], source)
    assert read_recipe(path).step is not None


@pytest.mark.parametrize("extend", ["right=40", "bottom=16"])
def test_tokens_go_on_to_the_right_and_downwards(extend: str) -> None:
    source = picture()
    result = outpaint(source, extend, model="tokens", seed=1)
    assert np.array_equal(result.image.pixels[result.extents.place((64, 64))], source)
    assert result.image.pixels.shape != source.shape


def test_what_is_seen_and_what_is_wanted_are_in_the_plan_of_the_whole() -> None:
    result = outpaint(picture(), "right=64", "a star at night", seed=1, steps=1)
    plan = result.image.plan
    assert plan is not None
    assert plan.background == "night"  # named by the words, which count more than what is seen
    circle = next(item for item in plan.objects if item.noun == "circle" and item.colour == "blue")
    assert circle.box == pytest.approx((0.05, 0.1, 0.2, 0.4))
    assert all(item.box[0] >= 0.5 for item in plan.objects if item is not circle)
    alone = outpaint(picture(), "right=64", seed=1, steps=1)
    assert alone.image.plan == Plan(background="meadow", objects=(circle,))
    assert alone.request.prompt == "in a meadow"


def test_a_persons_plan_is_of_the_whole_result() -> None:
    whole = Plan(objects=(PlanObject(noun="star", box=(0.5, 0.0, 1.0, 1.0)),))
    plan = outpaint(picture(), "right=60", seed=1, steps=1, plan=whole).image.plan
    assert plan is not None
    # The canvas reaches four pixels further than what is asked for: 124 of 128.
    assert plan.objects[0].box == pytest.approx((62 / 128, 0.0, 124 / 128, 1.0))


def test_the_same_once_more_and_replay(tmp_path: Path) -> None:
    result = outpaint(picture(70, 64), "left=20,top=10", "a circle", seed=5, steps=2)
    assert np.array_equal(again(result.image.recipe).pixels, result.image.pixels)
    path = result.save(tmp_path / "out.png")
    store = AssetStore(tmp_path / "home" / "inputs")
    for asset in assets_in(result.image.recipe):
        store.put(asset)
    assert api.replay(path, home=tmp_path / "home").verdict == "exact"


def test_a_picture_just_made_is_continued_by_its_own_plan() -> None:
    own = Plan(background="night", objects=(PlanObject(noun="ring", box=(0.2, 0.2, 0.6, 0.6)),))
    made = api.generate("a ring", seed=1, steps=1, plan=own).images[0]
    plan = outpaint(made, "right=64", seed=1, steps=1).image.plan
    assert plan is not None
    assert plan.background == "night"
    assert [item.noun for item in plan.objects] == ["ring"]


@pytest.mark.parametrize(
    ("extend", "fields", "parameter"),
    [
        ("middle=3", {}, "extend"),
        ("left=-1", {}, "extend"),
        ("left=100000", {}, "extend"),
        ("left=16", {"model": "tokens"}, "extend"),
        ("right=16,bottom=16", {"model": "tokens"}, "extend"),
        ("left=16", {"width": 64, "height": 64}, "width"),
        ("left=16", {"n": 2}, "n"),
        ("left=16", {"steps": 100_000}, "steps"),
    ],
)
def test_what_cannot_be_is_refused_by_name(extend: str, fields: dict[str, object], parameter: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        outpaint(picture(), extend, **fields)  # type: ignore[arg-type]
    assert raised.value.parameter == parameter


def test_a_format_that_loses_pixels_is_refused(tmp_path: Path) -> None:
    result = outpaint(picture(), "left=16", seed=1, steps=1)
    with pytest.raises(InvalidRequest, match="loses pixels"):
        result.save(tmp_path / "out.jpg")
    assert not (tmp_path / "out.jpg").exists()
