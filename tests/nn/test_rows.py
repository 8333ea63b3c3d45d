"""Few rows: the same bits in any company and with any number of threads."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from triptych.nn.rows import ENOUGH_ROWS, with_enough_rows


def random(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize(("into", "out"), [(64, 384), (128, 192), (192, 576), (192, 64)])
def test_bits_depend_neither_on_rows_nor_on_threads(into: int, out: int) -> None:
    rows, weight, bias = random(0, 64, into), random(1, out, into), random(2, out)
    with torch.no_grad():
        torch.set_num_threads(1)
        everyone = F.linear(rows, weight, bias)
        for threads in (1, 2):
            torch.set_num_threads(threads)
            for count in range(1, 65):
                some = with_enough_rows(lambda x: F.linear(x, weight, bias), rows[:count])
                assert torch.equal(some, everyone[:count]), f"{count} rows with {threads} threads"


def test_nothing_is_padded_while_gradients_are_recorded() -> None:
    seen: list[int] = []

    def layer(x: Tensor) -> Tensor:
        seen.append(len(x))
        return x

    rows = random(0, 3, 4)
    with_enough_rows(layer, rows)
    with torch.no_grad():
        assert torch.equal(with_enough_rows(layer, rows), rows)
    assert seen == [3, ENOUGH_ROWS]
