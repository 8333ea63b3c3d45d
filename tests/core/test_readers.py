from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from triptych.core import comfyui
from triptych.core.errors import FileProblem, TriptychError
from triptych.core.events import Pixels
from triptych.core.metadata import EXIF_POINTER, USER_COMMENT, encode_picture, save_picture
from triptych.core.readers import Settings, clean, read_pixels, read_recipe, read_settings
from triptych.core.recipe import Recipe

COMFY_PROMPT: dict[str, Any] = {
    "3": {
        "class_type": "KSampler",
        "inputs": {
            "seed": 156680208700286,
            "steps": 20,
            "cfg": 8,
            "sampler_name": "euler",
            "scheduler": "normal",
            "model": ["4", 0],
            "positive": ["10", 0],
            "negative": ["7", 0],
            "latent_image": ["5", 0],
        },
    },
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "v1-5.safetensors"}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 768, "batch_size": 1}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "watermark", "clip": ["4", 1]}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a glass bottle", "clip": ["4", 1]}},
    "10": {"class_type": "FluxGuidance", "inputs": {"conditioning": ["6", 0]}},
}
COMFY_WORKFLOW = {
    "nodes": [
        {"id": 7, "type": "CLIPTextEncode", "widgets_values": ["watermark"]},
        {"id": 6, "type": "CLIPTextEncode", "widgets_values": ["a glass bottle"]},
        {
            "id": 3,
            "type": "KSampler",
            "widgets_values": [156680208700286, "randomize", 20, 8, "euler", "normal", 1],
            "inputs": [{"name": "positive", "link": 1}, {"name": "negative", "link": 2}],
        },
        {"id": 5, "type": "EmptyLatentImage", "widgets_values": [512, 768, 1]},
        {"id": 4, "type": "CheckpointLoaderSimple", "widgets_values": ["v1-5.safetensors"]},
    ],
    "links": [[1, 6, 0, 3, 1, "CONDITIONING"], [2, 7, 0, 3, 2, "CONDITIONING"]],
}


def png(path: Path, **texts: str) -> Path:
    info = PngInfo()
    for key, value in texts.items():
        info.add_text(key, value)
    Image.new("RGB", (4, 4)).save(path, pnginfo=info)
    return path


def found(path: Path) -> Settings:
    settings = read_settings(path)
    assert settings is not None
    return settings


def test_own(tmp_path: Path, pixels: Pixels, recipe: Recipe) -> None:
    settings = found(save_picture(tmp_path / "a.png", pixels, recipe))
    assert settings.scheme == "triptych"
    assert settings.recipe == recipe
    assert (settings.seed, settings.steps, settings.size) == (2**62 + 1, 16, (32, 48))


def test_a1111_in_png(tmp_path: Path) -> None:
    pairs = "Steps: 20, Sampler: DPM++ 2M, CFG scale: 7.5, Seed: 5, Size: 512x768, Model: v1-5"
    text = f"a fox\nNegative prompt: blurry\n{pairs}"
    settings = found(png(tmp_path / "a.png", parameters=text))
    assert settings == Settings(
        scheme="a1111",
        prompt="a fox",
        negative="blurry",
        seed=5,
        steps=20,
        sampler="DPM++ 2M",
        guidance=7.5,
        size=(512, 768),
        model="v1-5",
        raw=text,
    )


@pytest.mark.parametrize("encoding", ["utf-16-be", "utf-16-le"])
@pytest.mark.parametrize("suffix", ["jpg", "webp"])
def test_a1111_in_exif_with_either_byte_order(tmp_path: Path, suffix: str, encoding: str) -> None:
    exif = Image.Exif()
    text = "ein Füchslein\nSteps: 20, Sampler: Euler a, Seed: 5"
    exif.get_ifd(EXIF_POINTER)[USER_COMMENT] = b"UNICODE\0" + text.encode(encoding)
    path = tmp_path / f"a.{suffix}"
    Image.new("RGB", (4, 4)).save(path, exif=exif)
    assert (found(path).prompt, found(path).seed) == ("ein Füchslein", 5)


def test_swarmui(tmp_path: Path) -> None:
    fields = {
        "prompt": "a fox",
        "negativeprompt": "blurry",
        "seed": 9,
        "steps": 12,
        "cfgscale": 7.0,
        "width": 64,
        "height": 32,
    }
    data = {"sui_image_params": fields | {"model": "flux", "sampler": "euler"}, "sui_extra_data": {}}
    settings = found(png(tmp_path / "a.png", parameters=json.dumps(data)))
    assert settings.scheme == "swarmui"
    assert (settings.prompt, settings.negative, settings.seed, settings.steps) == ("a fox", "blurry", 9, 12)
    assert (settings.guidance, settings.size, settings.model, settings.sampler) == (7.0, (64, 32), "flux", "euler")


def test_invokeai(tmp_path: Path) -> None:
    data = {
        "positive_prompt": "a fox",
        "negative_prompt": "blurry",
        "seed": 9,
        "steps": 12,
        "cfg_scale": 7.5,
        "scheduler": "dpmpp_2m",
        "width": 64,
        "height": 32,
        "model": {"key": "x", "name": "juggernaut"},
    }
    settings = found(png(tmp_path / "a.png", invokeai_metadata=json.dumps(data)))
    assert settings.scheme == "invokeai"
    assert (settings.prompt, settings.negative, settings.seed, settings.steps) == ("a fox", "blurry", 9, 12)
    assert (settings.sampler, settings.guidance, settings.size) == ("dpmpp_2m", 7.5, (64, 32))
    assert settings.model == "juggernaut"


@pytest.mark.parametrize("texts", [{"prompt": COMFY_PROMPT}, {"workflow": COMFY_WORKFLOW}])
def test_comfyui(tmp_path: Path, texts: dict[str, Any]) -> None:
    settings = found(png(tmp_path / "a.png", **{key: json.dumps(value) for key, value in texts.items()}))
    assert settings.scheme == "comfyui"
    assert (settings.prompt, settings.negative) == ("a glass bottle", "watermark")
    assert (settings.seed, settings.steps, settings.guidance) == (156680208700286, 20, 8.0)
    assert (settings.sampler, settings.size, settings.model) == ("euler", (512, 768), "v1-5.safetensors")


def test_a_ring_of_wires_ends() -> None:
    ring = {
        "1": {"class_type": "KSampler", "inputs": {"positive": ["2", 0]}},
        "2": {"class_type": "A", "inputs": {"a": ["3", 0]}},
        "3": {"class_type": "B", "inputs": {"a": ["2", 0], "b": ["99", 0]}},
    }
    assert comfyui.settings(comfyui.api_nodes(ring))["positive"] is None


def test_a_picture_without_settings_is_none_and_has_no_recipe(tmp_path: Path) -> None:
    path = png(tmp_path / "a.png")
    assert read_settings(path) is None
    with pytest.raises(FileProblem, match="holds no recipe"):
        read_recipe(path)


def test_settings_of_another_program_are_no_recipe(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match=r"another program \(a1111\)"):
        read_recipe(png(tmp_path / "a.png", parameters="a fox\nSteps: 1, Seed: 2, Size: 8x8"))


def test_a_recipe_alone_in_a_json_file(tmp_path: Path, recipe: Recipe) -> None:
    path = tmp_path / "a.json"
    path.write_text(recipe.dumps())
    assert read_recipe(path) == recipe


def test_a_newer_recipe_in_a_picture_is_named(tmp_path: Path, recipe: Recipe) -> None:
    path = png(tmp_path / "a.png", triptych=json.dumps(recipe.as_json() | {"version": 9}))
    with pytest.raises(FileProblem, match=r"a\.png was made by a newer Triptych"):
        read_recipe(path)


@pytest.mark.parametrize("data", [b"", b"no picture", b"\x89PNG\r\n\x1a\n", b"GIF89a" + b"\0" * 40, b"<svg/>"])
def test_a_png_that_is_not_one(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(data)
    for read in (read_settings, read_recipe, read_pixels):
        with pytest.raises(
            FileProblem, match=r"a\.png is (not a PNG, JPEG or WebP picture|damaged or truncated)"
        ) as caught:
            read(path)
        assert caught.value.exit_code == 3


def test_a_truncated_picture_still_has_its_recipe_but_no_pixels(tmp_path: Path, pixels: Pixels, recipe: Recipe) -> None:
    whole = encode_picture(pixels, recipe)
    path = tmp_path / "a.png"
    path.write_bytes(whole[:-1000])
    assert read_recipe(path) == recipe
    with pytest.raises(FileProblem, match="truncated"):
        read_pixels(path)


def test_a_picture_that_claims_to_be_huge_is_refused_undecoded(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    for side in (9_000, 100_000):
        header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
        path = tmp_path / "a.png"
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
        with pytest.raises(FileProblem, match="64 million"):
            read_settings(path)


def test_text_is_cleaned() -> None:
    assert clean("a\x00b\x1b[31mc\u202ed\r\ne\tf 👨‍👩‍👧") == "ab[31mcd\ne\tf 👨‍👩‍👧"
    assert len(clean("a" * 10**6)) == 20_000


@pytest.mark.parametrize("bad", [-1, 1.5, "x", None, [], {}, True, "9" * 30, float("nan")])
def test_fields_of_the_wrong_kind_are_unknown(tmp_path: Path, bad: Any) -> None:
    fields = {"prompt": bad if not isinstance(bad, str) else 3, "seed": bad, "steps": bad, "width": bad, "height": bad}
    settings = found(png(tmp_path / "a.png", parameters=json.dumps({"sui_image_params": fields})))
    assert (settings.prompt, settings.seed, settings.steps, settings.size) == ("", None, None, None)


KEYS = ["sui_image_params", "prompt", "nodes", "links", "inputs", "class_type", "positive", "seed", "version", "id"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.sampled_from(["triptych", "parameters", "invokeai_metadata", "prompt", "workflow"]), data=JSON)
def test_no_json_of_any_shape_breaks_a_reader(tmp_path: Path, key: str, data: Any) -> None:
    path = png(tmp_path / "a.png", **{key: json.dumps(data)})
    refused = None
    try:
        read_settings(path)
    except TriptychError as error:
        refused = error
    if refused:
        assert key == "triptych"
        assert refused.exit_code == 3


def test_grey_and_transparent_pictures_become_rgb(tmp_path: Path) -> None:
    for mode in ("L", "RGBA", "P"):
        Image.new(mode, (5, 3)).save(tmp_path / "a.png")
        assert read_pixels(tmp_path / "a.png").shape == (3, 5, 3)
        assert read_pixels(tmp_path / "a.png").dtype == np.uint8
