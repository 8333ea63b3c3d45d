from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from triptych.core.errors import FileProblem
from triptych.core.gallery import Gallery
from triptych.core.recipe import Recipe


def of(recipe: Recipe, prompt: str, model: str = "flow") -> Recipe:
    return recipe.model_copy(update={"request": recipe.request.model_copy(update={"prompt": prompt}), "model": model})


@pytest.fixture
def gallery(tmp_path: Path, recipe: Recipe) -> Gallery:
    gallery = Gallery(tmp_path / "data")
    for prompt in ("a red fox in the snow", "two owls", 'a sign that says "OPEN"'):
        gallery.add(tmp_path / f"{prompt[:5]}.png", of(recipe, prompt))
    return gallery


def prompts(gallery: Gallery, words: str) -> list[str]:
    return [row.prompt for row in gallery.search(words)]


def test_an_empty_log_is_not_made_by_reading(tmp_path: Path) -> None:
    assert Gallery(tmp_path / "data").search() == []
    assert not (tmp_path / "data").exists()


def test_newest_first_with_the_whole_recipe(gallery: Gallery, recipe: Recipe) -> None:
    rows = gallery.search()
    assert [row.prompt[:5] for row in rows] == ["a sig", "two o", "a red"]
    assert rows[2].seed == recipe.request.seed
    assert Recipe.parse(rows[2].recipe).request.prompt == "a red fox in the snow"
    assert rows[0].as_json()["pixels_sha256"] == recipe.pixels_sha256
    assert len(gallery.search(limit=1)) == 1


@pytest.mark.parametrize(
    ("words", "count"), [("fox", 1), ("snow RED", 1), ("ow", 1), ("fox owls", 0), ("a", 2), ("flow", 3), ("open", 1)]
)
def test_every_word_must_be_there_and_beginnings_count(gallery: Gallery, words: str, count: int) -> None:
    assert len(prompts(gallery, words)) == count


@pytest.mark.parametrize(
    "words", ['"', "fox OR owls", "NEAR(a b)", "-fox -owls", "prompt:", "*", "a'; DROP TABLE pictures; --", "^"]
)
def test_nothing_typed_is_read_as_a_query_language(gallery: Gallery, words: str) -> None:
    assert prompts(gallery, words) == []
    assert len(gallery.search()) == 3


def test_a_broken_file_is_a_clear_sentence(tmp_path: Path, recipe: Recipe) -> None:
    gallery = Gallery(tmp_path)
    gallery.path.write_bytes(b"this is no database" * 100)
    with pytest.raises(FileProblem, match=r"triptych\.db cannot be used: .*; move it away"):
        gallery.search()
    with pytest.raises(FileProblem, match="cannot be used"):
        gallery.add(tmp_path / "a.png", recipe)
    assert gallery.path.read_bytes().startswith(b"this is no database")


def test_a_folder_that_cannot_be_made(tmp_path: Path, recipe: Recipe) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileProblem, match="cannot open the log"):
        Gallery(tmp_path / "file" / "data").add(tmp_path / "a.png", recipe)


def test_a_log_of_a_newer_version_is_left_alone(gallery: Gallery) -> None:
    with sqlite3.connect(gallery.path) as database:
        database.execute("PRAGMA user_version=9")
    with pytest.raises(FileProblem, match="newer Triptych"):
        gallery.search()


def test_many_writers_at_once_lose_nothing(tmp_path: Path, recipe: Recipe) -> None:
    gallery = Gallery(tmp_path / "data")
    threads = [
        threading.Thread(target=lambda: [gallery.add(tmp_path / "a.png", recipe) for _ in range(5)]) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(gallery.search(limit=100)) == 30
