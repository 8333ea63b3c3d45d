from __future__ import annotations

import io
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from triptych.core import infotext
from triptych.core.errors import InvalidRequest
from triptych.core.events import Pixels
from triptych.core.metadata import (
    FORMATS,
    SOURCE_TYPE,
    encode_picture,
    format_of,
    save_picture,
    settings_text,
)
from triptych.core.readers import read_pixels, read_recipe, read_texts
from triptych.core.recipe import MAX_RECIPE_BYTES, Recipe, pixels_sha256
from triptych.core.request import MAX_PROMPT

LOSSLESS = (".png", ".webp")


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_carries_the_recipe_and_the_text(
    tmp_path: Path, pixels: Pixels, recipe: Recipe, suffix: str
) -> None:
    path = save_picture(tmp_path / f"fox{suffix}", pixels, recipe)
    assert read_recipe(path) == recipe
    assert read_texts(path)["parameters"] == settings_text(recipe)
    if suffix in LOSSLESS:
        assert np.array_equal(read_pixels(path), pixels)
        assert pixels_sha256(read_pixels(path)) == recipe.pixels_sha256


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_says_that_a_model_made_it(tmp_path: Path, pixels: Pixels, suffix: str) -> None:
    path = save_picture(tmp_path / f"fox{suffix}", pixels)
    with Image.open(path) as picture:
        packet = picture.info["xmp"]
    description = ElementTree.fromstring(packet).find(".//{*}Description")
    assert description is not None
    assert description.get("{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType") == SOURCE_TYPE


def test_equal_input_gives_equal_bytes(pixels: Pixels, recipe: Recipe) -> None:
    assert encode_picture(pixels, recipe) == encode_picture(pixels.copy(), recipe)


def test_the_text_has_the_keys_that_others_read(recipe: Recipe) -> None:
    found = infotext.parse(settings_text(recipe))
    assert found.prompt == recipe.request.prompt
    assert found.negative == "blurry, dark"
    assert found.pairs == {
        "Steps": "16",
        "Sampler": "euler",
        "Schedule type": "flow",
        "CFG scale": "4",
        "Seed": str(2**62 + 1),
        "Size": "32x48",
        "Model": "flow",
        "Model hash": "ab" * 5,
        "Version": f"Triptych {recipe.triptych}",
    }


def test_the_number_of_a_picture_in_its_request_is_said(recipe: Recipe) -> None:
    third = recipe.model_copy(update={"index": 2})
    assert infotext.parse(settings_text(third)).pairs["Picture"] == "2"


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_longest_prompt_fits(tmp_path: Path, pixels: Pixels, recipe: Recipe, suffix: str) -> None:
    request = recipe.request.model_copy(update={"prompt": "🦊" * MAX_PROMPT, "negative": '"' * MAX_PROMPT})
    long = recipe.model_copy(update={"request": request})
    assert len(long.dumps()) < MAX_RECIPE_BYTES
    path = save_picture(tmp_path / f"fox{suffix}", pixels, long)
    assert read_recipe(path) == long


def test_a_picture_without_a_recipe_has_no_settings(pixels: Pixels) -> None:
    with Image.open(io.BytesIO(encode_picture(pixels))) as picture:
        assert "parameters" not in picture.info
        assert "triptych" not in picture.info


@pytest.mark.parametrize("name", ["fox.gif", "fox", "fox.png.txt", ".png"])
def test_unknown_formats_are_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(InvalidRequest, match=r"\.png, \.jpg, \.jpeg, \.webp"):
        format_of(Path(name))


def test_suffixes_in_capitals_are_known() -> None:
    assert format_of(Path("FOX.PNG")) == "PNG"
