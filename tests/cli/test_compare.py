from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from triptych.cli.axes import MAX_CELLS, lay_out, parse_axis
from triptych.cli.grid import REFUSED, Cell, draw_grid
from triptych.core.errors import InvalidRequest
from triptych.core.readers import read_pixels

from .conftest import FakeApi, Outcome

Run = Callable[..., Outcome]


def test_axes_of_settings_and_of_words() -> None:
    axes = [parse_axis("guidance=3, 6", "a fox"), parse_axis("fox=fox,black cat", "a fox")]
    columns, rows, points = lay_out("a fox in foxgloves", {"seed": 1}, axes)
    assert columns == ["guidance 3", "guidance 6"]
    assert rows == ["fox", "black cat"]
    assert points[1][0].prompt == "a black cat in foxgloves"
    assert points[1][1].fields == {"seed": 1, "guidance": 6.0}


def test_three_axes_go_down_together() -> None:
    axes = [parse_axis(text, "a fox") for text in ("steps=1,2", "size=64,64x96", "plan=yes,no")]
    _, rows, points = lay_out("a fox", {}, axes)
    assert rows[1] == "size 64, use_plan no"
    assert points[3][0].fields == {"steps": 1, "width": 64, "height": 96, "use_plan": False}


def test_one_axis_has_one_row_without_label() -> None:
    assert lay_out("a fox", {}, [parse_axis("seed=1,2,3", "a fox")])[1] == [""]


def test_a_value_may_hold_a_comma_in_quotes() -> None:
    assert parse_axis('fox="big, red fox",owl', "a fox").values == ("big, red fox", "owl")


@pytest.mark.parametrize("text", ["guidance", "guidance=", "=1,2", "dog=cat", "fo=x", "guidance=,"])
def test_bad_axes_are_refused(text: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_axis(text, "a fox")
    assert caught.value.parameter == "axis"


def test_bad_values_doubles_and_crowds_are_refused() -> None:
    for texts in (
        ["steps=x"],
        ["plan=maybe"],
        ["seed=1", "seed=2"],
        [f"seed={','.join(map(str, range(MAX_CELLS + 1)))}"],
    ):
        with pytest.raises(InvalidRequest, match="axis"):
            lay_out("a fox", {}, [parse_axis(text, "a fox") for text in texts])


def test_the_grid_holds_every_picture_unscaled() -> None:
    cells = [[Cell(np.full((100, 120, 3), 10 * x + y + 1, np.uint8)) for x in range(3)] for y in range(2)]
    sheet = draw_grid("a fox in the snow", ["a", "b", "c"], ["one", "two"], cells)
    for y in range(2):
        for x in range(3):
            assert (sheet == 10 * x + y + 1).all(axis=-1).sum() == 100 * 120
    assert sheet.min() < 40, "labels are drawn"


def test_smaller_pictures_are_centred_and_refusals_are_drawn() -> None:
    cells = [[Cell(np.full((64, 64, 3), 7, np.uint8)), Cell(None, "steps: not taken by tokens, which draw tokens")]]
    sheet = draw_grid("x" * 400, ["a", "b"], [""], cells)
    assert (sheet == 7).all(axis=-1).sum() == 64 * 64
    assert (sheet == REFUSED).all(axis=-1).sum() > 1000


def test_compare_paints_all_cells_with_one_seed(api: FakeApi, run: Run) -> None:
    done = run("compare", "a fox", "--axis", "guidance=1.5,3", "--axis", "fox=fox,owl", "--out", "grid.png", "--json")
    assert done.code == 0, done.err
    data = json.loads(done.out)
    assert (data["path"], data["columns"], data["rows"]) == ("grid.png", ["guidance 1.5", "guidance 3"], ["fox", "owl"])
    assert [call["prompt"] for call in api.calls] == ["a fox", "a fox", "a owl", "a owl"]
    assert len({call["seed"] for call in api.calls}) == 1
    assert data["cells"][1][0]["recipe"]["request"]["prompt"] == "a owl"
    assert read_pixels(Path("grid.png")).shape[1] > 2 * 96


def test_what_a_model_refuses_becomes_a_cell(api: FakeApi, run: Run) -> None:
    done = run("compare", "a fox", "--axis", "sampler=euler,heun,eular", "--seed", 3)
    assert (done.code, done.out) == (0, "compare-a-fox-seed3.png\n")
    assert "refused  sampler: 'eular' is not known; did you mean 'euler'" in done.err


def test_a_grid_of_refusals_is_a_refusal(api: FakeApi, run: Run) -> None:
    assert run("compare", "a fox", "--axis", "sampler=a,b").code == 2
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["--axis", "steps=0,1"],
        ["--axis", "cat=owl"],
        [],
        ["--axis", "seed=1", "--out", "-"],
        ["--axis", "seed=1", "--out", "a.txt"],
    ],
)
def test_bad_comparisons_are_2_before_anything_is_painted(api: FakeApi, run: Run, arguments: list[str]) -> None:
    done = run("compare", "a fox", *arguments)
    assert (done.code, done.out) == (2, "")
    assert api.calls == []
