from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from triptych.autoencoders.fsq import Tokenizer
from triptych.autoencoders.kl import Autoencoder
from triptych.autoencoders.losses import (
    LossWeights,
    block_dct,
    dct_matrix,
    equivariance_loss,
    gradient_l1,
    loss,
    psnr,
    reconstruction_loss,
)

from .conftest import SMALL, shapes


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_dct_is_orthonormal_and_finds_its_own_waves() -> None:
    matrix = dct_matrix()
    torch.testing.assert_close(matrix @ matrix.T, torch.eye(8), atol=1e-6, rtol=0)
    wave = (matrix[2][:, None] * matrix[5][None, :]).repeat(2, 3)[None, None]
    spectrum = block_dct(wave)
    expected = torch.zeros(1, 1, 2, 8, 3, 8)
    expected[:, :, :, 2, :, 5] = 1
    torch.testing.assert_close(spectrum, expected, atol=1e-5, rtol=0)


def test_gradient_ignores_colour_and_sees_edges() -> None:
    assert gradient_l1(torch.full((1, 3, 16, 16), 0.7)).item() == pytest.approx(0, abs=1e-6)
    edge = torch.zeros(1, 1, 16, 16)
    edge[..., 8:] = 1
    # One of 15, 7 and 3 differences in each row at factors 1, 2 and 4.
    assert gradient_l1(edge).item() == pytest.approx((1 / 15 + 1 / 7 + 1 / 3) / 3)


def test_reconstruction_loss_is_zero_only_for_the_picture_itself(pictures: Tensor) -> None:
    assert reconstruction_loss(pictures, pictures, LossWeights())[0].item() == 0
    total, parts = reconstruction_loss(pictures + 0.1, pictures, LossWeights(), (3, 5))
    assert total > 0
    assert parts["l1"].item() == pytest.approx(0.1, rel=1e-4)
    assert parts["l2"].item() == pytest.approx(0.01, rel=1e-4)


def test_psnr_of_one_grey_level() -> None:
    assert psnr(torch.tensor((2 / 255) ** 2)).item() == pytest.approx(20 * math.log10(255), rel=1e-5)


@pytest.mark.parametrize("kind", ["autoencoder", "tokenizer"])
def test_loss_depends_on_the_generator_alone(
    kind: str, autoencoder: Autoencoder, tokenizer: Tokenizer, pictures: Tensor
) -> None:
    model = autoencoder if kind == "autoencoder" else tokenizer
    before = torch.get_rng_state()
    first, parts = loss(model, pictures, generator(1))
    again, _ = loss(model, pictures, generator(1))
    other, _ = loss(model, pictures, generator(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)
    assert {"l1", "gradient", "frequency", "l2", "psnr"} <= parts.keys()
    assert not any(part.requires_grad for part in parts.values())


@pytest.mark.parametrize("size", [(8, 8), (8, 24), (40, 24)])
def test_small_pictures_have_a_finite_loss(autoencoder: Autoencoder, size: tuple[int, int]) -> None:
    total, _ = loss(autoencoder, shapes(4, *size), generator())
    assert total.isfinite()


def test_equivariance_is_zero_where_halving_commutes() -> None:
    # A decoder that repeats the first three channels: halving flat colours commutes with it.
    model = Autoencoder(SMALL)
    for parameter in model.parameters():
        torch.nn.init.zeros_(parameter)
    with torch.no_grad():
        for colour in range(3):
            model.decoder.shortcut.weight[colour * 64 : (colour + 1) * 64, colour] = 1
        flat = torch.tensor([0.2, -0.5, 0.9]).view(1, 3, 1, 1).expand(2, 3, 32, 32)
        z = torch.zeros(2, 8, 4, 4)
        z[:, :3] = F.avg_pool2d(flat, 8)
        assert equivariance_loss(model, flat, z, LossWeights()).item() == pytest.approx(0, abs=1e-6)
        assert equivariance_loss(model, flat, z.flip(1), LossWeights()) > 0.1


def test_every_parameter_learns(autoencoder: Autoencoder, tokenizer: Tokenizer, pictures: Tensor) -> None:
    for model in (autoencoder, tokenizer):
        model.zero_grad()
        loss(model, pictures, generator())[0].backward()
        for name, parameter in model.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.any(), name


def test_a_few_steps_beat_the_linear_code() -> None:
    torch.manual_seed(0)
    model = Autoencoder(SMALL)
    data = shapes(16)
    weights = LossWeights(equivariance=0)
    model.init_from_pca(data)
    optimizer = torch.optim.AdamW(model.parameters(), 4e-3, betas=(0.9, 0.99), weight_decay=0)
    noise = generator()
    with torch.no_grad():
        before = reconstruction_loss(model(data), data, weights)[0]
    for _ in range(40):
        total, _ = loss(model, data, noise, weights)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
    with torch.no_grad():
        after = reconstruction_loss(model(data), data, weights)[0]
    assert after < 0.9 * before


def test_autocast_leaves_the_loss_in_full_precision(pictures: Tensor) -> None:
    plain, _ = reconstruction_loss(pictures + 0.013, pictures, LossWeights())
    with torch.autocast("cpu", torch.bfloat16):
        cast, _ = reconstruction_loss(pictures + 0.013, pictures, LossWeights())
    assert cast.dtype == torch.float32
    assert torch.equal(plain, cast)
