"""A checkpoint in diffusers' layout: `model_index.json` and a folder for each part.

`model_index.json` names a library and a class for every part. They are compared with the list here and with nothing
else: what is not on it is refused, and no name in a file is ever imported (CVE-2026-44513 and its kin).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from triptych.core.errors import FileProblem
from triptych.core.weights import TensorInfo, read_header
from triptych.open_weights.found import Checkpoint, Part
from triptych.open_weights.jsonfile import Config, read_object

INDEX = "model_index.json"
MAX_SHARDS = 200

_SCHEDULERS = (
    "DDIMScheduler", "DPMSolverMultistepScheduler", "DPMSolverSinglestepScheduler", "EulerAncestralDiscreteScheduler",
    "EulerDiscreteScheduler", "FlowMatchEulerDiscreteScheduler", "HeunDiscreteScheduler", "LMSDiscreteScheduler",
    "PNDMScheduler", "DDPMScheduler", "UniPCMultistepScheduler", "KDPM2DiscreteScheduler", "DEISMultistepScheduler",
)  # fmt: skip
_CLIP = ("CLIPTextModel", "CLIPTextModelWithProjection")

PARTS: dict[str, dict[str, dict[str, tuple[str, ...]]]] = {
    "StableDiffusionPipeline": {
        "unet": {"diffusers": ("UNet2DConditionModel",)},
        "vae": {"diffusers": ("AutoencoderKL",)},
        "text_encoder": {"transformers": _CLIP},
        "tokenizer": {"transformers": ("CLIPTokenizer", "CLIPTokenizerFast")},
        "scheduler": {"diffusers": _SCHEDULERS},
    },
    "StableDiffusionXLPipeline": {
        "unet": {"diffusers": ("UNet2DConditionModel",)},
        "vae": {"diffusers": ("AutoencoderKL",)},
        "text_encoder": {"transformers": _CLIP},
        "text_encoder_2": {"transformers": _CLIP},
        "tokenizer": {"transformers": ("CLIPTokenizer", "CLIPTokenizerFast")},
        "tokenizer_2": {"transformers": ("CLIPTokenizer", "CLIPTokenizerFast")},
        "scheduler": {"diffusers": _SCHEDULERS},
    },
    "Flux2KleinPipeline": {
        "transformer": {"diffusers": ("Flux2Transformer2DModel",)},
        "vae": {"diffusers": ("AutoencoderKLFlux2",)},
        "text_encoder": {"transformers": ("Qwen3ForCausalLM",)},
        "tokenizer": {"transformers": ("Qwen2Tokenizer", "Qwen2TokenizerFast")},
        "scheduler": {"diffusers": _SCHEDULERS},
    },
}
"""By pipeline: its parts, and for each the libraries and classes that it may be of."""
BESIDE = {
    "safety_checker": {
        "stable_diffusion": ("StableDiffusionSafetyChecker",),
        "deprecated": ("StableDiffusionSafetyChecker",),
        "diffusers": ("StableDiffusionSafetyChecker",),
    },
    "feature_extractor": {"transformers": ("CLIPImageProcessor", "CLIPFeatureExtractor")},
    "image_encoder": {"transformers": ("CLIPVisionModelWithProjection",)},
}
"""Parts that public checkpoints bring along and that are not loaded here."""
_CLASS = re.compile(r"[A-Za-z][A-Za-z0-9]{0,80}")


def is_folder(path: Path) -> bool:
    return (path / INDEX).is_file()


def open_folder(path: Path) -> Checkpoint:
    """What lies in a diffusers folder; `FileProblem` with the reason for one that is damaged, foreign or hostile."""
    index = read_object(path / INDEX)
    pipeline = index.get("_class_name")
    if not isinstance(pipeline, str) or pipeline not in PARTS:
        raise FileProblem(f"{path / INDEX}: the pipeline {_shown(pipeline)} is not known ({', '.join(PARTS)} are)")
    expected = PARTS[pipeline]
    options = {name: value for name, value in index.items() if not isinstance(value, list) and name[0] != "_"}
    kinds = {name: _kind(path, name, value, expected) for name, value in index.items() if isinstance(value, list)}
    parts: dict[str, Part] = {}
    for name in expected:
        if kinds.get(name) is None:
            raise FileProblem(f"{path / INDEX}: a {pipeline} without {name} cannot paint")
        parts[name] = _part(path / name, str(kinds[name]))
    return Checkpoint(path, pipeline, parts, options)


def _kind(path: Path, name: str, value: list[Any], expected: dict[str, dict[str, tuple[str, ...]]]) -> str | None:
    """The class of a part, held against the list; None where the checkpoint leaves the part out."""
    allowed = expected.get(name) or BESIDE.get(name)
    if value == [None, None] and allowed is not None:
        return None
    if allowed is None:
        raise FileProblem(f"{path / INDEX}: a part {_shown(name)} is not known here")
    library, kind = value if len(value) == 2 else (None, None)
    known = allowed.get(library, ()) if isinstance(library, str) else ()
    if not isinstance(kind, str) or kind not in known:
        pairs = ", ".join(f"{each} {one}" for each, classes in allowed.items() for one in classes)
        raise FileProblem(f"{path / INDEX}: {name} is {_shown(library)} {_shown(kind)}; only {pairs} can be loaded")
    return kind if name in expected else None


def _part(folder: Path, kind: str) -> Part:
    if folder.is_symlink() and not folder.resolve().is_relative_to(folder.parent.resolve()):
        raise FileProblem(f"{folder} leads out of the checkpoint's folder")
    if "Tokenizer" in kind:
        return Part(kind, folder=folder)
    if kind.endswith("Scheduler"):
        return Part(kind, read_object(folder / "scheduler_config.json"), folder=folder)
    files = weight_files(folder)
    return Part(kind, read_object(folder / "config.json"), files, headers(files), folder=folder)


def weight_files(folder: Path) -> tuple[Path, ...]:
    """The safetensors files of a part: whole, in shards by an index, or of the variant fp16 if only that is there."""
    for stem in ("diffusion_pytorch_model", "model"):
        for variant in ("", ".fp16"):
            whole = folder / f"{stem}{variant}.safetensors"
            if whole.is_file():
                return (whole,)
            index = folder / f"{stem}.safetensors.index{variant}.json"
            if index.is_file():
                return _shards(index)
    pickled = sorted(one.name for ending in ("*.bin", "*.ckpt", "*.pt", "*.pth") for one in folder.glob(ending))
    if pickled:
        raise FileProblem(f"{folder} holds {pickled[0]}, a pickle, which can run code; only safetensors are loaded")
    raise FileProblem(f"there are no weights (*.safetensors) in {folder}")


def _shards(index: Path) -> tuple[Path, ...]:
    found = read_object(index).get("weight_map")
    names = set(found.values()) if isinstance(found, dict) and all(isinstance(n, str) for n in found.values()) else ()
    if not 0 < len(names) <= MAX_SHARDS:
        raise FileProblem(f"{index} lists no shards, or more than {MAX_SHARDS}")
    for name in names:
        if Path(name).name != name or not name.endswith(".safetensors"):
            raise FileProblem(f"{index}: {_shown(name)} is no safetensors file beside it")
    return tuple(index.parent / name for name in sorted(names))


def headers(files: tuple[Path, ...]) -> dict[str, TensorInfo]:
    """Every tensor of several files; `FileProblem` where one is damaged, or two hold the same."""
    found: dict[str, TensorInfo] = {}
    for file in files:
        own = read_header(file)
        if twice := found.keys() & own.keys():
            raise FileProblem(f"{file} holds {_shown(min(twice))}, which another shard holds too")
        found |= own
    return found


def config_of(part: Part, path: Path, name: str) -> Config:
    return Config(part.config, f"{name} of {path.name}")


def _shown(value: Any) -> str:
    text = repr(value)
    plain = "".join(character if character.isprintable() else "?" for character in text)
    return plain if len(plain) <= 80 else f"{plain[:77]}..."
