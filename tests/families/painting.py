"""What the tests of the families share: resolved requests, a picture painted by hand through the doors, a few steps of
training. No engine: the doors are tested as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from triptych.adapters.plan_input import PlanRaster
from triptych.adapters.plan_vocabulary import PlanVocabulary
from triptych.core.capabilities import Capabilities
from triptych.core.contract import resolve
from triptych.core.events import Pixels
from triptych.core.plan import Plan, PlanObject
from triptych.core.request import Request
from triptych.core.state import State
from triptych.families import loading
from triptych.library import Library

PLAN = Plan(
    background="night",
    light="left",
    objects=(PlanObject(noun="ring", colour="blue", box=(0.1, 0.3, 0.6, 0.9)),),
)


def resolved(family: Any, prompt: str = "a blue ring", **fields: Any) -> Request:
    """The request as the engine hands it to a family."""
    capabilities: Capabilities = family.capabilities
    request = Request.make(**{"prompt": prompt, "model": family.name, "seed": 3, **fields})
    return resolve(request, capabilities, name=family.name)[0]


@torch.inference_mode()
def walk(family: Any, request: Request, plan: Plan | None = None, index: int = 0) -> list[State]:
    """Every state from the start to the finished picture. What the last one holds is given back already."""
    states = [family.begin(request, family.encode(request, plan), index)]
    while not states[-1].done:
        states.append(family.advance(states[-1], family.forward(states[-1:])[0]))
    family.release(states[-1])
    return states


@torch.inference_mode()
def paint(family: Any, plan: Plan | None = None, index: int = 0, **fields: Any) -> Pixels:
    return family.decode(walk(family, resolved(family, **fields), plan, index)[-1:])[0]


def untrained(library: Library, name: str, vocabulary: PlanVocabulary) -> Any:
    """A family of its own that a test may train, beside the shared one."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        family, _ = loading.fresh(name, "tiny", library.parts, vocabulary)
        family.network.init_weights()
    return family


def learn(family: Any, target: Tensor, raster: PlanRaster, steps: int, lr: float) -> list[float]:
    """Losses of `steps` steps on one batch, with the same times and noise in every step."""
    reader = family.text
    text = torch.stack([reader.states(f"a {colour} ring") for colour in ("red", "blue", "green", "orange")]).clone()
    parameters = [*family.network.parameters(), *family.plan_input.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=lr)
    losses: list[float] = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = family.loss(target, text, raster, torch.Generator().manual_seed(1))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def rows_of(family: Any, monkeypatch: Any, *doors: str) -> list[int]:
    """A list that fills with the number of rows of each network call through these doors of the family or network."""
    rows: list[int] = []

    def counted(door: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def call(first: Tensor, *rest: Any, **named: Any) -> Tensor:
            rows.append(first.shape[0])
            return door(first, *rest, **named)

        return call

    for name in doors:
        owner = family if hasattr(family, name) else family.network
        monkeypatch.setattr(owner, name, counted(getattr(owner, name)))
    return rows
