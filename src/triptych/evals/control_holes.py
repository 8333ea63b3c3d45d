"""Whether a masked edit gains by being shown what stays: half of a thing is blanked, and painted again.

The same hole is painted with the control adapter, which is shown the rest of the picture, and without, with the scene's
plan and with no plan. Compared with the scene's own render are the mean absolute difference inside the hole, and the
step across its border over the render's own there: 1 is a border that cannot be told from the picture. With a plan a
family does not show the rest by itself (`Steers.read`); here it is made to. Knows no mask but its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from triptych.core.asset import Asset
from triptych.core.events import Pixels
from triptych.core.request import Request
from triptych.engine import Engine
from triptych.evals.control import Bench
from triptych.evals.statistics import Interval, estimate
from triptych.families.steering import Steering, Steers
from triptych.scenes import Scene, render

ROOM = 0.08
"""How far the hole reaches beyond the thing, in fractions of the picture."""
HOLES = {
    "difference": "mean absolute difference inside, in grey levels",
    "step": "step across the border, over the render's own",
}


def hole(scene: Scene, side: int) -> npt.NDArray[np.uint8]:
    """(side, side), 255 over the right half of the front thing and some room; in an empty place, its middle."""
    x0, y0, x1, y1 = scene.objects[-1].box if scene.objects else (0.0, 0.3, 0.6, 0.7)
    mask = np.zeros((side, side), np.uint8)
    left, right = (x0 + x1) / 2, x1 + ROOM
    mask[_span(y0 - ROOM, y1 + ROOM, side), _span(left, right, side)] = 255
    return mask


def _span(low: float, high: float, side: int) -> slice:
    return slice(max(round(low * side), 0), min(round(high * side), side))


class _Shown:
    """The adapter's steering, as if there were no plan."""

    def __init__(self, steers: Steers) -> None:
        self.steer, self._steers = steers.steer, steers

    def read(self, request: Request, *, planned: bool) -> tuple[Steering, ...]:
        return self._steers.read(request, planned=False)


def paint_holes(bench: Bench, model: str, *, seeing: bool, planned: bool) -> list[dict[str, float]]:
    """The figures of `HOLES` for every scene; seeing: shown the rest; planned: with the scene's own plan."""
    family: Any = bench.models.family(model)
    kept = family.steers
    try:
        family.steers = _Shown(kept) if seeing else None
        renders = [render(case.scene, bench.side, bench.sprites) for case in bench.cases]
        masks = [hole(case.scene, bench.side) for case in bench.cases]
        requests = [
            Request.make(
                prompt=case.text, model=model, seed=case.scene.index, quality=bench.quality, use_plan=planned,
                plan=case.scene.plan() if planned else None, init=Asset.of(pixels), strength_map=Asset.of(mask),
                strength=1.0,
            )
            for case, pixels, mask in zip(bench.cases, renders, masks, strict=True)
        ]  # fmt: skip
        made = [pictures[0].pixels for pictures in Engine(bench.models).generate_many(requests)]
    finally:
        family.steers = kept
    return [figures(*each) for each in zip(made, renders, masks, strict=True)]


def figures(made: Pixels, render_: Pixels, mask: npt.NDArray[np.uint8]) -> dict[str, float]:
    """What became of a hole, as an edit puts it into the picture: the render outside of it."""
    inside = mask == 255
    whole = np.where(inside[..., None], made, render_).astype(np.int16)
    true = render_.astype(np.int16)
    return {
        "difference": float(np.abs(whole - true)[inside].mean()),
        "step": _step(whole, inside) / max(_step(true, inside), 1e-6),
    }


def _step(pixels: npt.NDArray[np.int16], inside: npt.NDArray[np.bool_]) -> float:
    """The mean difference of neighbours of which one lies inside and one outside."""
    steps = [
        np.abs(np.diff(pixels, axis=axis))[np.diff(inside.astype(np.int8), axis=axis) != 0].ravel() for axis in (0, 1)
    ]
    return float(np.concatenate(steps).mean())


def hole_figures(bench: Bench, model: str, *, planned: bool) -> dict[str, dict[str, Interval]]:
    """Figure -> with and without the adapter, and the difference that it makes, paired over scenes."""
    seen, blind = (paint_holes(bench, model, seeing=seeing, planned=planned) for seeing in (True, False))
    bench.report(f"{model}: holes painted {'with' if planned else 'without'} a plan")

    def told(values: Sequence[float]) -> Interval:
        return estimate(np.array(values)[:, None]).interval()

    return {
        name: {
            "seeing": told([each[name] for each in seen]),
            "not seeing": told([each[name] for each in blind]),
            "gain": told([b[name] - a[name] for a, b in zip(seen, blind, strict=True)]),
        }
        for name in HOLES
    }
