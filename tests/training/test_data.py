"""A folder of captioned pictures as the source, and pictures as tensors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from triptych.core.errors import FileProblem
from triptych.scenes import Sprites
from triptych.training.data import FolderSource, SceneSource, picture_batch, to_tensor


def save(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (40, 30)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save(tmp_path / "a.png", (255, 0, 0))
    (tmp_path / "a.txt").write_text("a red\n  wall\n")
    save(tmp_path / "deep" / "b.jpg", (0, 255, 0))
    save(tmp_path / "c.webp", (0, 0, 255), (20, 64))
    rows = [{"file": "deep/b.jpg", "caption": "a green wall"}, {"file": "c.webp", "caption": "eine blaue Wand — schön"}]
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (tmp_path / "captions.jsonl").write_text(text + "\n\n", encoding="utf-8")
    return tmp_path


def test_captions_come_from_text_files_and_from_the_list(folder: Path) -> None:
    source = FolderSource(folder, 16)
    captions = [source.example(i).captions[0] for i in range(3)]
    assert captions == ["a red wall", "eine blaue Wand — schön", "a green wall"]  # in sorted order
    assert source.words_only(4) == source.words_only(1) == (captions[1], None)
    assert source.example(0).plan is None


def test_pictures_are_square_and_come_round_again(folder: Path) -> None:
    source = FolderSource(folder, 16)
    batch = picture_batch(source, 1, 3)
    assert batch.shape == (3, 3, 16, 16)
    assert torch.equal(batch, picture_batch(source, 0, 3))
    assert batch[0, :, 0, 0].tolist() == [1, -1, -1]  # red


def test_cameras_orientation_is_applied(tmp_path: Path) -> None:
    picture = Image.new("RGB", (32, 32), (0, 0, 0))
    picture.paste((255, 255, 255), (0, 0, 32, 8))  # bright on top
    exif = Image.Exif()
    exif[0x0112] = 3  # turned by 180 degrees
    picture.save(tmp_path / "x.png", exif=exif)
    (tmp_path / "x.txt").write_text("x")
    pixels = FolderSource(tmp_path, 32).example(0).pixels
    assert pixels[:8].max() == 0
    assert pixels[-4:].min() == 255


def test_name_changes_with_the_captions(folder: Path) -> None:
    before = FolderSource(folder, 16).name
    assert FolderSource(folder, 16).name == before
    (folder / "a.txt").write_text("another wall")
    assert FolderSource(folder, 16).name != before


def test_every_twentieth_of_many_is_held_out(tmp_path: Path) -> None:
    for i in range(100):
        save(tmp_path / f"{i:03}.png", (i, i, i), (4, 4))
        (tmp_path / f"{i:03}.txt").write_text(str(i))
    trained = {FolderSource(tmp_path, 8).words_only(i)[0] for i in range(95)}
    held_out = {FolderSource(tmp_path, 8, held_out=True).words_only(i)[0] for i in range(5)}
    assert held_out == {"19", "39", "59", "79", "99"}
    assert trained == {str(i) for i in range(100)} - held_out


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: (f / "a.txt").unlink(), r"1 of 3 pictures have no caption, among them .*a\.png"),
        (lambda f: (f / "a.txt").write_text(" \n"), "no caption"),
        (lambda f: (f / "a.txt").write_bytes(b"\xff\xfe"), "not UTF-8"),
        (lambda f: (f / "captions.jsonl").write_text("{"), "captions.jsonl is not lines of"),
        (lambda f: (f / "captions.jsonl").write_text('{"path": "c.webp"}'), "captions.jsonl is not lines of"),
        (lambda f: (f / "captions.jsonl").write_text("[1]"), "captions.jsonl is not lines of"),
        (lambda f: [p.unlink() for p in f.rglob("*") if p.suffix in {".png", ".jpg", ".webp"}], "no pictures"),
    ],
)
def test_what_is_wrong_with_a_folder_is_said(folder: Path, spoil: object, message: str) -> None:
    spoil(folder)  # type: ignore[operator]
    with pytest.raises(FileProblem, match=message):
        FolderSource(folder, 16)


def test_a_damaged_picture_is_named(folder: Path) -> None:
    (folder / "a.png").write_bytes((folder / "a.png").read_bytes()[:60])
    with pytest.raises(FileProblem, match=r"a\.png is not a readable picture"):
        FolderSource(folder, 16).example(0)


def test_rows_of_a_batch_are_those_of_the_whole() -> None:
    source = SceneSource("shapes", 32, 0, Sprites.shapes())
    whole = picture_batch(source, 2, 4)
    assert torch.equal(whole[2:], picture_batch(source, 2, 4, range(2, 4)))
    assert not torch.equal(whole, picture_batch(source, 3, 4))


def test_pixels_span_minus_one_to_one() -> None:
    assert to_tensor(np.array([[[0, 255, 51]]], dtype=np.uint8)).flatten().tolist() == pytest.approx([-1, 1, -0.6])
