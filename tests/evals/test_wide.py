"""Reading wide pictures through windows: each thing once, wherever it stands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from triptych.core.events import Pixels
from triptych.evals.reading import Detection, Reading
from triptych.evals.wide import read_wide, windows


def red_blocks(pictures: Sequence[Pixels]) -> list[Reading]:
    """A reader that sees the bounding box of what is red, cut or not, as one star."""
    readings: list[Reading] = []
    for picture in pictures:
        red = picture[:, :, 0] > 200
        things: list[Detection] = []
        for part in np.split(np.arange(picture.shape[1]), np.flatnonzero(~red.any(axis=0))):
            columns = part[red[:, part].any(axis=0)]
            if len(columns):
                rows = np.flatnonzero(red[:, columns].any(axis=1))
                h, w = picture.shape[:2]
                box = (columns[0] / w, rows[0] / h, (columns[-1] + 1) / w, (rows[-1] + 1) / h)
                things.append(Detection("star", 0.9, box, {"red": 1.0}))
        readings.append(Reading(tuple(things), {"night": 0.5, "snow": 0.5}))
    return readings


def test_a_square_is_read_in_one_piece() -> None:
    assert windows(64, 64) == [(0, 0)]
    calls: list[int] = []

    def read(pictures: Sequence[Pixels]) -> list[Reading]:
        calls.append(len(pictures))
        return red_blocks(pictures)

    read_wide(read, np.zeros((64, 64, 3), np.uint8))
    assert calls == [1]


@pytest.mark.parametrize("tall", [False, True])
def test_every_thing_is_found_once_and_whole(tall: bool) -> None:
    picture = np.zeros((64, 256, 3), np.uint8)
    for x in (3, 70, 150, 220):
        picture[20:50, x : x + 30, 0] = 255
    if tall:
        picture = np.ascontiguousarray(picture.swapaxes(0, 1))
        found = read_wide(
            lambda pictures: [_turned(r) for r in red_blocks([p.swapaxes(0, 1) for p in pictures])], picture
        )
        boxes = sorted(thing.box[1::2] for thing in found.things)
    else:
        found = read_wide(red_blocks, picture)
        boxes = sorted(thing.box[0::2] for thing in found.things)
    assert boxes == [pytest.approx((x / 256, (x + 30) / 256)) for x in (3, 70, 150, 220)]
    assert found.backgrounds == {"night": 0.5, "snow": 0.5}


def _turned(reading: Reading) -> Reading:
    return Reading(
        tuple(Detection(t.noun, t.score, (t.box[1], t.box[0], t.box[3], t.box[2]), t.colours) for t in reading.things),
        reading.backgrounds,
    )


def test_windows_reach_from_end_to_end() -> None:
    places = [x for x, _ in windows(300, 100)]
    assert (places[0], places[-1]) == (0, 200)
    assert max(np.diff(places)) <= 25
    assert windows(100, 300) == [(0, x) for x in places]
