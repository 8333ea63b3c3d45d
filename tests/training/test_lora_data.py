"""The pictures of a LoRA: trigger words, where plans come from, mirror images."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from triptych.adapters.lora import Words
from triptych.core.errors import FileProblem, InvalidRequest
from triptych.core.events import Pixels
from triptych.core.metadata import save_picture
from triptych.core.plan import Plan, PlanObject
from triptych.core.recipe import Recipe, pixels_sha256
from triptych.core.request import Request
from triptych.training.data import Example
from triptych.training.lora_data import MAX_PICTURES, LoraSource, with_trigger

BOX = (0.5, 0.25, 0.75, 0.75)
PLAN = Plan(background="snow", objects=(PlanObject(noun="fox", box=BOX),))


def picture(width: int = 32, height: int = 32) -> Pixels:
    return np.random.default_rng(width).integers(0, 255, (height, width, 3), dtype=np.uint8)


def put(folder: Path, name: str, caption: str | None = "a fox", pixels: Pixels | None = None) -> Path:
    path = folder / f"{name}.png"
    Image.fromarray(picture() if pixels is None else pixels).save(path)
    if caption is not None:
        path.with_suffix(".txt").write_text(caption)
    return path


@pytest.mark.parametrize(
    ("caption", "trigger", "said"),
    [
        ("a fox", "ink style", "a fox, ink style"),
        ("a Zorp at night", "zorp", "a Zorp at night"),
        ("zorps", "zorp", "zorps, zorp"),
        ("", "zorp", "zorp"),
        ("a fox", " ", "a fox"),
    ],
)
def test_every_caption_says_the_trigger_once(caption: str, trigger: str, said: str) -> None:
    assert with_trigger(caption, trigger) == said


def test_pictures_without_a_caption_are_called_by_the_trigger(tmp_path: Path) -> None:
    put(tmp_path, "a", None)
    assert LoraSource(tmp_path, 16, Words("zorp")).words_only(0) == ("zorp", None)
    with pytest.raises(FileProblem, match="no caption"):
        LoraSource(tmp_path, 16, Words())


def test_a_plan_lies_beside_the_picture(tmp_path: Path) -> None:
    path = put(tmp_path, "a")
    path.with_suffix(".plan.json").write_text(json.dumps(PLAN.as_json()))
    source = LoraSource(tmp_path, 16, Words(), find=lambda pixels, caption: pytest.fail("looked all the same"))
    assert source.words_only(0)[1] == PLAN
    assert source.plans == {"recipe": 0, "file": 1, "reader": 0, "none": 0}
    path.with_suffix(".plan.json").write_text("{")
    with pytest.raises(FileProblem, match="not JSON"):
        LoraSource(tmp_path, 16, Words())
    path.with_suffix(".plan.json").write_text('{"objects": [{"noun": ""}]}')
    with pytest.raises(InvalidRequest, match=r"a\.plan\.json"):
        LoraSource(tmp_path, 16, Words())


def test_a_picture_of_ours_brings_its_plan_and_a_crop_moves_it(tmp_path: Path) -> None:
    pixels = picture(64, 32)
    request = Request(prompt="a fox", seed=1, n=1, plan=PLAN, width=64, height=32)
    recipe = Recipe(model="flow", family="flow", request=request, index=0, pixels_sha256=pixels_sha256(pixels))
    save_picture(tmp_path / "a.png", pixels, recipe)
    (tmp_path / "a.txt").write_text("a fox")
    source = LoraSource(tmp_path, 16, Words())
    plan = source.words_only(0)[1]
    assert source.plans["recipe"] == 1
    assert plan is not None
    # The square in the middle of 64 x 32 begins at x = 16: 32 and 48 become 16/32 and 32/32.
    assert plan.objects[0].box == pytest.approx((0.5, 0.25, 1.0, 0.75))
    assert source.example(0).pixels.shape == (16, 16, 3)


def test_what_the_readers_find_is_asked_for_in_known_words(tmp_path: Path) -> None:
    put(tmp_path, "a", "a zorp on ice")
    asked: list[str] = []
    others = PLAN.model_copy(update={"background": "night"})

    def find(pixels: Pixels, caption: str) -> tuple[Plan, ...]:
        asked.append(caption)
        return PLAN, others

    source = LoraSource(tmp_path, 16, Words("zorp", "fox"), find=find)
    assert asked == ["a fox on ice"]
    assert [source.words_only(index)[1] for index in range(2)] == [PLAN, others]
    assert (len(source), source.pictures, source.plans["reader"]) == (2, 1, 1)


def test_mirror_images_come_with_mirrored_plans_but_not_where_a_side_is_named(tmp_path: Path) -> None:
    put(tmp_path, "a", "a fox")
    put(tmp_path, "b", "a fox on the left")
    source = LoraSource(tmp_path, 32, Words(), flip=True, find=lambda pixels, caption: (PLAN,))
    assert len(source) == 3
    plain, mirrored = source.example(0), source.example(2)
    assert np.array_equal(mirrored.pixels, plain.pixels[:, ::-1])
    assert mirrored.plan is not None
    assert mirrored.plan.objects[0].box == (0.25, 0.25, 0.5, 0.75)


def test_every_third_example_is_the_models_own_where_it_is_to_be_kept(tmp_path: Path) -> None:
    for name in "abcd":
        put(tmp_path, name, "a fox, ink")
    own = [Example(picture(8, 8), (f"{number} apples",), PLAN) for number in range(5)]
    source = LoraSource(tmp_path, 16, Words("ink"), own=own)
    assert [source.words_only(index)[0] for index in range(6)] == ["a fox, ink"] * 4 + ["0 apples", "1 apples"]
    assert (source.pictures, source.plans["none"]) == (4, 4)


def test_the_name_says_the_content(tmp_path: Path) -> None:
    put(tmp_path, "a")
    name = LoraSource(tmp_path, 16, Words()).name
    assert LoraSource(tmp_path, 16, Words()).name == name
    assert LoraSource(tmp_path, 16, Words("zorp")).name != name
    assert LoraSource(tmp_path, 16, Words(), find=lambda pixels, caption: (PLAN,)).name != name


def test_a_folder_of_thousands_is_no_set_of_a_lora(tmp_path: Path) -> None:
    for number in range(MAX_PICTURES + 30):
        put(tmp_path, str(number), "a fox", np.zeros((2, 2, 3), np.uint8))
    with pytest.raises(InvalidRequest, match="at most"):
        LoraSource(tmp_path, 16, Words())
