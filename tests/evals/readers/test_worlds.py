"""What readers learn from: seeds of their own, every noun in every colour, truths that are known by other means."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest

from triptych.core.errors import FileProblem
from triptych.evals.readers import worlds
from triptych.evals.reading import true_reading
from triptych.scenes import LEVELS, Scene, SceneObject, Sprites, render
from triptych.scenes.colours import COLOURS
from triptych.scenes.nouns import NOUNS
from triptych.training.data import SceneSource
from triptych.training.presets import STAGES, WORLDS, run_config
from triptych.training.stages.run import VALIDATION_SEED, Workshop

LEVEL = worlds.with_made(LEVELS["shapes"])
SMALL = worlds.with_made(LEVELS["small"])
SPRITES = Sprites.shapes()


def test_seeds_are_not_those_of_the_painters(tmp_path: Path) -> None:
    ours = {worlds.TRAINING_SEED, worlds.VALIDATION_SEED, worlds.CEILING_SEED}
    assert len(ours) == 3
    assert VALIDATION_SEED not in ours
    assert not ours & {run_config(stage, preset).seed for stage in STAGES for preset in ("tiny", "cpu", "gpu")}
    workshop = Workshop("tiny", WORLDS["tiny"], "scenes", tmp_path, None, lambda line: None)
    for source in (workshop.source, workshop.validation):
        assert isinstance(source, SceneSource)
        assert source.seed not in ours


def test_scenes_are_functions_of_their_index() -> None:
    first = [worlds.reader_scene(SMALL, worlds.TRAINING_SEED, index) for index in range(40)]
    assert first == [worlds.reader_scene(SMALL, worlds.TRAINING_SEED, index) for index in range(40)]
    assert first != [worlds.reader_scene(SMALL, worlds.VALIDATION_SEED, index) for index in range(40)]


def test_every_noun_is_seen_in_every_colour_held_out_or_not() -> None:
    seen = {
        (thing.noun, thing.colour)
        for index in range(0, 12_000, 2)
        for thing in worlds.reader_scene(SMALL, worlds.TRAINING_SEED, index).objects
    }
    wanted = set(itertools.product([noun for noun in LEVELS["small"].nouns if NOUNS[noun].recolourable], COLOURS))
    assert len(wanted - seen) < 0.01 * len(wanted)


def test_the_gallery_shows_what_it_says_in_the_picture() -> None:
    for index in range(1, 60, 2):
        scene = worlds.reader_scene(LEVEL, worlds.TRAINING_SEED, index)
        assert sorted(thing.noun for thing in scene.objects) == sorted(worlds.kinds_of(index))
        assert all(min(thing.box) >= 0 and max(thing.box) <= 1 for thing in scene.objects)
    words = {
        thing.text
        for index in range(1, 2_000, 2)
        for thing in worlds.reader_scene(LEVEL, worlds.TRAINING_SEED, index).objects
        if thing.text
    }
    assert {len(word) for word in words} == set(range(1, 11))


def test_debris_is_nothing_and_the_rest_is_left_alone() -> None:
    torn = 0
    for index in range(0, 120, 2):
        scene = worlds.reader_scene(LEVEL, worlds.TRAINING_SEED, index)
        true, plain = worlds.reading(scene, 64, SPRITES), render(scene, 64, SPRITES)
        picture = worlds.picture(scene, 64, SPRITES)
        gone = [thing for thing in worlds.truth(scene, 64, SPRITES).things if thing not in true.things]
        if not gone:
            assert np.array_equal(picture, plain)
            continue
        torn += 1
        x0, y0, x1, y1 = (round(side * 64) for side in gone[0].box)
        changed = (picture != plain).any(-1)
        assert changed[y0:y1, x0:x1].mean() > 0.2
        changed[y0:y1, x0:x1] = False
        assert not changed.any()
    assert 2 <= torn <= 20  # 0.15 of 60, of which some have nothing that stands alone


def scene_of(*things: SceneObject, light: str | None = "left") -> Scene:
    return Scene("shapes", 0, 0, "meadow", light, 0, (), things)


def test_what_is_hidden_is_what_the_later_thing_covers() -> None:
    """Squares fill their boxes (but for rounded corners): half of the first is under the second."""
    behind = SceneObject(0, "square", "red", (0.25, 0.25, 0.75, 0.75))
    front = SceneObject(1, "square", "blue", (0.5, 0.25, 1.0, 0.75))
    true = worlds.truth(scene_of(behind, front), 64, SPRITES)
    assert [round(thing.visible, 2) for thing in true.things] == [pytest.approx(0.5, abs=0.02), 1.0]
    outside = dataclasses.replace(behind, box=(-0.25, 0.25, 0.25, 0.75))
    assert worlds.truth(scene_of(outside), 64, SPRITES).things[0].visible == pytest.approx(0.5, abs=0.02)


def test_the_truth_is_the_true_reading_with_shadows() -> None:
    for index in range(20):
        scene = worlds.reader_scene(LEVEL, worlds.VALIDATION_SEED, index)
        told = worlds.truth(scene, 64, SPRITES)
        plain = [dataclasses.replace(thing, visible=1.0, shadow=None) for thing in told.things]
        assert tuple(plain) == true_reading(scene).things
        assert told.background == scene.background


def test_a_shadow_falls_away_from_the_light_and_not_in_the_air() -> None:
    ground = SceneObject(0, "square", "red", (0.4, 0.5, 0.6, 0.9))
    air = SceneObject(0, "square", "red", (0.4, 0.1, 0.6, 0.3))
    for light, right, up in (("left", 1, 1), ("right", -1, 1), ("behind", 0, -1)):
        fall = worlds.truth(scene_of(ground, light=light), 64, SPRITES).things[0].shadow
        assert fall is not None
        assert tuple(np.sign(fall)) == (right, up)
        assert worlds.truth(scene_of(air, light=light), 64, SPRITES).things[0].shadow is None
        lit = render(scene_of(ground, light=light), 64, SPRITES).astype(int)
        bare = render(scene_of(light=light), 64, SPRITES).astype(int)
        dark = (bare.sum(-1) - lit.sum(-1)) > 30
        dark[32:58, 25:39] = False  # the square itself
        assert dark.any()
        y, x = (side.mean() for side in dark.nonzero())
        assert np.sign(round((x - 31.5) / 4)) == right
        assert np.sign(57 - y) == up


def test_a_card_finds_its_level() -> None:
    assert worlds.level_of_readers(SMALL.nouns, SMALL.backgrounds) == SMALL
    with pytest.raises(FileProblem, match="no level"):
        worlds.level_of_readers(("fox",), SMALL.backgrounds)
