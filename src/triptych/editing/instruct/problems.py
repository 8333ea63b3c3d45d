"""What keeps an instruction from being carried out, each as one sentence, before anything is painted.

In order: an instruction that asks to keep what it changes, words that were not understood, things that are not there or
not told apart, edits that cannot be done, and nothing to change. What the painter does not know is `check_world`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from triptych.core.capabilities import Capabilities
from triptych.core.errors import InvalidRequest
from triptych.core.plan import Plan
from triptych.editing.instruct.describe import contents, listed, told
from triptych.editing.instruct.program import Edit, Select
from triptych.editing.instruct.read import Read

SURE = 0.7
"""A reading with a choice less likely than this is not carried out (docs/edits.md has what that costs and saves)."""
ASKABLE = (
    "an edit can recolour, remove, replace, move, resize, swap, add or count things, and change the background or the "
    "light"
)


@dataclass(frozen=True)
class Conflict:
    """Two edits of one program of which the one keeps what the other changes. what: "the background", "the fox"."""

    what: str
    keeps: Edit
    changes: Edit

    def sentence(self) -> str:
        change = self.changes.words()
        return f"asks to keep {self.what} and to change it ({change}): leave one of the two out"


def check(found: Read, source: Plan, instruction: str) -> None:
    """Raise `InvalidRequest` for the first problem of a reading, in the order of the module's first line."""
    last = found.program[-1] if found.program else Edit("unread")
    clashes = [] if found.stopped else conflicts(found.program, (*found.plans, found.plan))
    if clashes:
        raise InvalidRequest("instruction", clashes[0].sentence())
    if last.op == "unread" or (not found.stopped and found.sure < SURE):
        raise InvalidRequest("instruction", _not_understood(found, source, instruction))
    for select in last.selects:
        if select.unclear or not select.things:
            raise InvalidRequest("instruction", _not_found(select, found.plans[-1], source, found))
    if found.stopped:
        raise InvalidRequest("instruction", found.stopped.removeprefix("instruction: "))
    if found.plan == source:
        raise InvalidRequest("instruction", f"{instruction!r} changes nothing: in the picture is {contents(source)}")


def _not_understood(found: Read, source: Plan, instruction: str) -> str:
    unknown = f" (not known: {', '.join(map(repr, dict.fromkeys(found.words.unknown)))})" if found.words.unknown else ""
    guess = ""
    if found.program and found.program[-1].op != "unread":
        guess = f"; the nearest reading is {readable(found.program, found.plans)!r}, with {found.sure:.0%} certainty"
    return f"{instruction!r} is not understood{unknown}{guess}; {ASKABLE}; in the picture is {contents(source)}"


def _not_found(select: Select, plan: Plan, source: Plan, found: Read) -> str:
    words = select.words()
    if select.unclear:
        options = [told(thing) for thing in plan.objects if select.noun in (None, thing.noun)]
        return (
            f"{words!r} may be any of {listed(options)}; say which: left, right, upper, lower, biggest, smallest, "
            "first, second, its colour, or all"
        )
    gone = "" if plan == source else " any more after the edits before"
    return f"{words!r} is not in the picture{gone}; what is: {contents(plan)}"


def readable(program: Sequence[Edit], plans: Sequence[Plan]) -> str:
    """A program for people: "recolour the fox -> blue, then background -> night". plans: before each edit."""
    return ", then ".join(edit.words(plan) for edit, plan in zip(program, plans, strict=False))


def conflicts(program: Sequence[Edit], plans: Sequence[Plan]) -> list[Conflict]:
    """Everything that a program asks to keep and to change. plans: before each edit, and after the last."""
    identities = _identities(program, plans)
    found: list[Conflict] = []
    for k, keep in enumerate(program):
        if keep.op != "keep":
            continue
        kept = {identities[k][i] for i in keep.select.things} if keep.select else set[int]()
        for j, edit in enumerate(program):
            if edit.op == keep.aspect and edit.op in ("background", "light"):
                found.append(Conflict(f"the {edit.op}", keep, edit))
            elif kept & _changed(edit, keep.aspect or "", identities[j], identities[j + 1]):
                of = f"the {keep.aspect} of " if keep.aspect != "thing" else ""
                found.append(Conflict(of + (keep.select.words() if keep.select else "it"), keep, edit))
    return found


_CHANGES = {
    "colour": ("recolour", "replace"),
    "place": ("move", "swap"),
    "size": ("resize",),
    "thing": ("recolour", "replace", "move", "swap", "resize", "text"),
}


def _changed(edit: Edit, aspect: str, before: Sequence[int], after: Sequence[int]) -> set[int]:
    """The things whose aspect an edit changes, by their identities; one that is gone has lost all of them."""
    gone = set(before) - set(after)
    if edit.op not in _CHANGES.get(aspect, ()):
        return gone
    chosen = [i for select in (edit.select, edit.other) if select for i in select.things]
    return gone | {before[i] for i in chosen}


def _identities(program: Sequence[Edit], plans: Sequence[Plan]) -> list[list[int]]:
    """For each plan, who each thing is: a number that stays with it while it is recoloured, moved or replaced."""
    now = list(range(len(plans[0].objects)))
    found, fresh = [now], len(now)
    for edit, before, after in zip(program, plans[:-1], plans[1:], strict=True):
        left = list(zip(before.objects, now, strict=True))
        following: list[int | None] = []
        for thing in after.objects:
            same = next((pair for pair in left if pair[0] == thing), None)
            if same is not None:
                left.remove(same)
            following.append(same[1] if same else None)
        changed = [] if edit.op in ("remove", "add", "count") else [identity for _, identity in left]
        now = []
        for identity in following:
            if identity is None:
                identity = changed.pop(0) if changed else (fresh := fresh + 1)
            now.append(identity)
        found.append(now)
    return found


def check_world(plan: Plan, capabilities: Capabilities, name: str) -> None:
    """Raise `InvalidRequest` for what an edit brings that the painter has not learned."""
    for thing in plan.objects:
        if capabilities.nouns and thing.noun not in capabilities.nouns:
            known = ", ".join(capabilities.nouns)
            hint = "; `triptych typeset` sets words into pictures" if thing.noun == "sign" else ""
            raise InvalidRequest("instruction", f"{name} cannot paint a {thing.noun}{hint} (it knows: {known})")
        if capabilities.colours and thing.colour and thing.colour not in capabilities.colours:
            known = ", ".join(capabilities.colours)
            raise InvalidRequest(
                "instruction", f"{name} cannot paint a {thing.noun} {thing.colour} (it knows: {known})"
            )
    if capabilities.backgrounds and plan.background and plan.background not in capabilities.backgrounds:
        known = ", ".join(capabilities.backgrounds)
        raise InvalidRequest("instruction", f"{name} cannot paint the background {plan.background} (it knows: {known})")
