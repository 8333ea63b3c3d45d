"""Letters in pictures: exact inside, untouched outside."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from triptych.core.errors import InvalidRequest
from triptych.typography import draw
from triptych.typography.compose import Typeset, changed_outside, relettered, typeset
from triptych.typography.fonts import Font
from triptych.typography.settings import Lettering, Outline, Shadow

Pixels = npt.NDArray[np.uint8]
CORNERS = ((60.0, 40.0), (280.0, 90.0), (260.0, 190.0), (40.0, 220.0))


def done(scene: Pixels, font: Font, text: str = "Sign", **fields: Any) -> Typeset:
    return typeset(scene, Lettering.make(text=text, **{"box": (40, 60, 240, 100), **fields}), font)


def test_nothing_outside_changes_whatever_is_asked(scene: Pixels, sans: Font) -> None:
    chance = random.Random(5)
    for _ in range(60):
        fields: dict[str, Any] = {"colour": chance.choice(["white", "#12345680"]), "harmonise": chance.choice([0, 0.7])}
        if chance.random() < 0.5:
            fields["outline"] = {"width": chance.uniform(0.3, 12), "colour": "navy"}
        if chance.random() < 0.5:
            dx, dy = chance.uniform(-20, 20), chance.uniform(-20, 20)
            fields["shadow"] = chance.choice(["soft", {"dx": dx, "dy": dy, "blur": chance.choice([0, 0.5, 4])}])
        kind = chance.choice(["box", "rotate", "corners"])
        if kind == "corners":
            fields |= {"box": None, "corners": tuple((x + chance.uniform(-20, 20), y) for x, y in CORNERS)}
        else:
            x, y, w, h = (
                chance.randrange(150),
                chance.randrange(120),
                chance.randrange(60, 170),
                chance.randrange(40, 120),
            )
            fields["box"] = (x, y, w, h) if kind == "box" else (80, 90, 150, 50)
            fields["rotate"] = chance.uniform(-40, 40) if kind == "rotate" else 0
        made = done(scene, sans, chance.choice(["OK", "Two lines\nhere", "שלום"]), **fields)
        assert changed_outside(scene, made.pixels, made.area) == 0, fields
        assert not made.mask[~made.area].any(), fields
        assert (made.pixels != scene).any(), fields


def test_the_area_is_the_box_and_what_outline_and_shadow_add(scene: Pixels, sans: Font) -> None:
    plain = done(scene, sans)
    assert plain.area.sum() == 240 * 100
    assert plain.area[60:160, 40:280].all()
    shadow = Shadow(dx=-5, dy=2, blur=2)
    wide = done(scene, sans, outline=Outline(width=3), shadow=shadow)
    grown = draw.reach(wide.lettering)
    assert 3 + 5 + 6 <= grown <= 16
    assert wide.area.sum() == (240 + 2 * grown) * (100 + 2 * grown)


def test_ink_reaches_the_box_but_does_not_leave_it(scene: Pixels, sans: Font) -> None:
    mask = done(scene, sans, "WIDE").mask
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    assert columns[0] >= 40
    assert columns[-1] < 280
    assert rows[0] >= 60
    assert rows[-1] < 160
    assert np.ptp(columns) > 225 or np.ptp(rows) > 95


def test_covered_pixels_have_the_colour_itself(scene: Pixels, sans: Font) -> None:
    made = done(scene, sans, colour="#c02468")
    assert (made.pixels[made.mask == 255] == (0xC0, 0x24, 0x68)).all()
    assert np.array_equal(made.pixels[made.mask == 0], scene[made.mask == 0])


def test_half_covered_pixels_mix_light(sans: Font) -> None:
    black = np.zeros((100, 100, 3), np.uint8)
    made = done(black, sans, "O", box=(0, 0, 100, 100))
    half = np.abs(made.mask.astype(int) - 128) <= 1
    assert half.any()
    assert (np.abs(made.pixels[half].astype(int) - 188) <= 1).all()


def test_the_outline_goes_around_every_letter(sans: Font) -> None:
    grey = np.full((120, 300, 3), 128, np.uint8)
    made = done(grey, sans, "OK", box=(20, 20, 260, 80), colour="white", outline=Outline(width=5, colour="red"))
    layers = made.layers
    assert layers.outline is not None
    assert (layers.outline >= layers.letters).all()
    ring = (made.pixels == (255, 0, 0)).all(axis=2)
    rows, columns = np.flatnonzero(made.mask.any(axis=1)), np.flatnonzero(made.mask.any(axis=0))
    assert ring[rows[0] - 3, :].any()
    assert ring[:, columns[0] - 3].any()
    assert not ring[: rows[0] - 6].any()


def test_a_shadow_lies_below_and_beside(sans: Font) -> None:
    grey = np.full((120, 300, 3), 200, np.uint8)
    made = done(grey, sans, "I", box=(100, 20, 60, 80), colour="white", shadow=Shadow(dx=20, dy=0, colour="black"))
    columns = np.flatnonzero(made.mask.any(axis=0))
    assert (made.pixels[:, columns + 20] == 0).all(axis=2).any()
    assert (made.pixels[made.mask == 255] == 255).all()


def test_a_soft_shadow_is_settled_by_the_size(scene: Pixels, sans: Font) -> None:
    made = done(scene, sans, shadow="soft")
    assert isinstance(made.lettering.shadow, Shadow)
    assert made.lettering.shadow.dx == pytest.approx(0.06 * made.layout.size, abs=0.01)
    assert made.lettering.size == made.layout.size
    assert typeset(scene, made.lettering, sans).pixels.tobytes() == made.pixels.tobytes()


def test_transparency_stays_and_letters_are_opaque(scene: Pixels, sans: Font) -> None:
    clear = np.dstack([scene, np.zeros(scene.shape[:2], np.uint8)])
    made = done(clear, sans, colour="white")
    assert np.array_equal(made.pixels[:, :, 3], made.mask)
    assert (made.pixels[made.mask > 0, :3] == 255).all()
    assert changed_outside(clear, made.pixels, made.area) == 0


def test_a_quarter_turn_is_the_text_turned(sans: Font) -> None:
    plain = np.full((300, 300, 3), 90, np.uint8)
    upright = done(plain, sans, "Turn", box=(50, 100, 200, 100)).mask.astype(int)
    turned = done(plain, sans, "Turn", box=(50, 100, 200, 100), rotate=90).mask.astype(int)
    assert np.abs(np.rot90(upright, -1) - turned).mean() < 1


def test_perspective_makes_the_far_side_smaller(sans: Font) -> None:
    plain = np.full((240, 320, 3), 90, np.uint8)
    corners = ((20.0, 20.0), (300.0, 90.0), (300.0, 150.0), (20.0, 220.0))
    mask = done(plain, sans, "HHHHHH", box=None, corners=corners).mask > 128
    columns = np.flatnonzero(mask.any(axis=0))
    near, far = mask[:, columns[0] : columns[0] + 25], mask[:, columns[-1] - 25 : columns[-1]]
    heights = [np.ptp(np.flatnonzero(part.any(axis=1))) for part in (near, far)]
    assert heights[0] > 1.8 * heights[1]


def test_a_box_beside_corners_gives_the_planes_proportion(scene: Pixels, sans: Font) -> None:
    corners = ((20.0, 20.0), (300.0, 20.0), (300.0, 220.0), (20.0, 220.0))
    own = done(scene, sans, box=None, corners=corners).plane
    wide = done(scene, sans, box=(0, 0, 40, 10), corners=corners).plane
    assert own.width / own.height == pytest.approx(280 / 200, rel=0.01)
    assert wide.width / wide.height == pytest.approx(4, rel=0.02)
    assert wide.width * wide.height == pytest.approx(280 * 200, rel=0.01)


@pytest.mark.parametrize("harmonise", [0.0, 0.8])
def test_letters_over_new_surroundings_keep_their_shapes(scene: Pixels, sans: Font, harmonise: float) -> None:
    made = done(scene, sans, harmonise=harmonise)
    around = 255 - scene
    new = relettered(made, around, scene)
    assert changed_outside(scene, new, made.area) == 0
    bare = made.area & (made.mask == 0)
    assert np.array_equal(new[bare], around[bare])
    if not harmonise:
        assert np.array_equal(new[made.mask == 255], made.pixels[made.mask == 255])
    assert np.array_equal(relettered(made, scene, scene), made.pixels)


def test_harmonised_letters_take_the_light_and_only_the_light(sans: Font) -> None:
    dusk = (np.linspace(20, 200, 320)[None, :, None] * np.array([1.0, 0.7, 0.5])).astype(np.uint8).repeat(240, axis=0)
    crisp, lit = (done(dusk, sans, "IIIIIIII", harmonise=strength) for strength in (0.0, 1.0))
    assert np.array_equal(crisp.mask, lit.mask)
    whole = lit.mask == 255
    assert (crisp.pixels[whole] == 255).all()
    left, right = lit.pixels[:, :120][whole[:, :120]], lit.pixels[:, 200:][whole[:, 200:]]
    assert left.mean() < right.mean() - 20
    assert (lit.pixels[whole][:, 0] > lit.pixels[whole][:, 2]).all()


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"box": (200, 10, 200, 50)}, r"box: 200,10,200,50 reaches outside the picture, which has 320x240 pixels"),
        ({"box": (-1, 10, 100, 50)}, "box: -1,10,100,50 reaches outside"),
        (
            {"box": None, "corners": ((0, 0), (400, 0), (300, 200), (0, 200))},
            "perspective: the corner 400,0 is outside",
        ),
        ({"box": (0, 0, 320, 100), "rotate": 30}, "rotate: turned by 30 degrees the box reaches outside"),
    ],
)
def test_what_lies_outside_is_refused(scene: Pixels, sans: Font, fields: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        done(scene, sans, **fields)


def test_contrast_is_told(sans: Font) -> None:
    white = np.full((100, 100, 3), 255, np.uint8)
    assert done(white, sans, "a", box=(0, 0, 100, 100)).contrast == pytest.approx(1)
    assert done(white, sans, "a", box=(0, 0, 100, 100), outline=Outline(width=2)).contrast == pytest.approx(21)
