"""The U-Net at its built-in size: same bits in any company, attachable plan, fresh weights, refusals."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from triptych.families.diffusion.unet import TextTime, UNet, UNetConfig

BUILT_IN = UNetConfig(
    in_channels=16,
    out_channels=16,
    block_out_channels=(64, 128, 160),
    layers_per_block=1,
    cross_attention=(False, True, True),
    transformer_layers=(1, 1, 1),
    heads=(2, 4, 5),
    cross_attention_dim=160,
    use_linear_projection=True,
)
TINY = UNetConfig(
    block_out_channels=(8, 16),
    layers_per_block=1,
    cross_attention=(False, True),
    transformer_layers=(1, 1),
    heads=(1, 2),
    cross_attention_dim=12,
    norm_num_groups=4,
)


def random(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def built(config: UNetConfig) -> UNet:
    """A network none of whose parameters is zero or one."""
    net = UNet(config).eval()
    noise = torch.Generator().manual_seed(0)
    for parameter in net.parameters():
        scale = 1.0 if parameter.ndim == 1 else parameter[0].numel() ** -0.5
        torch.nn.init.normal_(parameter, mean=0.0 if parameter.ndim > 1 else 0.1, std=scale, generator=noise)
    return net


@pytest.fixture(scope="module", params=[True, False], ids=["linear projection", "1x1 projection"])
def net(request: pytest.FixtureRequest) -> UNet:
    return built(UNetConfig(**{**vars(BUILT_IN), "use_linear_projection": request.param}))


def inputs(count: int, size: int = 16) -> dict[str, Tensor]:
    return {
        "x": random(1, count, 16, size, size),
        "t": torch.linspace(0, 999, count),
        "text": random(2, count, 40, 160),
        "text_mask": torch.arange(40)[None] < torch.arange(5, 5 + 2 * count, 2)[:, None],
        "position_input": random(3, count, 64, size, size),
    }


def run(net: UNet, rows: slice | list[int], given: dict[str, Tensor]) -> Tensor:
    with torch.no_grad():
        return net(**{name: value[rows] for name, value in given.items()})


@pytest.mark.parametrize("size", [16, 6], ids=["built-in size", "smaller"])
def test_same_bits_in_any_company(net: UNet, size: int) -> None:
    given = inputs(16, size)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        everyone = run(net, slice(16), given)
        for count in (1, 2, 3, 8):
            assert torch.equal(run(net, slice(count), given), everyone[:count]), f"in a batch of {count}"
        shuffled = [11, 3, 7]
        assert torch.equal(run(net, shuffled, given), everyone[shuffled]), "in another place of the batch"
        torch.set_num_threads(2)
        for count in (1, 8):
            assert torch.equal(run(net, slice(count), given), everyone[:count]), f"{count} with two threads"
    finally:
        torch.set_num_threads(threads)


def test_masked_tokens_are_not_read(net: UNet) -> None:
    given = inputs(2)
    before = run(net, slice(2), given)
    given["text"] = torch.where(given["text_mask"][..., None], given["text"], 9.0)
    assert torch.equal(run(net, slice(2), given), before)


def test_every_input_matters() -> None:
    net = built(BUILT_IN)
    given = inputs(2)
    before = run(net, slice(2), given)
    for name in ("x", "t", "text", "position_input"):
        after = run(net, slice(2), given | {name: given[name] + 1})
        assert not torch.allclose(after, before), name


def test_zero_position_input_is_the_bare_network() -> None:
    net = built(TINY)
    x, t, text = random(1, 2, 4, 8, 8), torch.tensor([1.0, 500.0]), random(2, 2, 5, 12)
    with torch.no_grad():
        bare = net(x, t, text)
        assert torch.equal(net(x, t, text, position_input=torch.zeros(2, 8, 8, 8)), bare)


def test_training_reaches_every_parameter_once_the_output_layer_has_moved() -> None:
    net = UNet(TINY)
    net.init_weights(torch.Generator().manual_seed(0))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    x, t, text = random(1, 3, 4, 8, 8), torch.tensor([1.0, 500.0, 900.0]), random(2, 3, 5, 12)
    assert net(x, t, text).abs().max() == 0, "a fresh network predicts nothing"
    for _ in range(3):
        optimizer.zero_grad()
        (net(x, t, text) - x).square().mean().backward()
        optimizer.step()
    still = [name for name, p in net.named_parameters() if p.grad is None or p.grad.abs().max() == 0]
    assert still == []


def test_fresh_weights_depend_on_the_generator_alone() -> None:
    first, second = UNet(TINY), UNet(TINY)
    first.init_weights(torch.Generator().manual_seed(7))
    second.init_weights(torch.Generator().manual_seed(7))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    second.init_weights(torch.Generator().manual_seed(8))
    assert not torch.equal(first.conv_in.weight, second.conv_in.weight)


def test_refuses_sizes_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="heads has 1 entries for 2 levels"):
        UNetConfig(**{**vars(TINY), "heads": (1,)})
    with pytest.raises(ValueError, match="3 heads"):
        UNetConfig(**{**vars(TINY), "heads": (1, 3)})
    with pytest.raises(ValueError, match="added"):
        UNet(TINY)(
            random(1, 1, 4, 8, 8),
            torch.zeros(1),
            random(2, 1, 5, 12),
            added=TextTime(pooled=random(3, 1, 8), sizes=torch.zeros(1, 6)),
        )
