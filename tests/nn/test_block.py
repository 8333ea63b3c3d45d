from __future__ import annotations

import pytest
import torch

from triptych.nn.block import Attention, Block


def test_attention_is_torchs_own() -> None:
    torch.manual_seed(0)
    ours = Attention(16, 4)
    theirs = torch.nn.MultiheadAttention(16, 4, bias=False, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat((ours.query.weight, ours.key_value.weight)))
        theirs.out_proj.weight.copy_(ours.output.weight)
    x = torch.randn(2, 5, 16)
    torch.testing.assert_close(ours(x), theirs(x, x, x)[0], atol=1e-6, rtol=1e-5)


def test_causal_masked_and_crossed() -> None:
    torch.manual_seed(0)
    block = Block(16, 2, context=8)
    x, context = torch.randn(1, 6, 16), torch.randn(1, 3, 8)
    changed = x.clone()
    changed[:, 4:] += 1
    before, after = block(x, context, causal=True), block(changed, context, causal=True)
    torch.testing.assert_close(before[:, :4], after[:, :4])
    mask = (torch.arange(6) < 4)[None, None, None, :]
    torch.testing.assert_close(block(x, context, mask)[:, :4], block(changed, context, mask)[:, :4])
    assert not torch.allclose(block(x, context), block(x, context + 1))


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(ValueError, match="width 10"):
        Attention(10, 4)
