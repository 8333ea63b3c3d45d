"""The flow network on its own: batch invariance, positions, the plan's input, autocast, initial weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from triptych.families.flow.mmdit import MMDiT, MMDiTConfig, picture_ids, text_ids

CONFIG = MMDiTConfig(
    in_channels=16,
    out_channels=16,
    num_layers=1,
    num_single_layers=2,
    attention_head_dim=32,
    num_attention_heads=6,
    joint_attention_dim=48,
    axes_dims_rope=(4, 10, 10, 8),
    guidance_embeds=False,
)


@pytest.fixture(autouse=True)
def _restore_threads() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def network(config: MMDiTConfig = CONFIG) -> MMDiT:
    """A network whose every weight counts: trained-like values where `init_weights` puts zeros."""
    model = MMDiT(config).eval()
    generator = torch.Generator().manual_seed(0)
    model.init_weights(generator)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 2 and not parameter.any():
                parameter.normal_(std=0.05, generator=generator)
    return model


def inputs(batch: int, height: int = 8, width: int = 8, length: int = 24) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {
        "x": torch.randn(batch, height * width, CONFIG.in_channels, generator=generator),
        "text": torch.randn(batch, length, CONFIG.joint_attention_dim, generator=generator),
        "t": torch.rand(batch, generator=generator),
        "position_input": torch.randn(batch, height * width, CONFIG.width, generator=generator),
    }


def run(model: MMDiT, given: dict[str, torch.Tensor], height: int = 8, width: int = 8) -> torch.Tensor:
    return model(**given, img_ids=picture_ids(height, width), txt_ids=text_ids(given["text"].shape[1]))


@pytest.mark.parametrize("autocast", [False, True], ids=["float32", "bfloat16"])
@torch.no_grad()
def test_a_picture_has_the_same_bits_in_any_company_and_with_any_threads(autocast: bool) -> None:
    model, given = network(replace(CONFIG, num_single_layers=1)), inputs(16)
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        torch.set_num_threads(1)
        expected = run(model, given)
        for threads in (1, 2):
            torch.set_num_threads(threads)
            for batch in (1, 3, 8, 16):
                for start in {0, 16 - batch} if threads == 2 else {16 - batch}:
                    part = {name: value[start : start + batch].clone() for name, value in given.items()}
                    assert torch.equal(run(model, part), expected[start : start + batch]), (
                        threads,
                        batch,
                        start,
                    )


@torch.no_grad()
def test_positions_per_row_equal_shared_positions() -> None:
    model, given = network(), inputs(2)
    shared = run(model, given)
    rows = picture_ids(8, 8).expand(2, -1, -1)
    assert torch.equal(model(**given, img_ids=rows, txt_ids=text_ids(24)), shared)
    other = torch.stack([picture_ids(8, 8), picture_ids(8, 8, reference=1)])
    mixed = model(**given, img_ids=other, txt_ids=text_ids(24))
    assert torch.equal(mixed[0], shared[0])
    assert not torch.allclose(mixed[1], shared[1])


@torch.no_grad()
def test_a_table_kept_for_one_shape_is_not_used_for_other_positions_of_that_shape() -> None:
    model, given = network(), inputs(1)
    tall = run(model, given, 16, 4)
    wide = run(model, given, 4, 16)
    assert not torch.allclose(tall, wide)
    assert torch.equal(run(model, given, 16, 4), tall)


@torch.no_grad()
def test_position_input_is_added_and_none_is_the_bare_network() -> None:
    model, given = network(), inputs(2)
    with_input = run(model, given)
    given["position_input"] = torch.zeros_like(given["position_input"])
    zero = run(model, given)
    del given["position_input"]
    assert torch.equal(run(model, given), zero)
    assert not torch.allclose(zero, with_input)


def test_picture_and_text_ids() -> None:
    assert picture_ids(2, 3, reference=5).tolist() == [
        [5, 0, 0, 0],
        [5, 0, 1, 0],
        [5, 0, 2, 0],
        [5, 1, 0, 0],
        [5, 1, 1, 0],
        [5, 1, 2, 0],
    ]
    assert text_ids(3).tolist() == [[0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 2]]


def test_initial_network_predicts_zero_and_learns() -> None:
    model = MMDiT(CONFIG)
    model.init_weights(torch.Generator().manual_seed(0))
    given = inputs(4)
    target = given["x"].flip(0)
    assert not run(model, given).any()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    losses = []
    for _ in range(12):
        loss = (run(model, given) - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
    # Two steps after the first, gradients have reached every parameter, however deep.
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in model.parameters())


def test_initial_weights_depend_on_the_generator_only() -> None:
    one, two, other = MMDiT(CONFIG), MMDiT(CONFIG), MMDiT(CONFIG)
    one.init_weights(torch.Generator().manual_seed(3))
    two.init_weights(torch.Generator().manual_seed(3))
    other.init_weights(torch.Generator().manual_seed(4))
    for name, value in one.state_dict().items():
        assert torch.equal(value, two.state_dict()[name]), name
    assert not torch.equal(one.x_embedder.weight, other.x_embedder.weight)


def test_autocast_trains_close_to_float32() -> None:
    model, given = network(), inputs(2)
    gradients = []
    for autocast in (False, True):
        model.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            prediction = run(model, given)
        assert prediction.dtype == (torch.bfloat16 if autocast else torch.float32)
        prediction.float().square().mean().backward()
        gradients.append(torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None]))
    exact, approximate = gradients
    assert torch.nn.functional.cosine_similarity(exact, approximate, dim=0) > 0.999
    assert 0.98 < approximate.norm() / exact.norm() < 1.02


@torch.no_grad()
def test_a_table_made_while_sampling_serves_training() -> None:
    model, given = network(), inputs(1)
    with torch.inference_mode():
        run(model, given)
    with torch.enable_grad():
        run(model, given).sum().backward()
    assert model.x_embedder.weight.grad is not None


def test_axes_must_fill_the_head() -> None:
    with pytest.raises(ValueError, match="axes_dims_rope"):
        MMDiTConfig(attention_head_dim=32, axes_dims_rope=(8, 8, 8, 4))
    with pytest.raises(ValueError, match="even"):
        MMDiTConfig(attention_head_dim=32, axes_dims_rope=(9, 9, 9, 5))
