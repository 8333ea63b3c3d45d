from __future__ import annotations

import pytest
import torch

from triptych.text.encoder import TextEncoder, TextEncoderConfig

TINY = TextEncoderConfig(vocabulary=30, length=12, width=32, layers=2, heads=2)


@pytest.fixture
def encoder() -> TextEncoder:
    torch.manual_seed(0)
    encoder = TextEncoder(TINY).eval()
    torch.nn.init.normal_(encoder.pad_state)
    return encoder


def ids(*tokens: int, length: int = 12) -> torch.Tensor:
    return torch.tensor([[*tokens, *[0] * (length - len(tokens))]])


def test_shapes_and_length_of_the_pooled_vector(encoder: TextEncoder) -> None:
    states, pooled = encoder(ids(1, 5, 6).repeat(3, 1))
    assert states.shape == (3, 12, 32)
    assert pooled.shape == (3, 32)
    torch.testing.assert_close(pooled.norm(dim=-1), torch.ones(3))


def test_padding_is_masked_inside_and_leaves_as_one_state(encoder: TextEncoder) -> None:
    long, long_pooled = encoder(ids(1, 5, 6))
    short, short_pooled = encoder(ids(1, 5, 6, length=3))
    torch.testing.assert_close(long[:, :3], short, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(long_pooled, short_pooled, atol=1e-6, rtol=1e-5)
    assert torch.equal(long[0, 3:], encoder.pad_state.expand(9, -1))


def test_order_and_words_matter(encoder: TextEncoder) -> None:
    pooled = torch.cat([encoder(row)[1] for row in (ids(1, 5, 6), ids(1, 6, 5), ids(1, 5, 7))])
    assert not torch.allclose(pooled[0], pooled[1], atol=1e-4)
    assert not torch.allclose(pooled[0], pooled[2], atol=1e-4)


def test_empty_prompt_is_finite(encoder: TextEncoder) -> None:
    states, pooled = encoder(ids(1))
    assert states.isfinite().all()
    assert pooled.isfinite().all()


def test_company_of_longer_prompts_changes_nothing_but_rounding() -> None:
    torch.manual_seed(0)
    encoder = TextEncoder(TextEncoderConfig(vocabulary=30, length=40, width=32, layers=2, heads=2)).eval()
    short, long = ids(1, 5, 6, length=40), ids(*range(1, 30), length=40)
    for ours, alone in zip(encoder(torch.cat((short, long))), encoder(short), strict=True):
        torch.testing.assert_close(ours[:1], alone, atol=1e-6, rtol=1e-5)
