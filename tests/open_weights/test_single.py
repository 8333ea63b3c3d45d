"""One file is recognised by its names and shapes, and paints what the same weights paint in a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from triptych.core.errors import FileProblem
from triptych.evals.parity.compare import Pair
from triptych.open_weights.cards import entry_of
from triptych.open_weights.loading import load

from .one_file import write_one_file

diffusers = pytest.importorskip("diffusers")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # the reference's own


@pytest.mark.parametrize("kind", ["sd1", "sd2", "sdxl"])
def test_the_same_picture_as_from_a_folder(checkpoint: Callable[[str], Path], tmp_path: Path, kind: str) -> None:
    folder = checkpoint(f"{kind}-shapes")
    path = write_one_file(folder, tmp_path / "model.safetensors", kind)
    pair = Pair(folder)
    request = pair.request("euler", 5.0)
    expected = pair.ours(request)
    pair.family = load("checkpoint", entry_of(path))
    assert np.abs(pair.ours(request) - expected).max() <= 1e-6

    theirs: Any = diffusers.UNet2DConditionModel.from_single_file(
        str(path), config=str(folder), subfolder="unet", local_files_only=True
    )
    for name, tensor in pair.family.network.state_dict().items():
        assert bool((theirs.state_dict()[name] == tensor).all()), name
    theirs = diffusers.AutoencoderKL.from_single_file(
        str(path), config=str(folder), subfolder="vae", local_files_only=True
    )
    for name, tensor in pair.family.autoencoder.state_dict().items():
        assert bool((theirs.state_dict()[name] == tensor).all()), name


def test_what_is_no_checkpoint_says_what_it_seems_to_be(tmp_path: Path, checkpoint: Callable[[str], Path]) -> None:
    vae = load_file(checkpoint("sd1") / "vae" / "diffusion_pytorch_model.safetensors")
    save_file(vae, tmp_path / "vae.safetensors")
    with pytest.raises(FileProblem, match="an autoencoder alone"):
        entry_of(tmp_path / "vae.safetensors")
