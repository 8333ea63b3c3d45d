"""What a picture file says about its making, whichever of five programs wrote it.

| scheme    | where                                          |
|-----------|------------------------------------------------|
| triptych  | `triptych` in PNG, `triptych:recipe` in XMP    |
| a1111     | `parameters` text, EXIF UserComment            |
| swarmui   | `parameters` that is JSON with sui_image_params |
| invokeai  | `invokeai_metadata` JSON                       |
| comfyui   | `prompt` (API graph) or `workflow` (UI graph)  |

Everything read is untrusted: sizes are capped before anything is decoded, numbers are checked, control
characters and text-direction overrides are removed, and nothing read here is ever run. Pixels are decoded by
`read_pixels` only.
"""

from __future__ import annotations

import html
import io
import json
import math
import re
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from PIL import Image, UnidentifiedImageError

from triptych.core import comfyui, infotext
from triptych.core.errors import FileProblem
from triptych.core.events import Pixels
from triptych.core.files import read_bytes
from triptych.core.metadata import EXIF_POINTER, RECIPE_KEY, USER_COMMENT, XMP_RECIPE
from triptych.core.recipe import MAX_RECIPE_BYTES, Recipe

Scheme = Literal["triptych", "a1111", "swarmui", "invokeai", "comfyui"]

MAX_FILE_BYTES = 64 * 2**20
MAX_PIXELS = 64 * 10**6
MAX_TEXT = 512 * 1024
MAX_WORDS = 20_000

# Control characters other than tab and line feed, and the overrides that can make text read other than it is.
_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")
_XMP_RECIPE = re.compile(re.escape(XMP_RECIPE) + r'="([^"]*)"')


@dataclass(frozen=True)
class Settings:
    """The settings of a picture in our words. None: not said, or not readable. `size` is (width, height) in
    pixels.

    `raw` is the text as found, cleaned of control characters; `recipe` is there when Triptych wrote the file.
    """

    scheme: Scheme
    prompt: str = ""
    negative: str = ""
    seed: int | None = None
    steps: int | None = None
    sampler: str | None = None
    guidance: float | None = None
    size: tuple[int, int] | None = None
    model: str | None = None
    raw: str = ""
    recipe: Recipe | None = None


def read_settings(path: Path) -> Settings | None:
    """The settings in the picture at `path`; None for a readable picture without any.

    Raises `FileProblem` for what is no PNG, JPEG or WebP, is too large, or holds a damaged or newer recipe of
    ours.
    """
    texts = read_texts(path)
    readers: tuple[Callable[[Mapping[str, str], Path], Settings | None], ...] = (
        _triptych,
        _invokeai,
        _swarmui,
        _a1111,
        _comfyui,
    )
    return next((found for reader in readers if (found := reader(texts, path))), None)


def read_recipe(path: Path) -> Recipe:
    """The recipe in a picture, or in a JSON file. `FileProblem` says what was found instead."""
    if path.suffix.lower() == ".json":
        return Recipe.parse(read_bytes(path, MAX_RECIPE_BYTES), source=str(path))
    settings = read_settings(path)
    if settings is None:
        raise FileProblem(f"{path} holds no recipe; it was not made by Triptych, or its metadata was stripped")
    if settings.recipe is None:
        raise FileProblem(f"{path} holds the settings of another program ({settings.scheme}), not a Triptych recipe")
    return settings.recipe


def read_pixels(path: Path) -> Pixels:
    """The picture's pixels, height x width x 3; `FileProblem` if it is no picture, truncated or too large."""
    with _opened(path) as picture:
        return np.asarray(picture.convert("RGB"))


def loses_pixels(path: Path) -> bool:
    """Whether the picture's format (JPEG) keeps the pixels only approximately; `FileProblem` if it is no picture."""
    with _opened(path) as picture:
        return picture.format == "JPEG"


def read_texts(path: Path) -> dict[str, str]:
    """The raw text fields of a picture by name, capped in size; pixels stay undecoded."""
    with _opened(path) as picture:
        texts = {str(key): value for key, value in picture.info.items() if isinstance(value, str)}
        if "parameters" not in texts:
            comment = picture.getexif().get_ifd(EXIF_POINTER).get(USER_COMMENT)
            if isinstance(comment, bytes):
                texts["parameters"] = _user_comment(comment[:MAX_TEXT])
        xmp = picture.info.get("xmp")
        if RECIPE_KEY not in texts and isinstance(xmp, bytes):
            found = _XMP_RECIPE.search(xmp[:MAX_TEXT].decode("utf-8", "replace"))
            if found:
                texts[RECIPE_KEY] = html.unescape(found[1])
    return {key: value for key, value in texts.items() if len(value) <= MAX_TEXT}


def clean(text: str) -> str:
    """Text that is safe to show: no control characters, no direction overrides, at most `MAX_WORDS` characters."""
    return _UNSAFE.sub("", text.replace("\r\n", "\n"))[:MAX_WORDS]


@contextmanager
def _opened(path: Path) -> Generator[Image.Image]:
    data = read_bytes(path, MAX_FILE_BYTES)
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP")) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise FileProblem(f"{path} has {picture.width}x{picture.height} pixels; at most 64 million are read")
            yield picture
    except UnidentifiedImageError:
        raise FileProblem(f"{path} is not a PNG, JPEG or WebP picture") from None
    except Image.DecompressionBombError:
        raise FileProblem(f"{path} claims more pixels than the 64 million that are read") from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise FileProblem(f"{path} is damaged or truncated: {error}") from None


def _triptych(texts: Mapping[str, str], path: Path) -> Settings | None:
    raw = texts.get(RECIPE_KEY)
    if raw is None:
        return None
    recipe = Recipe.parse(raw, source=str(path))
    request = recipe.request
    if request is None:
        return Settings(scheme="triptych", model=clean(recipe.model), raw=clean(raw), recipe=recipe)
    return Settings(
        scheme="triptych",
        prompt=clean(request.prompt),
        negative=clean(request.negative),
        seed=request.seed,
        steps=request.steps,
        sampler=request.sampler,
        guidance=request.guidance,
        size=_size(request.width, request.height),
        model=clean(recipe.model),
        raw=clean(raw),
        recipe=recipe,
    )


def _a1111(texts: Mapping[str, str], path: Path) -> Settings | None:
    raw = texts.get("parameters")
    if raw is None or raw.lstrip().startswith("{"):
        return None
    found = infotext.parse(raw)
    width, _, height = found.pairs.get("Size", "").partition("x")
    return Settings(
        scheme="a1111",
        prompt=clean(found.prompt),
        negative=clean(found.negative),
        seed=_whole(found.pairs.get("Seed")),
        steps=_whole(found.pairs.get("Steps")),
        sampler=_words(found.pairs.get("Sampler")),
        guidance=_number(found.pairs.get("CFG scale")),
        size=_size(width, height),
        model=_words(found.pairs.get("Model")),
        raw=clean(raw),
    )


def _swarmui(texts: Mapping[str, str], path: Path) -> Settings | None:
    data = _json_object(texts.get("parameters"))
    fields = data.get("sui_image_params")
    if not isinstance(fields, dict):
        return None
    fields = cast(dict[str, Any], fields)
    return Settings(
        scheme="swarmui",
        prompt=_words(fields.get("prompt")) or "",
        negative=_words(fields.get("negativeprompt")) or "",
        seed=_whole(fields.get("seed")),
        steps=_whole(fields.get("steps")),
        sampler=_words(fields.get("sampler")),
        guidance=_number(fields.get("cfgscale")),
        size=_size(fields.get("width"), fields.get("height")),
        model=_words(fields.get("model")),
        raw=clean(texts["parameters"]),
    )


def _invokeai(texts: Mapping[str, str], path: Path) -> Settings | None:
    fields = _json_object(texts.get("invokeai_metadata"))
    if not fields:
        return None
    model: Any = fields.get("model")
    if isinstance(model, dict):
        described = cast(dict[str, Any], model)
        model = described.get("name") or described.get("model_name")
    return Settings(
        scheme="invokeai",
        prompt=_words(fields.get("positive_prompt")) or "",
        negative=_words(fields.get("negative_prompt")) or "",
        seed=_whole(fields.get("seed")),
        steps=_whole(fields.get("steps")),
        sampler=_words(fields.get("scheduler")),
        guidance=_number(fields.get("cfg_scale", fields.get("guidance"))),
        size=_size(fields.get("width"), fields.get("height")),
        model=_words(model),
        raw=clean(texts["invokeai_metadata"]),
    )


def _comfyui(texts: Mapping[str, str], path: Path) -> Settings | None:
    graph = comfyui.api_nodes(_json_object(texts.get("prompt"))) or comfyui.ui_nodes(
        _json_object(texts.get("workflow"))
    )
    if not graph:
        return None
    found = comfyui.settings(graph)
    return Settings(
        scheme="comfyui",
        prompt=_words(found.get("positive")) or "",
        negative=_words(found.get("negative")) or "",
        seed=_whole(found.get("seed")),
        steps=_whole(found.get("steps")),
        sampler=_words(found.get("sampler")),
        guidance=_number(found.get("guidance")),
        size=_size(found.get("width"), found.get("height")),
        model=_words(found.get("model")),
        raw=clean(texts.get("prompt") or texts["workflow"]),
    )


def _json_object(text: str | None) -> dict[str, Any]:
    if not text or not text.lstrip().startswith("{"):
        return {}
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return cast(dict[str, Any], data) if isinstance(data, dict) else {}


def _user_comment(comment: bytes) -> str:
    """EXIF text: eight bytes name the encoding. Writers disagree about the byte order of UTF-16, so the text
    decides.
    """
    kind, body = comment[:8], comment[8:]
    if kind != b"UNICODE\0":
        return body.decode("utf-8", "replace").strip("\0")
    # Most characters of most prompts are ASCII, so the zero bytes tell on which side the high byte is.
    little = body[1::2].count(0) > body[0::2].count(0)
    return body.decode("utf-16-le" if little else "utf-16-be", "replace")


def _words(value: Any) -> str | None:
    return clean(value) if isinstance(value, str) and value else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str) or len(str(value)) > 40:
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _whole(value: Any) -> int | None:
    """A whole number that is not negative, exact beyond 2**53; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | str) or len(str(value)) > 20:
        return None
    text = str(value).strip()
    return int(text) if text.isascii() and text.isdigit() else None


def _size(width: Any, height: Any) -> tuple[int, int] | None:
    sides = _whole(width), _whole(height)
    return (sides[0], sides[1]) if sides[0] and sides[1] else None
