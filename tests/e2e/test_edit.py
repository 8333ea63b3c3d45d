"""`triptych edit` and `triptych history` over real, tiny models: files, exit codes, and nothing half-written."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from triptych.cli import main
from triptych.core.readers import read_recipe

from .conftest import Outcome, Run


@pytest.fixture(autouse=True)
def workplace(tiny_place: Path) -> Path:
    """An empty folder with a picture in it."""
    pixels = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    Image.fromarray(pixels).save("in.png")
    return tiny_place


def pixels_of(path: str | Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)


def edit(run: Run, *more: object, image: str = "in.png") -> Outcome:
    return run("edit", image, "a red circle", "--mask", "10,10,30,20", "--seed", 1, "--steps", 1, *more)


def test_an_edit_is_written_proved_and_reported(run: Run) -> None:
    done = edit(run, "--out", "out.png", "--json")
    assert done.code == 0
    told = done.json
    assert told["lock"]["outside_changed_pixels"] == 0
    assert told["lock"]["outside_total_pixels"] == 60 * 80 - 600
    assert told["lock"]["seam_error"] > 0
    assert told["images"][0]["path"] == "out.png"
    assert (told["images"][0]["width"], told["images"][0]["height"]) == (80, 60)
    before, after = pixels_of("in.png"), pixels_of("out.png")
    changed = (before != after).any(axis=2)
    assert changed[10:30, 10:40].any()
    changed[10:30, 10:40] = False
    assert not changed.any()
    assert run("replay", "out.png").out.strip() == "exact"


def test_words_for_people_go_to_stderr_and_the_path_to_stdout(run: Run, workplace: Path) -> None:
    done = edit(run)
    (path,) = (line for line in done.out.splitlines())
    assert (workplace / path).exists()
    assert "0 of 4200 pixels outside the mask changed; seam" in done.err
    assert edit(run, "--quiet").err == ""


def test_stdout_takes_the_picture(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class Out(io.StringIO):
        buffer = io.BytesIO()

    monkeypatch.setattr(sys, "stdout", Out())
    assert main(["edit", "in.png", "a ring", "--mask", "1,1,9,9", "--seed", "1", "--steps", "1", "--out", "-"]) == 0
    with Image.open(io.BytesIO(Out.buffer.getvalue())) as picture:
        assert picture.size == (80, 60)


def test_a_picture_from_stdin_is_taken(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class In:
        buffer = io.BytesIO(Path("in.png").read_bytes())

    monkeypatch.setattr(sys, "stdin", In())
    assert edit(run, "--out", "out.png", image="-").code == 0
    assert pixels_of("out.png").shape == (60, 80, 3)


def test_a_mask_file_a_grown_mask_and_an_inverted_one(run: Run) -> None:
    mask = np.zeros((60, 80), np.uint8)
    mask[10:30, 10:40] = 255
    Image.fromarray(mask).save("mask.png")
    options = ("--mask", "mask.png", "--seed", 1, "--steps", 1, "--json")
    plain = run("edit", "in.png", "a ring", *options, "--out", "a.png").json["lock"]["outside_total_pixels"]
    grown = run("edit", "in.png", "a ring", *options, "--grow", 3, "--out", "b.png").json["lock"]
    rest = run("edit", "in.png", "a ring", *options, "--invert", "--out", "c.png").json["lock"]
    assert plain == 60 * 80 - 600
    assert grown["outside_total_pixels"] < plain - 300
    assert rest["outside_total_pixels"] == 600


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (("--out", "x.jpg"), 2, "out: JPEG loses pixels"),
        (("--lock", "1.2"), 2, "lock: 1.2 is not allowed"),
        (("--feather", "-1"), 2, "feather: -1 is not allowed"),
        (("--mask", "1,2,3"), 2, "mask: '1,2,3' is not a box"),
        (("--mask", "90,90,5,5"), 2, "outside of the picture, which is 80x60"),
        (("--mask", "gone.png"), 3, "gone.png"),
        (("--mask", "in.txt.png"), 3, "is not a PNG, JPEG or WebP picture"),
        (("--mask", "small.png"), 2, "mask: is 9x9, but the picture is 80x60"),
        (("--mask", "black.png"), 2, "mask: selects nothing"),
        (("--model", "nobody"), 3, "nobody"),
        (("--steps", "0"), 2, "steps"),
        (("--strength", "0"), 2, "strength"),
        (("--out", "-", "--json"), 2, "cannot share stdout"),
        (("--mask", "-"), 3, ""),
    ],
)
def test_bad_input_is_refused_and_nothing_is_written(
    run: Run, workplace: Path, options: tuple[str, ...], code: int, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Nothing:
        buffer = io.BytesIO()

    monkeypatch.setattr(sys, "stdin", Nothing())
    Image.fromarray(np.zeros((9, 9), np.uint8)).save("small.png")
    Image.fromarray(np.zeros((60, 80), np.uint8)).save("black.png")
    Path("in.txt.png").write_text("no picture")
    there = {path.name for path in workplace.iterdir()}
    done = edit(run, *options)
    assert done.code == code
    assert sentence in done.err
    assert "Traceback" not in done.err
    assert {path.name for path in workplace.iterdir()} == there


def test_bad_pictures_are_refused(run: Run, workplace: Path) -> None:
    frames = [Image.fromarray(np.full((60, 80, 3), value, np.uint8)) for value in (0, 200)]
    frames[0].save("moving.webp", save_all=True, append_images=frames[1:])
    for name, sentence in (("moving.webp", "is animated"), ("gone.png", "gone.png")):
        done = edit(run, image=name)
        assert done.code == 3
        assert sentence in done.err
    assert run("edit", "in.png", "a ring").code == 2
    assert run("edit", "in.png", " ", "--mask", "1,1,5,5").code == 2


def test_one_pixel_is_a_picture_too(run: Run) -> None:
    Image.fromarray(np.full((1, 1, 3), 9, np.uint8)).save("dot.png")
    done = run("edit", "dot.png", "a ring", "--mask", "0,0,1,1", "--seed", 1, "--steps", 1, "--out", "o.png")
    assert done.code == 0
    assert pixels_of("o.png").shape == (1, 1, 3)


def test_the_history_goes_back_forward_and_branches(run: Run) -> None:
    assert run("history").code == 2
    edit(run, "--out", "one.png")
    edit(run, "--out", "two.png", "--mask", "50,30,20,20", image="one.png")
    tree = run("history", "--json").json
    assert [node["op"] for node in tree["nodes"]] == ["", "edit", "edit"]
    back = run("history", "undo", "two.png", "--out", "back.png")
    assert (back.code, back.out.strip()) == (0, "back.png")
    assert np.array_equal(pixels_of("back.png"), pixels_of("one.png"))
    assert read_recipe(Path("back.png")).step is not None
    edit(run, "--out", "three.png", "--mask", "2,30,20,20", image="back.png")
    branched = run("history", "three.png", "--json").json
    assert len(branched["nodes"]) == 4
    assert branched["nodes"][3]["parent"] == branched["nodes"][1]["id"]
    assert len(run("history", "show").out.splitlines()) == 4
    run("history", "go", branched["nodes"][2]["id"][:6], "--out", "went.png")
    assert np.array_equal(pixels_of("went.png"), pixels_of("two.png"))
    run("history", "undo")
    assert np.array_equal(pixels_of(run("history", "redo", "--quiet").out.strip()), pixels_of("two.png"))
    assert run("history", "redo").code == 2
    assert run("history", "undo", "in.png").code == 2


def test_the_history_keeps_the_colour_profile(run: Run) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    with Image.open("in.png") as picture:
        picture.save("wide.png", icc_profile=profile)
    edit(run, "--out", "one.png", image="wide.png")
    assert run("history", "undo", "one.png", "--out", "back.png").code == 0
    for name in ("one.png", "back.png"):
        with Image.open(name) as picture:
            assert picture.info["icc_profile"] == profile


def test_a_fresh_turn_has_a_history_of_its_own(run: Run) -> None:
    edit(run, "--out", "one.png")
    edit(run, "--out", "two.png", "--fresh", image="one.png")
    assert len(run("history", "list").out.splitlines()) == 2
    latest = run("history", "two.png", "--json").json
    assert len(latest["nodes"]) == 2
    assert run("history", "fresh", "one.png").code == 0
    assert len(run("history", "list", "--json").json["trees"]) == 3


def test_pictures_without_a_history_are_told(run: Run) -> None:
    edit(run, "--out", "one.png")
    Image.fromarray(np.zeros((5, 5, 3), np.uint8)).save("stranger.png")
    for arguments in (("undo", "stranger.png"), ("stranger.png",), ("show", "ffffffffffff"), ("go", "zz")):
        done = run("history", *arguments)
        assert done.code == 2
        assert "Traceback" not in done.err


def test_an_undo_that_cannot_be_written_undoes_nothing(run: Run) -> None:
    edit(run, "--out", "one.png")
    assert run("history", "undo", "--out", "x.gif").code == 2
    assert run("history", "--json").json["current"] == run("history", "--json").json["nodes"][1]["id"]
