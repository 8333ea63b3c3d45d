"""What the parts of control cost and find, alone: the figures of docs/decisions/0034 and 0035.

python bench/control_parts.py places [SCENES]     how well maps tell where things stand (default: 120)
python bench/control_parts.py cost                milliseconds of reading a map, and of a forward with and without
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
import torch

from triptych.adapters.control import PLANES, ControlAdapter
from triptych.adapters.plan_input import rasterise
from triptych.api import library
from triptych.control.blobs import blobs, moved_to
from triptych.evals.control import SEED, laid_out_anew
from triptych.evals.readers.decode import iou
from triptych.evals.scene_maps import KINDS, of_scene, world_legend
from triptych.scenes import sample_scene
from triptych.training.stages.control import SIZES

SIDE = 128
TIMES = 60


def places(scenes: int) -> None:
    print(f"{scenes} scenes of {SIDE} px; shares of scenes, and the mean IoU of the true boxes with the nearest found")
    for kind in KINDS:
        counted = fitted = right = 0
        overlaps: list[float] = []
        for index in range(scenes):
            scene = sample_scene("small", SEED, index)
            found = blobs(kind, of_scene(kind, scene, (SIDE, SIDE)), world_legend())
            counted += len(found) == len(scene.objects)
            overlaps += [max((iou(thing.box, blob.box) for blob in found), default=0.0) for thing in scene.objects]
            plan = moved_to(laid_out_anew(scene).plan(), found, whole=kind != "edges")
            if plan is not None:
                fitted += 1
                right += all(
                    max((iou(thing.box, each.box) for each in plan.objects if each.noun == thing.noun), default=0) > 0.5
                    for thing in scene.objects
                )
        told = f"right number {counted / scenes:.2f}  IoU {np.mean(overlaps):.2f}  fitted {fitted / scenes:.2f}"
        print(f"{kind:<13} {told}  every thing in its place {right / scenes:.2f}")


def cost(name: str) -> None:
    family = library().family(name)
    adapter = ControlAdapter(family.control_points(), **SIZES["cpu"]).eval().requires_grad_(False)
    own, base = (sum(p.numel() for p in each.parameters()) / 1e6 for each in (adapter, family.network))
    nothing = family.read_plan(rasterise(None, family.vocabulary, (SIDE // 8, SIDE // 8)))
    x, text = torch.randn(2, 16, SIDE // 8, SIDE // 8), torch.randn(2, family.text.length, family.text.width)
    t, position = torch.full((2,), 0.5), torch.cat((nothing, nothing))
    maps, kind = torch.rand(1, PLANES, SIDE, SIDE), torch.tensor([0])
    with torch.inference_mode():
        steer = adapter.steer([torch.cat((c, c)) for c in adapter.features(maps, kind)])
        read, plain, steered = best(
            lambda: adapter.features(maps, kind),
            lambda: family.predict(x, t, text, position),
            lambda: family.predict(x, t, text, position, steer=steer),
        )
    told = f"reading a map {read:.1f} ms; a forward of two rows {plain:.1f} ms, steered {steered:.1f} ms"
    print(f"{name}: {own:.2f} M weights beside {base:.2f} M; {told}")


def best(*calls: Callable[[], object]) -> list[float]:
    """Milliseconds of the quickest of `TIMES` of each call, taken in turn: other work slows all of them alike."""
    spent: list[list[float]] = []
    for _ in range(TIMES):
        row: list[float] = []
        for call in calls:
            started = time.perf_counter()
            call()
            row.append(1000 * (time.perf_counter() - started))
        spent.append(row)
    return [min(each) for each in zip(*spent, strict=True)]


if __name__ == "__main__":
    if sys.argv[1:2] == ["places"]:
        places(int(sys.argv[2]) if len(sys.argv) > 2 else 120)
    elif sys.argv[1:] == ["cost"]:
        for painter in ("flow", "diffusion"):
            cost(painter)
    else:
        sys.exit(__doc__)
