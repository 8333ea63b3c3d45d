"""The lock's bench: its cases, and that it finds what it is there to find."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from triptych.core.errors import TriptychError
from triptych.evals import lock
from triptych.evals.lock import MASKS, Case, case, outcome, summary

SEED = 3


def encoded(pixels: np.ndarray, format: str = "PNG", **options: object) -> bytes:
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, format, **options)
    return data.getvalue()


def locked(one: Case) -> tuple[bytes, float]:
    """An edit that does as it should."""
    pixels = one.pixels.copy()
    pixels[one.mask, :3] = 255 - pixels[one.mask, :3]
    return encoded(pixels, one.format, lossless=True, exact=True), 1.0


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here needs twelve megapixels."""
    monkeypatch.setattr(lock, "LARGEST", (1000, 950))


def test_a_case_is_the_same_every_time_and_another_one_is_another() -> None:
    first, again, other = case(SEED, 4), case(SEED, 4), case(SEED, 12)
    assert np.array_equal(first.pixels, again.pixels)
    assert np.array_equal(first.mask, again.mask)
    assert first.instruction == again.instruction
    assert first.size != other.size


def test_cases_cover_every_kind_size_and_mode() -> None:
    cases = [case(SEED, number) for number in range(60)]
    assert {one.kind for one in cases} == set(MASKS)
    assert {one.pixels.shape[2] for one in cases} == {3, 4}
    assert {one.format for one in cases} == {"PNG", "WEBP"}
    assert cases[0].size == (1000, 950)
    assert min(min(one.size) for one in cases) < 20
    for one in cases:
        assert one.pixels.dtype == np.uint8
        assert one.mask.shape == one.pixels.shape[:2]
        assert one.mask.any()
    assert all(one.mask.sum() == 1 for one in cases if one.kind == "pixel")
    borders = [one.mask for one in cases if one.kind == "border"]
    assert all(m[0].any() or m[-1].any() or m[:, 0].any() or m[:, -1].any() for m in borders)


def test_a_lock_that_holds_counts_nothing() -> None:
    outcomes = [outcome(case(SEED, number), locked) for number in range(20)]
    told = summary(outcomes)
    assert (told["edits"], told["failures"], told["outside_changed_pixels"]) == (20, [], 0)
    assert told["outside_total_pixels"] == sum(int((~case(SEED, n).mask).sum()) for n in range(20))
    assert told["inside_changed_pixels"] > 0
    assert told["largest"] == [1000, 950]


def test_a_single_pixel_outside_is_found() -> None:
    def leaky(one: Case) -> tuple[bytes, float]:
        pixels = one.pixels.copy()
        y, x = np.argwhere(~one.mask)[-1]
        pixels[y, x, 1] ^= 1
        return encoded(pixels), 1.0

    found = outcome(case(SEED, 1), leaky)
    assert (found.changed, found.inside) == (1, 0)


def test_a_changed_alpha_is_found() -> None:
    number = next(n for n in range(20) if case(SEED, n).pixels.shape[2] == 4 and not case(SEED, n).mask.all())

    def opaque(one: Case) -> tuple[bytes, float]:
        pixels = one.pixels.copy()
        pixels[..., 3] = 255
        return encoded(pixels), 1.0

    assert outcome(case(SEED, number), opaque).changed > 0


def test_a_failure_and_another_size_are_told() -> None:
    def failing(one: Case) -> tuple[bytes, float]:
        raise TriptychError("the lock does not hold")

    def shrunk(one: Case) -> tuple[bytes, float]:
        return encoded(one.pixels[:-1]), 1.0

    told = summary([outcome(case(SEED, 1), failing), outcome(case(SEED, 2), shrunk)])
    assert told["failures"][0] == "case 1: the lock does not hold"
    assert "case 2: the file is" in told["failures"][1]
