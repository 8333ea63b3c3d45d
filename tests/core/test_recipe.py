from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triptych.core.errors import FileProblem
from triptych.core.recipe import MAX_RECIPE_BYTES, RECIPE_VERSION, Recipe, pixels_sha256
from triptych.core.request import Request


def test_round_trip_is_exact_to_the_last_bit_of_the_plan(recipe: Recipe) -> None:
    again = Recipe.parse(recipe.dumps())
    assert again == recipe
    assert again.request.plan is not None
    assert again.request.plan.objects[0].box[1] == 1 / 3
    assert Recipe.parse(recipe.as_json()) == recipe


def test_equal_recipes_are_equal_text(recipe: Recipe) -> None:
    assert Recipe.parse(recipe.dumps()).dumps() == recipe.dumps()
    assert "\n" not in recipe.dumps()


@given(
    seed=st.integers(0, 2**63 - 1), guidance=st.floats(0, 50), prompt=st.text(st.characters(exclude_categories=["C"]))
)
def test_any_request_comes_back(seed: int, guidance: float, prompt: str) -> None:
    request = Request.make(prompt=prompt, seed=seed, guidance=guidance)
    recipe = Recipe(model="flow", family="flow", request=request, pixels_sha256="0" * 64)
    assert Recipe.parse(recipe.dumps()) == recipe


def test_a_newer_version_is_named(recipe: Recipe) -> None:
    newer = recipe.as_json() | {"version": 9, "something": "new"}
    with pytest.raises(FileProblem, match=r"made by a newer Triptych \(recipe version 9; this one reads up to 2\)"):
        Recipe.parse(newer, source="fox.png")
    assert RECIPE_VERSION == 2


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("{", "is not JSON"),
        ("[1]", "a JSON object is needed"),
        ("{}", "no recipe version"),
        ('{"version": true}', "no recipe version"),
        ('{"version": 1}', "is damaged: at"),
        ("[" * 100_000, "is not JSON"),
        (" " * (MAX_RECIPE_BYTES + 1), "at most"),
    ],
)
def test_what_is_no_recipe_is_a_clear_sentence(data: str, message: str) -> None:
    with pytest.raises(FileProblem, match=message) as caught:
        Recipe.parse(data, source="fox.png")
    assert "fox.png" in str(caught.value)
    assert caught.value.exit_code == 3


def test_a_damaged_field_is_named(recipe: Recipe) -> None:
    data = json.loads(recipe.dumps())
    data["request"]["steps"] = -1
    with pytest.raises(FileProblem, match=r"at request\.steps"):
        Recipe.parse(data)


def test_hash_tells_shape_and_pixels_apart() -> None:
    black = np.zeros((2, 3, 3), np.uint8)
    assert pixels_sha256(black) == pixels_sha256(np.zeros((2, 3, 3), np.uint8))
    assert pixels_sha256(black) != pixels_sha256(black.reshape(3, 2, 3))
    other = black.copy()
    other[1, 2, 0] = 1
    assert pixels_sha256(black) != pixels_sha256(other)


def test_hash_does_not_depend_on_memory_layout() -> None:
    pixels = np.arange(2 * 4 * 3, dtype=np.uint8).reshape(2, 4, 3)
    assert pixels_sha256(np.asfortranarray(pixels)) == pixels_sha256(pixels)


def test_hash_is_stable_across_versions() -> None:
    assert pixels_sha256(np.zeros((1, 1, 3), np.uint8)) == (
        "85e3450946b56778bc70b4e1865f92afcbf6874f1f5e9bd61ee48e4b661a0033"
    )


def test_only_pixels_are_hashed() -> None:
    with pytest.raises(ValueError, match="uint8"):
        pixels_sha256(np.zeros((2, 2, 3), np.float32))  # pyright: ignore[reportArgumentType]
