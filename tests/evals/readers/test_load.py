"""The door of the readers: whole or not at all, the same reading in any company, nothing but pictures taken."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from triptych.core.errors import FileProblem, InvalidRequest
from triptych.evals.readers import worlds
from triptych.evals.readers.load import Readers
from triptych.evals.reading import Reading
from triptych.scenes import LEVELS, Sprites

LEVEL = worlds.with_made(LEVELS["shapes"])


@pytest.fixture(scope="module")
def folder(tiny_folder: Path) -> Path:
    return tiny_folder / "readers"


@pytest.fixture(scope="module")
def readers(folder: Path) -> Readers:
    """Untrained, with every shape listed: they find much, and nothing of it is right."""
    made = Readers.load(folder)
    made.networks.detector.calibration.copy_(torch.tensor([1.0, 4.0]))
    return made


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    sprites = Sprites.shapes()
    return [worlds.picture(worlds.reader_scene(LEVEL, worlds.VALIDATION_SEED, i), 64, sprites) for i in range(5)]


def test_a_picture_is_read_the_same_in_any_company(readers: Readers, pictures: list[np.ndarray]) -> None:
    together = readers.read(pictures)
    assert any(reading.things for reading in together)
    assert [readers.read([picture])[0] for picture in pictures] == together
    assert readers.read(pictures[::-1]) == together[::-1]
    assert readers.read([]) == []


def test_the_weights_are_those_of_the_file(readers: Readers, folder: Path) -> None:
    stored = load_file(folder / "model.safetensors")
    state = readers.networks.state_dict()
    assert set(stored) == set(state)
    for name, tensor in stored.items():
        if not name.endswith("calibration"):
            assert torch.equal(tensor.float(), state[name].float())


def test_other_sizes_are_resampled(readers: Readers, pictures: list[np.ndarray]) -> None:
    double = pictures[0].repeat(2, axis=0).repeat(2, axis=1)
    wide = np.zeros((40, 100, 3), np.uint8)
    first, second = readers.read([double, wide])
    assert isinstance(second, Reading)
    assert first.background == readers.read(pictures[:1])[0].background
    assert set(first.backgrounds or {}) == set(LEVEL.backgrounds)


def test_only_signs_have_words_and_only_faces_have_vectors(readers: Readers, pictures: list[np.ndarray]) -> None:
    things = [thing for reading in readers.read(pictures) for thing in reading.things]
    assert {thing.noun for thing in things} <= set(LEVEL.nouns)
    for thing in things:
        assert (thing.text is not None) == (thing.noun == "sign")
        assert (thing.face is not None) == (thing.noun == "face")
        assert sum(thing.colours.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    "picture", [np.zeros((64, 64), np.uint8), np.zeros((64, 64, 3), np.float32), np.zeros((0, 64, 3), np.uint8)]
)
def test_what_is_no_picture_is_refused(readers: Readers, picture: np.ndarray) -> None:
    with pytest.raises(InvalidRequest, match="not a uint8 picture"):
        readers.read([picture])


def test_altered_weights_and_cards_of_others_are_refused(folder: Path, tmp_path: Path) -> None:
    altered = shutil.copytree(folder, tmp_path / "altered")
    weights = bytearray((altered / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (altered / "model.safetensors").write_bytes(weights)
    with pytest.raises(FileProblem, match="altered"):
        Readers.load(altered)
    other = shutil.copytree(folder, tmp_path / "other")
    card = json.loads((other / "card.json").read_text())
    card["config"]["nouns"] = card["config"]["nouns"][:-1]
    (other / "card.json").write_text(json.dumps(card))
    with pytest.raises(FileProblem, match="do not fit their card"):
        Readers.load(other)
    with pytest.raises(FileProblem):
        Readers.load(tmp_path / "nowhere")


@pytest.mark.weights
def test_the_shipped_readers_are_small_and_have_their_ceilings() -> None:
    readers = Readers.load()
    assert readers.card is not None
    assert sum(file.bytes for file in readers.card.files.values()) <= 2_500_000
    assert readers.networks.config.nouns == worlds.with_made(LEVELS["small"]).nouns
    for domain in ("render", "autoencoder", "tokenizer"):
        assert readers.card.scores[f"{domain}.recall"] > 0.9
