"""Words in a picture: `typeset` writes them exactly, and may have a model paint their surroundings to fit.

What fonts, lines, masks and checks are is `typography`'s; this file opens pictures, chooses fonts, asks the painter and
writes recipes. Letters are always laid over what was painted, from the mask of the crisp layout: no model can misspell
them. A picture in which a pixel outside the text's area changed is never given back.
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from triptych.api.generate import OnEvent, paint
from triptych.api.results import Image, capabilities_of, image_of, image_of_step
from triptych.api.sources import Picture, Source, open_source, rgb
from triptych.core.asset import Asset
from triptych.core.contract import resolve
from triptych.core.errors import FileProblem, InvalidRequest, TriptychError
from triptych.core.events import Finished, Note, Pixels
from triptych.core.files import write_atomically
from triptych.core.metadata import format_of
from triptych.core.recipe import Recipe, pixels_sha256
from triptych.core.request import Request
from triptych.core.steps import Step
from triptych.editing import verify
from triptych.editing.crop import Window, window_for
from triptych.editing.distance import distance
from triptych.editing.masks import box_of
from triptych.editing.plans import seen_through
from triptych.typography import compose, light, words
from triptych.typography.compose import Typeset
from triptych.typography.fonts import FontBook
from triptych.typography.settings import Lettering
from triptych.typography.words import WordCheck

TOOL = "typeset"
"""The model that a recipe names where no painter was at work."""
LEAST_CONTRAST = 1.5
MAX_SOFT = 32


@dataclass(frozen=True)
class Lettered:
    """A picture with words. typeset: mask, layout and area as products. words: whether they were found again.

    report: what is in the recipe too. source: the picture before. seconds: of setting, painting and checking, in total.
    """

    image: Image
    typeset: Typeset
    words: WordCheck
    report: dict[str, Any]
    notes: tuple[Note, ...]
    seconds: dict[str, float]
    source: Pixels

    def save(self, path: str | Path) -> Path:
        """Write the picture with its recipe, after proof that the file keeps every pixel outside of the text's area."""
        path = Path(path)
        return write_atomically(path, self.encode(path))

    def encode(self, path: Path) -> bytes:
        """The bytes of the file that `save` writes; the suffix names the format. `InvalidRequest` for one that loses
        pixels.
        """
        kind = format_of(path)
        check_lossless(kind)
        data = self.image.encode(kind)
        verify.proved(self.source, data, self.typeset.area)
        return data


def typeset(
    picture: Source,
    text: str,
    *,
    box: tuple[float, float, float, float] | None = None,
    corners: tuple[tuple[float, float], ...] | None = None,
    font: str | None = None,
    model: str | None = None,
    prompt: str = "",
    painter: Mapping[str, Any] | None = None,
    tesseract: bool = False,
    fonts: FontBook | None = None,
    on_event: OnEvent | None = None,
    **fields: Any,
) -> Lettered:
    """Write `text` into a picture.

    box: x, y, width, height in pixels, or in fractions of the picture if none is above 1; corners: four points instead
    (from the top left, clockwise), for a text in perspective. font: a name or a file; None takes the first that has the
    letters. fields: size, align, valign, colour, outline, shadow, line_height, rotate, direction, harmonise, as
    `typography.settings.Lettering` has them. model: paints the surroundings by picture to picture at the strength of
    `harmonise`, with `prompt`; painter: further fields of `Request` for it (seed, steps, quality). tesseract: let that
    program read the words too. fonts: those to choose from.
    Raises `InvalidRequest` or `FileProblem`.
    """
    started = time.perf_counter()
    opened = open_source(picture)
    width, height = opened.size
    lettering = Lettering.make(
        text=text,
        box=None if box is None else in_pixels(box, width, height),
        corners=None if corners is None else _points(corners, width, height),
        **fields,
    )
    book = fonts or installed()
    chosen = book.choose(font, lettering.text)
    done = compose.typeset(opened.pixels, lettering, chosen)
    check_painter(model, prompt, lettering.harmonise, painter or {})
    request = _request(opened, done, model, prompt, painter or {}) if model is not None else None
    set_at = time.perf_counter()
    pixels, event = _finished(opened.pixels, done, request, on_event)
    painted_at = time.perf_counter()
    found = words.check(pixels, done, chosen)
    if tesseract:
        found = words.WordCheck(found.lines, words.recognised(pixels, done))
    report = _report(opened.pixels, pixels, done, found)
    image = replace(_image(pixels, _step(opened, done, report), event), profile=opened.profile)
    seconds = {"set": set_at - started, "paint": painted_at - set_at, "check": time.perf_counter() - painted_at}
    seconds["total"] = time.perf_counter() - started
    unusual = font is None and chosen.face != book.choose(None, "a").face
    notes = (*opened.notes, *(event.notes if event else ()), *_notes(done, found, unusual=unusual))
    rounded = {name: round(value, 4) for name, value in seconds.items()}
    return Lettered(image, done, found, report, tuple(dict.fromkeys(notes)), rounded, opened.pixels)


def again(recipe: Recipe) -> Image:
    """The lettering of a recipe once more. `FileProblem` if its font is not installed, or is another one by now."""
    step = recipe.step
    try:
        lettering = Lettering.make(**(step.settings["lettering"] if step else {}))
    except (InvalidRequest, KeyError, TypeError) as error:
        raise FileProblem(f"the recipe is damaged: its lettering cannot be read ({error})") from None
    if step is None or lettering.font is None:
        raise FileProblem("the recipe is damaged: it names no font")
    source = step.source.pixels
    try:
        done = compose.typeset(source, lettering, installed().same(lettering.font))
    except InvalidRequest as error:
        raise FileProblem(f"the recipe cannot be followed here: {error}") from None
    pixels, event = _finished(source, done, recipe.request, None)
    return _image(pixels, step, event)


@cache
def installed() -> FontBook:
    """The fonts of this machine, looked for once."""
    return FontBook.installed()


def in_pixels(box: tuple[float, float, float, float], width: int, height: int) -> tuple[int, int, int, int]:
    """x, y, width, height in whole pixels. Fractions of the picture are told by none being above 1."""
    if len(box) != 4 or not all(math.isfinite(side) for side in box):
        raise InvalidRequest("box", f"{box} is not allowed: x, y, width and height as numbers")
    x, y, w, h = box
    if max(box) <= 1:
        x, y, w, h = x * width, y * height, w * width, h * height
    # Both edges are rounded, so that boxes that touch in fractions touch in pixels.
    left, top = round(x), round(y)
    return left, top, round(x + w) - left, round(y + h) - top


def check_lossless(format_name: str) -> None:
    """`InvalidRequest` for a file format that could not keep what lies outside of the letters."""
    if format_name not in verify.LOSSLESS:
        kept = " or ".join(verify.LOSSLESS.values())
        raise InvalidRequest("out", f"{format_name} loses pixels, also where no letter is; write {kept}")


def check_painter(model: str | None, prompt: str, harmonise: float, painter: Mapping[str, Any]) -> None:
    """`InvalidRequest` for words to a painter that there is not, and for a painter that has nothing to do."""
    given = ["prompt"] * bool(prompt) + [name for name, value in painter.items() if value is not None]
    if model is None and given:
        raise InvalidRequest(given[0], "is for a painter, and there is none; give a model too")
    if model is not None and not harmonise:
        raise InvalidRequest("harmonise", "is 0, so there is nothing to paint; give a strength above 0, or no model")


def _points(corners: tuple[tuple[float, float], ...], width: int, height: int) -> tuple[tuple[float, float], ...]:
    if len(corners) != 4 or any(len(point) != 2 for point in corners):
        raise InvalidRequest("perspective", f"{corners} is not allowed: four points, from the top left one clockwise")
    inside = max(max(point) for point in corners) <= 1
    return tuple((x * width, y * height) if inside else (x, y) for x, y in corners)


def _request(opened: Picture, done: Typeset, model: str, prompt: str, painter: Mapping[str, Any]) -> Request:
    """What the painter is asked: to start from the picture with its crisp letters, and be free in their area only."""
    capabilities = capabilities_of(model)
    window = _window(opened.pixels, done, capabilities.native_size)
    plan = opened.plan and seen_through(opened.plan, window.fraction((0, 0, *opened.size)))
    free = window.seen(window.cut(done.area)).astype(np.uint8) * np.uint8(255)
    request = Request.make(
        prompt=prompt,
        model=model,
        width=window.size[0],
        height=window.size[1],
        plan=plan,
        use_plan=plan is not None,
        init=Asset.of(window.to_model(window.cut(rgb(done.pixels))), "with the crisp letters"),
        strength=done.lettering.harmonise,
        strength_map=Asset.of(free, "where the letters are"),
        **{"seed": secrets.randbelow(2**32), **{name: value for name, value in painter.items() if value is not None}},
    )
    resolve(request, capabilities, name=model)
    return request


def _finished(
    source: Pixels, done: Typeset, request: Request | None, on_event: OnEvent | None
) -> tuple[Pixels, Finished | None]:
    """The final pixels: as set, or with the surroundings as painted and the same letters over them."""
    event = None
    pixels = done.pixels
    if request is not None:
        event = paint(request, on_event=on_event)
        window = _window(source, done, (event.pixels.shape[1], event.pixels.shape[0]))
        crisp = window.to_model(window.cut(rgb(done.pixels)))
        # What the painter changed, at the scale that it sees, over what the picture has: finer detail stays. What it
        # made of the letters themselves is left out, or it would show as a rim around the true ones.
        told = light.bridged(event.pixels.astype(np.float32) - crisp, window.seen(window.cut(compose.covered(done))))
        change = np.stack([window.spread(np.ascontiguousarray(told[:, :, channel])) for channel in range(3)], axis=2)
        around = source.copy()
        part = window.cut(around)
        # It grows from nothing at the rim of the area, so that the area's edge does not show.
        soft = min(max(round(done.layout.size / 2), 1), MAX_SOFT)
        weight = np.minimum(distance(~window.cut(done.area), soft) / (soft + 1), 1.0)[:, :, None]
        part[:, :, :3] = np.clip(np.rint(part[:, :, :3] + change * weight), 0, 255).astype(np.uint8)
        pixels = compose.relettered(done, around, source)
    changed = compose.changed_outside(source, pixels, done.area)
    if changed:
        raise TriptychError(f"the lettering does not keep to its area: {changed} pixels outside of it changed")
    return pixels, event


def _window(source: Pixels, done: Typeset, native: tuple[int, int]) -> Window:
    return window_for(box_of(done.area), (source.shape[1], source.shape[0]), native)


def _step(opened: Picture, done: Typeset, report: dict[str, Any]) -> Step:
    return Step(
        op="typeset",
        source=Asset.of(opened.pixels, opened.name),
        settings={"lettering": done.lettering.model_dump(mode="json", exclude_none=True)},
        report=report,
    )


def _image(pixels: Pixels, step: Step, event: Finished | None) -> Image:
    if event is None:
        return image_of_step(pixels, step, model=TOOL)
    return image_of(event, pixels=pixels, step=step)


def _report(source: Pixels, pixels: Pixels, done: Typeset, found: WordCheck) -> dict[str, Any]:
    name = done.lettering.font
    return {
        "font": name.model_dump() if name else None,
        "size": done.layout.size,
        "lines": list(done.layout.text),
        "area": list(box_of(done.area)),
        "outside_changed_pixels": compose.changed_outside(source, pixels, done.area),
        "outside_total_pixels": int(done.area.size - done.area.sum()),
        "mask_sha256": pixels_sha256(done.mask[:, :, None]),
        "contrast": round(done.contrast, 2),
        "words": found.as_json(),
    }


def _notes(done: Typeset, found: WordCheck, *, unusual: bool) -> list[Note]:
    notes: list[Note] = []
    name = done.lettering.font
    if unusual and name is not None:
        notes.append(Note("font", "note", f"{name.family} {name.style} is taken, which has all the letters"))
    if done.contrast < LEAST_CONTRAST:
        told = f"the letters hardly stand out (contrast {done.contrast:.1f} to 1); another colour or an outline helps"
        notes.append(Note("colour", "note", told))
    weak = [line.text for line in found.lines if not line.confirmed]
    if weak:
        told = f"{weak[0]!r} could not be read back out of the picture; an outline, or a larger size, helps"
        notes.append(Note("text", "note", told))
    return notes
