"""Series: what the pictures share no word says, and everything else is true of each."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from triptych.scenes import Sprites
from triptych.scenes.draw import Draw
from triptych.scenes.dressing import Dressed, Look, Style, draw_style
from triptych.scenes.series import JOINT, ROLES, SHARES, SHOTS, Kind, draw_series, kind_of


@pytest.fixture(scope="module")
def shapes() -> Sprites:
    return Sprites.shapes()


@pytest.mark.parametrize("kind", SHARES)
def test_the_pictures_share_one_thing_and_differ_otherwise(kind: Kind, shapes: Sprites) -> None:
    one = draw_series("shapes", 3, 5, kind)
    assert len(one.shots) == len(ROLES[kind]) == SHOTS
    pictures = [shot.picture(64, shapes) for shot in one.shots]
    assert all((first != second).any() for first, second in itertools.pairwise(pictures))
    if kind == "face":
        faces = [{thing.face for thing in shot.scene.objects if thing.face} for shot in one.shots]
        assert len(set.union(*faces)) == 1
        assert all("face" in [item.noun for item in shot.plan.objects] for shot in one.shots)
        assert not any("hair" in shot.text or "skin" in shot.text for shot in one.shots)
    elif kind == "style":
        assert len({shot.style for shot in one.shots}) == 1
        assert one.shots[0].style is not None
    elif kind not in JOINT:
        assert all(shot.looks == one.shots[0].looks for shot in one.shots)
        (noun,) = one.shots[0].looks
        assert all(noun in {thing.noun for thing in shot.scene.objects} for shot in one.shots)


def test_a_tint_is_in_the_picture_and_not_in_the_plan(shapes: Sprites) -> None:
    shot = draw_series("shapes", 3, 8, "tint").shots[0]
    (noun,) = shot.looks
    assert all(item.colour is None for item in shot.plan.objects if item.noun == noun)
    bare = draw_series("shapes", 3, 8, "tint").shots[0].scene
    from triptych.scenes import render

    assert (shot.picture(64, shapes) != render(bare, 64, shapes)).any()


@pytest.mark.parametrize("kind", JOINT)
def test_each_reference_of_a_joint_series_shows_one_of_two_things(kind: Kind) -> None:
    first, second, third = draw_series("shapes", 3, 2, kind).shots
    if kind == "two tints":
        nouns = [{thing.noun for thing in shot.scene.objects} for shot in (first, second, third)]
        a, b = first.looks
        assert {a, b} <= nouns[0]
        assert a in nouns[1]
        assert b in nouns[2]
    else:
        assert first.style == third.style is not None
        assert second.style is None
        assert first.looks == second.looks


def test_a_series_depends_on_its_numbers_alone() -> None:
    assert draw_series("shapes", 1, 4) == draw_series("shapes", 1, 4)
    assert draw_series("shapes", 1, 4) != draw_series("shapes", 1, 5)
    assert [draw_series("shapes", 1, i).kind for i in range(20)] == [kind_of(1, i) for i in range(20)]
    assert len({kind_of(1, i) for i in range(60)}) > 3


def test_a_mirrored_arrow_points_the_other_way_and_one_turned_by_180_is_upside_down(shapes: Sprites) -> None:
    plain = shapes.scaled("arrow", None, 40, 40)[..., 3].astype(int)
    mirrored = Dressed(shapes, {"arrow": Look(mirrored=True)}).scaled("arrow", None, 40, 40)[..., 3].astype(int)
    turned = Dressed(shapes, {"arrow": Look(turned=180)}).scaled("arrow", None, 40, 40)[..., 3].astype(int)
    assert np.abs(mirrored - plain[:, ::-1]).mean() < 2
    assert np.abs(turned - plain[::-1, ::-1]).mean() < 4
    assert np.abs(mirrored - plain).mean() > 10


def test_styles_are_what_they_say() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (8, 8, 3), dtype=np.uint8)
    same = Style((1, 0, 0, 0, 1, 0, 0, 0, 1), (0, 0, 0))
    negative = Style((-1, 0, 0, 0, -1, 0, 0, 0, -1), (1, 1, 1))
    np.testing.assert_array_equal(same.on(picture), picture)
    np.testing.assert_array_equal(negative.on(picture), 255 - picture)
    assert len({draw_style(Draw(0, i)) for i in range(20)}) == 20
