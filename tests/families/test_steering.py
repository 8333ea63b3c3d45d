"""Control maps in the latent families: they change the picture, add up, end when told, and leave the base alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from triptych.adapters.control import KINDS, ControlAdapter
from triptych.core.asset import Asset
from triptych.core.capabilities import Capabilities
from triptych.core.errors import InvalidRequest
from triptych.core.recipe import pixels_sha256
from triptych.core.request import Request
from triptych.engine import Engine
from triptych.families.steering import Steers, fitted
from triptych.library import Library

from .painting import paint, resolved, walk

LATENT = ("flow", "diffusion")
MAPS = ("edges", "depth", "pose", "segmentation")


def drawn(seed: int, size: int = 64) -> Asset:
    """Some map: a bright rectangle on black."""
    pixels = np.zeros((size, size, 3), np.uint8)
    x, y = np.random.default_rng(seed).integers(0, size // 2, 2)
    pixels[y : y + size // 3, x : x + size // 3] = (255, 40 * seed % 255, 128)
    return Asset.of(pixels, f"map-{seed}")


def control(kind: str, seed: int = 1, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "map": drawn(seed), **more}


@pytest.fixture(params=LATENT)
def family(request: pytest.FixtureRequest, tiny_library: Library) -> Iterator[Any]:
    """A family that says that it takes maps, as the card of a model with an adapter does."""
    family: Any = tiny_library.family(request.param)
    before: Capabilities = family.capabilities
    family.capabilities = before.model_copy(update={"controls": MAPS})
    yield family
    family.capabilities = before


def weights(family: Any) -> str:
    digest = hashlib.sha256()
    for module in (family.network, family.plan_input):
        for name, tensor in sorted(module.state_dict().items()):
            digest.update(name.encode() + tensor.numpy().tobytes())
    return digest.hexdigest()


@pytest.mark.parametrize("kind", MAPS)
def test_a_map_changes_the_picture_and_another_map_changes_it_otherwise(family: Any, kind: str) -> None:
    plain = paint(family, steps=3)
    first, second = (paint(family, steps=3, controls=[control(kind, seed)]) for seed in (1, 2))
    assert not np.array_equal(plain, first)
    assert not np.array_equal(first, second)


def test_a_fresh_adapter_changes_nothing(family: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = ControlAdapter(family.control_points(), width=16, rank=16).requires_grad_(False).eval()
    plain = paint(family, steps=3)
    monkeypatch.setattr(family, "steers", Steers(lambda: fresh))
    assert np.array_equal(paint(family, steps=3, controls=[control("edges")]), plain)


def test_attaching_and_detaching_leaves_the_weights_bit_for_bit(family: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    steers = family.steers
    monkeypatch.setattr(family, "steers", None)
    before, plain = weights(family), paint(family, steps=2)
    monkeypatch.setattr(family, "steers", steers)
    assert not np.array_equal(paint(family, steps=2, controls=[control("depth")]), plain)
    assert weights(family) == before
    monkeypatch.setattr(family, "steers", None)
    assert np.array_equal(paint(family, steps=2), plain)


def test_the_adapter_is_loaded_at_the_first_map(family: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    real = family.steers
    monkeypatch.setattr(family, "steers", Steers(lambda: asked.append(1) or real.adapter))
    paint(family, steps=2)
    assert not asked
    paint(family, steps=2, controls=[control("pose")])
    paint(family, steps=2, controls=[control("pose", 2)])
    assert len(asked) == 1


@torch.inference_mode()
def test_features_add_and_weights_scale_them(family: Any) -> None:
    request = resolved(family, controls=[control("edges", 1, weight=0.5), control("depth", 2)], steps=2)
    (first, second) = family.steers.read(request, planned=True)
    both = family.steers.steer([[first, second], []])
    x = torch.randn(2, first.features[0].shape[0], family.control_points()[0].channels)
    summed = family.steers.adapter.steer(
        [torch.stack([0.5 * a + b, torch.zeros_like(a)]) for a, b in zip(first.features, second.features, strict=True)]
    )
    assert torch.equal(both(0, x), summed(0, x))
    assert not torch.equal(both(0, x)[0], x[0])
    assert torch.equal(both(0, x)[1], x[1])


def test_the_range_is_a_part_of_the_steps(family: Any) -> None:
    plain = walk(family, resolved(family, steps=6))
    late = walk(family, resolved(family, steps=6, controls=[control("edges", start=0.5)]))
    same = [torch.equal(a.sampler.x, b.sampler.x) for a, b in zip(plain, late, strict=True)]
    assert same == [True] * 4 + [False] * 3


def test_tokens_of_references_stay_as_they_are(family: Any) -> None:
    (one,) = family.steers.read(resolved(family, controls=[control("edges")]), planned=True)
    steer = family.steers.steer([[one]])
    N, C = one.features[0].shape[0], family.control_points()[0].channels
    x = torch.randn(1, N + 5, C)
    assert torch.equal(steer(0, x)[:, N:], x[:, N:])
    assert not torch.equal(steer(0, x)[:, :N], x[:, :N])


@pytest.mark.parametrize("model", LATENT)
def test_same_pixels_alone_and_in_mixed_company(tiny_library: Library, model: str) -> None:
    family: Any = tiny_library.family(model)
    before = family.capabilities
    family.capabilities = before.model_copy(update={"controls": MAPS})
    requests = [
        Request.make(prompt="a red circle", model=model, seed=1, steps=4),
        Request.make(prompt="two stars", model=model, seed=2, steps=5, controls=[control("edges")]),
        Request.make(
            prompt="a heart", model=model, seed=3, steps=4, guidance=1.0,
            controls=[control("segmentation", 2, weight=0.6, end=0.5), control("depth", 3)],
        ),
        Request.make(
            prompt="a ring", model=model, seed=4, steps=4, init=drawn(4), strength_map=drawn(5), strength=0.9
        ),
    ]  # fmt: skip
    try:
        alone = [_hashes(tiny_library, [request])[0] for request in requests]
        assert _hashes(tiny_library, requests) == alone
        assert _hashes(tiny_library, requests[::-1]) == alone[::-1]
    finally:
        family.capabilities = before


@pytest.mark.parametrize("model", LATENT)
@pytest.mark.usefixtures("threads")
def test_same_pixels_with_one_and_two_threads(tiny_library: Library, model: str) -> None:
    family: Any = tiny_library.family(model)
    before = family.capabilities
    family.capabilities = before.model_copy(update={"controls": MAPS})
    request = Request.make(prompt="two stars", model=model, seed=2, steps=3, controls=[control("edges")])
    try:
        torch.set_num_threads(1)
        one = _hashes(tiny_library, [request])
        torch.set_num_threads(2)
        assert _hashes(tiny_library, [request]) == one
    finally:
        family.capabilities = before


def _hashes(library: Library, requests: list[Request]) -> list[str]:
    return [pixels_sha256(pictures[0].pixels) for pictures in Engine(library).generate_many(requests)]


def test_a_partly_repainted_picture_is_a_map_of_its_own(family: Any) -> None:
    fields: dict[str, Any] = {"init": drawn(4), "strength_map": drawn(5), "strength": 1.0}
    (one,) = family.steers.read(resolved(family, **fields), planned=False)
    (other,) = family.steers.read(resolved(family, **fields | {"init": drawn(6)}), planned=False)
    assert not torch.equal(one.features[0], other.features[0])
    assert family.steers.read(resolved(family, init=drawn(4)), planned=False) == ()
    assert family.steers.read(resolved(family, **fields), planned=True) == (), "a plan says what belongs there"


def test_what_is_painted_anew_cannot_be_seen(family: Any) -> None:
    pixels = drawn(4).pixels.copy()
    open_ = np.zeros((64, 64), np.uint8)
    open_[10:40, 10:40] = 255
    other = pixels.copy()
    other[10:40, 10:40] = 77
    found = [
        family.steers.read(resolved(family, init=Asset.of(each), strength_map=Asset.of(open_)), planned=False)[0]
        for each in (pixels, other)
    ]
    assert all(torch.equal(a, b) for a, b in zip(found[0].features, found[1].features, strict=True))


def test_an_adapter_refuses_a_kind_that_it_was_not_trained_for(family: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    few = ControlAdapter(family.control_points(), kinds=("edges",), width=16, rank=16)
    monkeypatch.setattr(family, "steers", Steers(lambda: few))
    with pytest.raises(InvalidRequest, match="depth is not what this adapter was trained for"):
        family.steers.read(resolved(family, controls=[control("depth")]), planned=False)


def test_maps_of_another_size_keep_their_shape_lines_and_colours() -> None:
    line = np.zeros((512, 512, 3), np.uint8)
    line[:, 200] = 255
    thin = fitted("edges", Asset.of(line), (64, 64))
    assert thin.max() == 255
    assert (thin[:, :, 0] > 0).sum(axis=1).tolist() == [1] * 64
    assert thin[0, :, 0].argmax() == 25
    colours = np.zeros((100, 200, 3), np.uint8)
    colours[:, 100:] = (10, 200, 30)
    wide = fitted("segmentation", Asset.of(colours), (64, 64))
    assert {tuple(c) for c in wide.reshape(-1, 3).tolist()} == {(0, 0, 0), (10, 200, 30)}
    rows = np.flatnonzero(wide.any(axis=(1, 2)))
    assert (rows[0], rows[-1]) == (16, 47)


def test_every_kind_has_its_own_first_layer(family: Any) -> None:
    adapter = family.steers.adapter
    planes = torch.rand(1, 4, 64, 64)
    read = [adapter.features(planes, torch.tensor([number]))[0] for number in range(len(KINDS))]
    assert all(not torch.allclose(read[0], other) for other in read[1:])


def test_windows_of_a_wide_picture_see_their_own_part_of_a_map(family: Any) -> None:
    """Maps that differ on the right alone leave the left of the first prediction as it is."""
    blank, drawn_right = np.full((64, 256), 40, np.uint8), np.full((64, 256), 40, np.uint8)
    drawn_right[10:50, 200:] = 220
    predictions: list[torch.Tensor] = []
    for plane in (blank, drawn_right):
        one = {"kind": "depth", "map": Asset.of(plane)}
        request = resolved(family, steps=2, width=256, height=64, controls=[one])
        with torch.inference_mode():
            predictions.append(family.forward([family.begin(request, family.encode(request, None), 0)])[0])
    first, second = predictions
    assert first.shape == (16, 8, 32)
    assert torch.allclose(first[..., :8], second[..., :8], atol=1e-5)
    assert not torch.allclose(first[..., -6:], second[..., -6:], atol=1e-3)
