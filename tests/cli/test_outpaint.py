"""What `triptych outpaint` says before anything is painted: every bad input is named, and no models are needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

Run = Callable[..., Any]


@pytest.fixture
def picture(api: Any) -> Path:
    """A picture of 64 x 48 pixels in the work folder; `api` keeps models out."""
    path = Path("picture.png")
    Image.fromarray(np.zeros((48, 64, 3), np.uint8)).save(path)
    return path


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        ((), 2, "extend: is missing"),
        (("--extend", "lefft=3"), 2, "did you mean 'left'"),
        (("--extend", "left=-3"), 2, "left=-3 is not allowed"),
        (("--extend", "left=1000"), 2, "in two steps"),
        (("--extend", "left=8", "--out", "result.jpg"), 2, "loses pixels"),
        (("--extend", "left=8", "--out", "-", "--json"), 2, "cannot share stdout"),
        (("--extend", "left=8", "-m", "flov"), 3, "did you mean"),
        (("--extend", "left=8", "--steps", "0"), 2, "steps"),
    ],
)
def test_bad_input_is_refused(picture: Path, run: Run, arguments: tuple[str, ...], code: int, complaint: str) -> None:
    outcome = run("outpaint", picture, *arguments)
    assert outcome.code == code
    assert complaint in outcome.err
    assert outcome.out == ""
    assert [path.name for path in Path().iterdir()] == ["picture.png"]


def test_no_picture_is_told(api: Any, run: Run) -> None:
    outcome = run("outpaint", "nowhere.png", "--extend", "left=8")
    assert outcome.code == 3
    assert "nowhere.png" in outcome.err
    Path("text.png").write_text("hello")
    assert run("outpaint", "text.png", "--extend", "left=8").code == 3


def test_a_picture_of_a_few_pixels_is_no_context(api: Any, run: Run) -> None:
    Image.fromarray(np.zeros((8, 64, 3), np.uint8)).save("thin.png")
    outcome = run("outpaint", "thin.png", "--extend", "top=8")
    assert outcome.code == 2
    assert "64x8" in outcome.err
