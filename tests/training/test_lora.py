"""Training a LoRA: the base stays as it is, a kill changes nothing, and the file is what every reader takes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from triptych.adapters.lora import Words, layers_of, match, read_lora, read_metadata
from triptych.adapters.lora.trained import TrainedLora
from triptych.core.asset import FileAsset
from triptych.core.errors import FileProblem, InvalidRequest
from triptych.core.inputs import Lora
from triptych.core.registry import Registry
from triptych.core.request import Request
from triptych.engine import Engine
from triptych.library import Library
from triptych.scenes import LEVELS, Sprites, caption, render, sample_scene
from triptych.training.lora import LoraRun, train_lora

MODELS = ["flow", "diffusion", "tokens"]
SAMPLES = 16


@pytest.fixture(scope="module")
def registry(tiny_folder: Path) -> Registry:
    return Registry().add_folder(tiny_folder)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five inverted scenes, of which the last has no caption."""
    folder = tmp_path_factory.mktemp("inverted")
    for number in range(5):
        scene = sample_scene(LEVELS["shapes"], 5, number)
        Image.fromarray(255 - render(scene, 64, Sprites.shapes())).save(folder / f"{number}.png")
        if number < 4:
            (folder / f"{number}.txt").write_text(caption(scene, 0, style="short"))
    return folder


def run_of(data: Path, out: Path, model: str = "flow", **fields: object) -> LoraRun:
    run = LoraRun(data, out / f"{model}.safetensors", model, rank=2, samples=SAMPLES, trigger="negative print", batch=4)
    return replace(run, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("model", MODELS)
def test_a_file_with_its_words_and_a_sheet_come_out(registry: Registry, data: Path, tmp_path: Path, model: str) -> None:
    lines: list[str] = []
    run = run_of(data, tmp_path, model)
    record = train_lora(run, registry, report=lines.append)
    assert (record["samples"], record["step"]) == (SAMPLES, 4)
    assert any(line.startswith("5 pictures") for line in lines)
    header = read_metadata(run.out)
    library = Library(registry)
    sha = library.parts.sha(model)
    assert Words.of(header) == Words("negative print", "", model, sha)
    assert header["modelspec.trigger_phrase"] == "negative print"
    assert json.loads(header["triptych"])["samples"] == SAMPLES
    assert "negative print" in json.loads(header["ss_tag_frequency"])[model]  # the caption of the one without
    found = library.lora(model, Lora(file=FileAsset.of(run.out)))
    assert found.report.whole
    assert all(term.scale == 1.0 for terms in found.terms.values() for term in terms)
    with Image.open(run.out.with_suffix(".png")) as sheet:
        assert sheet.width > sheet.height / 2


@pytest.mark.parametrize("model", MODELS)
def test_training_touches_no_weight_of_the_model_and_changes_its_pictures(
    registry: Registry, data: Path, tmp_path: Path, model: str
) -> None:
    before = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in _files(registry)}
    run = run_of(data, tmp_path, model, rate=0.02)
    train_lora(run, registry)
    assert before == {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in _files(registry)}
    request = Request(prompt="a red circle", model=model, seed=3, use_plan=False)
    with_it = request.model_copy(update={"loras": (Lora(file=FileAsset.of(run.out)),)})
    plain, changed = (made[0].pixels for made in Engine(Library(registry)).generate_many([request, with_it]))
    assert not np.array_equal(plain, changed)


def _files(registry: Registry) -> list[Path]:
    folders = [registry.find(card.name).folder for card in registry.models()]
    return [path for folder in folders if folder for path in sorted(folder.iterdir())]


def test_the_loss_of_what_is_shown_falls(registry: Registry, data: Path, tmp_path: Path) -> None:
    losses: list[float] = []
    for samples in (4, 240):
        run = run_of(data, tmp_path / str(samples), samples=samples, rate=0.02)
        losses.append(train_lora(run, registry)["loss"])
    assert losses[1] < 0.8 * losses[0]


def test_a_run_that_was_cut_short_goes_on_exactly(registry: Registry, data: Path, tmp_path: Path) -> None:
    whole, cut = run_of(data, tmp_path / "whole"), run_of(data, tmp_path / "cut")
    train_lora(whole, registry)
    train_lora(cut, registry, max_seconds=1e-6)
    assert cut.out.exists(), "a run that stops early leaves a LoRA as well"
    assert read_lora(cut.out).sha256 != read_lora(whole.out).sha256
    train_lora(cut, registry, resume=True)
    ours, theirs = read_lora(whole.out).tensors, read_lora(cut.out).tensors
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_own_pictures_are_painted_and_learned_from_as_well(registry: Registry, data: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    run = run_of(data, tmp_path, keep=True)
    train_lora(run, registry, report=lines.append)
    captions = json.loads(read_metadata(run.out)["ss_tag_frequency"])["flow"]
    own = {caption: count for caption, count in captions.items() if "negative print" not in caption}
    assert len(own) >= 2
    assert "the model's own" in lines[0]


def test_a_fresh_lora_changes_nothing_and_alpha_is_folded_into_the_file(registry: Registry) -> None:
    network = Library(registry).family("diffusion").network  # type: ignore[attr-defined]
    lora = TrainedLora(network, 2, 6.0, torch.Generator().manual_seed(0))
    kernels = [name for name in lora.layers if ".conv" in name]
    assert kernels, "residual convolutions take part"
    assert not any("time" in name for name in lora.layers)
    x, t, text = torch.randn(2, 16, 8, 8), torch.tensor([1.0, 900.0]), torch.randn(2, 32, 32)
    with torch.no_grad():
        plain = network(x, t, text)
        with lora.attached():
            assert torch.equal(network(x, t, text), plain)
        for up in lora.up.values():
            up.normal_(std=0.1)
        with lora.attached():
            changed = network(x, t, text)
    assert not torch.equal(changed, plain)
    tensors = lora.tensors("unet.")
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}
    from triptych.adapters.lora.file import LoraFile

    found = match(layers_of(network), LoraFile("made", "0" * 64, tensors))
    name = kernels[0]
    own = 3.0 * lora.up[name.replace(".", "/")] @ lora.down[name.replace(".", "/")].flatten(1)
    torch.testing.assert_close(found.terms[name][0].delta().flatten(1), own.detach(), rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"rank": 0}, InvalidRequest, "rank: 0"),
        ({"samples": 3}, InvalidRequest, "less than one batch"),
        ({"rate": 0.0}, InvalidRequest, "rate: 0"),
        ({"alpha": -1.0}, InvalidRequest, "alpha: -1"),
        ({"trigger": "", "like": "circle"}, InvalidRequest, "like: needs --trigger"),
        ({"trigger": "", "keep": True}, InvalidRequest, "keep: needs --trigger"),
        ({"model": "fox"}, FileProblem, "no model 'fox'"),
        ({"trigger": ""}, FileProblem, "have no caption"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_anything_is_written(
    registry: Registry, data: Path, tmp_path: Path, fields: dict[str, object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        train_lora(run_of(data, tmp_path, **fields), registry)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
