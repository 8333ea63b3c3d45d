"""The figures of seams, on pictures whose seams are known."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.core.inputs import Region
from triptych.editing.outpaint import Extents
from triptych.evals.reading import Detection, Reading
from triptych.evals.seams import (
    Case,
    across,
    outpaint_case,
    outpaint_figures,
    region_case,
    region_figures,
    summary,
    tile_figures,
)
from triptych.scenes import LEVELS, Sprites


def ramp(width: int, height: int) -> np.ndarray:
    return np.repeat(np.repeat(np.arange(width, dtype=np.uint8)[None, :, None], height, 0), 3, 2)


def test_a_ramp_that_goes_on_has_no_seam_and_one_that_starts_again_has() -> None:
    whole = ramp(96, 64)
    case = Case(0, whole[:, :64].copy(), Extents(right=32), "")
    good = outpaint_figures(case, whole)
    assert good["changed"] == 0
    assert good["seam_error"] == pytest.approx(2.0, abs=0.1)  # as rough as its own rows; half of all pairs are columns
    assert good["across"] == pytest.approx(2.0, abs=0.2)
    broken = whole.copy()
    broken[:, 64:] = 200
    assert outpaint_figures(case, broken)["seam_error"] > 50
    assert outpaint_figures(case, broken)["across"] > 10
    broken[0, 0] = 99
    assert outpaint_figures(case, broken)["changed"] == 1


def test_a_faded_border_between_two_pictures_is_told_by_the_difference_across_it() -> None:
    picture = np.full((64, 128, 3), 50, np.uint8)
    picture[:, 70:] = 150
    picture[:, 64:70] = np.linspace(50, 150, 6, dtype=np.uint8)[None, :, None]
    extents = Extents(right=64)
    assert across(picture, extents, (64, 64), 8) == 100
    assert across(np.full((64, 128, 3), 50, np.uint8), extents, (64, 64), 8) == 0


def test_lines_at_window_borders_are_found_and_lines_elsewhere_are_not() -> None:
    flat = np.full((128, 384, 3), 100, np.uint8)
    flat += (np.indices((128, 384)).sum(0) % 2).astype(np.uint8)[..., None]
    at, beside = flat.copy(), flat.copy()
    for edge in range(32, 384, 32):
        at[:, edge:] += 4
        beside[:, edge + 8 :] += 4
    native = (128, 128)
    assert tile_figures(at, native, 2)["local"] > 3
    assert tile_figures(at, native, 2)["against_grid"] > 3
    assert tile_figures(beside, native, 2)["local"] == pytest.approx(1, abs=0.1)
    assert tile_figures(beside, native, 2)["against_grid"] == pytest.approx(1, abs=0.1)
    assert tile_figures(flat, native, 2)["grid"] == pytest.approx(1, abs=0.1)
    assert set(tile_figures(flat[:, :128], native, 2).values()) == {0.0}


def test_a_grid_that_every_picture_has_is_not_taken_for_windows() -> None:
    gridded = np.full((128, 384, 3), 100, np.uint8)
    gridded += (np.indices((128, 384)).sum(0) % 2).astype(np.uint8)[..., None]
    for edge in range(16, 384, 16):
        gridded[:, edge:] += 3
    found = tile_figures(gridded, (128, 128), 2)
    assert found["seam_error"] > 1.5
    assert found["against_grid"] == pytest.approx(1, abs=0.02)


def test_region_cases_are_distinct_things_in_places_of_their_own() -> None:
    cases = [region_case(number, LEVELS["small"]) for number in range(20)]
    assert len({case.plain for case in cases}) == 20
    for case in cases:
        assert case.nouns[0] != case.nouns[1]
        assert all(noun in region.prompt for noun, region in zip(case.nouns, case.regions, strict=True))
        first, second = (region.box for region in case.regions)
        assert first is not None
        assert second is not None
        assert not all(max(first[k], second[k]) < min(first[k + 2], second[k + 2]) for k in (0, 1))


def test_where_things_land() -> None:
    case = region_case(0, LEVELS["small"])
    left, right = (region.box for region in case.regions if isinstance(region, Region))
    assert left is not None
    assert right is not None

    def thing(number: int, box: tuple[float, float, float, float], colour: str | None) -> Detection:
        return Detection(case.nouns[number], 0.9, box, {colour: 1.0} if colour else {})

    perfect = Reading(
        (thing(0, (0.1, 0.1, 0.4, 0.4), case.colours[0]), thing(1, (0.6, 0.1, 0.9, 0.4), case.colours[1]))
    )
    assert region_figures(case, perfect) == {"landed": 1.0, "right": 1.0, "both": 1.0}
    swapped = Reading(
        (thing(0, (0.6, 0.1, 0.9, 0.4), case.colours[0]), thing(1, (0.1, 0.1, 0.4, 0.4), case.colours[1]))
    )
    assert region_figures(case, swapped) == {"landed": 0.0, "right": 0.0, "both": 0.0}
    twice = Reading((*perfect.things, thing(0, (0.1, 0.6, 0.3, 0.9), case.colours[0])))
    assert region_figures(case, twice) == {"landed": 1.0, "right": 1.0, "both": 0.0}


@pytest.mark.font
def test_outpaint_cases_follow_from_their_number() -> None:
    sprites = Sprites.load()
    for number in range(6):
        case = outpaint_case(number, "small", sprites)
        case.extents.check((case.pixels.shape[1], case.pixels.shape[0]))
        again = outpaint_case(number, "small", sprites)
        assert np.array_equal(again.pixels, case.pixels)
        assert again.extents == case.extents
        assert bool(case.prompt) == bool(number % 2)


def test_the_summary_has_means_with_intervals_and_how_many_seams_are_below() -> None:
    found = summary([{"seam_error": 0.5, "local": 1.0}, {"seam_error": 1.5, "local": 1.0}])
    assert found["cases"] == 2
    assert found["below_own_gradient"] == 0.5
    assert found["largest_seam_error"] == 1.5
    value, low, high = found["seam_error"]
    assert low <= value == 1.0 <= high
