"""FLUX.2 [klein] as a family of the engine: the built-in flow family's own network with other parts.

Its transformer is `families.flow.mmdit.MMDiT`, tensor for tensor. What it paints is a latent of 32 channels at an
eighth of the picture, in patches of 2 x 2, each of the 128 numbers of a patch brought to unit variance (`vae.bn`).
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from triptych.adapters.control import Steer
from triptych.core.capabilities import Capabilities
from triptych.core.events import Note
from triptych.core.plan import Plan
from triptych.core.request import Request
from triptych.families.flow.family import FlowFamily, to_latents, to_tokens
from triptych.families.flow.mmdit import MMDiT, picture_ids, text_ids
from triptych.families.latent import LATENT_FACTOR
from triptych.families.tiles import Stage
from triptych.open_weights.needs import Precision, told_of
from triptych.open_weights.qwen import QwenText
from triptych.open_weights.vae import Vae, VaeConfig
from triptych.sampling import schedules
from triptych.sampling.schedules import Schedule

PATCH = 2


class PatchedVae(Vae):
    """The autoencoder, whose latents are normalised patch by patch, with running statistics of its training."""

    def __init__(self, config: VaeConfig, eps: float) -> None:
        super().__init__(config)
        self.bn = nn.BatchNorm2d(PATCH**2 * config.latent_channels, eps=eps, affine=False)

    def encode(self, x: Tensor) -> Tensor:
        mean, deviation = self._statistics()
        return F.pixel_shuffle((F.pixel_unshuffle(super().encode(x), PATCH) - mean) / deviation, PATCH)

    def _decode(self, z: Tensor) -> Tensor:
        mean, deviation = self._statistics()
        return super()._decode(F.pixel_shuffle(F.pixel_unshuffle(z, PATCH) * deviation + mean, PATCH))

    def _statistics(self) -> tuple[Tensor, Tensor]:
        mean, variance = self.bn.running_mean, self.bn.running_var
        if mean is None or variance is None:
            raise ValueError("the autoencoder has no statistics")
        deviation = (variance.float() + self.bn.eps).sqrt()
        return mean.float().view(1, -1, 1, 1), deviation.view(1, -1, 1, 1)


class Flux2(FlowFamily):
    """text: Qwen3's states. The picture's latent is handed out and taken back in patches by the flow family."""

    text: QwenText
    precision: Precision = "float32"

    def __init__(
        self, name: str, capabilities: Capabilities, network: MMDiT, text: QwenText, autoencoder: PatchedVae
    ) -> None:
        self.name, self.capabilities = name, capabilities
        self.network, self.text = network, text
        self.autoencoder: Any = autoencoder

    def schedule(self, request: Request) -> Schedule:
        """`dynamic` is FLUX.2's own: the shift grows with the picture and falls with the steps."""
        steps = request.steps or 1
        tokens = (request.height or 0) * (request.width or 0) // (LATENT_FACTOR * PATCH) ** 2
        if (request.schedule or "dynamic") == "dynamic":
            return schedules.flow(steps, mu=empirical_mu(tokens, steps))
        return schedules.flow_schedule(request.schedule or "", steps, tokens=tokens)

    def position(self, plan: Plan | None, stage: Stage, cells: Tensor | None) -> Tensor:
        return torch.zeros(0, *stage.size)

    def predict(
        self,
        x: Tensor,
        t: Tensor,
        text: Tensor,
        position: Tensor,
        *,
        steer: Steer | None = None,
        memory: Any = (),
    ) -> Tensor:
        h, w = x.shape[-2] // PATCH, x.shape[-1] // PATCH
        dtype = self.network.x_embedder.weight.dtype
        tokens = self.network(
            to_tokens(x, PATCH).to(dtype),
            text.to(dtype),
            t,
            picture_ids(h, w),
            text_ids(text.shape[1]),
            steer=steer,
            memory=memory,
        )
        return to_latents(tokens.float(), h, w, PATCH)

    def notes(self, request: Request) -> tuple[Note, ...]:
        """What becomes of the words of a prompt."""
        return told_of(self.precision, self.text.length if self.text.truncated(request.prompt) else None)


def empirical_mu(tokens: int, steps: int) -> float:
    """FLUX.2's log-shift: on a plane through what was measured at 10 and 200 steps, and from 4300 tokens on a line."""
    at_200 = 0.00016927 * tokens + 0.45666666
    if tokens > 4300:
        return at_200
    at_10 = 8.73809524e-05 * tokens + 1.89833333
    slope = (at_200 - at_10) / 190
    return slope * steps + at_200 - 200 * slope
