"""Rules for what GenEval does not ask: scale, occlusion, shadows. Each is a pure function of prompt and reading."""

from __future__ import annotations

import math

from triptych.evals.judge.verdict import Verdict, area, found, overlap
from triptych.evals.reading import Detection, Reading
from triptych.evals.rows.prompt import Prompt
from triptych.scenes.layout import sides_of
from triptych.scenes.nouns import NOUNS
from triptych.scenes.render import FALL

AREA_TOLERANCE = 0.2
VISIBLE = (0.3, 0.95)
SHADOW_DEGREES = 20.0


def scale(prompt: Prompt, reading: Reading) -> Verdict:
    """The ratio of the two boxes' areas is one that the size words allow, give or take 20 %.

    A size word means a range of longest sides in 32nds of the picture (`scenes.layout.sides_of`): of two things, a
    large one has 16 to 18, a small one 8 to 10. A box with longest side s and aspect a (width over height) has the area
    s^2 / max(a, 1 / a). The allowed ratios of large to small reach from 0.8 times (least large / most small) to 1.2
    times (most large / least small). Of several detections of a noun, the likeliest is measured.
    """
    things, reason = _best(prompt, reading)
    if reason:
        return Verdict(False, reason)
    ratio = area(things[0].box) / max(area(things[1].box), 1e-9)
    (low0, high0), (low1, high1) = (_areas(group.noun, group.size) for group in prompt.groups)
    low, high = low0 / high1 * (1 - AREA_TOLERANCE), high0 / low1 * (1 + AREA_TOLERANCE)
    atoms = {"ratio": ratio, "low": low, "high": high}
    if low <= ratio <= high:
        return Verdict(True, "", atoms)
    return Verdict(False, f"areas are as {ratio:.2f} to 1; {low:.2f} to {high:.2f} was asked", atoms)


def occlusion(prompt: Prompt, reading: Reading) -> Verdict:
    """Both are there, their boxes overlap, 0.3 to 0.95 of the back thing shows, and it shows less than the front one.

    Of several detections of a noun, the likeliest is looked at.
    """
    things, reason = _best(prompt, reading)
    if reason:
        return Verdict(False, reason)
    relation = prompt.relations[0]
    front, back = (things[relation.subject], things[relation.object])
    if relation.kind == "behind":
        front, back = back, front
    low, high = VISIBLE
    shared = overlap(front.box, back.box)
    reasons: list[str] = []
    if shared <= 0:
        reasons.append("the boxes do not overlap")
    if not low <= back.visible <= high:
        reasons.append(f"{back.visible:.0%} of the {back.noun} shows; {low:.0%} to {high:.0%} was asked")
    if front.visible < back.visible:
        reasons.append(f"the {front.noun} is behind the {back.noun}")
    return Verdict(not reasons, "; ".join(reasons), {"overlap": shared, "visible": back.visible})


def shadow(prompt: Prompt, reading: Reading) -> Verdict:
    """Every thing of the noun has a shadow, and its direction is within 20 degrees of where the stated light throws it.

    The direction is that of the shadow's tip seen from the thing's foot (`scenes.render.FALL`).
    """
    group = prompt.groups[0]
    things = found(reading, group.noun)
    if len(things) < group.count:
        return Verdict(False, f"expected {group.noun} x{group.count}, found {len(things)}")
    errors = [shadow_error(thing.shadow, prompt.light) for thing in things[: group.count]]
    if any(error is None for error in errors):
        return Verdict(False, f"a {group.noun} has no shadow")
    worst = max(error for error in errors if error is not None)
    reason = "" if worst < SHADOW_DEGREES else f"the shadow is {worst:.0f} degrees off"
    return Verdict(not reason, reason, {"degrees": worst})


def shadow_error(tip: tuple[float, float] | None, light: str | None) -> float | None:
    """Degrees between a shadow's tip, seen from its foot, and where the light throws it; None without a shadow."""
    if tip is None or not any(tip):
        return None
    right, up = FALL[light]
    difference = math.atan2(tip[1], tip[0]) - math.atan2(up, right)
    return abs(math.degrees(math.remainder(difference, 2 * math.pi)))


def _areas(noun: str, size: str, things: int = 2) -> tuple[float, float]:
    """The areas that a size word means, in squares of 32nds."""
    aspect = NOUNS[noun].aspect
    slim = max(aspect, 1 / aspect)
    low, high = sides_of(size, things)
    return low**2 / slim, high**2 / slim


def _best(prompt: Prompt, reading: Reading) -> tuple[list[Detection], str]:
    """The likeliest detection of each group's noun, or what is missing."""
    things = [found(reading, group.noun)[:1] for group in prompt.groups]
    missing = [group.noun for group, here in zip(prompt.groups, things, strict=True) if not here]
    if missing:
        return [], f"expected {' and '.join(missing)}, found none"
    return [here[0] for here in things], ""
