"""triptych typeset and triptych fonts, over the real door: no model is needed for words."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from triptych.typography.fonts import FontBook

from .conftest import Outcome

Run = Callable[..., Outcome]
BOX = ("--box", "10,10,180,80")


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder with a picture, and a data folder of its own."""
    monkeypatch.setenv("TRIPTYCH_HOME", str(tmp_path / "home"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    Image.fromarray(np.random.default_rng(0).integers(0, 90, (100, 200, 3), dtype=np.uint8)).save("in.png")


def test_words_are_written_told_and_made_again(run: Run) -> None:
    done = run("typeset", "in.png", "Hello", *BOX, "--font", "DejaVu Sans Bold")
    assert (done.code, done.out) == (0, "in-typeset.png\n")
    assert "DejaVu Sans Bold at " in done.err
    assert "words confirmed" in done.err
    assert "0 of 5600 pixels outside changed" in done.err
    before, after = (np.asarray(Image.open(name)) for name in ("in.png", "in-typeset.png"))
    changed = (before != after).any(axis=2)
    assert changed[10:90, 10:190].any()
    changed[10:90, 10:190] = False
    assert not changed.any()
    assert run("replay", "in-typeset.png").out == "exact\n"
    assert "in-typeset.png" in run("log", "--json").out


def test_json_says_all_of_it(run: Run) -> None:
    done = run("typeset", "in.png", "a\nb", *BOX, "--out", "o.png", "--mask", "m.png", "--json")
    told = json.loads(done.out)
    assert done.out.count("\n") == 1
    assert told["words"] | {"score": 0, "duel": 0} == {"confirmed": True, "method": "template", "score": 0, "duel": 0}
    assert told["outside_changed_pixels"] == 0
    assert told["lines"] == ["a", "b"]
    assert told["recipe"]["step"]["op"] == "typeset"
    assert np.asarray(Image.open("m.png")).max() == 255


def test_every_option_reaches_the_letters(run: Run) -> None:
    plain = ("--size", 20, "--align", "left", "--valign", "top", "--colour", "#ff0", "--line-height", 1.5)
    options = (*plain, "--outline", "2:navy", "--shadow", "3,-2,1:#00000080", "--direction", "ltr", "--harmonise", 0.25)
    perspective = ("--perspective", "20,10,180,20,180,80,20,90")
    done = run("typeset", "in.png", "x\ny", *perspective, *options, "--out", "o.png", "--json")
    lettering = json.loads(done.out)["recipe"]["step"]["settings"]["lettering"]
    del lettering["font"]
    assert lettering == {
        "text": "x\ny",
        "corners": [[20, 10], [180, 20], [180, 80], [20, 90]],
        "size": 20,
        "align": "left",
        "valign": "top",
        "colour": "#ff0",
        "outline": {"width": 2, "colour": "navy"},
        "shadow": {"dx": 3, "dy": -2, "blur": 1, "colour": "#00000080"},
        "line_height": 1.5,
        "rotate": 0,
        "direction": "ltr",
        "harmonise": 0.25,
    }


def test_fractions_and_stdin_and_stdout(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("from a pipe\n"))
    told = json.loads(run("typeset", "in.png", "-", "--box", "0,.5,1,.5", "--out", "o.png", "--json").out)
    assert " ".join(told["lines"]) == "from a pipe"
    assert told["area"] == [0, 50, 200, 100]
    picture = io.BytesIO(Path("in.png").read_bytes())
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=picture))
    out = SimpleNamespace(buffer=io.BytesIO(), write=lambda text: None, flush=lambda: None)
    monkeypatch.setattr(sys, "stdout", out)
    assert run("typeset", "-", "Hi", *BOX, "--out", "-", "--quiet").code == 0
    assert Image.open(io.BytesIO(out.buffer.getvalue())).size == (200, 100)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("in.png", "a"), 2, "box: is missing"),
        (("in.png", "", *BOX), 2, "text: is empty"),
        (("in.png", "a", "--box", "1,2,3"), 2, "box: '1,2,3' is not allowed: 4 numbers"),
        (("in.png", "a", "--box", "0,0,0,5"), 2, "box: 0,0,0,5 has no width"),
        (("in.png", "a", "--box", "0,0,900,50"), 2, "box: 0,0,900,50 reaches outside the picture, which has 200x100"),
        (("in.png", "a", "--perspective", "0,0,1"), 2, "perspective: '0,0,1' is not allowed: 8 numbers"),
        (("in.png", "a", *BOX, "--outline", "thick"), 2, "outline: 'thick' is not allowed: WIDTH:COLOUR"),
        (("in.png", "a", *BOX, "--outline", "3:plaid"), 2, "outline: colour: 'plaid' is not a colour"),
        (("in.png", "a", *BOX, "--shadow", "3"), 2, "shadow: '3' is not allowed"),
        (("in.png", "a", *BOX, "--colour", "plaid"), 2, "colour: 'plaid' is not a colour"),
        (("in.png", "a", *BOX, "--size", "2"), 2, "size: 2"),
        (("in.png", "a", *BOX, "--size", "900"), 2, "size: 900 pixels is too large for the box; the largest that fits"),
        (("in.png", "a", *BOX, "--font", "Helvetcia Nova"), 2, "font: 'Helvetcia Nova' is not installed"),
        (("in.png", "a", *BOX, "--font", "no.ttf"), 3, "cannot read the font no.ttf"),
        (("in.png", "\u4e00", *BOX, "--font", "DejaVu Serif"), 2, "no glyph for '\u4e00' (U+4E00 CJK"),
        (("in.png", "a", *BOX, "--out", "o.jpg"), 2, "out: JPEG loses pixels"),
        (("in.png", "a", *BOX, "--out", "-", "--json"), 2, "cannot share stdout"),
        (("in.png", "a", *BOX, "--prompt", "x"), 2, "prompt: is for a painter"),
        (("in.png", "a", *BOX, "-m", "flow"), 2, "harmonise: is 0"),
        (("in.png", "a", *BOX, "-m", "nobody", "--harmonise", "1"), 3, "there is no model 'nobody'"),
        (("none.png", "a", *BOX), 3, "cannot read none.png"),
    ],
)
def test_bad_input_is_a_sentence_and_leaves_nothing(run: Run, arguments: tuple[str, ...], code: int, told: str) -> None:
    done = run("typeset", *arguments)
    assert (done.code, done.out) == (code, "")
    assert told in done.err
    assert done.err.startswith("triptych: ")
    assert "Traceback" not in done.err
    assert [path.name for path in Path().iterdir()] == ["in.png"]


def test_fonts_are_listed_by_name_and_by_what_they_can_write(run: Run) -> None:
    lines = run("fonts").out.splitlines()
    names = {face.name for face in FontBook.installed().faces}
    assert len(lines) == len(names)
    assert any(line.startswith("Aileron") and line.endswith("inside Pillow") for line in lines)
    assert all("DejaVu" in line and "Bold" in line for line in run("fonts", "dejavu", "bold").out.splitlines())
    hebrew = {font["family"] for font in json.loads(run("fonts", "--letters", "שלום", "--json").out)["fonts"]}
    assert "DejaVu Sans" in hebrew
    assert "Aileron" not in hebrew
    assert run("fonts", "--letters", " ").code == 2
