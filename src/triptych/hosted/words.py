"""What a provider has no field for, said in words after the prompt: roles of references, and where to edit.

The words are part of what is sent, so the result carries a note for each. Knows no provider.
"""

from __future__ import annotations

from triptych.core.events import Note
from triptych.editing.distance import Bits
from triptych.editing.masks import box_of
from triptych.hosted.provider import Task

ROLE_WORDS = {
    "identity": "keep exactly who or what it shows",
    "style": "take only its style: how it is drawn, its colours and its light",
    "pose": "take only the pose",
    "scale": "take only how large things are in it",
    "layout": "take only where things are in it",
}


def prompt_of(task: Task, *, mask_in_words: bool) -> str:
    """The prompt with what has to be said in words. Pictures are counted in the order in which they are sent."""
    lines = [task.prompt]
    first = 1
    if task.picture is not None:
        first = 2
        lines.append("Edit picture 1 and keep everything else in it exactly as it is, in place, size and colour.")
        if task.mask is not None and mask_in_words and not task.mask.all():
            lines.append(f"Change only the part of picture 1 {place_of(task.mask)}.")
    for number, one in enumerate(task.references, start=first):
        lines.append(f"Picture {number} is a reference: {ROLE_WORDS[one.role]}.")
    return "\n".join(lines)


def place_of(mask: Bits) -> str:
    """The box of a mask in words, in percent of the picture."""
    x0, y0, x1, y1 = box_in_percent(mask)
    return f"from {x0}% to {x1}% of its width (from the left) and from {y0}% to {y1}% of its height (from the top)"


def box_in_percent(mask: Bits) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1, rounded outwards."""
    (height, width), (x0, y0, x1, y1) = mask.shape, box_of(mask)
    return x0 * 100 // width, y0 * 100 // height, -(-x1 * 100 // width), -(-y1 * 100 // height)


def notes_of(task: Task) -> tuple[Note, ...]:
    """What was translated into words."""
    notes: list[Note] = []
    if task.references:
        roles = ", ".join(dict.fromkeys(one.role for one in task.references))
        notes.append(Note("references", "translated", f"{task.model.name} is told their roles in words: {roles}"))
    if task.picture is not None and task.mask is not None and not task.mask.all():
        kind = task.model.capabilities.masks
        told = {
            "words": f"{task.model.name} takes no mask; it is told in words where, and the lock is made here",
            "guided": f"{task.model.name} is guided by the mask and may paint beyond it; the lock is made here",
        }.get(kind)
        if told:
            notes.append(Note("mask", "translated", told))
    return tuple(notes)
