"""The readers that look closer: letters of columns, what a face shows, and windows that hold what they should."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from triptych.evals.readers import crops
from triptych.evals.readers.face import CHOICES, FINE, NAMES, FaceReader, face_loss, observable, vector_of
from triptych.evals.readers.shadow import ShadowReader, shadow_loss
from triptych.evals.readers.sign import LETTERS, SignReader, encode_word, greedy, sign_loss
from triptych.scenes.draw import Draw
from triptych.scenes.faces import draw_face
from triptych.scenes.identity import Face, draw_identity


@pytest.mark.parametrize(
    ("columns", "word"),
    [("--OO-PEE-N", "OPEN"), ("B-OO-O-K", "BOOK"), ("AAAA", "A"), ("----", ""), ("A-A", "AA"), ("AB", "AB")],
)
def test_columns_spell_a_word(columns: str, word: str) -> None:
    assert greedy([0 if letter == "-" else LETTERS.index(letter) + 1 for letter in columns]) == word


def test_words_become_ten_classes() -> None:
    assert encode_word("az") == [1, 26, 0, 0, 0, 0, 0, 0, 0, 0]
    assert encode_word("ABCDEFGHIJKL") == list(range(1, 11))
    assert encode_word("") == [0] * 10


def test_the_sign_loss_is_least_for_the_word_that_the_columns_say() -> None:
    said = torch.full((1, 32, 27), -8.0)
    for column, letter in enumerate("G---O-----------------O--D------"):
        said[0, column, 0 if letter == "-" else LETTERS.index(letter) + 1] = 8.0
    losses = {w: float(sign_loss(said, torch.tensor([encode_word(w)]))) for w in ("GOOD", "GOD", "GOOP", "")}
    assert losses["GOOD"] < 0.01
    assert min(losses, key=losses.__getitem__) == "GOOD"


def test_networks_take_their_windows() -> None:
    for network, (width, height), shape in (
        (SignReader(), crops.SIGN_SIZE, (2, 32, 27)),
        (FaceReader(), crops.FACE_SIZE, (2, 40)),
        (ShadowReader(), crops.SHADOW_SIZE, (2, 3)),
    ):
        assert network(torch.zeros(2, 3, height, width)).shape == shape


def test_faces_that_look_alike_have_one_observable_vector() -> None:
    """Moving to the observable vector changes no pixel, and the vector is its own."""
    for index in range(40):
        face = draw_identity(Draw(5, index))
        seen = observable(face.vector())
        assert observable(seen) == pytest.approx(seen)
        assert np.array_equal(draw_face(face, 48, 56), draw_face(Face.from_vector(seen), 48, 56))


def test_what_a_face_shows_is_kept() -> None:
    face = draw_identity(Draw(5, 0))
    seen = observable(face.vector())
    names = list(Face.__dataclass_fields__)
    for name in ("width", "jaw", "eye_size", "nose", "mouth_width", "asymmetry"):
        assert seen[names.index(name)] == getattr(face, name)
    assert Face.from_vector(seen).traits() == face.traits()


def logits_of(vector: tuple[float, ...]) -> torch.Tensor:
    """What a reader without faults says of a face with this observable vector."""
    fine = torch.tensor([vector[NAMES.index(name)] for name in FINE]).clamp(1e-6, 1 - 1e-6).logit()
    choices = [
        torch.tensor([9.0 * (each == vector[NAMES.index(name)]) for each in middles])
        for name, middles in CHOICES.items()
    ]
    return torch.cat([fine, *choices])


def test_a_face_is_read_as_its_observable_vector() -> None:
    vectors = [observable(draw_identity(Draw(6, index)).vector()) for index in range(60)]
    logits = torch.stack([logits_of(vector) for vector in vectors])
    for vector, each in zip(vectors, logits, strict=True):
        assert vector_of(each) == pytest.approx(vector, abs=1e-5)
    assert float(face_loss(logits, torch.tensor(vectors))) < 0.01
    for i in range(logits.shape[1]):  # every logit counts
        worse = logits.clone()
        worse[:, i] = -worse[:, i] + 3
        assert float(face_loss(worse, torch.tensor(vectors))) > float(face_loss(logits, torch.tensor(vectors)))


def test_the_shadow_loss_has_its_minimum_at_the_truth() -> None:
    there, fall = torch.tensor([1.0, 0.0]), torch.tensor([[0.62, 0.3], [0.0, 0.0]])
    good = torch.tensor([[9.0, 0.62, 0.3], [-9.0, 5.0, 5.0]])  # where there is none, its direction does not matter
    assert float(shadow_loss(good, there, fall)) < 1e-3
    assert float(shadow_loss(good * torch.tensor([1.0, -1.0, 1.0]), there, fall)) > 0.5


def test_a_window_is_the_box_that_it_names() -> None:
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[16:48, 8:40] = (255, 0, 0)
    window = crops.window(crops.as_tensor(pixels), (8 / 64, 16 / 64, 40 / 64, 48 / 64), (20, 10))
    assert window.shape == (3, 10, 20)
    assert torch.allclose(window[0, 1:-1, 1:-1], torch.ones(8, 18))
    assert torch.allclose(window[1], -torch.ones(10, 20))


def test_windows_are_placed_about_their_box() -> None:
    box = (0.2, 0.2, 0.6, 0.7)
    x0, y0, x1, y1 = crops.sign_window(box)
    assert x0 < 0.2
    assert x1 > 0.6
    assert y0 < 0.2
    assert 0.2 + 0.7 * 0.5 < y1 < 0.2 + 0.85 * 0.5  # the board without its post
    left, top, right, bottom = crops.shadow_window(box)
    assert left < 0.2 - 0.62 * 0.5
    assert right > 0.6 + 0.62 * 0.5
    assert top < 0.7 - 0.3 * 0.5
    assert bottom > 0.7 + 0.42 * 0.5
