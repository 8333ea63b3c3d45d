"""Low-rank terms: the product that is printed in the paper, and layers that are as before once the block ends."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from triptych.nn.added import LowRank, fits, hung, merged, swapped, with_added

CONVOLUTIONS = [
    nn.Conv2d(6, 10, 3, padding=1),
    nn.Conv2d(6, 10, 3, stride=2, padding=1),
    nn.Conv2d(6, 10, 1),
    nn.Conv2d(6, 10, (1, 3), padding=(0, 2), dilation=(1, 2)),
]


def term_for(layer: nn.Linear | nn.Conv2d, rank: int = 4, scale: float = 0.7) -> LowRank:
    generator = torch.Generator().manual_seed(rank)
    down = torch.randn(rank, *layer.weight.shape[1:], generator=generator)
    return LowRank(down, torch.randn(len(layer.weight), rank, generator=generator), scale)


def test_a_linear_term_is_the_products_of_the_paper() -> None:
    layer, x = nn.Linear(8, 12), torch.randn(3, 5, 8)
    term = term_for(layer)
    with hung({layer: [term]}):
        got = layer(x)
    expected = F.linear(x, layer.weight + 0.7 * term.up @ term.down, layer.bias)
    torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("layer", CONVOLUTIONS)
def test_a_convolution_term_is_two_convolutions(layer: nn.Conv2d) -> None:
    x, term = torch.randn(2, 6, 9, 7), term_for(layer)
    first = F.conv2d(x, term.down, None, layer.stride, layer.padding, layer.dilation)
    expected = layer(x) + 0.7 * F.conv2d(first, term.up[:, :, None, None])
    with hung({layer: [term]}):
        torch.testing.assert_close(layer(x), expected, rtol=1e-5, atol=1e-4)
    with swapped({layer: merged(layer, [term])}):
        torch.testing.assert_close(layer(x), expected, rtol=1e-5, atol=1e-4)


def test_terms_add_up_and_leave_nothing_behind() -> None:
    layer, x = nn.Linear(8, 8), torch.randn(4, 8)
    before, names = layer(x), set(vars(layer))
    own = layer.weight
    one, two = term_for(layer, 2), term_for(layer, 5, scale=-0.3)
    with hung({layer: [one]}), hung({layer: [two]}):
        torch.testing.assert_close(layer(x), before + one(layer, x) + two(layer, x))
    with pytest.raises(RuntimeError, match="stop"), hung({layer: [one]}):
        raise RuntimeError("stop")
    with pytest.raises(RuntimeError, match="stop"), swapped({layer: merged(layer, [one])}):
        raise RuntimeError("stop")
    assert layer.weight is own
    assert set(vars(layer)) == names
    assert torch.equal(layer(x), before)


def test_a_network_that_multiplies_weights_itself_can_ask_for_the_terms() -> None:
    layer, x = nn.Linear(8, 8, bias=False), torch.randn(4, 8)
    by_hand = F.linear(x, layer.weight)
    assert with_added(layer, x, by_hand) is by_hand
    with hung({layer: [term_for(layer)]}):
        assert torch.equal(with_added(layer, x, by_hand), layer(x))


def test_what_takes_no_term_is_told() -> None:
    assert not fits(nn.Conv2d(6, 6, 3, groups=2))
    assert not fits(nn.Embedding(4, 4))
    with pytest.raises(TypeError, match="Embedding"):
        term_for(nn.Linear(4, 4))(nn.Embedding(4, 4), torch.zeros(1, 4))


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("rank", [1, 3, 16, 20])
def test_a_row_has_the_same_bits_in_any_company(rank: int) -> None:
    linear, convolution = nn.Linear(192, 160), nn.Conv2d(64, 48, 3, padding=1)
    rows, maps = torch.randn(512, 192), torch.randn(16, 64, 8, 8)
    flat, kernel = term_for(linear, rank).padded(), term_for(convolution, rank).padded()
    whole, whole_maps = flat(linear, rows), kernel(convolution, maps)
    for threads in (1, 2):
        torch.set_num_threads(threads)
        for count in (16, 17, 24, 40, 65, 104, 208):
            assert torch.equal(flat(linear, rows[:count]), whole[:count]), (threads, count)
        for count in (1, 2, 3, 5):
            assert torch.equal(kernel(convolution, maps[:count]), whole_maps[:count]), (threads, count)


def test_padding_the_rank_changes_nothing_but_the_rounding() -> None:
    layer, x = nn.Linear(8, 12), torch.randn(5, 8)
    term = term_for(layer, 1)
    assert term.padded().down.shape == (16, 8)
    torch.testing.assert_close(term.padded()(layer, x), term(layer, x))
    torch.testing.assert_close(term.padded().delta(), term.delta())
