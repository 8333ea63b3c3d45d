"""Edits by instruction and variants through the Python door, over tiny models and a scripted reader of instructions."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from triptych import api
from triptych.api import instruct, known
from triptych.api import vary as varies
from triptych.api.known import know
from triptych.api.vary import vary
from triptych.core.asset import AssetStore, assets_in
from triptych.core.capabilities import Capabilities
from triptych.core.errors import InvalidRequest
from triptych.core.plan import Plan, PlanObject
from triptych.editing.instruct.lexer import tokens_of
from triptych.editing.instruct.program import Edit, Select, parse
from triptych.evals.reading import Detection, Reading
from triptych.library import Library
from triptych.planning.editor import EditorConfig, Situation, Written
from triptych.scenes.levels import LEVELS

MODELS = ("flow", "diffusion", "tokens")
TOKENS = tokens_of(LEVELS["shapes"])
CIRCLE, SQUARE = (0.1, 0.55, 0.4, 0.85), (0.55, 0.5, 0.9, 0.85)
PLAN = Plan(background="meadow", objects=(PlanObject(noun="circle", box=CIRCLE), PlanObject(noun="square", box=SQUARE)))
READING = Reading(
    (Detection("circle", 0.9, CIRCLE, {"red": 1.0}), Detection("square", 0.9, SQUARE, {"blue": 1.0})),
    {"meadow": 0.9, "night": 0.1},
)
CIRCLE_BLUE = Edit("recolour", Select("circle", None, (0,)), colour="green")
NIGHT = Edit("background", background="night")


class Scripted:
    """Reads every instruction as the same edits."""

    config = EditorConfig(len(TOKENS))

    def __init__(self, *edits: Edit) -> None:
        self.edits = [*edits, Edit("done")]

    def write(self, situation: Situation, tokens: object) -> Written:
        return Written(self.edits[situation.done].symbols(), 1.0)


@pytest.fixture
def reads(tiny_library: Library, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Call it with edits: so every instruction is read from then on."""
    reader = SimpleNamespace(read=lambda pictures: [READING for _ in pictures])
    for module in (known, varies):
        monkeypatch.setattr(module, "readers", lambda: reader)
    monkeypatch.setattr("triptych.api.seeing.readers", lambda: reader)
    script: list[Edit] = []
    parts = SimpleNamespace(editor=lambda: (Scripted(*script), TOKENS))
    library = SimpleNamespace(
        parts=parts,
        **{
            name: getattr(tiny_library, name)
            for name in dir(tiny_library)
            if not name.startswith("_") and name != "parts"
        },
    )
    monkeypatch.setattr("triptych.api.results.library", lambda: library)
    return lambda *edits: script.__setitem__(slice(None), edits)


def quick(model: str) -> dict[str, int]:
    return {} if model == "tokens" else {"steps": 2}


def painted(model: str = "flow", **fields: Any) -> Any:
    return api.generate("a circle and a square", model=model, plan=PLAN, seed=5, **quick(model), **fields).images[0]


@pytest.mark.parametrize("model", MODELS)
def test_a_local_edit_changes_its_thing_and_not_a_pixel_more(model: str, reads: Any) -> None:
    reads(CIRCLE_BLUE)
    source = painted(model)
    result = instruct.edit(source, "make the circle green", model=model, **quick(model))
    assert np.array_equal(result.image.pixels[~result.mask], source.pixels[~result.mask])
    assert 0.05 < result.mask.mean() < 0.3
    assert result.image.plan == PLAN.model_copy(
        update={"objects": (PLAN.objects[0].model_copy(update={"colour": "green"}), PLAN.objects[1])}
    )
    assert result.image.seed == 5  # the picture's own
    step = result.image.recipe.step
    assert step is not None
    assert (step.op, step.settings["instruction"], step.settings["plan_by"]) == (
        "edit",
        "make the circle green",
        "recipe",
    )
    assert parse(step.settings["program"]) == (CIRCLE_BLUE,)
    assert "read as: recolour the circle -> green" in [note.text for note in result.notes]
    assert "a green circle and a square in a meadow" in result.request.prompt


@pytest.mark.parametrize("model", MODELS)
def test_another_background_leaves_the_inner_of_what_is_cut_out(model: str, reads: Any, monkeypatch: Any) -> None:
    """Untrained painters give nothing to cut out from: both boxes are said to be found."""

    def whole(picture: np.ndarray, without: np.ndarray, boxes: list[Any]) -> tuple[np.ndarray, list[int]]:
        assert picture.shape == without.shape
        mask = np.zeros(picture.shape[:2], np.bool_)
        mask[40:50, 10:20] = True
        return mask, [0]

    monkeypatch.setattr(instruct, "cut_out", whole)
    reads(NIGHT)
    source = painted(model)
    result = instruct.edit(source, "make it night", model=model, **quick(model))
    assert result.mask.mean() > 0.9
    assert not result.mask[42:48, 12:18].any()
    assert np.array_equal(result.image.pixels[~result.mask], source.pixels[~result.mask])
    assert any("the square could not be cut out" in note.text for note in result.notes)


def test_the_next_turn_knows_what_the_last_one_left_unless_it_begins_afresh(reads: Any, tmp_path: Path) -> None:
    reads(CIRCLE_BLUE)
    first = instruct.edit(painted(), "make the circle green", steps=2)
    path = first.save(tmp_path / "first.png")
    assert know(path).plan == first.image.plan == know(first.image).plan
    assert know(path).by == "recipe"
    looked = know(path, fresh=True)
    assert (looked.by, looked.seed, looked.light_known) == ("readers", None, False)
    assert [(thing.noun, thing.colour) for thing in looked.plan.objects] == [("circle", None), ("square", None)]
    reads(Edit("remove", Select("circle", "green", (0,))))
    second = instruct.edit(path, "remove the green circle", steps=2)
    assert second.image.plan is not None
    assert [thing.noun for thing in second.image.plan.objects] == ["square"]


def test_an_edited_picture_is_made_again_from_its_file(reads: Any, tmp_path: Path) -> None:
    reads(CIRCLE_BLUE, Edit("remove", Select("square", None, (1,))))
    result = instruct.edit(painted(), "make the circle green and remove the square", steps=2, seed=9)
    path = result.save(tmp_path / "edited.png")
    store = AssetStore(tmp_path / "inputs")
    for asset in assets_in(result.image.recipe):
        store.put(asset)  # type: ignore[arg-type]
    assert api.replay(path, home=tmp_path).verdict == "exact"


def test_a_larger_picture_is_edited_in_its_own_pixels(reads: Any) -> None:
    reads(CIRCLE_BLUE)
    source = np.random.default_rng(3).integers(0, 256, (150, 210, 3), dtype=np.uint8)
    result = instruct.edit(source, "make the circle green", steps=2, seed=1)
    assert result.image.pixels.shape == source.shape
    assert np.array_equal(result.image.pixels[~result.mask], source[~result.mask])
    assert any("as the readers see it" in note.text for note in result.notes)


def test_a_picture_of_nothing_known_is_not_painted_over(reads: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    reads(NIGHT)
    monkeypatch.setattr(known, "readers", lambda: SimpleNamespace(read=lambda pictures: [Reading((), {"meadow": 0.9})]))
    with pytest.raises(InvalidRequest, match="nothing that is known is seen in it"):
        instruct.edit(np.zeros((64, 64, 3), np.uint8), "make it night")
    with pytest.raises(InvalidRequest, match="image: nothing that is known is seen"):
        vary(np.zeros((64, 64, 3), np.uint8), "background")


@pytest.mark.parametrize("text", ["", "  ", "x" * 401])
def test_an_instruction_has_words_and_not_too_many(text: str, reads: Any) -> None:
    reads()
    with pytest.raises(InvalidRequest, match="instruction: has"):
        instruct.edit(painted(), text)


def test_a_painter_without_what_edits_need_and_a_world_it_does_not_know_are_refused(reads: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"model: old takes no init and strength_map"):
        instruct.check_painter(Capabilities(family="flow", native_size=(64, 64)), "old")
    reads(Edit("replace", Select("circle", None, (0,)), noun="zebra"))
    small = Capabilities(family="flow", native_size=(64, 64), nouns=("circle", "square"))
    changed = instruct.difference(PLAN, PLAN.model_copy(update={"objects": (PlanObject(noun="zebra", box=CIRCLE),)}))
    with pytest.raises(InvalidRequest, match="cannot paint a zebra"):
        instruct.check_new(changed, PLAN, small, "flow")
    kept = instruct.paintable(
        Plan(background="farm", objects=(PlanObject(noun="zebra", box=CIRCLE), *PLAN.objects)),
        Capabilities(family="flow", native_size=(64, 64), nouns=("circle", "square"), backgrounds=("meadow",)),
    )
    assert kept == Plan(objects=PLAN.objects)


def test_variants_differ_in_one_thing_and_all_differ(reads: Any, tmp_path: Path) -> None:
    reads()
    source = painted()
    made = vary(source, "colour", n=3, what="circle", seed=4, steps=2)
    assert len({variant.what for variant in made}) == 3
    for variant in made:
        assert variant.what.startswith("recolour the circle -> ")
        assert np.array_equal(variant.image.pixels[~variant.mask], source.pixels[~variant.mask])
        assert variant.moved.outside == (0, int((~variant.mask).sum()))
        step = variant.image.recipe.step
        assert step is not None
        assert (step.op, step.settings["change"]) == ("vary", "colour")
        assert step.report["moved"]["outside_changed_pixels"] == 0
    again = vary(source, "colour", n=3, what="circle", seed=4, steps=2)
    assert [variant.what for variant in again] == [variant.what for variant in made]
    path = made[0].save(tmp_path / "variant.png")
    assert know(path).plan != PLAN


def test_a_mirrored_thing_needs_no_painter_and_is_made_again(reads: Any, tmp_path: Path) -> None:
    reads()
    source = painted()
    (made,) = vary(source, "pose", to="mirror", what="square", seed=1)
    assert made.what == "mirror a blue square (bottom right)"
    assert made.image.recipe.request is None
    assert np.array_equal(made.image.pixels[~made.mask], source.pixels[~made.mask])
    path = made.save(tmp_path / "mirrored.png")
    store = AssetStore(tmp_path / "inputs")
    for asset in assets_in(made.image.recipe):
        store.put(asset)  # type: ignore[arg-type]
    assert api.replay(path, home=tmp_path).verdict == "exact"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"change": "weather"}, "change: 'weather' is not known"),
        ({"change": "light", "n": 17}, "n: 17 is not allowed"),
        ({"change": "light", "n": 5}, "n: so many are not there: 4 other lights"),
        ({"change": "colour", "what": "ring"}, "what: no ring is in the picture; what is: a red circle"),
        ({"change": "background", "to": "moonbase"}, "there is no background 'moonbase' to change to"),
    ],
)
def test_variants_that_cannot_be_made_are_refused(fields: dict[str, Any], message: str, reads: Any) -> None:
    reads()
    change = fields.pop("change")
    with pytest.raises(InvalidRequest, match=message):
        vary(painted(), change, **fields)
