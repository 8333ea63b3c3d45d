from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from triptych.autoencoders.fsq import FiniteScalarQuantizer, Tokenizer, TokenizerConfig, code_usage
from triptych.autoencoders.kl import Autoencoder
from triptych.core.errors import InvalidRequest

from .conftest import SMALL

LEVELS = st.lists(st.integers(2, 9), min_size=1, max_size=5).map(tuple)


@given(LEVELS)
@settings(max_examples=60, deadline=None)
def test_ids_and_codes_are_exact_inverses(levels: tuple[int, ...]) -> None:
    quantizer = FiniteScalarQuantizer(levels)
    ids = torch.arange(min(quantizer.size, 20_000))
    codes = quantizer.codes(ids)
    assert codes.shape == (len(ids), len(levels))
    assert codes.abs().max() <= 1
    assert torch.equal(quantizer.indices(codes), ids)
    assert len(codes.unique(dim=0)) == len(ids)


@given(LEVELS, st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_whatever_goes_in_a_code_comes_out(levels: tuple[int, ...], seed: int) -> None:
    quantizer = FiniteScalarQuantizer(levels)
    z = torch.randn(200, len(levels), generator=torch.Generator().manual_seed(seed)) * 10
    codes = quantizer(z)
    ids = quantizer.indices(codes)
    assert ids.min() >= 0
    assert ids.max() < quantizer.size
    torch.testing.assert_close(quantizer.codes(ids), codes, atol=1e-6, rtol=0)


@pytest.mark.parametrize("level", range(2, 10))
def test_bound_reaches_every_level_and_no_other(level: int) -> None:
    quantizer = FiniteScalarQuantizer((level,))
    z = torch.linspace(-12, 12, 4001)[:, None]
    reached = quantizer.bound(z).round().unique().tolist()
    assert reached == list(range(-(level // 2), level - level // 2))
    assert quantizer.bound(torch.zeros(1)).abs().item() < 1e-6


def test_default_matches_the_paper() -> None:
    # Mentzer et al. 2023, table 1: 7, 5, 5, 5, 5 for about 2^12 codes (docs/decisions/0010).
    assert TokenizerConfig().levels == (7, 5, 5, 5, 5)
    assert Tokenizer().vocabulary == 4375


def test_gradient_passes_straight_through() -> None:
    quantizer = FiniteScalarQuantizer((8, 5))
    z = torch.tensor([[0.3, -0.8], [1.5, 0.1]], requires_grad=True)
    quantizer(z).sum().backward()
    smooth = z.detach().clone().requires_grad_()
    (quantizer.bound(smooth) / torch.tensor([4, 2])).sum().backward()
    assert z.grad is not None
    assert smooth.grad is not None
    torch.testing.assert_close(z.grad, smooth.grad)
    assert (z.grad > 0).all()


@pytest.mark.parametrize("levels", [(), (5, 1)])
def test_refuses_levels_that_hold_nothing(levels: tuple[int, ...]) -> None:
    with pytest.raises(InvalidRequest, match="levels"):
        FiniteScalarQuantizer(levels)


def test_encode_and_decode_agree_with_the_differentiable_path(tokenizer: Tokenizer, pictures: Tensor) -> None:
    with torch.no_grad():
        ids = tokenizer.encode(pictures)
        assert ids.shape == (12, 8, 8)
        assert ids.dtype == torch.long
        torch.testing.assert_close(tokenizer.decode(ids), tokenizer(pictures), atol=1e-5, rtol=0)
        assert torch.equal(tokenizer.indices(tokenizer.codes(ids)), ids)


def test_warm_start_keeps_the_networks_and_most_of_the_picture(pictures: Tensor) -> None:
    autoencoder = Autoencoder(SMALL)
    autoencoder.init_from_pca(pictures)
    autoencoder.fit_normalisation(pictures)
    tokenizer = Tokenizer.from_autoencoder(autoencoder)
    for name, value in autoencoder.encoder.state_dict().items():
        assert torch.equal(tokenizer.encoder.state_dict()[name], value)
    for name, value in autoencoder.decoder.state_dict().items():
        assert torch.equal(tokenizer.decoder.state_dict()[name], value)
    with torch.no_grad():
        error = (tokenizer(pictures) - pictures).square().mean()
    assert error < 0.35 * pictures.var()


def test_pca_start_needs_no_autoencoder(pictures: Tensor) -> None:
    tokenizer = Tokenizer(TokenizerConfig(latent_channels=8, widths=(8, 16), levels=(8, 8, 8)))
    tokenizer.init_from_pca(pictures)
    with torch.no_grad():
        error = (tokenizer(pictures) - pictures).square().mean()
    assert error < 0.35 * pictures.var()


def test_same_codes_alone_and_in_company(tokenizer: Tokenizer, pictures: Tensor) -> None:
    with torch.no_grad():
        ids = tokenizer.encode(pictures)
        decoded = tokenizer.decode(ids)
        for i in range(4):
            assert torch.equal(tokenizer.encode(pictures[i : i + 1]), ids[i : i + 1])
            assert torch.equal(tokenizer.decode(ids[i : i + 1]), decoded[i : i + 1])


def test_code_usage() -> None:
    even = code_usage(torch.arange(100).repeat(3), 1000)
    assert even.used == pytest.approx(0.1)
    assert even.perplexity == pytest.approx(100)
    single = code_usage(torch.zeros(2, 4, 4, dtype=torch.long), 1000)
    assert single.perplexity == pytest.approx(1)
