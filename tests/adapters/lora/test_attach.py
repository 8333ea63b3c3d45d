"""LoRAs on a network: the sum that is printed, gone without a trace, and the same pixels in any company."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from tests.adapters.lora.making import lora_for, named, pairs_for, peft
from torch import nn

from triptych.adapters.lora import Fused, Shelf, attached, layers_of, shelf_of, write_lora
from triptych.core.asset import FileAsset
from triptych.core.errors import FileProblem, InvalidRequest
from triptych.core.inputs import Lora
from triptych.core.recipe import pixels_sha256
from triptych.core.request import Request
from triptych.engine import Engine
from triptych.library import Library

MODELS = ["flow", "diffusion", "tokens"]


def bits(network: nn.Module) -> str:
    digest = hashlib.sha256()
    for name, tensor in network.state_dict().items():
        digest.update(name.encode() + tensor.numpy().tobytes())
    return digest.hexdigest()


class Two(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Linear(8, 16)
        self.two = nn.Conv2d(16, 4, 3, padding=1)
        self.requires_grad_(False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, H, W, 8) -> (B, 4, H, W)."""
        return self.two(self.one(x).movedim(-1, 1))


@pytest.fixture
def network() -> Two:
    return Two()


@pytest.mark.parametrize("room", [2**20, 0], ids=["second weights", "terms"])
def test_attached_is_the_weight_plus_every_scaled_update(network: Two, tmp_path: Path, room: int) -> None:
    first, second = lora_for(network, tmp_path, seed=1, scale=0.8), lora_for(network, tmp_path, seed=2, scale=-0.5)
    x, by_hand, before = torch.randn(2, 5, 5, 8), Two(), bits(network)
    by_hand.load_state_dict(network.state_dict())
    for seed, scale in ((1, 0.8), (2, -0.5)):
        for name, (down, up) in pairs_for(network, seed=seed).items():
            weight = layers_of(by_hand)[name].weight
            weight += scale * (up.flatten(1) @ down.flatten(1)).view(weight.shape)
    shelf = Shelf(network, room)
    with torch.no_grad(), shelf.attached((first, second)):
        got = network(x)
    torch.testing.assert_close(got, by_hand(x), rtol=1e-4, atol=1e-5)
    with torch.no_grad(), shelf.attached((second, first)):
        assert torch.equal(network(x), got), "the order of a stack makes no difference"
    assert bits(network) == before
    torch.testing.assert_close(network(x), network(x), rtol=0, atol=0)


def test_fusing_is_undone_to_the_last_bit(network: Two, tmp_path: Path) -> None:
    lora, x = lora_for(network, tmp_path, scale=0.7), torch.randn(1, 4, 4, 8)
    before, plain = bits(network), network(x)
    with attached(network, (lora,)):
        while_attached = network(x)
    fused = Fused(network, (lora,))
    assert bits(network) != before
    assert torch.equal(network(x), while_attached), "fused and attached give the same bits"
    fused.unfuse()
    assert bits(network) == before
    assert torch.equal(network(x), plain)
    with pytest.raises(ValueError, match="already"):
        fused.unfuse()


def test_a_network_keeps_its_dtype(tmp_path: Path) -> None:
    network = Two().to(torch.bfloat16)
    lora, x = lora_for(network, tmp_path), torch.randn(1, 4, 4, 8, dtype=torch.bfloat16)
    for room in (2**20, 0):
        with torch.no_grad(), Shelf(network, room).attached((lora,)):
            assert network(x).dtype == torch.bfloat16
            assert torch.isfinite(network(x)).all()


def test_an_error_inside_leaves_the_network_as_it_was(network: Two, tmp_path: Path) -> None:
    lora, before = lora_for(network, tmp_path), bits(network)
    for room in (2**20, 0):
        with pytest.raises(RuntimeError, match="stop"), Shelf(network, room).attached((lora,)):
            raise RuntimeError("stop")
        assert bits(network) == before
        assert not any(layer._forward_hooks for layer in layers_of(network).values())


def test_none_attached_asks_for_nothing(network: Two) -> None:
    with attached(network, ()):
        assert network.one.weight is network._modules["one"].weight  # type: ignore[union-attr]


def test_a_missing_or_exchanged_file_is_told(network: Two, tmp_path: Path) -> None:
    lora = lora_for(network, tmp_path)
    from_recipe = Lora.model_validate_json(lora.model_dump_json())
    with pytest.raises(FileProblem, match="not at hand"):
        shelf_of(network).match(from_recipe)
    write_lora(lora.file.path, named(pairs_for(network, seed=9), peft("")), {})
    with pytest.raises(FileProblem, match="changed since"):
        Shelf(network).match(lora)


def test_one_of_another_model_is_refused_before_anything_is_attached(network: Two, tmp_path: Path) -> None:
    path = write_lora(
        tmp_path / "x.safetensors", named({"far.away": (torch.ones(2, 8), torch.ones(16, 2))}, peft("")), {}
    )
    with pytest.raises(InvalidRequest, match="another model"), attached(network, (Lora(file=FileAsset.of(path)),)):
        pytest.fail("was attached")


def hashes(library: Library, requests: list[Request]) -> list[str]:
    return [pixels_sha256(made[0].pixels) for made in Engine(library).generate_many(requests)]


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("room", [2**28, 0], ids=["second weights", "terms"])
@pytest.mark.parametrize("model", MODELS)
def test_same_pixels_in_any_company(
    tiny_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, room: int
) -> None:
    network = tiny_library.family(model).network  # type: ignore[attr-defined]
    shelf = Shelf(network, room)
    monkeypatch.setattr("triptych.adapters.lora.attach.shelf_of", lambda network: shelf)
    one, two = lora_for(network, tmp_path, seed=1, size=0.3), lora_for(network, tmp_path, seed=2, size=0.3)
    weaker = one.model_copy(update={"scale": 0.25})
    stacks = [(), (one,), (one,), (two,), (one, two), (weaker,)]
    walk = {} if model == "tokens" else {"steps": 3}
    requests = [
        Request(prompt="a red circle", seed=5 + (place == 2), model=model, loras=stack, **walk)
        for place, stack in enumerate(stacks)
    ]
    before = bits(network)
    alone = [hashes(tiny_library, [request])[0] for request in requests]
    assert len(set(alone)) == len(alone), "every set of LoRAs paints another picture"
    assert hashes(tiny_library, requests) == alone
    torch.set_num_threads(2)
    assert hashes(tiny_library, requests[::-1]) == alone[::-1]
    assert bits(network) == before
