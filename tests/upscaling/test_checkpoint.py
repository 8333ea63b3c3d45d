"""Public checkpoints: every layout is recognised from its names and computes what its architecture says."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tests.upscaling import reference

from triptych.core.errors import FileProblem
from triptych.upscaling.checkpoint import build, load
from triptych.upscaling.network import Upscaler, UpscalerConfig

PICTURE = torch.rand(1, 3, 12, 16, generator=torch.Generator().manual_seed(0))


def close(made: torch.Tensor, wanted: torch.Tensor) -> None:
    assert made.shape == wanted.shape
    assert torch.allclose(made, wanted, atol=1e-5 * float(wanted.abs().max()), rtol=1e-4)


@pytest.mark.parametrize("layout", ["new", "trunk", "old"])
@pytest.mark.parametrize("doublings", [1, 2, 3])
def test_esrgan_in_each_of_its_layouts(layout: str, doublings: int) -> None:
    network, scales = build(reference.rrdb_tensors(layout, doublings=doublings), "file")
    assert scales == (2**doublings,)
    truth = reference.rrdb(reference.rrdb_tensors("new", doublings=doublings), PICTURE, doublings=doublings)
    close(network(PICTURE, scales[0]), truth)


def test_realesrgan_that_folds_its_picture_first() -> None:
    tensors = reference.rrdb_tensors("new", fold=2, blocks=3, growth=6)
    network, scales = build(tensors, "file")
    assert scales == (2,)
    close(network(PICTURE, 2), reference.rrdb(tensors, PICTURE, fold=2, blocks=3))
    assert network(PICTURE[..., :11, :13], 2).shape == (1, 3, 22, 26)  # sides that two does not divide


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_compact(scale: int) -> None:
    tensors = reference.compact_tensors(scale=scale)
    network, scales = build(tensors, "file")
    assert scales == (scale,)
    close(network(PICTURE, scale), reference.compact(tensors, PICTURE, scale=scale))


@pytest.mark.parametrize("normed", [True, False])
def test_span_sums_its_branches(normed: bool) -> None:
    tensors = reference.span_tensors()
    if not normed:
        tensors["no_norm"] = torch.zeros(1)
    network, scales = build(tensors, "file")
    assert scales == (2,)
    wide = torch.rand(1, 3, 80, 80, generator=torch.Generator().manual_seed(1))
    made, truth = network(wide, 2), reference.span(tensors, wide, normed=normed)
    middle = (..., slice(46, -46), slice(46, -46))  # the frame of a chain is padded before its first step, not inside
    close(made[middle], truth[middle])


def test_a_span_of_sums_alone_equals_the_one_of_branches() -> None:
    tensors = reference.span_tensors()
    whole, _ = build(tensors, "file")
    sums = {name: tensor for name, tensor in tensors.items() if not name.startswith(("conv_1", "conv_2", "block_"))}
    for name, tensor in whole.state_dict().items():
        if name.startswith(("conv_1", "conv_2", "block_")):
            layer, _, kind = name.rpartition(".")
            sums[f"{layer}.eval_conv.{kind}"] = tensor
    alone, _ = build(sums, "file")
    assert torch.equal(alone(PICTURE, 2), whole(PICTURE, 2))


def test_the_averaged_weights_win_over_the_plain_ones() -> None:
    plain, averaged = reference.compact_tensors(), reference.compact_tensors()
    averaged = {name: tensor * 0.5 for name, tensor in averaged.items()}
    both = {f"params.{name}": tensor for name, tensor in plain.items()}
    both |= {f"params_ema.module.{name}": tensor for name, tensor in averaged.items()}
    network, _ = build(both, "file")
    close(network(PICTURE, 4), reference.compact(averaged, PICTURE))


def test_the_built_in_kind_is_known_by_its_heads(tmp_path: Path) -> None:
    ours = Upscaler(UpscalerConfig(8, 2, (2, 4)))
    for head in ours.heads.values():
        torch.nn.init.normal_(head.weight, std=0.1)  # type: ignore[arg-type]
    save_file({name: tensor.half() for name, tensor in ours.state_dict().items()}, tmp_path / "ours.safetensors")
    model = load(tmp_path / "ours.safetensors")
    assert (model.scales, model.name, model.fast) == ((2, 4), "upscaler", True)
    for scale in (2, 4):
        with torch.no_grad():
            assert torch.allclose(model(PICTURE, scale), ours(PICTURE, scale), atol=2e-3)


# What is not as it should be


def test_names_without_a_place_are_told() -> None:
    tensors = reference.rrdb_tensors("old")
    tensors["model.1.sub.0.RDB1.conv1x1.weight"] = torch.zeros(4, 8, 1, 1)  # ESRGAN+ has these; it is another network
    with pytest.raises(FileProblem, match=r"no place for: model\.1\.sub\.0\.RDB1\.conv1x1\.weight"):
        build(tensors, "file")


def test_missing_names_are_told() -> None:
    tensors = reference.rrdb_tensors("new")
    del tensors["body.1.rdb2.conv3.bias"]
    with pytest.raises(FileProblem, match=r"lacks body\.1\.rdb2\.conv3\.bias"):
        build(tensors, "file")


def test_another_network_is_refused_with_its_names() -> None:
    with pytest.raises(FileProblem, match=r"no network that is known.*SPAN.*layers\.0\.attn\.weight"):
        build({"layers.0.attn.weight": torch.zeros(4, 4)}, "file")


def test_a_tensor_of_the_wrong_size_is_told() -> None:
    tensors = reference.compact_tensors()
    tensors["body.2.weight"] = tensors["body.2.weight"][:, :4]
    with pytest.raises(FileProblem, match=r"body\.2\.weight is \(8, 4, 3, 3\).*\(8, 8, 3, 3\)"):
        build(tensors, "file")


def test_a_number_cannot_ask_for_a_million_blocks() -> None:
    tensors = reference.rrdb_tensors("new")
    tensors["body.999999999.rdb1.conv1.weight"] = torch.zeros(1)
    with pytest.raises(FileProblem, match="without a gap"):
        build(tensors, "file")


def test_grey_networks_activations_without_weights_and_nothing_numbers_are_refused() -> None:
    grey = reference.compact_tensors()
    grey["body.8.weight"], grey["body.8.bias"] = grey["body.8.weight"][:16], grey["body.8.bias"][:16]
    with pytest.raises(FileProblem, match="only RGB"):
        build(grey, "file")
    silent = {name: tensor for name, tensor in reference.compact_tensors().items() if name != "body.1.weight"}
    with pytest.raises(FileProblem, match="which ones they are the file does not say"):
        build(silent, "file")
    broken = reference.compact_tensors()
    broken["body.4.bias"][0] = float("nan")
    with pytest.raises(FileProblem, match=r"body\.4\.bias holds values that are no numbers"):
        build(broken, "file")


def test_a_network_that_does_not_enlarge_is_refused() -> None:
    with pytest.raises(FileProblem, match="enlarges 1 times"):
        build(reference.rrdb_tensors("new", doublings=1, fold=2), "file")


@pytest.mark.parametrize("legacy", [True, False])
def test_pickles_are_never_read(tmp_path: Path, legacy: bool) -> None:
    path = tmp_path / "4x.pth"
    torch.save(reference.compact_tensors(), path, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(FileProblem, match=r"is a pickle, .* convert it to safetensors"):
        load(path)


def test_a_file_that_is_not_there_and_one_that_is_cut(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="no such file"):
        load(tmp_path / "none.safetensors")
    path = tmp_path / "cut.safetensors"
    save_file(reference.compact_tensors(), path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(FileProblem, match="truncated"):
        load(path)
