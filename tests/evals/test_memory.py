"""A copier is caught, an honest painter is not; distances and indices are those of a plain search."""

from __future__ import annotations

import numpy as np

from triptych.evals.memory import COPIED, compare, fresh_scenes, nearest, thumbnails, training_book
from triptych.scenes import Sprites, render, sample_scene

SPRITES = Sprites.shapes()
TRAINED = 600


def _pictures(seed: int, count: int) -> list[np.ndarray]:
    return [render(scene, 64, SPRITES) for scene in fresh_scenes("shapes", seed, count)]


def _book() -> list[np.ndarray]:
    return list(training_book("shapes", 64, 0, TRAINED, SPRITES))


def test_a_painter_that_copies_its_training_pictures_is_caught() -> None:
    copies = [render(sample_scene("shapes", 0, index), 64, SPRITES) for index in range(0, 100, 2)]
    memory = compare(copies, _pictures(9, 50), _book())
    assert memory.copied == 1.0
    assert memory.ratio < 0.05
    assert [training for _, training in memory.closest(50)] == [2 * picture for picture, _ in memory.closest(50)]


def test_a_painter_that_draws_new_scenes_is_not() -> None:
    memory = compare(_pictures(5, 100), _pictures(9, 100), _book())
    assert memory.copied <= COPIED + 0.05
    assert 0.8 < memory.ratio < 1.25
    assert memory.as_json()["pictures"] == 100


def test_the_nearest_of_many_blocks_is_that_of_a_plain_search() -> None:
    random = np.random.default_rng(3)
    queries = random.random((7, 20), dtype=np.float32)
    book = random.random((50, 20), dtype=np.float32)
    distance, index = nearest(queries, [book[:13], book[13:40], book[40:]])
    plain = np.sqrt(((queries[:, None] - book[None]) ** 2).mean(axis=2))
    assert (index == plain.argmin(axis=1)).all()
    np.testing.assert_allclose(distance, plain.min(axis=1), atol=1e-3)


def test_a_thumbnail_is_the_average_of_what_it_covers() -> None:
    picture = np.zeros((48, 48, 3), dtype=np.uint8)
    picture[:24] = 255
    small = thumbnails([picture], side=2).reshape(2, 2, 3)
    assert (small[0] == 1).all()
    assert (small[1] == 0).all()
