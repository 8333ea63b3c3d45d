from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from triptych.text.clip import ImageTower, ImageTowerConfig, clip_loss, same_captions
from triptych.text.encoder import TextEncoder, TextEncoderConfig
from triptych.text.objective import text_stage_loss

SCALE = torch.tensor(math.log(10.0))


def rows(count: int, seed: int = 0) -> torch.Tensor:
    return F.normalize(torch.randn(count, 8, generator=torch.Generator().manual_seed(seed)), dim=-1)


def test_tower_gives_unit_vectors_for_any_multiple_of_its_size() -> None:
    tower = ImageTower(ImageTowerConfig(size=32, width=32, layers=1, heads=2)).eval()
    pictures = torch.rand(2, 3, 64, 64) * 2 - 1
    vectors = tower(pictures)
    assert vectors.shape == (2, 32)
    torch.testing.assert_close(vectors.norm(dim=-1), torch.ones(2))
    torch.testing.assert_close(vectors, tower(F.avg_pool2d(pictures, 2)))


def test_loss_is_the_formula_of_the_paper() -> None:
    text, image = rows(4), rows(4, 1)
    logits = 10.0 * text @ image.T
    by_hand = [-logits.log_softmax(axis).diagonal().mean() for axis in (0, 1)]
    torch.testing.assert_close(clip_loss(text, image, SCALE), sum(by_hand) / 2)


def test_right_pairs_cost_less_than_wrong_ones() -> None:
    text = rows(6)
    assert clip_loss(text, text, SCALE) < clip_loss(text, text.roll(1, 0), SCALE)


def test_equal_captions_are_no_negatives_of_each_other() -> None:
    ids = torch.tensor([[1, 5, 0], [1, 5, 0], [1, 6, 0]])
    same = same_captions(ids)
    assert same.tolist() == [[True, True, False], [True, True, False], [False, False, True]]
    text = rows(3)[torch.tensor([0, 0, 2])]
    alone = clip_loss(text[1:], text[1:], SCALE)
    assert clip_loss(text, text, SCALE, same) < clip_loss(text, text, SCALE)
    everything = torch.ones(2, 2, dtype=torch.bool)
    assert clip_loss(text[1:], text[1:], SCALE, everything).item() == pytest.approx(0.0, abs=1e-6)
    assert alone > 0


def test_temperature_is_held() -> None:
    text, image = rows(4), rows(4, 1)
    assert torch.equal(
        clip_loss(text, image, torch.tensor(50.0)), clip_loss(text, image, torch.tensor(math.log(100.0)))
    )


class FixedWriter:
    def loss(self, states: torch.Tensor, plan_ids: torch.Tensor) -> torch.Tensor:
        return states.square().mean() + plan_ids.float().mean()


def test_stage_learns_to_match_pictures_and_reaches_every_parameter() -> None:
    torch.manual_seed(0)
    encoder = TextEncoder(TextEncoderConfig(vocabulary=12, length=4, width=32, layers=1, heads=2))
    tower = ImageTower(ImageTowerConfig(size=16, width=32, layers=1, heads=2))
    ids = torch.tensor([[1, token, 0, 0] for token in range(3, 11)])
    colours = torch.rand(8, 3, 1, 1, generator=torch.Generator().manual_seed(1)) * 2 - 1
    batch = {
        "ids": ids,
        "pictures": colours.expand(8, 3, 16, 16),
        "plan_ids": torch.zeros(8, 5, dtype=torch.long),
    }
    parameters = [*encoder.parameters(), *tower.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=3e-3)
    for step in range(80):
        loss, parts = text_stage_loss(encoder, tower, FixedWriter(), batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step == 0:
            assert parts["clip"] > 1.5
            assert all(parameter.grad is not None for parameter in parameters)
            torch.testing.assert_close(loss, parts["clip"] + parts["plan"])
    assert parts["clip"] < 0.3
