"""The flow family: a rectified flow (Liu et al. 2022; Lipman et al. 2022) over latents, painted by an MMDiT.

x_t = (1 - t) x0 + t eps; the network predicts the velocity eps - x0, and a picture is the straight way back from
t = 1 to t = 0. Knows its network and what all latent families share; knows no prompt, door or file.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from triptych.adapters.control import Point, Steer
from triptych.adapters.plan_input import PlanRaster
from triptych.adapters.reference import ReferenceAdapter, sizes_of
from triptych.core.request import Request
from triptych.families.flow.mmdit import MMDiT, picture_ids, text_ids
from triptych.families.latent import LATENT_FACTOR, LatentFamily
from triptych.sampling import schedules
from triptych.sampling.schedules import Schedule

# B pictures, C latent channels, P patch, N = (h / P) (w / P) tokens


TIMES_LOCATION = 1.0
"""Mean of the training times' logit; at 0 the same network got a fifth fewer facts right (docs/decisions/0019)."""
BESIDE_REFERENCES = 0.3
"""The same beside references, which tell the shapes: what is left to learn are details, at less noise."""


class FlowFamily(LatentFamily):
    """`network` is the MMDiT; one token is a P x P patch of latents."""

    parameterization = "flow"
    network: MMDiT
    patch = 2

    def schedule(self, request: Request) -> Schedule:
        tokens = (request.height or 0) * (request.width or 0) // (LATENT_FACTOR * self.patch) ** 2
        return schedules.flow_schedule(request.schedule or "linear", request.steps or 1, tokens=tokens)

    def read_plan(self, raster: PlanRaster, cells: Tensor | None = None) -> Tensor:
        return self.plan_input(raster, cells)

    def control_points(self) -> tuple[Point, ...]:
        """The embedded tokens, and those after every block."""
        config = self.network.config
        tokens = Point(config.width, LATENT_FACTOR * self.patch)
        return (tokens,) * (1 + config.num_layers + config.num_single_layers)

    def reference_layers(self) -> dict[str, tuple[int, int]]:
        """All that picture tokens pass; what only text passes stays as it is."""
        under = ("transformer_blocks.", "single_transformer_blocks.")
        return sizes_of(self.network, under=under, without=("add_", "ff_context"))

    def recalled(
        self, pictures: Tensor, numbers: Tensor, roles: Tensor, adapter: ReferenceAdapter
    ) -> list[tuple[Tensor, Tensor]]:
        """Keys and values (K, N, H, D) of clean latents (K, C, h, w), each at its own number on the reference axis."""
        tokens = to_tokens(pictures, self.patch)
        ids = picture_ids(pictures.shape[-2] // self.patch, pictures.shape[-1] // self.patch)
        ids = ids.to(tokens.device).repeat(len(tokens), 1, 1)
        ids[..., 0] = numbers[:, None]
        return self.network.recall(tokens, ids, adapter.added(roles, tokens))

    def joined(self, parts: Sequence[Tensor]) -> Tensor:
        return torch.cat(tuple(parts), dim=1)

    def predict(
        self,
        x: Tensor,
        t: Tensor,
        text: Tensor,
        position: Tensor,
        *,
        steer: Steer | None = None,
        memory: Sequence[tuple[Tensor, Tensor]] = (),
    ) -> Tensor:
        h, w = x.shape[-2] // self.patch, x.shape[-1] // self.patch
        ids, words = picture_ids(h, w).to(x.device), text_ids(text.shape[1]).to(x.device)
        tokens = self.network(
            to_tokens(x, self.patch), text, t, ids, words, position_input=position, steer=steer, memory=memory
        )
        return to_latents(tokens, h, w, self.patch)

    def loss(
        self,
        x0: Tensor,
        text: Tensor,
        raster: PlanRaster,
        generator: torch.Generator,
        *,
        steer: Steer | None = None,
        memory: Sequence[tuple[Tensor, Tensor]] = (),
    ) -> Tensor:
        """Mean squared error of the velocity (conditional flow matching, Lipman et al. 2022, eq. 9).

        x0: (B, C, h, w) clean latents; text: (B, T, width); times are logit-normal (Esser et al. 2024, section 3.1),
        leaning towards noise, where shapes are decided. steer, memory: as in `predict`.
        """
        normal = torch.randn(x0.shape[0], generator=generator, device=x0.device)
        t = torch.sigmoid(normal + (BESIDE_REFERENCES if memory else TIMES_LOCATION))
        noise = torch.randn(x0.shape, generator=generator, device=x0.device)
        mix = t.view(-1, 1, 1, 1)
        noisy = (1 - mix) * x0 + mix * noise
        velocity = self.predict(noisy, t, text, self.read_plan(raster), steer=steer, memory=memory)
        return F.mse_loss(velocity.float(), noise - x0)


def to_tokens(x: Tensor, patch: int) -> Tensor:
    """(B, C, h, w) -> (B, N, C P P), tokens row by row, channel first within a token as FLUX.2 packs them."""
    return F.pixel_unshuffle(x, patch).flatten(2).transpose(1, 2)


def to_latents(tokens: Tensor, h: int, w: int, patch: int) -> Tensor:
    """The inverse of `to_tokens`, for a grid of h x w tokens."""
    return F.pixel_shuffle(tokens.transpose(1, 2).unflatten(2, (h, w)), patch)
