"""Words through the Python door: fractions, reports, files with proof, painters of every family, the same again."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage

from triptych import api
from triptych.api import typeset as module
from triptych.api.typeset import Lettered, typeset
from triptych.core.asset import AssetStore, assets_in
from triptych.core.errors import FileProblem, InvalidRequest, TriptychError
from triptych.core.readers import read_recipe
from triptych.library import Library
from triptych.typography.fonts import FontBook
from triptych.typography.settings import Outline


@pytest.fixture(autouse=True)
def models(tiny_library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triptych.api.results.library", lambda: tiny_library)


def picture(width: int = 200, height: int = 120, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(7).integers(60, 120, (height, width, channels), dtype=np.uint8)


def lettered(source: np.ndarray | None = None, **fields: Any) -> Lettered:
    source = picture() if source is None else source
    return typeset(source, **{"text": "Hello", "box": (10, 20, 180, 80), "font": "DejaVu Sans", **fields})


def test_a_picture_with_words_and_all_that_is_known_of_them() -> None:
    source = picture()
    done = lettered(source)
    report = done.report
    assert report["outside_changed_pixels"] == 0
    assert report["outside_total_pixels"] == 200 * 120 - 180 * 80
    assert report["area"] == [10, 20, 190, 100]
    assert report["lines"] == ["Hello"]
    assert report["font"]["family"] == "DejaVu Sans"
    assert report["words"]["confirmed"]
    outside = np.ones((120, 200), bool)
    outside[20:100, 10:190] = False
    assert np.array_equal(done.image.pixels[outside], source[outside])
    recipe = done.image.recipe
    assert (recipe.model, recipe.family, recipe.request) == ("typeset", "tool", None)
    assert recipe.step is not None
    assert recipe.step.op == "typeset"
    assert recipe.step.settings["lettering"]["size"] == done.typeset.layout.size


def test_fractions_are_told_by_none_being_above_one() -> None:
    assert lettered(box=(0.05, 0.5, 0.9, 0.5)).report["area"] == [10, 60, 190, 120]
    corners = ((0.1, 0.1), (0.9, 0.2), (0.9, 0.8), (0.1, 0.9))
    found = lettered(box=None, corners=corners).typeset.lettering.corners
    assert np.allclose(found or (), ((20, 12), (180, 24), (180, 96), (20, 108)))


def test_a_font_that_was_not_named_is_told_only_if_it_is_an_unusual_one() -> None:
    assert not [note for note in lettered(font=None).notes if note.parameter == "font"]
    book = FontBook([module.installed().find("Aileron"), module.installed().find("DejaVu Serif")])
    told = [note.text for note in lettered(text="Привет", font=None, fonts=book).notes if note.parameter == "font"]
    assert told == ["DejaVu Serif Book is taken, which has all the letters"]


def test_what_cannot_be_read_back_is_told() -> None:
    done = lettered(np.full((120, 200, 3), 250, np.uint8))
    assert not done.report["words"]["confirmed"]
    texts = " | ".join(note.text for note in done.notes)
    assert "'Hello' could not be read back" in texts
    assert "the letters hardly stand out (contrast 1.0 to 1)" in texts


def test_the_file_keeps_every_pixel_outside_and_is_made_again_exactly(tmp_path: Path) -> None:
    source = picture()
    PillowImage.fromarray(source).save(tmp_path / "in.png")
    done = typeset(
        tmp_path / "in.png", "Hallo", box=(10, 20, 180, 80), outline=Outline(width=2), shadow="soft", rotate=5
    )
    path = done.save(tmp_path / "out.png")
    read = np.asarray(PillowImage.open(path))
    assert np.array_equal(read, done.image.pixels)
    assert np.array_equal(read[~done.typeset.area], source[~done.typeset.area])
    store = AssetStore(tmp_path / "home" / "inputs")
    for asset in assets_in(done.image.recipe):
        store.put(asset)
    assert api.replay(path, home=tmp_path / "home").verdict == "exact"
    with pytest.raises(InvalidRequest, match="out: JPEG loses pixels"):
        done.save(tmp_path / "out.jpg")
    assert not (tmp_path / "out.jpg").exists()


def test_a_file_whose_proof_fails_is_not_written(tmp_path: Path) -> None:
    done = lettered()
    other = replace(done, source=255 - done.source)
    with pytest.raises(TriptychError, match="the lock does not hold"):
        other.save(tmp_path / "out.png")
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize("model", ["flow", "diffusion", "tokens"])
def test_a_painter_fits_the_surroundings_and_never_the_letters(model: str, tmp_path: Path) -> None:
    source = picture()
    crisp = lettered(source)
    done = lettered(source, model=model, harmonise=0.5, prompt="a red circle", painter={"seed": 3})
    assert np.array_equal(done.typeset.mask, crisp.typeset.mask)
    assert done.report["outside_changed_pixels"] == 0
    around = done.typeset.area & (done.typeset.mask == 0)
    assert (done.image.pixels[around] != source[around]).any()
    assert np.array_equal(done.image.pixels[~done.typeset.area], source[~done.typeset.area])
    recipe = done.image.recipe
    assert recipe.request is not None
    assert (recipe.model, recipe.request.seed, recipe.request.strength) == (model, 3, 0.5)
    path = done.save(tmp_path / "out.png")
    store = AssetStore(tmp_path / "inputs")
    for asset in assets_in(recipe):
        store.put(asset)
    assert api.replay(path, home=tmp_path).verdict == "exact"


def test_transparent_pictures_keep_their_transparency(tmp_path: Path) -> None:
    source = picture(channels=4)
    done = lettered(source, model="flow", harmonise=0.3, painter={"seed": 1})
    bare = done.typeset.mask == 0
    assert np.array_equal(done.image.pixels[bare, 3], source[bare, 3])
    assert np.array_equal(np.asarray(PillowImage.open(done.save(tmp_path / "a.png"))), done.image.pixels)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"model": "flow"}, "harmonise: is 0, so there is nothing to paint"),
        ({"prompt": "a fox"}, "prompt: is for a painter"),
        ({"painter": {"seed": 4}}, "seed: is for a painter"),
        ({"model": "flow", "harmonise": 0.5, "painter": {"steps": 100000}}, "steps"),
        ({"font": "Dejavu San"}, "font: 'Dejavu San' is not installed; close to it: DejaVu Sans"),
        ({"text": "\u4e00", "font": "DejaVu Serif"}, "font: DejaVu Serif Book has no glyph"),
        ({"box": (0, 0, float("inf"), 5)}, "box: .* is not allowed"),
        ({"box": None, "corners": ((0, 0), (9, 9))}, "perspective: .*four points"),
    ],
)
def test_what_cannot_be_is_refused(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        lettered(**fields)


def test_again_needs_the_very_font(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = lettered().image.recipe
    assert module.again(recipe).recipe.pixels_sha256 == recipe.pixels_sha256
    monkeypatch.setattr(module, "installed", lambda: FontBook([]))
    with pytest.raises(FileProblem, match="the font DejaVu Sans Book, which the letters were set in, is not installed"):
        module.again(recipe)


def test_a_damaged_recipe_is_a_file_problem() -> None:
    recipe = lettered().image.recipe
    assert recipe.step is not None
    whole = recipe.step.settings["lettering"]
    sha = hashlib.sha256(b"x").hexdigest()
    nameless = {name: value for name, value in whole.items() if name != "font"}
    changed = {**whole, "font": {**whole["font"], "sha256": sha}}
    for lettering in ({}, {**whole, "size": 1}, {**whole, "box": [0, 0, 999, 9]}, nameless, changed):
        step = recipe.step.model_copy(update={"settings": {"lettering": lettering}})
        with pytest.raises(FileProblem):
            module.again(recipe.model_copy(update={"step": step}))


def test_the_recipe_in_the_file_says_what_was_done(tmp_path: Path) -> None:
    recipe = read_recipe(lettered().save(tmp_path / "a.png"))
    assert recipe.step is not None
    assert recipe.step.settings["lettering"]["text"] == "Hello"
    assert recipe.step.report["words"]["method"] == "template"
