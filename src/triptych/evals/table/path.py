"""How straight a model's way from noise to picture is, as families that paint in steps walk it.

The state after i of N steps of the deterministic first-order sampler, guidance off, is z_i, with z_N the clean latent.
For a rectified flow these are Euler steps of equal length, so N (z_{i+1} - z_i) is the velocity (Liu et al. 2022).
Diffusion's way is measured alike, in shares of its steps; it is bent by design, so compare the models of one family.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from triptych.core.contract import resolve
from triptych.core.request import Request
from triptych.engine import Models

STEPS = 64


@dataclass(frozen=True)
class Straightness:
    """bend: mean over i of |N (z_{i+1} - z_i) - (z_N - z_0)|^2 over |z_N - z_0|^2; 0 is a straight line walked evenly.

    detour: length of the way over its chord; 1 is straight. one_step: |z of one step - z_N|^2 over the mean |z_N|^2.
    """

    bend: float
    detour: float
    one_step: float


def straightness(models: Models, requests: Sequence[Request], steps: int = STEPS) -> Straightness:
    """Means over the requests, each walked in `steps` steps and in one."""
    bends, detours, errors, powers = [], [], [], []
    for request in requests:
        way = torch.stack(walk(models, request, steps)).flatten(1).double()
        chord, moves = way[-1] - way[0], way.diff(dim=0)
        bends.append(((steps * moves - chord).square().sum(1).mean() / chord.square().sum()).item())
        detours.append((moves.norm(dim=1).sum() / chord.norm()).item())
        jump = walk(models, request, 1)[-1].flatten().double()
        errors.append((jump - way[-1]).square().mean().item())
        powers.append(way[-1].square().mean().item())
    return Straightness(float(np.mean(bends)), float(np.mean(detours)), float(np.mean(errors) / np.mean(powers)))


@torch.inference_mode()
def walk(models: Models, request: Request, steps: int) -> list[Tensor]:
    """The latents (C, h, w) of a request's first picture, from noise to the end: steps + 1 of them."""
    family: Any = models.family(request.model)
    sampler = next(name for name in ("euler", "ddim") if name in family.capabilities.samplers)
    asked = request.model_copy(update={"steps": steps, "sampler": sampler, "guidance": 1.0})
    resolved, _ = resolve(asked, family.capabilities, name=request.model)
    plan = models.plan(resolved, 0) if resolved.use_plan else None
    state = family.begin(resolved, family.encode(resolved, plan), 0)
    way = [state.sampler.x]
    while not state.done:
        state = family.advance(state, family.forward([state])[0])
        way.append(state.sampler.x)
    family.release(state)
    return way
