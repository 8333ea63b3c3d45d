from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from triptych.core.errors import FileProblem
from triptych.core.pictures import open_map, open_picture

NOISE = np.random.default_rng(0).integers(0, 256, (5, 8, 3), dtype=np.uint8)


def told(notes: object) -> str:
    return " / ".join(note.text for note in notes)  # type: ignore[attr-defined]


def saved(tmp_path: Path, picture: Image.Image, name: str = "a.png", **options: object) -> Path:
    picture.save(tmp_path / name, **options)
    return tmp_path / name


def test_a_plain_picture_comes_as_it_is(tmp_path: Path) -> None:
    opened = open_picture(saved(tmp_path, Image.fromarray(NOISE)))
    assert np.array_equal(opened.pixels, NOISE)
    assert opened.notes == ()
    assert not opened.lossy
    assert open_picture(saved(tmp_path, Image.fromarray(NOISE), "a.jpg")).lossy


def test_transparency_is_kept_where_there_is_any(tmp_path: Path) -> None:
    rgba = np.dstack((NOISE, np.full((5, 8), 255, np.uint8)))
    assert open_picture(saved(tmp_path, Image.fromarray(rgba))).pixels.shape == (5, 8, 3)
    rgba[0, 0, 3] = 7
    assert np.array_equal(open_picture(saved(tmp_path, Image.fromarray(rgba))).pixels, rgba)


def test_other_kinds_of_pictures_are_turned_into_plain_ones_with_a_note(tmp_path: Path) -> None:
    cmyk = open_picture(saved(tmp_path, Image.fromarray(NOISE).convert("CMYK"), "a.jpg"))
    assert "CMYK" in told(cmyk.notes)
    assert cmyk.pixels.shape == (5, 8, 3)
    grey = open_picture(saved(tmp_path, Image.fromarray(NOISE[:, :, 0])))
    assert "grey" in told(grey.notes)
    deep = open_picture(saved(tmp_path, Image.fromarray(NOISE[:, :, 0].astype(np.uint16) * 257)))
    assert "16 bits" in told(deep.notes)
    assert np.array_equal(deep.pixels[:, :, 0], NOISE[:, :, 0])
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = open_picture(saved(tmp_path, Image.fromarray(NOISE), "b.png", exif=exif))
    assert turned.pixels.shape == (8, 5, 3)
    assert "EXIF" in told(turned.notes)


def test_one_pixel_is_a_picture(tmp_path: Path) -> None:
    assert open_picture(saved(tmp_path, Image.fromarray(NOISE[:1, :1]))).pixels.shape == (1, 1, 3)


def test_what_is_no_still_picture_of_a_sane_size_is_refused(tmp_path: Path) -> None:
    frames = [Image.fromarray(NOISE), Image.fromarray(NOISE // 2)]
    moving = saved(tmp_path, frames[0], "a.webp", save_all=True, append_images=frames[1:])
    with pytest.raises(FileProblem, match=r"is animated \(2 frames\)"):
        open_picture(moving)
    huge = saved(tmp_path, Image.new("1", (10_000, 10_000)), "huge.png")
    with pytest.raises(FileProblem, match=r"10000x10000 pixels \(100 million\); at most 64 million"):
        open_picture(huge)
    text = tmp_path / "a.png"
    text.write_text("hello")
    with pytest.raises(FileProblem, match="is not a PNG, JPEG or WebP"):
        open_picture(text)
    whole = saved(tmp_path, Image.fromarray(NOISE.repeat(40, 0)), "b.png").read_bytes()
    (tmp_path / "b.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FileProblem, match="damaged or truncated"):
        open_picture(tmp_path / "b.png")
    with pytest.raises(FileProblem, match="no such file"):
        open_picture(tmp_path / "nowhere.png")


def test_maps_by_brightness_by_transparency_in_colour_and_in_sixteen_bits(tmp_path: Path) -> None:
    grey = NOISE[:, :, 0]
    plain = open_map(saved(tmp_path, Image.fromarray(grey)))
    assert np.array_equal(plain.pixels, grey)
    assert plain.notes == ()
    hole = np.dstack((NOISE, np.full((5, 8), 255, np.uint8)))
    hole[2, 3, 3] = 0
    cut = open_map(saved(tmp_path, Image.fromarray(hole)))
    assert np.argwhere(cut.pixels).tolist() == [[2, 3]]
    assert "transparent" in told(cut.notes)
    assert "colours" in told(open_map(saved(tmp_path, Image.fromarray(NOISE))).notes)
    deep = open_map(saved(tmp_path, Image.fromarray(grey.astype(np.uint16) * 257)))
    assert np.array_equal(deep.pixels, grey)
    assert "16 bits" in told(deep.notes)
