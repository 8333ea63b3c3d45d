"""What the network is shown of one latent in one step: windows of it, read by one or several voices, and how the
answers become one.

A voice is a prompt with a share in every cell: the request's own and those of its regions. Every window is looked at
by each voice that has a say in it, and the answers are averaged with weights (Bar-Tal et al. 2023, "MultiDiffusion",
equation 5, where windows and regional prompts are one and the same thing).

(h, w): cells of a latent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from triptych.core.state import Condition
from triptych.families.reading import Reading
from triptych.families.tiles import Size, Stage, Window

EDGE = 1e-2
"""The weight of a window's outermost cells, where 1 is that of its middle."""


UNSEEN = 1e-9
"""Weights below this are of cells that nobody looked at, whose prediction is zero and is not used."""


@dataclass(frozen=True)
class Voice:
    """What one prompt says. share: (h, w), how much it counts in each cell; None is everywhere alone."""

    reading: Reading
    share: Tensor | None = None


@dataclass(frozen=True)
class Pass:
    """All that one walk needs. negative: what guidance leads away from, for every voice.

    init, freedom: as in `Condition`, at this walk's size.
    """

    stage: Stage
    voices: tuple[Voice, ...]
    negative: Reading
    init: Tensor | None = None
    freedom: Tensor | None = None


@dataclass(frozen=True)
class LatentCondition(Condition):
    """A condition with what each walk reads; `positive`, `negative`, `init` and `freedom` are the last one's."""

    passes: tuple[Pass, ...] = ()


@dataclass(frozen=True)
class Look:
    """readings: conditional, and unconditional where guidance acts. window: None is all of the latent.

    say: how much the answer counts in each cell of the window, (h, w); None is the only one.
    """

    readings: tuple[Reading, ...]
    window: Window | None = None
    say: Tensor | None = None

    def cut(self, plane: Tensor) -> Tensor:
        """The part of (..., h, w) that is looked at; a view."""
        return plane if self.window is None else self.window.cut(plane)


def looks_of(one: Pass, *, guided: bool) -> list[Look]:
    """Every look of a step: window by window, voice by voice. Nobody looks where nothing may change."""
    size, windows = one.stage.size, one.stage.windows
    if not windows and len(one.voices) == 1:
        return [Look(_rows(one.voices[0].reading, one.negative, guided))]
    found: list[Look] = []
    for window in _free(windows, one.freedom) or (Window(0, 0, *size),):
        whole = bump((window.height, window.width)) if windows else torch.ones(size)
        negative = window.cut_reading(one.negative, size)
        for voice in one.voices:
            say = whole if voice.share is None else whole * window.cut(voice.share)
            if bool(say.any()):
                found.append(Look(_rows(window.cut_reading(voice.reading, size), negative, guided), window, say))
    return found


def _free(windows: Sequence[Window], freedom: Tensor | None) -> Sequence[Window]:
    """The windows in which something may change; all if nothing may, since a step needs a prediction."""
    if freedom is None:
        return windows
    return [window for window in windows if bool(window.cut(freedom).any())] or windows


def _rows(positive: Reading, negative: Reading, guided: bool) -> tuple[Reading, ...]:
    return (positive, negative) if guided else (positive,)


def bump(size: Size) -> Tensor:
    """How much each cell of a window counts, (h, w): a squared sine in both directions, never zero."""
    down, across = (torch.sin(math.pi * (torch.arange(side) + 0.5) / side).square() + EDGE for side in size)
    return down[:, None] * across[None, :]


def blended(looks: Sequence[Look], outputs: Sequence[Tensor], size: Size) -> Tensor:
    """The answers (C, h, w) of all looks at one latent as one of `size`: their mean, weighted by what each may say."""
    if looks[0].say is None:
        (alone,) = outputs
        return alone
    total = outputs[0].new_zeros((outputs[0].shape[0], *size))
    weight = outputs[0].new_zeros(size)
    for look, output in zip(looks, outputs, strict=True):
        if look.say is not None:
            look.cut(total).add_(output * look.say)
            look.cut(weight).add_(look.say)
    return total / weight.clamp_min(UNSEEN)
