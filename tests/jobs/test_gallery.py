"""The gallery over the queue's database finds what the command line's log finds in the same file."""

from __future__ import annotations

from pathlib import Path

import pytest

from triptych.core.gallery import Gallery
from triptych.jobs import Store, publish
from triptych.jobs.rebuild import rebuild

from .conftest import made, new

PROMPTS = ("a red fox in the snow", "two owls", 'a sign that says "OPEN"', "le café de l'été", "фокс 狐 lisu_kettu")


@pytest.fixture
def filled(store: Store, tmp_path: Path) -> Store:
    for number, prompt in enumerate(PROMPTS):
        recipe, _ = made(prompt, number)
        job = store.submit(new(prompt)).job
        store.claim("w", 1)
        store.picture(job.id, 1, 0, {"path": str(tmp_path / "pictures" / f"{number}.png")}, recipe)
    return store


@pytest.mark.parametrize(
    "words",
    [
        "",
        "fox",
        "snow RED",
        "ow",
        "fox owls",
        "flow",
        "open",
        "été",
        "狐",
        "lisu",
        "kettu",
        "png",
        '"',
        "* OR",
        "a-b",
    ],
)
def test_both_engines_and_the_command_line_find_the_same(filled: Store, tmp_path: Path, words: str) -> None:
    log = Gallery(tmp_path / "log")
    for number, prompt in enumerate(PROMPTS):
        log.add(tmp_path / "pictures" / f"{number}.png", made(prompt, number)[0])
    assert [row.path for row in filled.gallery(words)] == [row.path for row in log.search(words)]


def test_pages_go_back_in_time(filled: Store) -> None:
    first = filled.gallery(limit=2)
    second = filled.gallery(limit=9, before=first[-1].id)
    assert [row.prompt for row in first + second] == list(reversed(PROMPTS))


def test_a_picture_that_is_told_twice_is_in_it_once(filled: Store) -> None:
    job = filled.list()[0]
    recipe, _ = made("again")
    filled.requeue("w")
    (again,) = [one for one in filled.claim("w", 9) if one.id == job.id]
    assert not filled.picture(job.id, again.attempts, 0, {"path": "again.png"}, recipe)
    assert len(filled.gallery()) == len(PROMPTS)


def test_rebuilding_adds_what_is_missing_and_passes_by_what_is_no_picture(store: Store, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    for number in range(3):
        publish(pictures / f"{number}.png", made(f"fox {number}", number)[1])
    (pictures / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nand no more")
    (pictures / ".0.png.1.part").write_bytes(b"half")
    (pictures / "notes.txt").write_text("no picture")
    (pictures / "folder.png").mkdir()
    for expected in (3, 0):
        with store.database.writer.begin() as connection:
            assert rebuild(connection, pictures) == expected
    assert sorted(row.prompt for row in store.gallery()) == ["fox 0", "fox 1", "fox 2"]
