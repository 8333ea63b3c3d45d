"""Checkpoints that nobody may load, each with a name: what attackers, broken downloads and wrong tools leave behind.

Every case takes a good folder that it may change and returns the path that is then opened.
"""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

Case = Callable[[Path], Path]
CANARY = "canary"
UNET = "unet/diffusion_pytorch_model.safetensors"
VAE = "vae/diffusion_pytorch_model.safetensors"
TEXT = "text_encoder/model.safetensors"


class Boom:
    """A pickle that leaves a file when it is read."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.write_text, (self.place, "it ran")


def cases() -> dict[str, Case]:
    return {**pickles(), **headers(), **cut(), **contents(), **indexes(), **configs(), **layouts(), **vocabularies()}


# ------------------------------------------------------------------------------------------------- pickles and zips


def pickles() -> dict[str, Case]:
    def payload(folder: Path, protocol: int) -> bytes:
        return pickle.dumps({"weight": Boom(folder / CANARY)}, protocol=protocol)

    def archive(folder: Path, inner: str = "archive/data.pkl") -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as file:
            file.writestr(inner, payload(folder, 2))
        return buffer.getvalue()

    def named(place: str, protocol: int, folder: Path) -> Path:
        (folder / place).write_bytes(payload(folder, protocol))
        return folder

    def only(ending: str, folder: Path) -> Path:
        (folder / UNET).unlink()
        (folder / "unet" / f"diffusion_pytorch_model{ending}").write_bytes(archive(folder))
        return folder

    def alone(name: str, make: Callable[[Path], bytes], folder: Path) -> Path:
        (folder / name).write_bytes(make(folder))
        return folder / name

    found: dict[str, Case] = {}
    for protocol in range(6):
        for part, place in (("unet", UNET), ("vae", VAE), ("text", TEXT)):
            found[f"pickle of protocol {protocol} as {part}"] = partial(named, place, protocol)
    for ending in (".bin", ".ckpt", ".pt", ".pth"):
        found[f"only a pickle {ending}"] = partial(only, ending)
        found[f"one file {ending}"] = partial(alone, f"model{ending}", archive)
    for inner in ("archive/data.pkl", "DATA.PKL", "../data.pkl", "archive/data.pkl/"):
        found[f"zip with {inner} as one file"] = partial(alone, "model.safetensors", partial(archive, inner=inner))
    found["pickle as one file"] = partial(alone, "model.safetensors", partial(payload, protocol=4))

    def before(folder: Path) -> Path:
        (folder / UNET).write_bytes(archive(folder) + (folder / UNET).read_bytes())
        return folder

    def behind(folder: Path) -> Path:
        (folder / UNET).write_bytes((folder / UNET).read_bytes() + archive(folder))
        return folder

    return found | {"zip before the weights": before, "zip behind the weights": behind}


# ------------------------------------------------------------------------------------------- safetensors' headers


def headers() -> dict[str, Case]:
    def edited(change: Callable[[dict[str, Any]], Any], folder: Path, place: str = UNET) -> Path:
        header, payload = parts(folder / place)
        changed = change(header)
        return forged(folder, place, header if changed is None else changed, payload)

    def first(header: dict[str, Any]) -> dict[str, Any]:
        return header["conv_in.bias"]

    def setting(key: str, value: Any) -> Case:
        return partial(edited, lambda header: first(header).update({key: value}))

    def dropping(key: str) -> Case:
        return partial(edited, lambda header: first(header).pop(key) and None)

    def raw(text: bytes, folder: Path) -> Path:
        _, payload = parts(folder / UNET)
        return forged(folder, UNET, text, payload)

    def length(value: int, folder: Path) -> Path:
        data = (folder / UNET).read_bytes()
        (folder / UNET).write_bytes(value.to_bytes(8, "little") + data[8:])
        return folder

    def twice(folder: Path) -> Path:
        header, payload = parts(folder / UNET)
        text = json.dumps(header)[:-1] + ', "conv_in.bias": ' + json.dumps(header["conv_in.bias"]) + "}"
        return forged(folder, UNET, text.encode(), payload)

    def inner_twice(folder: Path) -> Path:
        header, payload = parts(folder / UNET)
        text = json.dumps(header).replace('"dtype": "F32"', '"dtype": "F32", "dtype": "F64"', 1)
        return forged(folder, UNET, text.encode(), payload)

    def bloat(folder: Path) -> Path:
        header, payload = parts(folder / UNET)
        empty = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
        return forged(folder, UNET, {**{f"x{n}": empty for n in range(100_001)}, **header}, payload)

    def padded(folder: Path) -> Path:
        header, payload = parts(folder / UNET)
        return forged(folder, UNET, json.dumps(header).encode() + b" " * (17 * 2**20), payload)

    def swapped(header: dict[str, Any]) -> None:
        a, b = header["conv_in.bias"], header["conv_in.weight"]
        a["data_offsets"], b["data_offsets"] = b["data_offsets"], a["data_offsets"]

    def overlap(header: dict[str, Any]) -> None:
        header["conv_in.bias"]["data_offsets"] = header["conv_norm_out.bias"]["data_offsets"]

    huge = 2**62
    found: dict[str, Case] = {
        "a name twice in the header": twice,
        "a key twice in an entry": inner_twice,
        "a hundred thousand entries": bloat,
        "a header of 17 MiB of blanks": padded,
        "offsets swapped": partial(edited, swapped),
        "two tensors on the same bytes": partial(edited, overlap),
        "header is a list": partial(raw, b"[]"),
        "header is a number": partial(raw, b"7"),
        "header is null": partial(raw, b"null"),
        "header is empty": partial(raw, b""),
        "header is not UTF-8": partial(raw, b"\xff\xfe{}"),
        "header is nested a million deep": partial(raw, b"[" * 1_000_000),
        "header is a long number": partial(raw, b"9" * 100_000),
        "header without tensors": partial(raw, b"{}"),
        "metadata alone": partial(raw, b'{"__metadata__": {"format": "pt"}}'),
        "entry is a list": partial(edited, lambda header: header | {"conv_in.bias": []}),
        "entry is null": partial(edited, lambda header: header | {"conv_in.bias": None}),
    }
    for key in ("dtype", "shape", "data_offsets"):
        found[f"entry without {key}"] = dropping(key)
    for name, value in {
        "unknown": "F128", "a number": 7, "null": None, "a list": ["F32"], "lower case": "f32", "a path": "../../x",
        "twice as wide": "F64", "half as wide": "F16",
    }.items():  # fmt: skip
        found[f"dtype is {name}"] = setting("dtype", value)
    for name, value in {
        "negative": [-32], "two negatives": [-4, -8], "huge": [huge], "overflowing": [2**33, 2**33], "a word": ["a"],
        "null": None, "nested": [[32]], "one too many": [33], "a text": "32", "fractions": [32.5],
    }.items():  # fmt: skip
        found[f"shape is {name}"] = setting("shape", value)
    for name, value in {
        "reversed": [128, 0], "beyond the file": [0, huge], "negative": [-128, 0], "one number": [0],
        "three": [0, 1, 2], "words": ["a", "b"], "null": None, "infinite": [0, float("inf")],
        "not a number": [float("nan"), 128],
    }.items():  # fmt: skip
        found[f"offsets are {name}"] = setting("data_offsets", value)
    for value in (0, 1, 2**31, 2**32, 2**63, 2**64 - 1):
        found[f"header length says {value}"] = partial(length, value)
    return found


def parts(path: Path) -> tuple[dict[str, Any], bytes]:
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def forged(folder: Path, place: str, header: Any, payload: bytes) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    (folder / place).write_bytes(len(text).to_bytes(8, "little") + text + payload)
    return folder


# ----------------------------------------------------------------------------------------------- cut and damaged


def cut(places: tuple[str, ...] = (UNET, VAE, TEXT)) -> dict[str, Case]:
    def kept(place: str, share: float, folder: Path) -> Path:
        data = (folder / place).read_bytes()
        (folder / place).write_bytes(data[: int(len(data) * share)])
        return folder

    def short(place: str, folder: Path) -> Path:
        (folder / place).write_bytes((folder / place).read_bytes()[:-1])
        return folder

    def longer(place: str, folder: Path) -> Path:
        (folder / place).write_bytes((folder / place).read_bytes() + b"\0")
        return folder

    def missing(place: str, folder: Path) -> Path:
        (folder / place).unlink()
        return folder

    def page(place: str, folder: Path) -> Path:
        (folder / place).write_text("<!DOCTYPE html><html><body>404</body></html>")
        return folder

    def pointer(place: str, folder: Path) -> Path:
        text = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 3438167540\n"
        (folder / place).write_text(text)
        return folder

    found: dict[str, Case] = {}
    for place in places:
        name = place.split("/")[0]
        for share in (0.0, 0.5, 0.99):
            found[f"{name} cut to {share:.0%}"] = partial(kept, place, share)
        found[f"{name} one byte short"] = partial(short, place)
        found[f"{name} one byte long"] = partial(longer, place)
        found[f"{name} missing"] = partial(missing, place)
        found[f"{name} is a web page"] = partial(page, place)
        found[f"{name} is a pointer of git-lfs"] = partial(pointer, place)
    return found


# ------------------------------------------------------------------------------------------- tensors that do not fit


def contents() -> dict[str, Case]:
    def changed(place: str, change: Callable[[dict[str, torch.Tensor]], None], folder: Path) -> Path:
        tensors = load_file(folder / place)
        change(tensors)
        save_file(tensors, folder / place)
        return folder

    def poisoned(value: float, place: str, folder: Path) -> Path:
        def poison(tensors: dict[str, torch.Tensor]) -> None:
            name = sorted(tensors)[len(tensors) // 2]
            tensors[name].view(-1)[-1] = value

        return changed(place, poison, folder)

    def without(tensors: dict[str, torch.Tensor]) -> None:
        del tensors[sorted(tensors)[0]]

    def beside(tensors: dict[str, torch.Tensor]) -> None:
        tensors["added.weight"] = torch.zeros(3)

    def renamed(tensors: dict[str, torch.Tensor]) -> None:
        name = sorted(tensors)[0]
        tensors["\x1b[31m" + name] = tensors.pop(name)

    def grown(tensors: dict[str, torch.Tensor]) -> None:
        name = sorted(tensors)[0]
        tensors[name] = torch.cat([tensors[name], tensors[name]])

    def turned(tensors: dict[str, torch.Tensor]) -> None:
        name = next(name for name in sorted(tensors) if tensors[name].ndim == 2 and len(set(tensors[name].shape)) == 2)
        tensors[name] = tensors[name].t().contiguous()

    def none(tensors: dict[str, torch.Tensor]) -> None:
        tensors.clear()
        tensors["x"] = torch.zeros(1)

    found: dict[str, Case] = {}
    for place in (UNET, VAE, TEXT):
        name = place.split("/")[0]
        found[f"{name} with one NaN"] = partial(poisoned, float("nan"), place)
        found[f"{name} with one infinity"] = partial(poisoned, float("-inf"), place)
        for what, change in {
            "one tensor missing": without, "one tensor too many": beside, "a terminal's escape in a name": renamed,
            "one tensor twice as large": grown, "one matrix turned": turned, "other tensors": none,
        }.items():  # fmt: skip
            if place != VAE or change is not turned:  # all its matrices are square
                found[f"{name} with {what}"] = partial(changed, place, change)
    return found


# --------------------------------------------------------------------------------------------------- model_index.json


def indexes() -> dict[str, Case]:
    def edited(change: dict[str, Any], folder: Path) -> Path:
        index = json.loads((folder / "model_index.json").read_text())
        for name, value in change.items():
            if value is ...:
                index.pop(name)
            else:
                index[name] = value
        (folder / "model_index.json").write_text(json.dumps(index))
        return folder

    def raw(text: str, folder: Path) -> Path:
        (folder / "model_index.json").write_text(text)
        return folder

    def local(folder: Path) -> Path:
        (folder / "evil.py").write_text(f"open({str(folder / CANARY)!r}, 'w').close()\nclass Pipeline: pass\n")
        (folder / "unet" / "evil.py").write_text(f"open({str(folder / CANARY)!r}, 'w').close()\n")
        return edited({"_class_name": ["evil", "Pipeline"], "unet": ["evil", "Pipeline"]}, folder)

    found: dict[str, Case] = {"code beside it, named as the pipeline": local}
    for name, value in {
        "os": ["os", "system"], "subprocess": ["subprocess", "Popen"], "builtins": ["builtins", "eval"],
        "importlib": ["importlib", "import_module"], "torch": ["torch", "load"], "a local file": ["pipeline", "UNet"],
        "a dotted name": ["diffusers.utils", "load"], "another class": ["diffusers", "StableDiffusionPipeline"],
        "a library of another case": ["Diffusers", "UNet2DConditionModel"], "a path": ["../../evil", "UNet"],
        "a space behind": ["diffusers ", "UNet2DConditionModel"], "numbers": [1, 2], "one word": ["diffusers"],
        "three words": ["diffusers", "UNet2DConditionModel", "x"], "nothing": [None, None], "an empty list": [],
        "nested": [["diffusers"], "UNet2DConditionModel"], "an object": [{"a": 1}, "UNet2DConditionModel"],
        "transformers": ["transformers", "AutoModel"],
    }.items():  # fmt: skip
        found[f"unet is {name}"] = partial(edited, {"unet": value})
    for name, value in {
        "unknown": "EvilPipeline", "missing": ..., "a list": ["os", "system"], "a number": 3, "empty": "",
        "remote": "hf://evil/pipeline", "long": "A" * 10_000,
    }.items():  # fmt: skip
        found[f"the pipeline is {name}"] = partial(edited, {"_class_name": value})
    for part in ("unet", "vae", "text_encoder", "tokenizer", "scheduler"):
        found[f"without {part}"] = partial(edited, {part: ...})
    found["a part that no pipeline has"] = partial(edited, {"hook": ["diffusers", "UNet2DConditionModel"]})
    found["a part that leads out"] = partial(edited, {"../unet": ["diffusers", "UNet2DConditionModel"]})
    for name, text in {
        "is empty": "", "is a list": "[]", "is cut": '{"_class_name": "Stable', "is nested deep": "[" * 200_000,
        "holds a name twice": '{"_class_name": "StableDiffusionPipeline", "_class_name": "x"}',
        "holds zeros": "\0" * 100, "is YAML": "!!python/object/apply:os.system ['true']",
    }.items():  # fmt: skip
        found[f"the index {name}"] = partial(raw, text)
    return found


# ---------------------------------------------------------------------------------------------------- configurations


def configs() -> dict[str, Case]:
    def edited(place: str, change: dict[str, Any], folder: Path) -> Path:
        path = folder / place
        path.write_text(json.dumps(json.loads(path.read_text()) | change))
        return folder

    unet, vae = "unet/config.json", "vae/config.json"
    text, scheduler = "text_encoder/config.json", "scheduler/scheduler_config.json"
    changes: list[tuple[str, str, Any]] = [
        (unet, "block_out_channels", [2**30, 2**30]), (unet, "block_out_channels", [-32, 64]),
        (unet, "block_out_channels", []), (unet, "block_out_channels", "32"), (unet, "block_out_channels", [33, 65]),
        (unet, "layers_per_block", 10**9), (unet, "layers_per_block", 0), (unet, "layers_per_block", [1, 2]),
        (unet, "attention_head_dim", 0), (unet, "attention_head_dim", 7), (unet, "attention_head_dim", [4]),
        (unet, "cross_attention_dim", 2**40), (unet, "cross_attention_dim", 64), (unet, "cross_attention_dim", "32"),
        (unet, "down_block_types", ["os.system"]), (unet, "down_block_types", 3), (unet, "norm_num_groups", 0),
        (unet, "in_channels", 9), (unet, "in_channels", 10**12), (unet, "act_fn", "eval"),
        (unet, "transformer_layers_per_block", 10**6), (unet, "class_embed_type", "timestep"),
        (unet, "sample_size", 10**9), (unet, "norm_eps", "0"), (unet, "addition_embed_type", "text_time"),
        (vae, "block_out_channels", [2**30]), (vae, "block_out_channels", [8, 8]), (vae, "latent_channels", 16),
        (vae, "latent_channels", 10**9), (vae, "scaling_factor", 0), (vae, "scaling_factor", "x"),
        (vae, "norm_num_groups", 0), (vae, "layers_per_block", 10**9), (vae, "act_fn", "exec"),
        (text, "hidden_size", 10**9), (text, "hidden_size", 33), (text, "num_hidden_layers", 10**9),
        (text, "vocab_size", 10), (text, "vocab_size", 10**12), (text, "num_attention_heads", 5),
        (text, "hidden_act", "__import__('os')"), (text, "max_position_embeddings", 10**9),
        (scheduler, "beta_schedule", "evil"), (scheduler, "beta_start", float("nan")), (scheduler, "beta_end", 2),
        (scheduler, "num_train_timesteps", 10**12), (scheduler, "prediction_type", "flow"),
        (scheduler, "trained_betas", [0.1]), (scheduler, "beta_start", 0.5),
    ]  # fmt: skip
    found: dict[str, Case] = {}
    for place, key, value in changes:
        shown = str(value)[:24]
        found[f"{place.split('/')[0]}: {key} is {shown}"] = partial(edited, place, {key: value})
    return found


# ------------------------------------------------------------------------------------------------ folders and shards


def layouts() -> dict[str, Case]:
    def sharded(names: dict[str, Any], folder: Path) -> Path:
        (folder / UNET).rename(folder / "unet" / "part.safetensors")
        index = folder / "unet" / "diffusion_pytorch_model.safetensors.index.json"
        index.write_text(json.dumps({"weight_map": names}))
        return folder

    def both(folder: Path) -> Path:
        data = (folder / UNET).read_bytes()
        (folder / "unet" / "other.safetensors").write_bytes(data)
        return sharded({"a": "part.safetensors", "b": "other.safetensors"}, folder)

    def empty(folder: Path) -> Path:
        (folder / "empty").mkdir()
        return folder / "empty"

    def nothing(folder: Path) -> Path:
        return folder / "nowhere"

    def link(folder: Path) -> Path:
        (folder / "unet").rename(folder.parent / f"{folder.name}-elsewhere")
        (folder / "unet").symlink_to(folder.parent / f"{folder.name}-elsewhere")
        return folder

    def folder_as_file(folder: Path) -> Path:
        (folder / UNET).unlink()
        (folder / UNET).mkdir()
        return folder

    def without(name: str, folder: Path) -> Path:
        (folder / name).unlink()
        return folder

    found: dict[str, Case] = {
        "an empty folder": empty,
        "a path that is not there": nothing,
        "a part that is a link out of the folder": link,
        "weights that are a folder": folder_as_file,
        "shards that hold the same tensors": both,
        "a shard that is missing": partial(sharded, {"a": "gone.safetensors"}),
        "a shard above the folder": partial(sharded, {"a": "../../model.safetensors"}),
        "a shard at an absolute path": partial(sharded, {"a": "/etc/passwd"}),
        "a shard that is a pickle": partial(sharded, {"a": "part.bin"}),
        "shards without names": partial(sharded, {"a": 3}),
        "no shards": partial(sharded, {}),
        "a thousand shards": partial(sharded, {str(n): f"{n}.safetensors" for n in range(1000)}),
    }
    for name in ("unet/config.json", "vae/config.json", "text_encoder/config.json", "scheduler/scheduler_config.json"):
        found[f"without {name}"] = partial(without, name)
    return found


def vocabularies() -> dict[str, Case]:
    def edited(change: Callable[[dict[str, Any]], Any], folder: Path) -> Path:
        path = folder / "tokenizer" / "tokenizer.json"
        found = json.loads(path.read_text())
        change(found)
        path.write_text(json.dumps(found))
        return folder

    def settings(change: dict[str, Any], folder: Path) -> Path:
        path = folder / "tokenizer" / "tokenizer_config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | change))
        return folder

    def model(**change: Any) -> Case:
        return partial(edited, lambda found: found["model"].update(change))

    def beyond(found: dict[str, Any]) -> None:
        found["model"]["vocab"]["fox"] = 10**9

    return {
        "a vocabulary without merges": model(merges=None),
        "a merge of three": model(merges=[["a", "b", "c"]]),
        "a merge of numbers": model(merges=[[1, 2]]),
        "a merge of unknown tokens": model(merges=[["never", "seen"]]),
        "a vocabulary that is a list": model(vocab=["a"]),
        "a vocabulary with words as numbers": model(vocab={"a": "1"}),
        "an empty vocabulary": model(vocab={}, merges=[]),
        "a token beyond the network": partial(edited, beyond),
        "no model": partial(edited, lambda found: found.pop("model")),
        "a padding token that is not there": partial(settings, {"pad_token": "<|nowhere|>"}),
        "a padding token that is a list": partial(settings, {"pad_token": ["a"]}),
        "prompts of a million tokens": partial(settings, {"model_max_length": 10**6}),
        "prompts of no token": partial(settings, {"model_max_length": 0}),
    }
