"""Tiles give what the whole picture gives; targets, transparency and memory are as told."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from tests.upscaling import reference

from triptych.core.errors import InvalidRequest
from triptych.upscaling.checkpoint import Model, load
from triptych.upscaling.enlarge import (
    ALIGNED,
    MAX_MARGIN,
    TILE,
    TILE_BYTES,
    bled,
    enlarge,
    passes,
    seen,
    spans,
    target_size,
    tile_side,
    upscaled,
)
from triptych.upscaling.network import Upscaler, UpscalerConfig

Loaded = Callable[[str], Model]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """Small models of each kind, with weights that make every layer count."""
    folder = tmp_path_factory.mktemp("upscalers")
    with torch.random.fork_rng():
        torch.manual_seed(3)
        ours = Upscaler(UpscalerConfig(8, 3))
        for parameter in ours.parameters():
            torch.nn.init.normal_(parameter, std=0.15)
    kinds = {
        "ours": ours.state_dict(),
        "esrgan": reference.rrdb_tensors("new", blocks=1),
        "folding": reference.rrdb_tensors("new", blocks=1, fold=2),
        "compact": reference.compact_tensors(),
        "span": reference.span_tensors() | {"no_norm": torch.zeros(1)},
    }
    for name, tensors in kinds.items():
        save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, folder / f"{name}.safetensors")
    return lambda name: load(folder / f"{name}.safetensors")


def noise(height: int, width: int, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (height, width, channels), dtype=np.uint8)


@pytest.mark.parametrize("kind", ["ours", "esrgan", "folding", "compact", "span"])
def test_tiles_are_exact(loaded: Loaded, kind: str) -> None:
    model = loaded(kind)
    assert model.margin <= MAX_MARGIN
    pixels = noise(77, 90)
    for scale in model.scales:
        whole = upscaled(pixels, model, scale, tile=1024)
        cut = upscaled(pixels, model, scale, tile=24)
        assert whole.shape == (77 * scale, 90 * scale, 3)
        assert np.abs(whole.astype(int) - cut).max() <= 1  # a value on the edge of rounding
        assert (whole != cut).mean() < 1e-4


def test_the_margin_is_needed(loaded: Loaded) -> None:
    """With less context than the network sees, seams appear: the test above can fail."""
    model = loaded("ours")
    blind = dataclasses.replace(model, margin=0)
    pixels = noise(64, 64)
    assert (upscaled(pixels, model, 2, tile=1024) != upscaled(pixels, blind, 2, tile=16)).mean() > 0.01


def test_what_the_margin_claims_is_what_a_pixel_sees(loaded: Loaded) -> None:
    for kind in ("ours", "compact", "span"):
        model, x = loaded(kind), torch.rand(1, 3, 81, 81, generator=torch.Generator().manual_seed(2))
        changed = x.clone()
        changed[..., 40, 40] += 0.5
        scale = model.scales[-1]
        moved = (model(x, scale) - model(changed, scale)).abs().amax(1)[0] > 0
        rows = torch.nonzero(moved.any(1))[:, 0] // scale
        reach = max(40 - int(rows.min()), int(rows.max()) - 40)
        assert model.margin - 1 <= reach <= model.margin


def test_spans_cover_everything_once() -> None:
    for length in (1, 15, 16, 17, 100):
        kept = [place for each in spans(length, 16, 4) for place in range(each.start, each.stop)]
        assert kept == list(range(length))
        assert all(each.see_from % ALIGNED == 0 for each in spans(length, 16, 4))


def test_tiles_fit_the_memory_that_they_are_given(loaded: Loaded) -> None:
    for kind in ("ours", "esrgan", "compact", "span"):
        model = loaded(kind)
        side = tile_side(model)
        assert side % ALIGNED == 0
        assert 16 <= side <= TILE
        large = dataclasses.replace(model, bytes_per_pixel=12_288)  # ESRGAN as published
        assert (tile_side(large) + 2 * seen(large)) ** 2 * 12_288 <= TILE_BYTES


@pytest.mark.parametrize(
    ("to", "scale", "size"),
    [(512, None, (512, 384)), (None, 2.0, (256, 192)), (None, 2.5, (320, 240)), (129, None, (129, 97))],
)
def test_targets(to: int | None, scale: float | None, size: tuple[int, int]) -> None:
    assert target_size(128, 96, to=to, scale=scale) == size


@pytest.mark.parametrize(("to", "scale"), [(128, None), (64, None), (None, 1.0), (None, -2.0), (None, float("nan"))])
def test_what_does_not_enlarge_is_refused(to: int | None, scale: float | None) -> None:
    with pytest.raises(InvalidRequest, match="does not enlarge a picture of 128x96"):
        target_size(128, 96, to=to, scale=scale)


def test_too_large_and_unclear_targets_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="8192 pixels a side"):
        target_size(4096, 10, to=None, scale=4.0)
    with pytest.raises(InvalidRequest, match="40 megapixels"):
        target_size(4000, 4000, to=8000, scale=None)
    with pytest.raises(InvalidRequest, match="not both"):
        target_size(64, 64, to=128, scale=2.0)


@pytest.mark.parametrize(
    ("factor", "chain"), [(2, (2,)), (1.5, (2,)), (3, (4,)), (4, (4,)), (5, (2, 4)), (16, (4, 4)), (64, (4, 4, 4))]
)
def test_the_passes_waste_least(factor: float, chain: tuple[int, ...]) -> None:
    assert passes((2, 4), factor) == chain


def test_a_four_times_model_makes_two_times_by_reducing() -> None:
    assert passes((4,), 2) == (4,)
    with pytest.raises(InvalidRequest, match="beyond 4 passes"):
        passes((2,), 40)


@pytest.mark.parametrize("size", [(40, 30), (80, 60), (90, 68), (160, 120), (170, 128)])
def test_any_size(loaded: Loaded, size: tuple[int, int]) -> None:
    made = enlarge(noise(24, 32), loaded("ours"), size)
    assert made.shape == (size[1], size[0], 3)


def test_progress_counts_every_tile(loaded: Loaded) -> None:
    told: list[tuple[int, int]] = []
    pixels = noise(24, 300, 4)
    enlarge(pixels, loaded("ours"), (1500, 120), on_tile=lambda done, total: told.append((done, total)))
    assert [done for done, _ in told] == list(range(1, told[-1][1] + 1))


def test_transparency_is_enlarged_and_hides_no_colour(loaded: Loaded) -> None:
    """A red disc whose surroundings are transparent and, unseen, green: no green may bleed into its rim."""
    model = loaded("ours")
    rows, columns = np.mgrid[:40, :40]
    inside = (rows - 20) ** 2 + (columns - 20) ** 2 < 150
    pixels = np.where(inside[..., None], [200, 20, 20, 255], [0, 255, 0, 0]).astype(np.uint8)
    plain = dataclasses.replace(model, module=_Bicubic())
    made = enlarge(pixels, plain, (160, 160))
    assert made.shape == (160, 160, 4)
    assert set(np.unique(made[[0, 80], [0, 80], 3])) == {0, 255}
    seen_pixels = made[made[..., 3] > 8]
    assert seen_pixels[:, 1].max() < 60
    opaque = enlarge(np.dstack([pixels[..., :3], np.full((40, 40), 255, np.uint8)]), plain, (80, 80))
    assert (opaque[..., 3] == 255).all()


def test_bleeding_keeps_what_can_be_seen() -> None:
    pixels = noise(30, 30, 4)
    pixels[:, :15, 3], pixels[:, 15:, 3] = 0, 200
    made = bled(pixels)
    assert (made[:, 15:] == pixels[:, 15:, :3]).all()
    assert np.abs(made[:, :15].astype(int).mean((0, 1)) - pixels[:, 15:, :3].mean((0, 1))).max() < 12
    nothing = np.zeros((5, 5, 4), np.uint8)
    assert (bled(nothing) == 0).all()


def test_untrained_it_is_the_bicubic_enlargement() -> None:
    """Torch's cubic has a = -0.75 and Pillow's -0.5: near, not equal."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = Upscaler(UpscalerConfig(8, 1))
    smooth = np.asarray(Image.fromarray(noise(6, 6)).resize((48, 48), Image.Resampling.BICUBIC))
    x = torch.from_numpy(smooth.copy()).permute(2, 0, 1)[None].float() / 255
    with torch.no_grad():
        made = network(x, 4)[0].permute(1, 2, 0).numpy() * 255
    truth = np.asarray(Image.fromarray(smooth).resize((192, 192), Image.Resampling.BICUBIC)).astype(float)
    assert np.abs(made - truth)[8:-8, 8:-8].max() < 6


class _Bicubic(torch.nn.Module):
    def forward(self, x: torch.Tensor, scale: int) -> torch.Tensor:
        return torch.nn.functional.interpolate(x, scale_factor=float(scale), mode="bicubic")
