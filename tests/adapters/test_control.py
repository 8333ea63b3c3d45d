"""The control adapter on its own: what it adds, where, and what its input planes hold."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from triptych.adapters.control import KINDS, PLANES, ControlAdapter, Point, as_input, inpaint_planes, map_planes

POINTS = (Point(24, 8), Point(32, 16), Point(40, 32))


@pytest.fixture(scope="module")
def adapter() -> ControlAdapter:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = ControlAdapter(POINTS, width=16, rank=12)
        for layer in made.up:
            torch.nn.init.normal_(layer.weight, std=0.1)  # type: ignore[arg-type]
    return made.requires_grad_(False).eval()


def maps(count: int, side: int = 64) -> torch.Tensor:
    return torch.rand(count, PLANES, side, side, generator=torch.Generator().manual_seed(1))


def test_features_have_a_cell_for_every_token_of_their_point(adapter: ControlAdapter) -> None:
    features = adapter.features(maps(2), torch.tensor([0, 3]))
    assert [tuple(c.shape) for c in features] == [(2, 64, 12), (2, 16, 12), (2, 4, 12)]


def test_cells_lie_in_row_order(adapter: ControlAdapter) -> None:
    """A change in one corner of the map is felt in that corner's tokens most."""
    plain, touched = maps(1), maps(1)
    touched[..., 40:, :24] = 1 - touched[..., 40:, :24]  # lower left
    kind = torch.tensor([0])
    for c, d, point in zip(adapter.features(plain, kind), adapter.features(touched, kind), POINTS, strict=True):
        side = 64 // point.stride
        felt = (c - d).abs().sum(-1).view(side, side)
        assert felt.argmax() // side >= side // 2
        assert felt.argmax() % side < side // 2


def test_a_fresh_adapter_adds_nothing() -> None:
    fresh = ControlAdapter(POINTS, width=16, rank=12)
    steer = fresh.steer(fresh.features(maps(2), torch.tensor([1, 2])))
    for number, point in enumerate(POINTS):
        x = torch.randn(2, (64 // point.stride) ** 2, point.channels)
        assert torch.equal(steer(number, x), x)


def test_what_is_added_is_linear_in_what_the_maps_say(adapter: ControlAdapter) -> None:
    a, b = (adapter.features(maps(1), torch.tensor([kind])) for kind in (0, 1))
    x = torch.randn(1, 64, 24)

    def added(weight_a: float, weight_b: float) -> torch.Tensor:
        return adapter.steer([weight_a * c + weight_b * d for c, d in zip(a, b, strict=True)])(0, x) - x

    assert torch.allclose(added(0.5, 2.0), 0.5 * added(1, 0) + 2 * added(0, 1), atol=1e-5)
    assert not torch.allclose(added(1, 0), added(0, 1), atol=1e-3)
    assert torch.equal(added(0, 0), torch.zeros_like(x))


def test_it_looks_at_the_state_that_it_adds_to(adapter: ControlAdapter) -> None:
    steer = adapter.steer(adapter.features(maps(1), torch.tensor([0])))
    x, y = torch.randn(2, 1, 64, 24)
    assert not torch.allclose(steer(0, x) - x, steer(0, y) - y, atol=1e-3)


def test_spare_rows_take_the_last_map(adapter: ControlAdapter) -> None:
    steer = adapter.steer(adapter.features(maps(2), torch.tensor([0, 1])))
    x = torch.randn(2, 64, 24)
    spare = steer(0, torch.cat((x, x[1:], x[1:])))
    assert torch.allclose(spare[:2], steer(0, x), atol=1e-6)
    assert torch.equal(spare[2], spare[1])
    assert torch.equal(spare[3], spare[1])


def test_kinds_are_read_differently_and_all_of_them_learn() -> None:
    fresh = ControlAdapter(POINTS, width=16, rank=12)
    features = fresh.features(maps(1).expand(len(KINDS), -1, -1, -1), torch.arange(len(KINDS)))
    sum(c.square().sum() for c in features).backward()  # type: ignore[union-attr]
    assert fresh.embed.grad is not None
    assert (fresh.embed.grad.flatten(1).abs().sum(1) > 0).all()
    first = features[0].detach()
    assert all(not torch.allclose(first[0], other) for other in first[1:])


def test_planes_of_maps_and_of_pictures_with_an_open_part() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (16, 24, 3), dtype=np.uint8)
    planes = map_planes(pixels)
    assert planes.shape == (PLANES, 16, 24)
    assert np.array_equal(planes[:3].transpose(1, 2, 0), pixels)
    assert not planes[3].any()
    repaint = np.zeros((16, 24), np.uint8)
    repaint[:8], repaint[8:12] = 255, 51
    shown = inpaint_planes(pixels, repaint)
    assert not shown[:, :8].any()
    assert np.array_equal(shown[:3, 12:].transpose(1, 2, 0), pixels[12:])
    assert (shown[3, 8:12] == 204).all()
    assert np.abs(shown[:3, 8:12].transpose(1, 2, 0).astype(float) - pixels[8:12] * 0.8).max() <= 0.5
    assert float(as_input(torch.from_numpy(shown)[None]).max()) <= 1
