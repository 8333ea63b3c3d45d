"""Change one thing: `vary` makes variants of a picture in which the background, the light, a colour or a pose differs.

Everything else is held by the picture's own plan and seed and by the pixel lock; what moved all the same is read from
the result and told. A pose in this world is where a thing stands, how large it is and which way it looks: the painters
know each thing from one side, so it can be moved, resized and mirrored, not turned.
"""

from __future__ import annotations

import dataclasses
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from triptych.api import edit as editing
from triptych.api import instruct
from triptych.api.generate import OnEvent
from triptych.api.instruct import Understood
from triptych.api.known import Known, know
from triptych.api.results import Image, capabilities_of, image_of_step
from triptych.api.seeing import readers
from triptych.api.sources import Source, rgb
from triptych.core.asset import Asset
from triptych.core.capabilities import Capabilities
from triptych.core.errors import FileProblem, InvalidRequest, one_of
from triptych.core.events import Note, Pixels
from triptych.core.files import write_atomically
from triptych.core.metadata import format_of
from triptych.core.plan import Plan
from triptych.core.recipe import Recipe
from triptych.core.steps import Step
from triptych.editing import verify
from triptych.editing.distance import Bits
from triptych.editing.instruct.apply import apply
from triptych.editing.instruct.describe import contents, told
from triptych.editing.instruct.mirror import mirrored
from triptych.editing.instruct.program import Edit, Select, Spot
from triptych.editing.instruct.room import common
from triptych.editing.result import check_format
from triptych.editing.verify import LockReport
from triptych.evals.moved import Moved, moved
from triptych.planning.edit_tokens import DIRECTIONS
from triptych.scenes.draw import Draw
from triptych.scenes.levels import LIGHTS
from triptych.scenes.nouns import NOUNS

CHANGES = ("background", "light", "colour", "pose")
MOST = 16
_STREAM = 0x7A21


@dataclass(frozen=True)
class Variant:
    """One variant. what: what was changed, in words. moved: what differs, as read. mask: (H, W), what was free to."""

    image: Image
    what: str
    moved: Moved
    report: LockReport
    source: Pixels
    mask: Bits
    notes: tuple[Note, ...]
    seconds: float

    def save(self, path: str | Path) -> Path:
        """Write the picture with its recipe; only a file that is proved to keep every pixel outside of the mask."""
        path = Path(path)
        return write_atomically(path, self.encode(path))

    def encode(self, path: Path) -> bytes:
        """The bytes of the file that `save` writes; the suffix of the path names the format."""
        kind = format_of(path)
        check_format(kind, 1.0, self.image.pixels)
        data = self.image.encode(kind)
        verify.proved(self.source, data, self.mask)
        return data


def vary(
    picture: Source,
    change: str,
    *,
    n: int = 1,
    to: str | None = None,
    what: str | None = None,
    model: str = "flow",
    seed: int | None = None,
    fresh: bool = False,
    on_event: OnEvent | None = None,
    **fields: Any,
) -> list[Variant]:
    """Variants of a picture in which one thing differs.

    change: one of CHANGES. to: what it becomes ("night", "left", "blue", "mirror"); None draws n different ones. what:
    the noun of the thing, for a colour or a pose; None takes any. seed: which are drawn; the painter takes the
    picture's own. fields: any field of `Request` but plan. Raises `InvalidRequest` where there are no n such variants.
    """
    one_of("change", change, CHANGES)
    if not 1 <= n <= MOST:
        raise InvalidRequest("n", f"{n} is not allowed: 1 to {MOST}")
    capabilities = capabilities_of(model)
    instruct.check_painter(capabilities, model)
    known = know(picture, fresh=fresh)
    if known.by == "readers" and not known.plan.objects:
        raise InvalidRequest("image", "nothing that is known is seen in the picture, so nothing of it could be held")
    options = [edit for edit in _options(change, known, capabilities, what) if to is None or to == named(edit)]
    if len(options) < n:
        raise InvalidRequest("n" if options else "change", _too_few(change, options, known, capabilities, to, what))
    seed = secrets.randbelow(2**32) if seed is None else seed
    chosen = Draw(seed, 0, _STREAM).sample(options, n)
    fields = {**fields, "model": model, "on_event": on_event}
    return [_variant(known, change, edit, seed if known.seed is None else known.seed, fields) for edit in chosen]


def again(recipe: Recipe) -> Image:
    """The variant of a recipe once more; its inputs have to be at hand."""
    if recipe.request is not None:
        return editing.again(recipe)
    step = recipe.step
    if step is None or len(box := step.settings.get("box", ())) != 4:
        raise FileProblem("the recipe is damaged: a mirrored thing has a picture and a box")
    pixels, _ = mirrored(step.source.pixels, (float(box[0]), float(box[1]), float(box[2]), float(box[3])))
    return image_of_step(pixels, step, model=recipe.model)


def named(edit: Edit) -> str:
    """What a variant becomes, as `to` names it."""
    if edit.op == "move" and edit.spot:
        return edit.spot.way.removeprefix("by:")
    return edit.background or edit.light or edit.colour or edit.size or edit.op


def _options(change: str, known: Known, capabilities: Capabilities, what: str | None) -> list[Edit]:
    """Every edit that would change this one thing, and that can be done."""
    plan = known.plan
    if change == "background":
        names = capabilities.backgrounds or ()
        return [Edit("background", background=name) for name in names if name != plan.background]
    if change == "light":
        return [Edit("light", light=name) for name in LIGHTS if name != plan.light]
    things = [i for i, thing in enumerate(plan.objects) if what in (None, thing.noun)]
    if not things:
        missing = f"no {what} is" if what else "nothing is"
        raise InvalidRequest("what" if what else "change", f"{missing} in the picture; what is: {contents(plan)}")
    made: list[Edit] = []
    for i in things:
        noun, select = plan.objects[i].noun, Select(plan.objects[i].noun, None, (i,))
        if capabilities.nouns and noun not in capabilities.nouns:
            continue
        if change == "colour":
            shown = plan.objects[i].colour or NOUNS[noun].natural
            colours = [name for name in capabilities.colours if name != shown] if NOUNS[noun].recolourable else []
            made += [Edit("recolour", select, colour=name) for name in colours]
        else:
            made += [Edit("move", select, spot=Spot(f"by:{way}")) for way in DIRECTIONS]
            made += [Edit("resize", select, size=size) for size in ("larger", "smaller")]
            if not any(common(plan.objects[i].box, other.box) for j, other in enumerate(plan.objects) if j != i):
                made.append(Edit("mirror", select))
    return [edit for edit in made if edit.op == "mirror" or _possible(plan, edit)]


def _possible(plan: Plan, edit: Edit) -> bool:
    try:
        apply(plan, edit)
    except InvalidRequest:
        return False
    return True


def _too_few(
    change: str, options: list[Edit], known: Known, capabilities: Capabilities, to: str | None, what: str | None
) -> str:
    if to is not None and not options:
        allowed = dict.fromkeys(map(named, _options(change, known, capabilities, what)))
        return f"there is no {change} {to!r} to change to (there are: {', '.join(allowed) or 'none'})"
    return f"so many are not there: {len(options)} other {change}s are possible here, with {contents(known.plan)}"


def _variant(known: Known, change: str, edit: Edit, seed: int, fields: dict[str, Any]) -> Variant:
    started = time.perf_counter()
    if edit.op == "mirror":
        made, what, notes = _mirrored(known, edit)
    else:
        plan, _ = apply(known.plan, edit)
        what = edit.words()
        understood = Understood(known, (edit,), plan, ())
        result = instruct.carry_out(understood, what, seed=seed, **fields)
        made, notes = instruct.told(result, plan, {"change": change}, (), op="vary"), result.notes
    before, after = readers().read([rgb(known.picture.pixels), rgb(made.image.pixels)])
    outside = (made.report.outside_changed_pixels, made.report.outside_total_pixels)
    difference = moved(before, after, rgb(known.picture.pixels), rgb(made.image.pixels), outside)
    image = _with_report(made.image, {**made.report.as_json(), "moved": difference.as_json()})
    image = dataclasses.replace(image, profile=known.picture.profile)
    seconds = round(time.perf_counter() - started, 4)
    return Variant(image, what, difference, made.report, known.picture.pixels, made.mask, tuple(notes), seconds)


@dataclass(frozen=True)
class _Made:
    image: Image
    report: LockReport
    mask: Bits


def _mirrored(known: Known, edit: Edit) -> tuple[_Made, str, tuple[Note, ...]]:
    """A thing turned by its own pixels: no painter is asked."""
    thing = known.plan.objects[edit.select.things[0] if edit.select else 0]
    source = Asset.of(known.picture.pixels, known.picture.name)
    pixels, mask = mirrored(source.pixels, thing.box)
    settings = {"change": "pose", "how": "mirror", "box": list(thing.box), "plan": known.plan.model_dump(mode="json")}
    step = Step(
        op="vary",
        source=source,
        inputs=(Asset.of(mask.astype(np.uint8) * np.uint8(255), "mask"),),
        settings={"instruction": f"mirror {told(thing)}", **settings},
    )
    image = dataclasses.replace(image_of_step(pixels, step, model="vary"), plan=known.plan)
    notes: tuple[Note, ...] = ()
    if known.plan.light in ("left", "right"):
        notes = (Note("image", "note", "a shadow that reaches beyond the thing stays where it fell"),)
    return _Made(image, verify.compared(source.pixels, pixels, mask), mask), f"mirror {told(thing)}", notes


def _with_report(image: Image, report: dict[str, Any]) -> Image:
    step = image.recipe.step
    if step is None:
        return image
    recipe = image.recipe.model_copy(update={"step": step.model_copy(update={"report": report})})
    return dataclasses.replace(image, recipe=recipe)
