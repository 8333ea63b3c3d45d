"""Batches and their maps: pure, complete, and decoded back to the truth."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from triptych.evals.readers import pool, worlds
from triptych.evals.readers.data import ReaderData, jittered, targets, worn
from triptych.evals.readers.decode import decode, iou, match
from triptych.evals.readers.detector import Detector, DetectorConfig, Maps, Targets, detector_loss, focal
from triptych.evals.readers.sign import encode_word
from triptych.scenes import LEVELS, Sprites
from triptych.scenes.colours import COLOURS
from triptych.scenes.draw import Draw

LEVEL = worlds.with_made(LEVELS["shapes"])
SPRITES = Sprites.shapes()
CONFIG = DetectorConfig(LEVEL.nouns, tuple(COLOURS), LEVEL.backgrounds, 64, (8, 16, 16, 16))


@pytest.fixture(scope="module")
def data() -> ReaderData:
    """With renders in the places of the round trips."""
    scenes = [worlds.reader_scene(LEVEL, worlds.TRAINING_SEED, index) for index in range(12)]
    renders = np.stack([worlds.picture(scene, 64, SPRITES) for scene in scenes])
    return ReaderData(LEVEL, CONFIG, worlds.TRAINING_SEED, SPRITES, np.stack([renders] * 3, axis=1))


def test_batches_are_functions_of_the_step(data: ReaderData) -> None:
    first, again, other = data.batch(3, 6), data.batch(3, 6), data.batch(4, 6)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in ("picture", "sign", "face", "ground"))
    part = data.batch(3, 6, range(2, 5))
    assert all(torch.equal(part[name], first[name][2:5]) for name in first)
    assert {len(tensor) for tensor in first.values()} == {6}


def test_windows_hold_words_and_faces(data: ReaderData) -> None:
    batches = [data.batch(step, 16) for step in range(4)]
    letters = torch.cat([batch["letters"] for batch in batches])
    vectors = torch.cat([batch["vector"] for batch in batches])
    assert ((letters > 0).sum(1) >= 1).float().mean() > 0.8  # of a pool of twelve, some signs are always too small
    assert vectors.std(0).min() > 0.02
    there = torch.cat([batch["there"] for batch in batches])
    assert 0 < there.mean() < 1
    falls = torch.cat([batch["fall"] for batch in batches])
    assert not falls[there == 0].any()


def perfect(truth: Targets) -> Maps:
    """Maps that say exactly what the targets hold."""
    heat = torch.where(truth.heat.eq(1), 9.0, -9.0)
    colours = torch.nn.functional.one_hot(truth.colour.clamp(min=0), len(COLOURS)).movedim(-1, 0) * 9.0
    background = torch.nn.functional.one_hot(truth.background, len(CONFIG.backgrounds)) * 9.0
    visible = truth.visible.clamp(1e-4, 1 - 1e-4).logit()
    return Maps(heat[None], truth.box[None], colours[None], visible[None], background[None])


def test_targets_decode_to_the_truth() -> None:
    """The way there and the way back are written apart, and meet."""
    for index in range(40):
        scene = worlds.reader_scene(LEVEL, worlds.VALIDATION_SEED, index)
        true = worlds.truth(scene, 64, SPRITES)
        told = decode(perfect(targets(true, CONFIG, 64)), CONFIG)
        pairs = match(told.things, true.things, least=0.98)
        assert len(pairs) == len(true.things) == len(told.things)
        assert told.background == true.background
        for i, j in pairs:
            assert iou(told.things[i].box, true.things[j].box) > 0.99
            assert true.things[j].colour in (None, told.things[i].colour)
            assert told.things[i].visible == pytest.approx(true.things[j].visible, abs=1e-3)


def test_the_loss_is_least_at_the_truth() -> None:
    scene = worlds.reader_scene(LEVEL, worlds.VALIDATION_SEED, 2)
    truth = targets(worlds.truth(scene, 64, SPRITES), CONFIG, 64)
    batch = Targets(*(each[None] for each in truth))
    best, parts = detector_loss(perfect(truth), batch)
    assert float(best) < 0.1
    assert parts["box"] == 0
    rolled = perfect(truth)._replace(heat=perfect(truth).heat.roll(3, dims=-1))
    assert float(detector_loss(rolled, batch)[0]) > float(best) + 5


def test_the_focal_loss_is_that_of_the_paper() -> None:
    """Objects as Points, eq. 1, written out for two cells."""
    p, near = 0.3, 0.6
    logits = torch.tensor([p, p]).logit()
    expected = -((1 - p) ** 2) * np.log(p) - (1 - near) ** 4 * p**2 * np.log(1 - p)
    assert float(focal(logits, torch.tensor([1.0, near]))) == pytest.approx(expected, rel=1e-5)


def test_pictures_are_worn_a_little() -> None:
    scene = worlds.reader_scene(LEVEL, worlds.TRAINING_SEED, 0)
    pixels = worlds.picture(scene, 64, SPRITES)
    worn_ones = [worn(pixels, Draw(1, index)) for index in range(40)]
    assert np.array_equal(worn_ones[3], worn(pixels, Draw(1, 3)))
    changes = [np.abs(each.astype(int) - pixels).mean() for each in worn_ones]
    assert 0 < sum(change > 0 for change in changes) < 40
    assert max(changes) < 20
    boxes = np.array([jittered((0.2, 0.2, 0.6, 0.7), Draw(1, index)) for index in range(200)])
    assert np.abs(boxes - (0.2, 0.2, 0.6, 0.7)).max(0) == pytest.approx((0.016, 0.02, 0.016, 0.02), rel=0.1)


class Copies:
    """In place of the autoencoder and the tokenizer: both trips change nothing but say how often they were made."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def both(self, pixels: np.ndarray, harm: np.random.Generator | None = None) -> np.ndarray:
        assert harm is not None
        self.calls.append(len(pixels))
        return np.stack([pixels, pixels], axis=1)


def test_the_pool_is_made_once_and_goes_on_where_it_stopped(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(pool, "CHUNK", 4)
    trips = Copies()

    def build(count: int, stop: int | None = None) -> np.ndarray:
        def report(line: str) -> None:
            if stop is not None and len(trips.calls) == stop:
                raise KeyboardInterrupt

        return pool.build(tmp_path, LEVEL, 64, worlds.TRAINING_SEED, count, SPRITES, trips, report)  # type: ignore[arg-type]

    with pytest.raises(KeyboardInterrupt):
        build(10, stop=1)
    made = build(10)
    assert trips.calls == [4, 4, 2]
    assert build(10) is not None
    assert trips.calls == [4, 4, 2]
    for index in (0, 5, 9):
        expected = worlds.picture(worlds.reader_scene(LEVEL, worlds.TRAINING_SEED, index), 64, SPRITES)
        assert np.array_equal(made[index, 0], expected)
        assert np.array_equal(made[index, 2], expected)


def test_the_detector_takes_other_sizes() -> None:
    network = Detector(CONFIG).eval()
    with torch.no_grad():
        maps = network(torch.zeros(2, 3, 96, 128))
    assert maps.heat.shape == (2, len(CONFIG.nouns), 24, 32)
    assert maps.background.shape == (2, len(CONFIG.backgrounds))


def test_letters_stand_for_the_word_of_the_window(data: ReaderData) -> None:
    words = {
        thing.text
        for index in range(12)
        for thing in worlds.reader_scene(LEVEL, data.seed, index).objects
        if thing.text
    }
    known = {tuple(encode_word(word)) for word in words}
    letters = data.batch(0, 32)["letters"].tolist()
    assert sum(tuple(each) in known for each in letters) > 8  # the others are fresh renders
