"""From names to loaded models: what is loaded once, what is noted about words, what a damaged folder says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from triptych.core.errors import FileProblem
from triptych.core.events import Note
from triptych.core.inputs import Region
from triptych.core.plan import Plan, PlanObject
from triptych.core.registry import Registry
from triptych.core.request import Request
from triptych.library import Library


@pytest.fixture
def folder(tiny_folder: Path, tmp_path: Path) -> Path:
    """A copy of the models that a test may damage."""
    return Path(shutil.copytree(tiny_folder, tmp_path / "models"))


def words_noted(library: Library, prompt: str) -> tuple[str, ...]:
    request = Request(prompt=prompt, model="flow")
    return tuple(note.text for note in library.notes(request, library.registry.capabilities("flow")))


def test_models_and_their_parts_are_loaded_once(tiny_library: Library) -> None:
    flow, diffusion = tiny_library.family("flow"), tiny_library.family("diffusion")
    assert tiny_library.family("flow") is flow
    assert flow.autoencoder is diffusion.autoencoder  # type: ignore[attr-defined]
    assert flow.text is tiny_library.parts.text()  # type: ignore[attr-defined]


def test_a_loaded_model_is_what_its_card_says(tiny_library: Library) -> None:
    for card in tiny_library.registry.models():
        family = tiny_library.family(card.name)
        assert (family.name, family.capabilities) == (card.name, card.capabilities)
        assert not any(p.requires_grad for p in family.network.parameters())  # type: ignore[attr-defined]
        assert not family.network.training  # type: ignore[attr-defined]


def test_plans_follow_seed_and_index_and_nothing_else(tiny_library: Library) -> None:
    request = Request(prompt="three red circles on a meadow", seed=1)
    first = tiny_library.plan(request, 0)
    assert first is not None
    assert tiny_library.plan(request.model_copy(update={"steps": 3, "n": 4, "model": "tokens"}), 0) == first
    others = [
        tiny_library.plan(request.model_copy(update={"seed": seed}), index) for seed in (1, 2) for index in (1, 2)
    ]
    assert len({plan.model_dump_json() for plan in (first, *others) if plan}) > 2


def test_nothing_is_planned_for_an_empty_prompt(tiny_library: Library) -> None:
    assert tiny_library.plan(Request(prompt=" \n"), 0) is None


def test_a_wide_picture_is_planned_with_things_of_the_same_shape(tiny_library: Library) -> None:
    square = tiny_library.plan(Request(prompt="a red circle", seed=3), 0)
    wide = tiny_library.plan(Request(prompt="a red circle", seed=3, width=192, height=64), 0)
    assert square is not None
    assert wide is not None
    for before, after in zip(square.objects, wide.objects, strict=True):
        assert after.noun == before.noun
        assert (after.box[2] - after.box[0]) * 3 == pytest.approx(before.box[2] - before.box[0])


def test_regions_are_planned_into_the_picture(tiny_library: Library) -> None:
    """The untrained writer plans anything; only what a prompt names may come of it."""
    left = Region(prompt="two red circles", box=(0.0, 0.0, 0.5, 1.0))
    request = Request(prompt="", seed=3, regions=(left, Region(prompt="at night", box=(0.5, 0.0, 1.0, 1.0))))
    plan = tiny_library.plan(request, 0)
    assert plan is not None
    assert {item.noun for item in plan.objects} <= {"circle"}
    assert all(0 <= item.box[0] < item.box[2] <= 0.5 for item in plan.objects)
    named = Plan(objects=tuple(PlanObject(noun=noun, box=(0, 0, 1, 1)) for noun in ("circle", "star", "ring")))
    kept = tiny_library.only_named(named, "some stars and a ring on white")
    assert [item.noun for item in kept.objects] == ["star", "ring"]


def test_what_is_known_gets_no_note(tiny_library: Library) -> None:
    assert words_noted(tiny_library, "two blue squares and an arrow's ring at night") == ()


def test_close_words_are_translated_and_said(tiny_library: Library) -> None:
    notes = tiny_library.notes(Request(prompt="a cirle"), tiny_library.registry.capabilities("flow"))
    assert notes == (Note("prompt", "translated", "'cirle' is read as 'circle'"),)


@pytest.mark.parametrize("word", ["kitten", "foxes", "pink", "beach", "forest"])
def test_words_beyond_the_model_s_world_are_said(tiny_library: Library, word: str) -> None:
    assert words_noted(tiny_library, f"a circle, {word}") == (
        f"{word!r} is beyond the 8 nouns and their world that this model knows",
    )


def test_an_unknown_word_is_said_once_and_signs_are_not_words(tiny_library: Library) -> None:
    assert words_noted(tiny_library, 'a flooble and a Flooble with a sign "QWZRT"') == (
        "'flooble' is not a word that this model knows; expect a guess",
        "'sign' is beyond the 8 nouns and their world that this model knows",
    )


def test_a_prompt_that_is_too_long_is_cut_and_said(tiny_library: Library) -> None:
    assert words_noted(tiny_library, "a red circle " * 20) == ("only the first 31 tokens are read; the rest was cut",)


@pytest.mark.parametrize("part", ["flow", "autoencoder", "text", "planner"])
def test_a_model_is_checked_with_its_parts_before_it_is_loaded(folder: Path, part: str) -> None:
    (weights,) = (folder / part).glob("*.safetensors")
    whole = weights.read_bytes()
    flipped = bytes([whole[-1] ^ 1])
    for damage, sentence in ((whole[:-8], "truncated"), (whole[:-1] + flipped, "altered"), (None, "missing")):
        weights.unlink()
        if damage is not None:
            weights.write_bytes(damage)
        with pytest.raises(FileProblem, match=sentence):
            Library(Registry().add_folder(folder)).family("flow")


def test_a_part_makes_no_pictures(tiny_library: Library) -> None:
    with pytest.raises(FileProblem, match="part of other models"):
        tiny_library.family("autoencoder")


def test_an_unknown_model_names_the_close_ones(tiny_library: Library) -> None:
    with pytest.raises(FileProblem, match="did you mean 'flow'"):
        tiny_library.family("flwo")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"preset": "huge"}, "card of 'flow' does not fit: 'huge' is missing or not known"),
        ({"config": {}}, "card of 'flow' does not fit: 'plan_vocabulary' is missing"),
        ({"parts": ["nothing"]}, "there is no model 'nothing'"),
    ],
)
def test_a_card_that_does_not_fit_is_a_file_problem(folder: Path, change: dict[str, object], sentence: str) -> None:
    card = folder / "flow" / "card.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | change))
    with pytest.raises(FileProblem, match=sentence):
        Library(Registry().add_folder(folder)).family("flow")


@pytest.mark.parametrize("part", ["autoencoder", "text", "planner", "tokenizer"])
@pytest.mark.parametrize(
    "config", [{}, {"encoder": {"width": "wide"}, "writer": 3, "latent_channels": None, "levels": 1}]
)
def test_a_part_s_card_that_does_not_fit_is_a_file_problem(folder: Path, part: str, config: dict[str, object]) -> None:
    card = folder / part / "card.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | {"config": config}))
    parts = Library(Registry().add_folder(folder)).parts
    load = {"text": parts.text, "planner": parts.planner, "autoencoder": parts.autoencoder}.get(part, parts.tokenizer)
    with pytest.raises(FileProblem, match="fit"):
        load()


def test_weights_of_another_shape_are_a_file_problem(folder: Path) -> None:
    """A card whose hashes hold, but whose preset is that of larger weights."""
    card = folder / "flow" / "card.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | {"preset": "cpu"}))
    with pytest.raises(FileProblem, match="do not fit their card"):
        Library(Registry().add_folder(folder)).family("flow")
