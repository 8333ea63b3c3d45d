"""How well edits by instruction do what they are told and leave alone what they are not: cases, and what is scored.

A case is a scene of the world, an instruction about it in words of the pairs, and the plan that the edit should leave.
The picture that is edited is a painter's own; the readers say what became of it. Three things are asked: is what was to
change as told, is what was to stay as it was, and did the pixels stay that no such edit has to touch. Knows no painter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from triptych.core.errors import InvalidRequest
from triptych.core.events import Pixels
from triptych.core.plan import Plan, PlanObject
from triptych.editing.distance import Bits
from triptych.editing.instruct.apply import Applied, difference
from triptych.editing.instruct.pairs import draw_edit, draw_pair
from triptych.editing.instruct.program import Edit
from triptych.editing.instruct.reach import changed_mask, kept
from triptych.evals.judge.verdict import THRESHOLD
from triptych.evals.lighting import light_of
from triptych.evals.readers.decode import iou
from triptych.evals.reading import Detection, Reading
from triptych.evals.statistics import Interval, estimate, share_interval
from triptych.scenes.nouns import NOUNS

OPS = ("recolour", "remove", "replace", "move", "resize", "add", "count", "background", "light")
LOCAL = ("recolour", "remove", "replace", "move", "resize", "add")
SEED = 4_000_037
"""Scenes of this seed are in no training."""
LEVEL = "small"
MOST_THINGS = 4
"""Painters learned pictures of up to so many things."""
LEAST_SIDE = 0.18
"""In shares of the picture: the readers learned things of about this size and larger, and cannot judge others."""
SAME = 0.5
"""Boxes of one noun that share so much of their union are one thing."""
TURNS = 5
FIGURES = ("done", "kept", "whole", "outside_changed", "psnr")
SHARES = ("done", "whole")


@dataclass(frozen=True)
class Case:
    """source: the plan that is edited. instruction: words for `edit`. target: the plan that it should leave."""

    number: int
    op: str
    instruction: str
    source: Plan
    edit: Edit
    target: Plan

    @property
    def applied(self) -> Applied:
        return difference(self.source, self.target)


def cases(count: int, split: str = "train") -> Iterator[Case]:
    """So many cases of every operation, in turn. split: of `instruct.pairs`, which says how they are worded."""
    found = dict.fromkeys(OPS, 0)
    for index in range(400 * count):
        for place, op in enumerate(OPS):
            if found[op] == count:
                continue
            try:
                pair = draw_pair(
                    LEVEL, SEED, index * len(OPS) + place, "phrasing" if split == "phrasing" else "train", only=op
                )
            except InvalidRequest:
                continue
            if len(pair.program) != 1 or not pair.readable or pair.program[0].op != op:
                continue
            if (
                pair.applied.plan == pair.turns[0].plan
            ):  # it names nothing, or several things that it does not tell apart
                continue
            if not (fits(pair.turns[0].plan) and fits(pair.applied.plan)):
                continue
            number = OPS.index(op) * 1000 + found[op]
            found[op] += 1
            yield Case(number, op, pair.instruction, pair.turns[0].plan, pair.program[0], pair.applied.plan)
        if all(have == count for have in found.values()):
            return


def fits(plan: Plan) -> bool:
    """Whether the painters can be expected to paint it: few things, none too small to be read."""
    sides = [max(box[2] - box[0], box[3] - box[1]) for box in (thing.box for thing in plan.objects)]
    return 1 <= len(sides) <= MOST_THINGS and min(sides) >= LEAST_SIDE


@dataclass(frozen=True)
class Turn:
    """One turn of a conversation: the instruction, and the plan that all turns up to it should leave."""

    instruction: str
    target: Plan


def conversation(number: int) -> tuple[Plan, tuple[Turn, ...]]:
    """A plan, and TURNS local edits of it, one after another; each may undo nothing of what was there before."""
    for attempt in range(100):
        pair = draw_pair(LEVEL, SEED + 1, number + 1000 * attempt, only="recolour")
        plan = source = pair.turns[0].plan
        if not fits(source) or len(source.objects) < 2:
            continue
        turns: list[Turn] = []
        try:
            for turn in range(TURNS):
                ops = LOCAL if turn % 2 else tuple(op for op in LOCAL if op != "remove")
                text, _, plan = draw_edit(plan, LEVEL, SEED + 1, TURNS * number + turn + 7919 * attempt, ops,
                                          most=MOST_THINGS)  # fmt: skip
                if not fits(plan):
                    break
                turns.append(Turn(text, plan))
        except InvalidRequest:
            continue
        if len(turns) == TURNS:
            return source, tuple(turns)
    raise InvalidRequest("number", f"{number}: no conversation of {TURNS} turns was found")


def as_planned(reading: Reading, plan: Plan) -> tuple[list[bool], int]:
    """Of each thing of a plan whether it is read there, in its colour; and how many things are read besides."""
    free = [thing for thing in reading.things if thing.score > THRESHOLD]
    found: list[bool] = []
    for thing in plan.objects:
        near = [(iou(thing.box, other.box), k) for k, other in enumerate(free) if other.noun == thing.noun]
        best = max(near, default=(0.0, -1))
        if best[0] < SAME:
            found.append(False)
            continue
        found.append(_has_colour(free.pop(best[1]), thing))
    return found, len(free)


def _has_colour(seen: Detection, thing: PlanObject) -> bool:
    wanted = thing.colour or NOUNS[thing.noun].natural
    return wanted is None or not NOUNS[thing.noun].recolourable or seen.colour == wanted


def is_painted(reading: Reading, plan: Plan) -> bool:
    """Whether a picture is as planned: every thing, nothing else, and the background."""
    found, more = as_planned(reading, plan)
    return all(found) and not more and plan.background in ("", reading.background)


def score(case: Case, before: Pixels, after: Pixels, reading: Reading) -> dict[str, float]:
    """What became of a case. before, after: the picture and the edited one, uint8 (H, W, 3); reading: of the edited.

    done: 1 if all that the edit names is as told: what comes is there, what goes is gone. kept: the share of things
    that stay, and of the background where it stays, that are as they were. whole: 1 for both. outside_changed: the
    share of changed pixels among those that this edit has no reason to touch (`to_stay`); psnr: there, in dB, up to 99.
    """
    applied = case.applied
    found, more = as_planned(reading, case.target)
    staying = kept(case.source, applied)
    comes = [ok for ok, thing in zip(found, case.target.objects, strict=True) if thing not in staying]
    stays = [ok for ok, thing in zip(found, case.target.objects, strict=True) if thing in staying]
    done = all(comes) and not more
    if case.target.background != case.source.background:
        done &= reading.background == case.target.background
    else:
        stays.append(case.target.background in ("", reading.background))
    if case.target.light != case.source.light:
        done &= light_of(reading) == (None if case.target.light == "above" else case.target.light)
    figures = {"done": float(done), "kept": sum(stays) / len(stays) if stays else 1.0}
    figures["whole"] = float(done and all(stays))
    region = to_stay(case.source, applied, before.shape[1::-1])
    return figures | (pixel_figures(before, after, region) if region.any() else {})


def to_stay(source: Plan, applied: Applied, size: tuple[int, int]) -> Bits:
    """The pixels (H, W) that the edit has no reason to touch: all beyond what differs between the plans, and where the
    background or the light changes, the inner of each thing that stays.
    """
    if not applied.everywhere:
        return ~changed_mask(source, applied, size)
    width, height = size
    y, x = np.mgrid[:height, :width]
    region = np.zeros((height, width), np.bool_)
    for thing in kept(source, applied):
        x0, y0, x1, y1 = thing.box
        across = ((x + 0.5) / width - (x0 + x1) / 2) / max(0.3 * (x1 - x0), 1e-6)
        down = ((y + 0.5) / height - (y0 + y1) / 2) / max(0.3 * (y1 - y0), 1e-6)
        region |= across**2 + down**2 <= 1
    return region


def pixel_figures(before: Pixels, after: Pixels, region: Bits) -> dict[str, float]:
    """Share of changed pixels and PSNR in a region that is not empty."""
    off = after[region].astype(np.float64) - before[region]
    error = float(np.square(off).mean())
    return {
        "outside_changed": float((off != 0).any(axis=1).mean()),
        "psnr": min(10 * float(np.log10(255**2 / error)), 99.0) if error > 0 else 99.0,
    }


def facts_share(reading: Reading, plan: Plan) -> float:
    """The share of a plan's facts that hold: its things, nothing besides them, the background."""
    found, more = as_planned(reading, plan)
    return (sum(found) + (plan.background in ("", reading.background))) / (len(found) + more + 1)


def summary(lines: Sequence[Mapping[str, Any]]) -> dict[str, Interval]:
    """Each figure's mean over cases with its 95 % interval. lines: one of each case, figures by name."""
    found: dict[str, Interval] = {}
    for name in FIGURES:
        values = np.array([line[name] for line in lines if name in line], dtype=np.float64)
        if len(values):
            mean = estimate(values[:, None])
            found[name] = share_interval(mean, len(values)) if name in SHARES else mean.interval()
    return found


def drift(lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Interval]]:
    """For each turn the share of facts that hold and the PSNR of what no turn had to touch, with intervals.

    lines: {"turn", "facts", "psnr"}, one of each conversation and turn.
    """
    turns: list[dict[str, Interval]] = []
    for turn in range(TURNS + 1):
        here = [line for line in lines if line["turn"] == turn]
        means: dict[str, Interval] = {}
        for name in ("facts", "psnr"):
            values = np.array([line[name] for line in here if name in line], dtype=np.float64)
            if len(values):
                means[name] = estimate(values[:, None]).interval()
        turns.append(means)
    return turns


def drawn(models: Mapping[str, Mapping[str, Sequence[Mapping[str, Interval]]]]) -> Any:
    """A matplotlib figure of the drift: a column per model, a line per way of editing. Needs the `train` extra."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.5 * max(len(models), 1), 5), dpi=90, layout="constrained")
    FigureCanvasAgg(figure)
    panels = (("facts", "facts that hold"), ("psnr", "PSNR of what no turn touches, dB"))
    for row, (name, label) in enumerate(panels):
        for column, (model, ways) in enumerate(models.items()):
            axes = figure.add_subplot(len(panels), len(models), row * len(models) + column + 1)
            for way, turns in ways.items():
                there = [turn for turn, means in enumerate(turns) if name in means]
                spans = [turns[turn][name] for turn in there]
                (line,) = axes.plot(there, [span.value for span in spans], "o-", markersize=3, label=way)
                lows, highs = [span.low for span in spans], [span.high for span in spans]
                axes.fill_between(there, lows, highs, alpha=0.15, color=line.get_color(), linewidth=0)
            axes.set_ylim(*((0, 1.03) if name == "facts" else (10, 102)))
            axes.set_title(model if row == 0 else "", fontsize=10)
            axes.set_xlabel("turn" if row else "", fontsize=8)
            axes.set_ylabel(label if column == 0 else "", fontsize=8)
            axes.tick_params(labelsize=7)
            axes.grid(alpha=0.3)
            if row == column == 0:
                axes.legend(fontsize=7)
    return figure
