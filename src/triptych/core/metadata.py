"""Pictures as files that say how they were made.

| format     | A1111 text            | recipe (JSON)       | XMP with the IPTC digital source type |
|------------|-----------------------|---------------------|---------------------------------------|
| PNG        | `parameters`          | `triptych` (iTXt)   | `XML:com.adobe.xmp` (iTXt)            |
| JPEG, WebP | EXIF UserComment      | `triptych:recipe` in the XMP packet | XMP packet            |

The text is for other tools and model sites, the recipe for `replay`, the source type for search engines and
readers of provenance. WebP is written lossless; JPEG loses pixels, so there only the hash in the recipe knows
the exact ones. Reading is in `core.readers`.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, Literal
from xml.sax.saxutils import escape

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from triptych.core import infotext
from triptych.core.errors import InvalidRequest
from triptych.core.events import Pixels
from triptych.core.files import write_atomically
from triptych.core.recipe import Recipe

Format = Literal["PNG", "JPEG", "WEBP"]

FORMATS: dict[str, Format] = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
RECIPE_KEY = "triptych"
XMP_KEY = "XML:com.adobe.xmp"
XMP_RECIPE = "triptych:recipe"
QUOTE = {'"': "&quot;"}
NAMESPACE = "urn:triptych:ns:1#"
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
EXIF_POINTER, USER_COMMENT = 0x8769, 0x9286
MAX_XMP_IN_JPEG = 65_000
JPEG_QUALITY = 95


def format_of(path: Path) -> Format:
    """The picture format that the suffix names; `InvalidRequest` lists the known ones."""
    try:
        return FORMATS[path.suffix.lower()]
    except KeyError:
        shown = repr(path.suffix) if path.suffix else "a name without suffix"
        raise InvalidRequest("out", f"{shown} is not a picture format (allowed: {', '.join(FORMATS)})") from None


def save_picture(path: Path, pixels: Pixels, recipe: Recipe | None = None, *, profile: bytes | None = None) -> Path:
    """Write pixels (height x width x 3) and recipe to `path`, whole or not at all; the suffix names the format.

    profile: ICC, None for sRGB.
    """
    return write_atomically(path, encode_picture(pixels, recipe, format_of(path), profile=profile))


def encode_picture(
    pixels: Pixels,
    recipe: Recipe | None = None,
    format: Format = "PNG",
    *,
    profile: bytes | None = None,
    quality: int | None = None,
) -> bytes:
    """The bytes of the picture file. Equal pixels and recipe give equal bytes. profile: ICC, None for sRGB.

    quality: 1 to 100 of a JPEG, or of a WebP, where 100 and None are lossless.
    """
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    text = settings_text(recipe) if recipe else None
    if format == "PNG":
        return _encode(picture, format, pnginfo=_png_info(text, recipe), icc_profile=profile)
    options: dict[str, Any] = {"xmp": xmp(recipe), "icc_profile": profile}
    if format == "JPEG" and len(options["xmp"]) > MAX_XMP_IN_JPEG:
        # One APP1 segment holds 64 KiB. A recipe is a few KiB, so only a picture of a huge prompt comes here.
        options["xmp"] = xmp(None)
    if text:
        exif = Image.Exif()
        # The EXIF standard's prefix for UTF-16; A1111 and the model sites read it big-endian.
        exif.get_ifd(EXIF_POINTER)[USER_COMMENT] = b"UNICODE\0" + text.encode("utf-16-be")
        options["exif"] = exif
    if format == "JPEG":
        return _encode(picture, format, quality=quality or JPEG_QUALITY, subsampling=0, **options)
    if quality is not None and quality < 100:
        return _encode(picture, format, quality=quality, **options)
    # exact: the colour under full transparency is kept too.
    return _encode(picture, format, lossless=True, exact=True, **options)


def settings_text(recipe: Recipe) -> str:
    """The recipe's settings in the A1111 scheme, with the keys that its readers know."""
    request = recipe.request
    if request is None:
        known = {"Model": recipe.model, "Version": f"Triptych {recipe.triptych}"}
        return infotext.write(recipe.step.op if recipe.step else "", "", known)
    pairs: dict[str, object | None] = {
        "Denoising strength": request.strength,
        "Steps": request.steps,
        "Sampler": request.sampler,
        "Schedule type": request.schedule,
        "CFG scale": request.guidance,
        "Seed": request.seed,
        "Size": f"{request.width}x{request.height}",
        "Model": recipe.model,
        "Model hash": recipe.weights_sha256[:10] if recipe.weights_sha256 else None,
        "Temperature": request.temperature,
        "Top k": request.top_k,
        "Top p": request.top_p,
        # A1111 numbers a batch by seeds; here all pictures share the seed and this number tells them apart.
        "Picture": recipe.index if recipe.index else None,
        "Version": f"Triptych {recipe.triptych}",
    }
    known = {key: _short(value) for key, value in pairs.items() if value is not None}
    return infotext.write(request.prompt, request.negative, known)


def xmp(recipe: Recipe | None) -> bytes:
    """An XMP packet: made by a trained model (IPTC), and the recipe where the format has no better place for it."""
    extra = f' xmlns:triptych="{NAMESPACE}" {XMP_RECIPE}="{escape(recipe.dumps(), QUOTE)}"' if recipe else ""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
        f' Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}"{extra}/>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def _png_info(text: str | None, recipe: Recipe | None) -> PngInfo:
    info = PngInfo()
    if text:
        info.add_text("parameters", text)
    if recipe:
        info.add_itxt(RECIPE_KEY, recipe.dumps())
    info.add_itxt(XMP_KEY, xmp(None).decode())
    return info


def _encode(picture: Image.Image, format: Format, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def _short(value: object) -> object:
    return f"{value:g}" if isinstance(value, float) else value
