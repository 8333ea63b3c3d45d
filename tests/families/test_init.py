"""Starting from a picture: what strength and its map keep, in every family, alone and in company."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from triptych.core.asset import Asset
from triptych.core.recipe import pixels_sha256
from triptych.core.request import Request
from triptych.engine import Engine
from triptych.families.pixels import freedom_of, to_picture
from triptych.library import Library

from .painting import PLAN, paint, resolved, walk

MODELS = ("flow", "diffusion", "tokens")
LATENT = ("flow", "diffusion")


def picture(seed: int = 0, size: int = 64) -> Asset:
    """Soft blobs: something that an autoencoder can hold."""
    grid = np.random.default_rng(seed).integers(0, 255, (4, 4, 3), dtype=np.uint8)
    return Asset.of(np.repeat(np.repeat(grid, size // 4, axis=0), size // 4, axis=1), f"blobs-{seed}")


def half(size: int = 64) -> Asset:
    """The right half is free."""
    grey = np.zeros((size, size), np.uint8)
    grey[:, size // 2 :] = 255
    return Asset.of(grey)


def few(model: str) -> dict[str, Any]:
    return {} if model == "tokens" else {"steps": 6}


@pytest.mark.parametrize("model", LATENT)
@pytest.mark.parametrize("sampler", ["euler", "euler_ancestral", "heun", "dpmpp_2m", "ddim", "unipc"])
def test_what_has_no_freedom_ends_as_the_picture_to_the_last_bit(
    tiny_library: Library, model: str, sampler: str
) -> None:
    family = tiny_library.family(model)
    request = resolved(family, init=picture(), strength_map=half(), steps=5, sampler=sampler)
    states = walk(family, request, PLAN)
    start = states[0].condition.init
    assert torch.equal(states[-1].sampler.x[..., :4], start[..., :4])
    assert not torch.isclose(states[-1].sampler.x[..., 4:], start[..., 4:]).all()


@pytest.mark.parametrize("model", LATENT)
def test_the_strength_is_the_share_of_the_steps(tiny_library: Library, model: str) -> None:
    family = tiny_library.family(model)
    totals = [
        walk(family, resolved(family, init=picture(), strength=strength, steps=10))[-1].total
        for strength in (0.1, 0.5, 1)
    ]
    assert totals == [1, 5, 10]


@pytest.mark.parametrize("model", LATENT)
def test_a_map_of_white_is_no_map(tiny_library: Library, model: str) -> None:
    family = tiny_library.family(model)
    white = Asset.of(np.full((64, 64), 255, np.uint8))
    fields: dict[str, Any] = {"init": picture(), "strength": 0.55, "steps": 7}
    assert np.array_equal(paint(family, PLAN, **fields), paint(family, PLAN, **fields, strength_map=white))


@pytest.mark.parametrize("model", LATENT)
def test_a_grey_place_changes_less_than_a_white_one(tiny_library: Library, model: str) -> None:
    family = tiny_library.family(model)
    levels = (0, 80, 160, 255)
    distances = []
    for level in levels:
        flat = Asset.of(np.full((64, 64), level, np.uint8))
        states = walk(family, resolved(family, init=picture(), strength_map=flat, steps=12, seed=5))
        distances.append(float((states[-1].sampler.x - states[0].condition.init).square().mean()))
    assert distances[0] == 0
    assert distances == sorted(distances)


def test_tokens_keep_a_share(tiny_library: Library) -> None:
    family = tiny_library.family("tokens")
    kept = []
    for strength in (0.1, 0.5, 0.9, 1.0):
        states = walk(family, resolved(family, init=picture(), strength=strength))
        codes = states[0].condition.init.flatten().tolist()
        given = states[0].given
        assert all(token == code for token, code in zip(given, codes, strict=True) if token != -1)
        assert all(a == g for a, g in zip(states[-1].drawn, given, strict=True) if g != -1)
        kept.append(sum(token != -1 for token in given) / len(given))
    assert kept == sorted(kept, reverse=True)
    assert kept[-1] == 0
    assert abs(kept[1] - 0.5) < 0.2


def test_tokens_outside_the_map_are_kept(tiny_library: Library) -> None:
    family = tiny_library.family("tokens")
    states = walk(family, resolved(family, init=picture(), strength_map=half()))
    given = torch.tensor(states[0].given).view(8, 8)
    assert torch.equal(given[:, :4], states[0].condition.init[:, :4])
    assert (given[:, 4:] == -1).all()


@pytest.mark.parametrize("model", MODELS)
def test_same_pixels_alone_and_in_company(tiny_library: Library, model: str) -> None:
    base = few(model)
    requests = [
        Request(prompt="a star", model=model, seed=1, init=picture(1), strength=0.5, **base),
        Request(prompt="a star", model=model, seed=1, init=picture(2), strength=0.5, **base),
        Request(prompt="a star", model=model, seed=1, init=picture(1), strength_map=half(), **base),
        Request(prompt="a star", model=model, seed=1, **base),
    ]

    def hashes(some: list[Request]) -> list[str]:
        return [pixels_sha256(made[0].pixels) for made in Engine(tiny_library).generate_many(some)]

    alone = [hashes([request])[0] for request in requests]
    assert len(set(alone)) == 4
    assert hashes(requests) == alone


def test_a_picture_of_another_size_is_scaled() -> None:
    large = picture(3, 256)
    assert to_picture(large, (64, 48)).shape == (3, 48, 64)
    same = (to_picture(picture(3), (64, 64)) + 1) * 127.5
    assert torch.equal(same.round().byte().permute(1, 2, 0), torch.from_numpy(picture(3).pixels))


def test_a_cell_is_as_free_as_its_freest_pixel() -> None:
    grey = np.zeros((64, 64), np.uint8)
    grey[9, 17] = 255
    grey[63, 63] = 51
    freedom = freedom_of(Asset.of(grey), (8, 8))
    assert freedom[1, 2] == 1
    assert freedom[7, 7] == pytest.approx(0.2)
    assert freedom.count_nonzero() == 2
    assert freedom_of(Asset.of(np.full((3, 5), 255, np.uint8)), (8, 8)).min() == 1
