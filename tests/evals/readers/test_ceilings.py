"""Ceilings: full marks for the truth, and each fault costs what it should and nothing else."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from triptych.cli.bench_readers import readers as bench_readers
from triptych.evals.readers import worlds
from triptych.evals.readers.ceilings import DOMAINS, angle, card_scores, ceiling_scene, figures, gallery
from triptych.evals.readers.face import observable
from triptych.evals.reading import Detection, Reading
from triptych.scenes import LEVELS, Sprites, is_heldout

LEVEL = worlds.with_made(LEVELS["shapes"])
SPRITES = Sprites.shapes()


@pytest.fixture(scope="module")
def truths() -> list[Reading]:
    return [worlds.truth(ceiling_scene(LEVEL, index), 128, SPRITES) for index in range(120)]


def read(true: Reading) -> Reading:
    """What a reader without faults says: a face's vector as far as it shows."""
    things = [dataclasses.replace(each, face=observable(each.face) if each.face else None) for each in true.things]
    return dataclasses.replace(true, things=tuple(things))


def faulty(readings: list[Reading], fault: object) -> list[Reading]:
    return [dataclasses.replace(each, things=tuple(map(fault, each.things))) for each in readings]  # type: ignore[arg-type]


def test_the_truth_has_full_marks(truths: list[Reading]) -> None:
    told = figures([read(true) for true in truths], truths, 128)
    for name in ("precision", "recall", "scenes_right", "colour", "background", "face_top1", "shadow_within_20"):
        assert told[name] == 1.0, name
    assert told["box_iou"] == pytest.approx(1.0)
    assert (told["visible_error"], told["face_rmse"], told["shadow_error"]) == (0.0, 0.0, 0.0)
    assert {share for share in told["sign_exact"].values() if share is not None} == {1.0}
    assert card_scores({"render": told})["render.recall"] == 1.0


def test_each_fault_costs_its_own_figure(truths: list[Reading]) -> None:
    good = [read(true) for true in truths]
    best = figures(good, truths, 128)

    def differing(readings: list[Reading]) -> set[str]:
        told = figures(readings, truths, 128)
        return {name for name in told if told[name] != pytest.approx(best[name])}

    def recoloured(thing: Detection) -> Detection:
        return dataclasses.replace(thing, colours={"mauve": 1.0})

    def misspelt(thing: Detection) -> Detection:
        return dataclasses.replace(thing, text=thing.text + "X" if thing.text else thing.text)

    def mirrored(thing: Detection) -> Detection:
        return dataclasses.replace(thing, shadow=(-thing.shadow[0], -thing.shadow[1]) if thing.shadow else None)

    assert differing(faulty(good, recoloured)) == {"colour"}
    assert differing(faulty(good, misspelt)) == {"sign_exact"}
    assert differing(faulty(good, mirrored)) == {"shadow_error", "shadow_within_20"}
    empty = [dataclasses.replace(each, things=()) for each in good]
    assert figures(empty, truths, 128)["recall"] == 0.0
    assert figures(empty, truths, 128)["precision"] is None
    unsure = faulty(good, lambda thing: dataclasses.replace(thing, score=0.29))
    assert figures(unsure, truths, 128)["recall"] == 0.0
    doubled = [dataclasses.replace(each, things=each.things * 2) for each in good]
    told = figures(doubled, truths, 128)
    assert (told["precision"], told["recall"], told["scenes_right"]) == (0.5, 1.0, 0.0)


def test_scenes_are_ordinary_ones_and_every_second_holds_what_was_held_out() -> None:
    for index in range(40):
        scene = ceiling_scene(LEVEL, index)
        held_out = [is_heldout(group.noun, group.colour, group.count, group.text) for group in scene.groups]
        assert any(held_out) == bool(index % 2)


@pytest.mark.parametrize(
    ("first", "second", "degrees"),
    [((1, 0), (0, 1), 90), ((1, 0), (1, 0), 0), ((0, -1), (0, 1), 180), ((-1, 0.1), (-1, -0.1), 11.42)],
)
def test_angles(first: tuple[float, float], second: tuple[float, float], degrees: float) -> None:
    assert angle(first, second) == pytest.approx(degrees, abs=0.01)


def test_the_gallery_holds_a_thousand_different_faces() -> None:
    vectors = gallery()
    assert vectors.shape == (1_000, 18)
    assert len({tuple(vector) for vector in vectors.tolist()}) == 1_000


@pytest.mark.weights
def test_the_command_prints_a_column_for_each_way(tiny_folder: Path) -> None:
    app = typer.Typer()
    app.command()(bench_readers)
    shown = CliRunner().invoke(app, ["--scenes", "2", "--folder", str(tiny_folder / "readers")])
    assert shown.exit_code == 0, shown.output
    assert all(domain in shown.output for domain in DOMAINS)
    assert "2 scenes of 64 px" in shown.output
