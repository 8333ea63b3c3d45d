from __future__ import annotations

import pytest
import torch
from torch import Tensor

from triptych.autoencoders.fsq import Tokenizer
from triptych.autoencoders.kl import Autoencoder
from triptych.autoencoders.tiling import decode_tiled, encode_tiled, spans
from triptych.core.errors import InvalidRequest

from .conftest import SMALL, wake

GREY_LEVEL = 2 / 255
"""In the units of pictures, which span -1 to 1."""


def noise(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("size", [(48, 64), (17, 41), (3, 70), (5, 4)])
def test_tiled_decode_is_the_whole_decode(autoencoder: Autoencoder, size: tuple[int, int]) -> None:
    z = noise(2, SMALL.latent_channels, *size)
    with torch.no_grad():
        whole = autoencoder.decode(z)
    tiled = decode_tiled(autoencoder, z, tile=11)
    assert tiled.shape == whole.shape
    assert (tiled - whole).abs().max() < 0.01 * GREY_LEVEL


def test_tiled_decode_of_the_built_in_size() -> None:
    torch.manual_seed(0)
    model = Autoencoder().eval()
    wake(model)
    z = noise(1, 16, 48, 64)
    with torch.no_grad():
        whole = model.decode(z)
    assert (decode_tiled(model, z, tile=24) - whole).abs().max() < 0.01 * GREY_LEVEL


def test_margins_are_no_larger_than_needed(autoencoder: Autoencoder) -> None:
    """One latent position less of context changes pixels: the margin is the receptive field, not a guess."""
    z = noise(1, SMALL.latent_channels, 32, 8)
    with torch.no_grad():
        whole = autoencoder.decode(z)
        autoencoder.decoder.margin -= 1
        assert not torch.allclose(decode_tiled(autoencoder, z, tile=16), whole, atol=1e-7)


def test_tiled_encode_is_the_whole_encode(autoencoder: Autoencoder) -> None:
    x = noise(1, 3, 8 * 30, 8 * 19)
    with torch.no_grad():
        whole = autoencoder.encode(x)
    torch.testing.assert_close(encode_tiled(autoencoder, x, tile=9), whole, atol=1e-4, rtol=1e-4)


def test_codes_in_tiles(tokenizer: Tokenizer) -> None:
    ids = torch.randint(0, tokenizer.vocabulary, (1, 20, 33), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        whole = tokenizer.decode(ids)
    assert (decode_tiled(tokenizer, ids, tile=8) - whole).abs().max() < 0.01 * GREY_LEVEL
    picture = whole.clamp(-1, 1)
    with torch.no_grad():
        same = encode_tiled(tokenizer, picture, tile=8) == tokenizer.encode(picture)
    # A value on the very edge of two codes may fall on either side by rounding.
    assert same.float().mean() > 0.99


@pytest.mark.parametrize(("length", "tile", "margin"), [(1, 8, 3), (64, 64, 9), (65, 64, 9), (100, 7, 20)])
def test_spans_cover_once_and_look_no_further_than_the_margin(length: int, tile: int, margin: int) -> None:
    parts = list(spans(length, tile, margin))
    assert [position for part in parts for position in range(part.start, part.stop)] == list(range(length))
    for part in parts:
        assert part.stop - part.start <= tile
        assert part.see_from == max(0, part.start - margin)
        assert part.see_to == min(length, part.stop + margin)


def test_memory_is_bounded_by_the_tile(autoencoder: Autoencoder) -> None:
    """No call sees more than a tile and its margins, however large the picture."""
    seen: list[int] = []
    autoencoder.decoder.register_forward_pre_hook(lambda _, inputs: seen.append(max(inputs[0].shape[-2:])))
    decode_tiled(autoencoder, noise(1, SMALL.latent_channels, 90, 120), tile=16)
    assert len(seen) == 6 * 8
    assert max(seen) == 16 + 2 * autoencoder.decoder.margin


def test_refusals(autoencoder: Autoencoder) -> None:
    with pytest.raises(InvalidRequest, match="tile"):
        decode_tiled(autoencoder, noise(1, SMALL.latent_channels, 4, 4), tile=0)
    with pytest.raises(InvalidRequest, match="empty"):
        decode_tiled(autoencoder, torch.zeros(1, SMALL.latent_channels, 0, 4))
    with pytest.raises(InvalidRequest, match="picture"):
        encode_tiled(autoencoder, torch.zeros(1, 3, 12, 16))
