"""Stable Diffusion 1.x, 2.x and XL as a family of the engine: its U-Net, its text towers, its autoencoder.

It is the built-in diffusion family with other parts: batching, previews, regions, pixel lock and LoRA are the same
code. It paints from the words alone, so the plan is a position input without channels.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from triptych.adapters.control import Steer
from triptych.core.capabilities import Capabilities
from triptych.core.events import Note
from triptych.core.plan import Plan
from triptych.core.request import Request
from triptych.families.diffusion.family import DiffusionFamily
from triptych.families.diffusion.unet import TextTime, UNet
from triptych.families.looks import Pass
from triptych.families.tiles import Stage
from triptych.open_weights.clip import ClipText
from triptych.open_weights.needs import Precision, told_of
from triptych.open_weights.noise import Diffusion
from triptych.open_weights.vae import Vae
from triptych.sampling import schedules
from triptych.sampling.sampler import SamplerState
from triptych.sampling.schedules import Schedule

SAMPLERS_OF_K = ("euler", "euler_ancestral", "heun")
"""Samplers that public pipelines run in the coordinates of k-diffusion, where pure noise has the level's deviation."""


class Towers:
    """One text tower, or SDXL's two side by side. `ReadsText`, and the vector for the whole of the last tower."""

    def __init__(self, towers: tuple[ClipText, ...], *, zero_negative: bool = True) -> None:
        self.towers, self.zero_negative = towers, zero_negative
        self.length = towers[0].length
        self.width = sum(tower.width for tower in towers)

    def states(self, prompt: str) -> Tensor:
        """(T, width): of one tower its last states, of two those before the last layer (Podell et al. 2023)."""
        if len(self.towers) == 1:
            return self.towers[0].read(prompt)[0]
        return torch.cat([tower.read(prompt)[1] for tower in self.towers], dim=-1)

    def whole(self, prompt: str) -> Tensor:
        return self.towers[-1].read(prompt)[2]

    @property
    def networks(self) -> tuple[Any, ...]:
        return tuple(tower.network for tower in self.towers)

    def truncated(self, prompt: str) -> bool:
        return any(tower.truncated(prompt) for tower in self.towers)


class StableDiffusion(DiffusionFamily):
    """told (XL): the pooled text and six numbers of sizes. noise: the checkpoint's table and what it predicts."""

    network: UNet
    text: Towers
    precision: Precision = "float32"

    def __init__(
        self, name: str, capabilities: Capabilities, network: UNet, text: Towers, autoencoder: Vae, noise: Diffusion
    ) -> None:
        self.name, self.capabilities = name, capabilities
        self.network, self.text, self.noise = network, text, noise
        self.autoencoder: Any = autoencoder
        self.parameterization = noise.predicts

    def schedule(self, request: Request) -> Schedule:
        return schedules.diffusion_schedule(request.schedule or "trailing", request.steps or 1, self.noise.table)

    def position(self, plan: Plan | None, stage: Stage, cells: Tensor | None) -> Tensor:
        return torch.zeros(0, *stage.size)

    def words(self, prompt: str, request: Request, *, negative: bool = False) -> tuple[Tensor, tuple[Tensor, ...]]:
        states = self.text.states(prompt)
        if self.network.config.addition_time_embed_dim is None:
            return states, ()
        pooled = self.text.whole(prompt)
        if negative and not prompt and self.text.zero_negative:
            states, pooled = torch.zeros_like(states), torch.zeros_like(pooled)
        size = float(request.height or 0), float(request.width or 0)
        return states, (pooled, torch.tensor([*size, 0.0, 0.0, *size]))

    def predict(
        self,
        x: Tensor,
        t: Tensor,
        text: Tensor,
        position: Tensor,
        *,
        steer: Steer | None = None,
        told: tuple[Tensor, ...] = (),
    ) -> Tensor:
        dtype = self.network.conv_in.weight.dtype
        added = TextTime(*told) if told else None
        return self.network(x.to(dtype), t, text.to(dtype), added=added, steer=steer).float()

    def notes(self, request: Request) -> tuple[Note, ...]:
        """What becomes of the words of a prompt."""
        return told_of(self.precision, self.text.length - 2 if self.text.truncated(request.prompt) else None)

    def _start(self, request: Request, one: Pass, index: int, schedule: Schedule, init: Tensor | None) -> SamplerState:
        """As the public pipelines have it: most samplers begin in noise of deviation 1, though the first level's is a
        little less.
        """
        state = super()._start(request, one, index, schedule, init)
        if init is not None or (request.sampler in SAMPLERS_OF_K and request.schedule != "leading"):
            return state
        return replace(state, x=state.x / schedule.level(0)[1])
