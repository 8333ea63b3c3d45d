"""The diffusion family: latent diffusion (Rombach et al. 2022) with Stable Diffusion's U-Net.

x_t = alpha_t x0 + sigma_t eps on a variance-preserving path whose last level is pure noise (zero terminal SNR, Lin et
al. 2023); the network predicts v (Salimans & Ho 2022), the one target that is defined there. Knows its network and
what all latent families share; knows no prompt, door or file.
"""

from __future__ import annotations

import torch
from torch import Tensor

from triptych.adapters.control import Point, Steer
from triptych.adapters.plan_input import PlanRaster
from triptych.core.request import Request
from triptych.families.diffusion.unet import UNet
from triptych.families.latent import LATENT_FACTOR, LatentFamily
from triptych.sampling import parameterization, schedules
from triptych.sampling.schedules import Schedule

# B pictures, C latent channels, h x w latents

TABLE = schedules.cosine(zero_terminal_snr=True)


class DiffusionFamily(LatentFamily):
    """`network` is the U-Net; the plan is added to its first feature map."""

    parameterization = "v"
    network: UNet

    def schedule(self, request: Request) -> Schedule:
        return schedules.diffusion_schedule(request.schedule or "trailing", request.steps or 1, TABLE)

    def read_plan(self, raster: PlanRaster, cells: Tensor | None = None) -> Tensor:
        return self.plan_input.as_map(raster, cells)

    def control_points(self) -> tuple[Point, ...]:
        """The first feature map, and those after every block: down, middle, up."""
        channels = self.network.config.block_out_channels
        last = len(channels) - 1
        stride = [LATENT_FACTOR * 2**level for level in range(len(channels))]
        down = [Point(channels[level], stride[min(level + 1, last)]) for level in range(last + 1)]
        up = [Point(channels[level], stride[max(level - 1, 0)]) for level in reversed(range(last + 1))]
        return Point(channels[0], stride[0]), *down, Point(channels[-1], stride[-1]), *up

    def predict(self, x: Tensor, t: Tensor, text: Tensor, position: Tensor, *, steer: Steer | None = None) -> Tensor:
        return self.network(x, t, text, position_input=position, steer=steer)

    def loss(
        self,
        x0: Tensor,
        text: Tensor,
        raster: PlanRaster,
        generator: torch.Generator,
        *,
        steer: Steer | None = None,
    ) -> Tensor:
        """Mean squared error of v at times drawn evenly among the trained levels.

        Unweighted: min-SNR (Hang et al. 2023) would give the levels where shapes are decided a tenth of the weight
        (docs/decisions/0028). x0: (B, C, h, w) clean latents; text: (B, T, width).
        """
        B = x0.shape[0]
        t = torch.randint(len(TABLE.alphas_cumprod), (B,), generator=generator, device=x0.device)
        noise = torch.randn(x0.shape, generator=generator, device=x0.device)
        alpha, sigma = (level.view(-1, 1, 1, 1) for level in TABLE.level(t))
        v = self.predict(alpha * x0 + sigma * noise, t.float(), text, self.read_plan(raster), steer=steer).float()
        return (v - parameterization.target("v", x0, noise, alpha, sigma)).square().mean()
