"""Edits by instruction: `edit` without a mask. Plan first, then paint, as for a picture made from scratch.

The picture's plan is known or seen; the editor reads the instruction beside it and writes a program; the program is
done to the plan; where the two plans differ is painted anew under the pixel lock, with the edited plan. Where the
background or the light changes, that is everywhere but on the things that stay, which are cut out and kept to the last
bit. What cannot be done is said before anything is painted.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from triptych.api import edit as editing
from triptych.api import results
from triptych.api.edit import EditResult
from triptych.api.generate import OnEvent
from triptych.api.known import Known, know
from triptych.api.results import capabilities_of
from triptych.api.sources import Source, rgb
from triptych.core.asset import Asset
from triptych.core.capabilities import Capabilities
from triptych.core.errors import InvalidRequest
from triptych.core.events import Note
from triptych.core.plan import Plan, PlanObject
from triptych.editing.distance import Bits
from triptych.editing.instruct import problems
from triptych.editing.instruct.apply import Applied, difference
from triptych.editing.instruct.cutout import cut_out
from triptych.editing.instruct.describe import caption_of, contents, listed
from triptych.editing.instruct.program import Edit
from triptych.editing.instruct.reach import changed_mask, kept
from triptych.editing.instruct.read import read
from triptych.editing.masks import grown

MAX_INSTRUCTION = 400
HALO = 128
"""What is cut out is made smaller by one pixel in so many of the picture's side: its rim shows the old background."""


@dataclass(frozen=True)
class Understood:
    """An instruction that can be carried out. plan: after it. notes: how picture and words were understood."""

    known: Known
    program: tuple[Edit, ...]
    plan: Plan
    notes: tuple[Note, ...]

    @property
    def applied(self) -> Applied:
        return difference(self.known.plan, self.plan)


def edit(
    picture: Source,
    instruction: str,
    *,
    model: str = "flow",
    seed: int | None = None,
    fresh: bool = False,
    feather: int | None = None,
    on_event: OnEvent | None = None,
    **fields: Any,
) -> EditResult:
    """Do to a picture what an instruction says: "make the fox blue", "remove the car and make it night".

    seed: None paints with the seed that the picture was painted with, where its recipe tells it. fresh: go by the
    pixels alone. fields: any field of `Request` but plan (steps, quality, ...). The result's recipe holds the program
    and the plan. Raises `InvalidRequest` that says what is not understood, not there, or not possible.
    """
    understood = understand(picture, instruction, model=model, fresh=fresh)
    return carry_out(understood, instruction, model=model, seed=seed, feather=feather, on_event=on_event, **fields)


def understand(picture: Source, instruction: str, *, model: str = "flow", fresh: bool = False) -> Understood:
    """Read an instruction beside a picture, without painting anything. Raises as `edit` does."""
    capabilities = capabilities_of(model)
    check_painter(capabilities, model)
    if not instruction.strip() or len(instruction) > MAX_INSTRUCTION:
        raise InvalidRequest("instruction", f"has {len(instruction.strip())} letters; 1 to {MAX_INSTRUCTION} are read")
    known = know(picture, fresh=fresh)
    editor, tokens = results.library().parts.editor()
    found = read(editor, tokens, instruction, known.plan)
    problems.check(found, known.plan, instruction)
    notes = [Note("instruction", "note", f"read as: {problems.readable(found.program, found.plans)}")]
    notes += [Note("instruction", "translated", f"{word!r} is read as {own!r}") for word, own in found.words.mapped]
    if known.by == "readers":
        notes.append(Note("image", "note", f"as the readers see it, in the picture is {contents(known.plan)}"))
    understood = Understood(known, found.program, found.plan, tuple(notes))
    if understood.applied.everywhere and known.by == "readers" and not known.plan.objects:
        raise InvalidRequest(
            "instruction",
            "would paint all of the picture anew, for nothing that is known is seen in it that could be kept; "
            "--lock 0 makes a fresh scene",
        )
    check_new(understood.applied, known.plan, capabilities, model)
    return understood


def carry_out(
    understood: Understood,
    instruction: str,
    *,
    model: str = "flow",
    seed: int | None = None,
    feather: int | None = None,
    on_event: OnEvent | None = None,
    **fields: Any,
) -> EditResult:
    """Paint what was understood."""
    known, applied, capabilities = understood.known, understood.applied, capabilities_of(model)
    fields["seed"] = known.seed if seed is None else seed
    mask, notes = mask_of(known, applied, capabilities, model=model, **fields)
    if feather is None and applied.everywhere:
        feather = max(known.picture.size) // HALO
    result = editing.edit(
        known.picture,
        caption_of(paintable(understood.plan, capabilities)),
        mask=mask,
        plan=paintable(understood.plan, capabilities),
        model=model,
        feather=feather,
        on_event=on_event,
        **fields,
    )
    settings = {
        "instruction": instruction,
        "program": [edit.as_json() for edit in understood.program],
        "plan": understood.plan.model_dump(mode="json"),
        "plan_by": known.by,
    }
    return told(result, understood.plan, settings, (*known.picture.notes, *understood.notes, *notes))


def told(
    result: EditResult, plan: Plan, settings: dict[str, Any], notes: Sequence[Note], op: str = "edit"
) -> EditResult:
    """The result with what it came from in its recipe, with the plan of the whole picture, and with further notes."""
    recipe = result.image.recipe
    step = recipe.step
    if step is not None:
        step = step.model_copy(update={"op": op, "settings": {**step.settings, **settings}})
    image = dataclasses.replace(result.image, recipe=recipe.model_copy(update={"step": step}), plan=plan)
    return dataclasses.replace(result, image=image, notes=tuple(dict.fromkeys((*notes, *result.notes))))


def mask_of(
    known: Known, applied: Applied, capabilities: Capabilities, *, model: str, **fields: Any
) -> tuple[Bits, tuple[Note, ...]]:
    """The pixels (H, W) that may change: what differs between the plans, or all but the things that stay."""
    size = known.picture.size
    if not applied.everywhere:
        return changed_mask(known.plan, applied, size, light_known=known.light_known), ()
    mask = np.ones(size[::-1], np.bool_)
    staying = kept(known.plan, applied)
    if not staying:
        return mask, ()
    held, found = _cut(known, staying, capabilities, model=model, **fields)
    mask &= ~grown(held, -max(max(size) // HALO, 1))
    local = dataclasses.replace(applied, everywhere=False)
    mask |= changed_mask(known.plan, local, size, light_known=known.light_known)
    lost = [thing.noun for i, thing in enumerate(staying) if i not in found]
    if not lost:
        return mask, ()
    return mask, (Note("image", "note", f"the {listed(lost)} could not be cut out and is painted anew"),)


def _cut(
    known: Known, things: Sequence[PlanObject], capabilities: Capabilities, *, model: str, **fields: Any
) -> tuple[Bits, list[int]]:
    """The pixels of things, found by painting the picture without anything in it."""
    bare = known.plan.model_copy(update={"objects": ()})
    region = changed_mask(known.plan, difference(known.plan, bare), known.picture.size, light_known=known.light_known)
    pixels = rgb(known.picture.pixels)
    empty = editing.edit(
        Asset.of(pixels, known.picture.name),
        caption_of(paintable(bare, capabilities)) or "an empty scene",
        mask=region,
        plan=paintable(bare, capabilities),
        model=model,
        **fields,
    )
    return cut_out(pixels, empty.image.pixels, [thing.box for thing in things])


def paintable(plan: Plan, capabilities: Capabilities) -> Plan:
    """The plan without what the painter has not learned; that stays as pixels, where it stays."""

    def knows(name: str | None, names: Sequence[str]) -> bool:
        return not name or not names or name in names

    things = [thing for thing in plan.objects if knows(thing.noun, capabilities.nouns)]
    things = [
        thing if knows(thing.colour, capabilities.colours) else thing.model_copy(update={"colour": None})
        for thing in things
    ]
    background = plan.background if knows(plan.background, capabilities.backgrounds) else ""
    return plan.model_copy(update={"background": background, "objects": tuple(things)})


def check_painter(capabilities: Capabilities, model: str) -> None:
    """Raise `InvalidRequest` for a model that cannot edit by a plan."""
    missing = [name for name in ("plan", "init", "strength_map") if not getattr(capabilities, name)]
    if missing:
        raise InvalidRequest(
            "model", f"{model} takes no {listed(missing)}, which edits by instruction need; give it a mask instead"
        )


def check_new(applied: Applied, source: Plan, capabilities: Capabilities, model: str) -> None:
    """Raise `InvalidRequest` for what an edit brings that the painter has not learned."""
    background = applied.plan.background if applied.plan.background != source.background else ""
    problems.check_world(Plan(background=background, objects=applied.after), capabilities, model)
