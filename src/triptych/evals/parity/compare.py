"""One checkpoint, one sampler, one guidance: diffusers' picture and ours, and the largest difference of any number."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from triptych.core.contract import resolve
from triptych.core.request import Request
from triptych.open_weights.cards import entry_of
from triptych.open_weights.loading import load
from triptych.sampling import noise

PROMPT, NEGATIVE = "a red fox in the snow, 3 o'clock", "blurry"
SEED, STEPS, SIDE = 7, 8, 64
TOLERANCE = 1e-3

DIFFUSION = {
    "euler": ("EulerDiscreteScheduler", {}),
    "heun": ("HeunDiscreteScheduler", {}),
    "dpmpp_2m": ("DPMSolverMultistepScheduler", {}),
    "ddim": ("DDIMScheduler", {"clip_sample": False, "set_alpha_to_one": True}),
    "unipc": ("UniPCMultistepScheduler", {}),
}
"""diffusers' scheduler for each sampler here, with what it must be told to do the same."""
FLOW = ("euler",)
"""FLUX's pipelines hand their own levels to the scheduler, which of all of diffusers' takes Euler's method alone."""


@dataclass(frozen=True)
class Compared:
    """difference: the largest of any number of the pictures, in [0, 1]. spread: their standard deviation."""

    sampler: str
    guidance: float
    difference: float
    spread: float


class Pair:
    """A checkpoint loaded twice: by diffusers and here."""

    def __init__(self, folder: Path) -> None:
        import diffusers

        diffusers.utils.logging.set_verbosity_error()
        diffusers.utils.logging.disable_progress_bar()
        options: dict[str, Any] = {"safety_checker": None} if (folder / "unet").is_dir() else {}
        self.pipeline: Any = diffusers.DiffusionPipeline.from_pretrained(folder, **options)
        self.pipeline.set_progress_bar_config(disable=True)
        self._trained = self.pipeline.scheduler.config
        self.family: Any = load("checkpoint", entry_of(folder))

    @torch.inference_mode()
    def compare(self, sampler: str, guidance: float) -> Compared:
        request = self.request(sampler, guidance)
        theirs, ours = self.theirs(request), self.ours(request)
        return Compared(sampler, guidance, float(np.abs(theirs - ours).max()), float(theirs.std()))

    @property
    def samplers(self) -> tuple[str, ...]:
        """Those that diffusers' pipeline can be run with."""
        return tuple(DIFFUSION) if self.family.capabilities.family == "diffusion" else FLOW

    def request(self, sampler: str, guidance: float) -> Request:
        asked = Request(
            prompt=PROMPT,
            negative=NEGATIVE if guidance != 1 else "",
            model="checkpoint",
            seed=SEED,
            steps=STEPS,
            sampler=sampler,
            schedule="trailing" if self.family.capabilities.family == "diffusion" else "dynamic",
            guidance=guidance,
            width=SIDE,
            height=SIDE,
        )
        return resolve(asked, self.family.capabilities, name="checkpoint")[0]

    def ours(self, request: Request) -> np.ndarray:
        """The picture as the engine makes it, by the family's doors, before it is rounded to bytes: (H, W, 3)."""
        state = self.family.begin(request, self.family.encode(request, None), 0)
        while not state.done:
            state = self.family.advance(state, self.family.forward([state])[0])
        return ((self.family.picture(state).clamp(-1, 1) + 1) / 2).permute(1, 2, 0).numpy()

    def theirs(self, request: Request) -> np.ndarray:
        height, width = request.height or 0, request.width or 0
        shape = (self.family.autoencoder.config.latent_channels, height // 8, width // 8)
        start = noise.normal(SEED, 0, noise.INITIAL, shape)[None]
        asked: dict[str, Any] = {
            "prompt": request.prompt,
            "latents": start,
            "num_inference_steps": request.steps,
            "guidance_scale": request.guidance,
            "height": height,
            "width": width,
            "output_type": "np",
        }
        if self.family.capabilities.family == "diffusion":
            self.pipeline.scheduler = self._diffusion_scheduler(request)
            asked["negative_prompt"] = request.negative or None
        else:
            asked |= self._as_flow(request, start)
        return self.pipeline(**asked).images[0]

    def _diffusion_scheduler(self, request: Request) -> Any:
        import diffusers

        name, options = DIFFUSION[request.sampler or ""]
        trained = {key: self._trained[key] for key in ("beta_start", "beta_end", "beta_schedule", "prediction_type")}
        return getattr(diffusers, name)(**trained, timestep_spacing="trailing", **options)

    def _as_flow(self, request: Request, start: torch.Tensor) -> dict[str, Any]:
        """FLUX.2's pipeline takes the noise in patches, and the negative prompt as states."""
        layers = self.family.text.layers
        states, _ = self.pipeline.encode_prompt(request.negative, text_encoder_out_layers=layers)
        return {
            "latents": F.pixel_unshuffle(start, 2),
            "negative_prompt_embeds": states,
            "text_encoder_out_layers": layers,
        }
