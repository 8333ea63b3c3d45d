"""`triptych control`: maps of pictures, and sentences for what cannot be mapped."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from triptych.control import canny
from triptych.control.things import nearest_nouns
from triptych.core.metadata import save_picture
from triptych.core.plan import Plan
from triptych.core.recipe import Recipe, pixels_sha256
from triptych.core.request import Request
from triptych.evals.scene_maps import world_legend
from triptych.scenes import render, sample_scene

from .conftest import Outcome

Run = Callable[..., Outcome]
RING = Plan.parse({"background": "meadow", "objects": [{"noun": "ring", "colour": "blue", "box": [0.5, 0.5, 1, 1]}]})


@pytest.fixture
def square(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A white square on black, in the folder that the command runs in."""
    monkeypatch.chdir(tmp_path)
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[12:36, 16:48] = 255
    return save_picture(tmp_path / "square.png", pixels)


def painted(path: Path, *, altered: bool = False) -> Path:
    """A picture of ours, whose recipe says a ring; what it shows is nothing."""
    pixels = np.full((64, 64, 3), 90, np.uint8)
    request = Request(prompt="a ring", seed=1, plan=RING)
    shown = pixels + altered
    recipe = Recipe(model="flow", family="flow", weights_sha256="ab" * 32, request=request,
                    pixels_sha256=pixels_sha256(pixels))  # fmt: skip
    return save_picture(path, shown, recipe)


def read(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_edges_of_a_picture_in_its_size(run: Run, square: Path) -> None:
    done = run("control", "edges", square)
    assert (done.code, done.out.strip()) == (0, "square-edges.png")
    made = read(square.parent / "square-edges.png")
    assert made.shape == (48, 64, 3)
    assert np.array_equal(made[..., 0] > 0, canny(read(square)))
    assert "--control edges=square-edges.png" in done.err


def test_settings_of_edges_count_and_are_checked(run: Run, square: Path, tmp_path: Path) -> None:
    assert run("control", "edges", square, "--high", "5000", "--out", "none.png").code == 0
    assert not read(tmp_path / "none.png").any()
    for options, told in (
        (("--sigma", "-1"), "sigma: -1.0 is not allowed: 0 to 20"),
        (("--low", "200"), "low: 200 and 120 are not allowed"),
    ):
        done = run("control", "edges", square, *options)
        assert done.code == 2
        assert told in done.err
    done = run("control", "depth", square, "--sigma", "2")
    assert done.code == 2
    assert "sigma: not allowed with depth" in done.err


def test_blank_edges_are_told(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    flat = save_picture(tmp_path / "flat.png", np.full((32, 32, 3), 7, np.uint8))
    done = run("control", "edges", flat)
    assert done.code == 0
    assert "the map is blank" in done.err


@pytest.mark.font
@pytest.mark.parametrize("kind", ["segmentation", "depth", "pose"])
def test_a_picture_of_ours_is_mapped_from_its_plan(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("control", kind, painted(tmp_path / "ring.png"), "--json")
    told = json.loads(done.out)
    assert (done.code, told["source"], told["width"]) == (0, "plan", 64)
    made = read(Path(told["path"]))
    assert made[34:, 34:].any()
    if kind == "segmentation":
        assert list(told["legend"]) == ["ring"]
        ring = list(world_legend()).index("ring") + 1
        numbers = nearest_nouns(made, world_legend())
        assert set(np.unique(numbers).tolist()) == {0, ring}
        assert not numbers[:30].any()
    else:
        assert "legend" not in told


@pytest.mark.weights
@pytest.mark.font
def test_an_altered_picture_is_looked_at_instead(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("control", "pose", painted(tmp_path / "ring.png", altered=True))
    assert done.code == 3
    assert "no thing of the built-in world was found" in done.err
    assert "a ViTPose model, such as vitpose-base-simple in a local folder, given with --weights" in done.err
    assert list(tmp_path.iterdir()) == [tmp_path / "ring.png"]


@pytest.mark.weights
@pytest.mark.font
def test_a_picture_of_the_built_in_world_is_read(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    scene = sample_scene("small", 77, 1)
    save_picture(tmp_path / "scene.png", render(scene, 128))
    told = json.loads(run("control", "segmentation", "scene.png", "--json").out)
    assert told["source"] == "readers"
    assert set(told["legend"]) == {thing.noun for thing in scene.objects}


def test_unknown_kinds_files_and_folders(run: Run, square: Path, tmp_path: Path) -> None:
    done = run("control", "egdes", square)
    assert done.code == 2
    assert "did you mean 'edges'" in done.err
    done = run("control", "edges", "nowhere.png")
    assert done.code == 3
    done = run("control", "depth", square, "--weights", tmp_path / "none")
    assert done.code == 3
    assert "there is no folder" in done.err
    done = run("control", "segmentation", square, "--weights", tmp_path)
    assert done.code == 2
    assert "only depth and pose are made by networks" in done.err


def test_the_picture_itself_is_never_replaced(run: Run, square: Path) -> None:
    before = square.read_bytes()
    done = run("control", "edges", square, "--out", square)
    assert done.code == 2
    assert "is the picture itself" in done.err
    assert square.read_bytes() == before


def test_an_output_that_is_no_picture_is_refused(run: Run, square: Path) -> None:
    assert run("control", "edges", square, "--out", "map.txt").code == 2
