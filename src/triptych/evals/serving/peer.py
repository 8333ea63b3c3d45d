"""A plain server of diffusers over the same weights: its networks, its schedulers, its loop; one request at a time.

The networks of the latent families carry diffusers' own names, so `UNet2DConditionModel` and `Flux2Transformer2DModel`
load them as they are. What they lack is the plan's input, so requests are painted from the words alone. Text encoder
and autoencoder are ours in both. Needs the extra `open`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from triptych.core.errors import FileProblem
from triptych.core.pixels import pixels_sha256
from triptych.core.request import Request
from triptych.families.diffusion.unet import UNet, UNetConfig
from triptych.families.flow.family import to_latents, to_tokens
from triptych.families.flow.mmdit import MMDiT, picture_ids, text_ids
from triptych.families.latent import LATENT_FACTOR
from triptych.families.pixels import to_pixels
from triptych.sampling import noise

_VP = {
    "num_train_timesteps": 1000,
    "beta_schedule": "squaredcos_cap_v2",
    "prediction_type": "v_prediction",
    "rescale_betas_zero_snr": True,
    "timestep_spacing": "trailing",
}
_DIFFUSION = {
    "euler": "EulerDiscreteScheduler",
    "dpmpp_2m": "DPMSolverMultistepScheduler",
    "ddim": "DDIMScheduler",
    "unipc": "UniPCMultistepScheduler",
}
_FLOW = {"euler": "FlowMatchEulerDiscreteScheduler", "heun": "FlowMatchHeunDiscreteScheduler"}


class Peer:
    """Paints a request as a diffusers pipeline does. family_of: the loaded model of a name.

    Raises `FileProblem` where diffusers is not installed.
    """

    def __init__(self, family_of: Callable[[str], Any]) -> None:
        try:
            import diffusers
        except ImportError:
            raise FileProblem("the comparison needs diffusers: pip install 'triptych[open]'") from None
        diffusers.utils.logging.set_verbosity_error()
        self._diffusers: Any = diffusers
        self._family_of = family_of
        self._networks: dict[str, torch.nn.Module] = {}

    @torch.inference_mode()
    def paint(self, request: Request) -> str:
        """The hash of its pixels. The request is resolved."""
        family = self._family_of(request.model)
        network = self.network(request.model)
        scheduler = self._scheduler(network, request)
        text = torch.stack([family.text.states(request.negative), family.text.states(request.prompt)])
        shape = (family.autoencoder.config.latent_channels, *_cells(request))
        x = noise.normal(request.seed or 0, 0, noise.INITIAL, shape)[None] * scheduler.init_noise_sigma
        guided = request.guidance is not None and request.guidance != 1
        for t in scheduler.timesteps:
            rows = torch.cat([x, x]) if guided else x
            rows = scheduler.scale_model_input(rows, t) if hasattr(scheduler, "scale_model_input") else rows
            output = _predicted(network, rows, t, text if guided else text[1:])
            if guided:
                away, toward = output.chunk(2)
                output = away + (request.guidance or 1.0) * (toward - away)
            x = scheduler.step(output, t, x, return_dict=False)[0]
        return pixels_sha256(to_pixels(family.autoencoder.decode(x)[0]))

    def network(self, name: str) -> torch.nn.Module:
        """The network of a model as diffusers has it, with the same weights."""
        if name not in self._networks:
            ours = self._family_of(name)
            network = self._made(ours.network)
            network.load_state_dict(ours.network.state_dict(), strict=True)
            self._networks[name] = network.eval()
        return self._networks[name]

    def _made(self, ours: torch.nn.Module) -> torch.nn.Module:
        if isinstance(ours, UNet):
            return self._diffusers.UNet2DConditionModel(**unet_options(ours.config))
        if isinstance(ours, MMDiT):
            return self._diffusers.Flux2Transformer2DModel(**dataclasses.asdict(ours.config))
        raise FileProblem(f"diffusers has no network like {type(ours).__name__}; compare flow and diffusion only")

    def _scheduler(self, network: torch.nn.Module, request: Request) -> Any:
        unet = hasattr(network, "down_blocks")
        kind = getattr(self._diffusers, (_DIFFUSION if unet else _FLOW)[request.sampler or "euler"])
        scheduler = kind(**_VP) if unet else kind()
        scheduler.set_timesteps(request.steps)
        if not hasattr(scheduler, "init_noise_sigma"):
            scheduler.init_noise_sigma = 1.0
        return scheduler


def unet_options(config: UNetConfig) -> dict[str, Any]:
    """The arguments of `UNet2DConditionModel`; `UNetConfig.from_diffusers` is the way back."""
    down = ["CrossAttnDownBlock2D" if crossed else "DownBlock2D" for crossed in config.cross_attention]
    up = ["CrossAttnUpBlock2D" if crossed else "UpBlock2D" for crossed in reversed(config.cross_attention)]
    same = ("in_channels", "out_channels", "block_out_channels", "layers_per_block", "cross_attention_dim")
    same += ("use_linear_projection", "norm_num_groups", "norm_eps", "flip_sin_to_cos", "freq_shift")
    return {
        **{name: getattr(config, name) for name in same},
        "down_block_types": tuple(down),
        "up_block_types": tuple(up),
        "transformer_layers_per_block": config.transformer_layers,
        "attention_head_dim": config.heads,
    }


def _predicted(network: Any, x: Tensor, t: Tensor, text: Tensor) -> Tensor:
    if hasattr(network, "down_blocks"):
        return network(x, t, text, return_dict=False)[0]
    h, w = x.shape[-2] // 2, x.shape[-1] // 2
    tokens = network(
        hidden_states=to_tokens(x, 2),
        encoder_hidden_states=text,
        timestep=(t / 1000).expand(len(x)),
        img_ids=picture_ids(h, w),
        txt_ids=text_ids(text.shape[1]),
        guidance=None,
        return_dict=False,
    )[0]
    return to_latents(tokens, h, w, 2)


def _cells(request: Request) -> tuple[int, int]:
    return (request.height or 0) // LATENT_FACTOR, (request.width or 0) // LATENT_FACTOR
