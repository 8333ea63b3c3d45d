"""What does not fit is said before it is loaded; what fits in a smaller form paints nearly the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from triptych.core.errors import OutOfMemory
from triptych.evals.parity.compare import Pair
from triptych.open_weights import loading, needs
from triptych.open_weights.cards import entry_of, open_checkpoint
from triptych.open_weights.loading import load


def test_the_best_that_fits(checkpoint: Callable[[str], Path]) -> None:
    found = open_checkpoint(checkpoint("sd1"))
    size = needs.needs_of(found).weights["float32"]
    kinds = [needs.needs_of(found, free=int(size * share)).best for share in (2, 0.7, 0.4, 0.2)]
    assert kinds == ["float32", "bfloat16", "int8", None]


def test_what_does_not_fit_is_not_loaded(checkpoint: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    entry = entry_of(checkpoint("sd1"))
    monkeypatch.setattr(needs, "free_memory", lambda: 1000)
    monkeypatch.setattr(loading, "filled", None)
    with pytest.raises(OutOfMemory, match="GiB are free: it does not fit"):
        load("large", entry)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize(("precision", "most"), [("bfloat16", 0.1), ("int8", 0.15)])
def test_a_smaller_form_paints_nearly_the_same(
    checkpoint: Callable[[str], Path], precision: needs.Precision, most: float
) -> None:
    pair = Pair(checkpoint("sd1"))
    request = pair.request("euler", 1.0)
    whole = pair.ours(request)
    pair.family = load("small", entry_of(checkpoint("sd1")), precision)
    difference = np.abs(pair.ours(request) - whole)
    assert 0 < difference.mean() < most / 5
    told = pair.family.notes(request)
    assert precision in told[0].text
    if precision == "int8":
        stored = [p for p in pair.family.network.parameters() if p.dtype == torch.int8]
        assert sum(p.numel() for p in stored) > 0.9 * sum(p.numel() for p in pair.family.network.parameters())


def test_weights_that_are_used_as_stored_are_not_copied(checkpoint: Callable[[str], Path]) -> None:
    """Every tensor of the network lies in the mapping of the file."""
    folder = checkpoint("sd1")
    network = load("mapped", entry_of(folder)).network
    file = str(folder / "unet" / "diffusion_pytorch_model.safetensors")
    mapped = [
        tuple(int(end, 16) for end in line.split()[0].split("-"))
        for line in Path("/proc/self/maps").read_text().splitlines()
        if line.endswith(file)
    ]
    for name, tensor in network.state_dict().items():
        assert any(start <= tensor.data_ptr() < end for start, end in mapped), name
