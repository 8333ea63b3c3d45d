"""The Python doors over tiny models: what comes back, what is noted, and that every picture can be made again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from triptych import api
from triptych.core.errors import FileProblem, InvalidRequest
from triptych.core.events import Finished, Planned, Started, Stepped
from triptych.core.metadata import save_picture
from triptych.core.plan import Plan, PlanObject
from triptych.core.readers import read_pixels, read_recipe
from triptych.core.recipe import Recipe, pixels_sha256
from triptych.library import Library

MODELS = ("flow", "diffusion", "tokens")
PLAN = Plan(background="night", objects=(PlanObject(noun="ring", colour="blue", box=(0.125, 0.3, 1 / 3, 0.9)),))


@pytest.fixture(autouse=True)
def models(tiny_library: Library, monkeypatch: pytest.MonkeyPatch) -> Library:
    """The tiny models in the place of the built-in ones."""
    monkeypatch.setattr("triptych.api.results.library", lambda: tiny_library)
    return tiny_library


def quick(model: str) -> dict[str, int]:
    """Few steps for the families that take them."""
    return {} if model == "tokens" else {"steps": 2}


def noted(prompt: str, **fields: object) -> list[str]:
    return [note.text for note in api.generate(prompt, seed=1, steps=1, **fields).notes]


@pytest.mark.parametrize("model", MODELS)
def test_a_result_holds_all_that_was_asked(model: str) -> None:
    result = api.generate("a red circle", model=model, seed=7, n=3, **quick(model))
    assert [image.index for image in result.images] == [0, 1, 2]
    assert len({pixels_sha256(image.pixels) for image in result.images}) == 3
    assert (result.model, result.request.model, result.request.seed) == (model, model, 7)
    assert result.family == result.images[0].recipe.family
    assert list(result.seconds) == ["start", "plan", "encode", "denoise", "decode", "total"]
    assert sum(result.seconds.values()) - result.seconds["total"] <= result.seconds["total"] + 0.01
    for image in result.images:
        assert image.pixels.shape == (64, 64, 3)
        assert image.pixels.dtype == np.uint8
        assert image.recipe.pixels_sha256 == pixels_sha256(image.pixels)
        assert image.recipe.request.plan == image.plan


def test_a_seed_that_is_not_given_is_chosen_and_kept() -> None:
    first, second = (api.generate("a star", steps=1) for _ in range(2))
    assert first.images[0].seed == first.request.seed == first.images[0].recipe.request.seed
    assert first.request.seed != second.request.seed


@pytest.mark.parametrize(
    ("prompt", "sentence"),
    [
        ("a cirle", "'cirle' is read as 'circle'"),
        ("a kitten", "'kitten' is beyond the 8 nouns and their world that this model knows"),
        ("a flooble", "'flooble' is not a word that this model knows; expect a guess"),
        ("a red circle " * 20, "only the first 31 tokens are read; the rest was cut"),
        ("  ", "empty, so the picture is unconditional: whatever the model likes to make"),
    ],
)
def test_what_becomes_of_the_words_is_noted(prompt: str, sentence: str) -> None:
    assert noted(prompt) == [sentence]


def test_what_becomes_of_the_parameters_is_noted() -> None:
    assert noted("a ring", negative="red", guidance=1.0) == ["guidance 1 switches off the pass that it acts in"]
    beyond = Plan(background="moonbase", objects=(PlanObject(noun="yak", colour="teal", box=(0, 0, 1, 1)),))
    assert noted("a ring", plan=beyond) == [
        f"flow was not trained on {word!r}; expect a guess" for word in ("moonbase", "yak", "teal")
    ]


@pytest.mark.parametrize("model", MODELS)
def test_an_empty_prompt_is_painted_without_a_plan(model: str) -> None:
    image = api.generate("", model=model, seed=1, **quick(model)).images[0]
    assert image.plan is None
    assert image.recipe.request.plan is None


def test_a_synonym_paints_what_its_word_paints() -> None:
    said, meant = (api.generate(prompt, seed=1, steps=2).images[0] for prompt in ("a cirle", "a circle"))
    assert np.array_equal(said.pixels, meant.pixels)


@pytest.mark.parametrize(
    ("fields", "parameter"),
    [
        ({"steps": 0}, "steps"),
        ({"steps": 201}, "steps"),
        ({"guidance": float("nan")}, "guidance"),
        ({"sampler": "eulr"}, "sampler"),
        ({"width": 65, "height": 64}, "width"),
        ({"width": 64}, "request"),
        ({"temperature": 1.0}, "temperature"),
        ({"model": "tokens", "steps": 3}, "steps"),
        ({"model": "tokens", "width": 128, "height": 128}, "size"),
        ({"plan": PLAN, "use_plan": False}, "plan"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_bad_parameter_is_named(fields: dict[str, object], parameter: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        api.generate("a star", **fields)
    assert caught.value.parameter == parameter


def test_an_unknown_model_is_a_file_problem() -> None:
    with pytest.raises(FileProblem, match="did you mean 'flow'"):
        api.generate("a star", model="flwo")


def test_events_reach_both_doors_alike() -> None:
    seen: list[object] = []
    result = api.generate("a star", seed=3, n=2, steps=2, on_event=seen.append)
    kinds = [Started, Planned, Planned, Stepped, Stepped, Stepped, Stepped, Finished, Finished]
    assert [type(event) for event in seen] == kinds
    assert all(event.preview is None for event in seen if isinstance(event, Stepped))
    streamed = list(api.stream("a star", seed=3, n=2, steps=2))
    assert [type(event) for event in streamed] == kinds
    assert [event.preview is None for event in streamed if isinstance(event, Stepped)] == [False, False, True, True]
    for event, image in zip((e for e in streamed if isinstance(e, Finished)), result.images, strict=True):
        assert np.array_equal(event.pixels, image.pixels)


def test_an_error_of_the_listener_is_not_swallowed() -> None:
    def stop(event: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        api.generate("a star", seed=1, steps=1, on_event=stop)
    assert api.generate("a star", seed=1, steps=1).images


def test_the_plan_is_the_one_that_is_painted() -> None:
    alone = api.plan("two blue rings on a meadow", seed=5)
    assert api.plan("two blue rings on a meadow", model="tokens", seed=5) == alone
    image = api.generate("two blue rings on a meadow", seed=5, steps=1).images[0]
    assert image.plan == alone
    again = api.generate("two blue rings on a meadow", seed=5, steps=1, plan=alone).images[0]
    assert np.array_equal(again.pixels, image.pixels)


def test_plan_and_its_absence_change_the_picture() -> None:
    pictures = [
        api.generate("a ring", seed=5, steps=2, **fields).images[0].pixels
        for fields in ({}, {"plan": PLAN}, {"use_plan": False})
    ]
    assert len({pixels_sha256(pixels) for pixels in pictures}) == 3


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("fields", [{}, {"use_plan": False}, {"plan": PLAN}, {"n": 3}], ids=["", "no", "own", "n"])
def test_every_picture_replays_exactly(tmp_path: Path, model: str, fields: dict[str, object]) -> None:
    image = api.generate("a ring, a cirle", model=model, seed=9, **quick(model), **fields).images[-1]
    for path in (image.save(tmp_path / "a.png"), image.save(tmp_path / "a.webp"), tmp_path / "a.json"):
        path.write_text(image.recipe.dumps()) if path.suffix == ".json" else None
        report = api.replay(path)
        assert (report.verdict, report.max_difference) == ("exact", 0)
        assert report.image.recipe == image.recipe
        assert report.image.index == image.index


@pytest.mark.parametrize(
    "fields",
    [
        {"width": 96, "height": 64, "sampler": "heun", "schedule": "shifted", "guidance": 3.7},
        {"sampler": "euler_ancestral", "negative": "a kitten", "guidance_interval": (0.1, 0.7)},
        {"quality": "low", "guidance_rescale": 0.3, "seed": 2**63 - 1},
    ],
)
def test_every_setting_goes_into_the_recipe(tmp_path: Path, fields: dict[str, object]) -> None:
    steps = {} if "quality" in fields else {"steps": 2}
    image = api.generate('a "ring" \U0001f98a, näive\nline', **{"seed": 3, **steps, **fields}).images[0]
    path = image.save(tmp_path / "a.png")
    assert read_recipe(path) == image.recipe == Recipe.parse(image.recipe.dumps())
    assert {name: getattr(image.recipe.request, name) for name in fields} == fields
    assert api.replay(path).verdict == "exact"


def test_token_settings_go_into_the_recipe(tmp_path: Path) -> None:
    fields = {"temperature": 0.7, "top_k": 9, "top_p": 0.9, "guidance": 1.0}
    image = api.generate("a ring", model="tokens", seed=3, **fields).images[0]
    assert {name: getattr(image.recipe.request, name) for name in fields} == fields
    assert api.replay(image.save(tmp_path / "a.png")).verdict == "exact"


@pytest.mark.parametrize(
    ("change", "verdict"),
    [(1, "within tolerance"), (api.TOLERANCE, "within tolerance"), (api.TOLERANCE + 1, "different")],
)
def test_altered_pixels_are_told_apart_by_how_much(tmp_path: Path, change: int, verdict: str) -> None:
    """A picture of another machine differs from ours in pixels and, with them, in the hash of its recipe."""
    image = api.generate("a ring", seed=1, steps=1).images[0]
    altered = image.pixels.copy()
    altered[3, 5, 1] = int(altered[3, 5, 1]) + (change if altered[3, 5, 1] < 128 else -change)
    recipe = image.recipe.model_copy(update={"pixels_sha256": pixels_sha256(altered)})
    report = api.replay(save_picture(tmp_path / "a.png", altered, recipe))
    assert (report.verdict, report.max_difference) == (verdict, change)


def test_a_picture_that_was_painted_over_is_not_called_exact(tmp_path: Path) -> None:
    """The recipe still tells the truth about the picture that was made; the file no longer holds that picture."""
    path = api.generate("a ring", seed=1, steps=1).images[0].save(tmp_path / "a.png")
    recipe = read_recipe(path)
    pixels = read_pixels(path).copy()
    pixels[:8] = 255 - pixels[:8]
    report = api.replay(save_picture(path, pixels, recipe))
    assert report.verdict == "different"


def test_a_recipe_alone_is_exact_or_different(tmp_path: Path) -> None:
    recipe = api.generate("a ring", seed=1, steps=1).images[0].recipe
    path = tmp_path / "a.json"
    path.write_text(recipe.model_copy(update={"pixels_sha256": "0" * 64}).dumps())
    report = api.replay(path)
    assert (report.verdict, report.max_difference) == ("different", None)


def test_a_picture_of_another_size_than_its_recipe_is_different(tmp_path: Path) -> None:
    image = api.generate("a ring", seed=1, steps=1).images[0]
    path = save_picture(tmp_path / "a.png", image.pixels[:32], image.recipe)
    report = api.replay(path)
    assert (report.verdict, report.max_difference) == ("different", None)


def test_a_jpeg_replays_by_the_hash_of_its_recipe(tmp_path: Path) -> None:
    """JPEG loses pixels, so what lies in the file is not what the recipe's hash was taken of."""
    path = api.generate("a ring", seed=1, steps=1).images[0].save(tmp_path / "a.jpg")
    assert api.replay(path).verdict == "exact"


def test_a_recipe_from_a_newer_version_is_refused(tmp_path: Path) -> None:
    recipe = api.generate("a ring", seed=1, steps=1).images[0].recipe
    path = tmp_path / "a.json"
    path.write_text(json.dumps(recipe.as_json() | {"version": 3}))
    with pytest.raises(FileProblem, match="newer Triptych"):
        api.replay(path)


@pytest.mark.parametrize("change", [{"index": 5}, {"model": "tokens"}])
def test_a_recipe_that_contradicts_itself_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    recipe = api.generate("a ring", seed=1, steps=1).images[0].recipe
    path = tmp_path / "a.json"
    path.write_text(json.dumps(recipe.as_json() | change))
    with pytest.raises(FileProblem, match=f"is damaged.*{next(iter(change))}"):
        api.replay(path)


def test_a_saved_picture_is_a_picture_for_everyone(tmp_path: Path) -> None:
    path = api.generate("a ring", seed=1, steps=1).images[0].save(str(tmp_path / "new folder" / "a.png"))
    with PillowImage.open(path) as picture:
        assert (picture.format, picture.size, picture.mode) == ("PNG", (64, 64), "RGB")
        assert picture.info["parameters"].startswith("a ring\nSteps: 1, Sampler: euler,")
