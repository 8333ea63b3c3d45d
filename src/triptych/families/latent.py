"""What the families that paint latents share: diffusion and flow differ in network, schedule and parameterization only.

A subclass says which schedule a request gets, what its network predicts and how to call it. The rest - reading the
prompt, starting from noise, laying out guidance rows, one sampler step, decoding - is the same and stands here.

B rows of a forward, T text tokens, C channels; latents are (C, h, w) per picture.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor, nn

from triptych.adapters.control import Point, Steer
from triptych.adapters.lora import attached
from triptych.adapters.plan_input import PlanInput, PlanRaster, rasterise
from triptych.adapters.plan_vocabulary import PlanVocabulary
from triptych.autoencoders import kl
from triptych.autoencoders.tiling import decode_tiled, encode_tiled
from triptych.core.capabilities import Capabilities
from triptych.core.events import Pixels
from triptych.core.plan import Plan
from triptych.core.request import Request
from triptych.core.state import Condition, State
from triptych.families.pixels import freedom_of, to_picture, to_pixels
from triptych.families.reading import Reading, ReadsText
from triptych.families.steering import Steering, Steers
from triptych.sampling import guidance, parameterization
from triptych.sampling.registry import get_sampler
from triptych.sampling.sampler import SamplerState, begin_from_noise
from triptych.sampling.schedules import Schedule

T = TypeVar("T")

LATENT_FACTOR = 8
WHOLE_DECODE_SIDE = 64
"""Latents larger than this on a side are decoded in tiles, so that memory stays bounded."""


@dataclass(frozen=True)
class LatentState(State):
    """`x0` is the last prediction of the clean latent: what previews show."""

    sampler: SamplerState
    x0: Tensor | None = None


class LatentFamily(ABC):
    """A family whose state is a latent. `network` and `plan_input` are trained, the rest is shared and frozen."""

    parameterization: parameterization.Kind
    learns = "latents"
    steers: Steers | None = None
    """What reads control maps; None is a family without, whose network is called as if there were none."""

    def __init__(
        self,
        name: str,
        capabilities: Capabilities,
        network: nn.Module,
        plan_input: PlanInput,
        vocabulary: PlanVocabulary,
        text: ReadsText,
        autoencoder: kl.Autoencoder,
    ) -> None:
        self.name, self.capabilities = name, capabilities
        self.network, self.plan_input, self.vocabulary = network, plan_input, vocabulary
        self.text, self.autoencoder = text, autoencoder

    @abstractmethod
    def schedule(self, request: Request) -> Schedule:
        """The noise levels of a resolved request."""

    @abstractmethod
    def control_points(self) -> tuple[Point, ...]:
        """The places of the network where maps may steer it."""

    @abstractmethod
    def predict(self, x: Tensor, t: Tensor, text: Tensor, position: Tensor, *, steer: Steer | None = None) -> Tensor:
        """The network's raw output for latents x (B, C, h, w) at times t (B,), of x's shape."""

    @abstractmethod
    def read_plan(self, raster: PlanRaster) -> Tensor:
        """The position input that `predict` takes, one row per plan."""

    def encode(self, request: Request, plan: Plan | None) -> Condition:
        """Prompt with plan for the one pass; negative prompt without plan for the other."""
        grid = (_known(request.height) // LATENT_FACTOR, _known(request.width) // LATENT_FACTOR)
        nothing = self.read_plan(rasterise(None, self.vocabulary, grid))[0]
        planned = self.read_plan(rasterise(plan, self.vocabulary, grid))[0] if plan is not None else nothing
        steering = self.steers.read(request) if self.steers else ()
        return Condition(
            positive=Reading(self.text.states(request.prompt), planned, steering),
            negative=Reading(self.text.states(request.negative), nothing, steering),
            plan=plan,
            init=self._latent(to_picture(request.init, _size(request))) if request.init else None,
            freedom=freedom_of(request.strength_map, grid) if request.strength_map else None,
        )

    def _latent(self, picture: Tensor) -> Tensor:
        """(3, H, W) in [-1, 1] -> (C, H / 8, W / 8)."""
        whole = max(picture.shape[-2:]) <= WHOLE_DECODE_SIDE * LATENT_FACTOR
        encode = self.autoencoder.encode if whole else partial(encode_tiled, self.autoencoder)
        return encode(picture[None])[0]

    def begin(self, request: Request, condition: Condition, index: int) -> LatentState:
        schedule = self.schedule(request)
        h, w = _known(request.height) // LATENT_FACTOR, _known(request.width) // LATENT_FACTOR
        shape = (self.autoencoder.config.latent_channels, h, w)
        method = get_sampler(request.sampler or "")
        if condition.init is not None:
            schedule = schedule.tail(_known(request.strength))
        sampler = begin_from_noise(method, schedule, shape, seed=_known(request.seed), index=index, init=condition.init)
        return LatentState(request, index, condition, 0, schedule.steps, sampler)

    def batch_key(self, state: State) -> Hashable:
        """Any steps, samplers, guidance and prompts may share a forward; only the size and the LoRAs must agree."""
        return (tuple(_mine(state).sampler.x.shape), state.request.loras)

    def forward(self, states: Sequence[State]) -> list[Tensor]:
        """The prediction of the clean latent (C, h, w) for each state, guidance applied."""
        xs: list[Tensor] = []
        times: list[float] = []
        readings: list[Reading] = []
        steering: list[list[Steering]] = []
        for state in map(_mine, states):
            x, t = get_sampler(state.request.sampler or "").query(state.sampler)
            for reading in self._readings(state):
                xs.append(x)
                times.append(t)
                readings.append(reading)
                steering.append([one for one in reading.steering if one.acts(state.step, state.total)])
        with attached(self.network, states[0].request.loras):
            raw = self.predict(
                torch.stack(xs),
                torch.tensor(times, dtype=torch.float32),
                torch.stack([reading.text for reading in readings]),
                torch.stack([reading.position for reading in readings]),
                steer=self.steers.steer(steering) if self.steers else None,
            )
        rows = iter(raw.unbind())
        return [self._denoised(state, rows) for state in map(_mine, states)]

    def _readings(self, state: LatentState) -> list[Reading]:
        """The rows of this state's next forward: conditional, and unconditional where guidance acts."""
        condition, request = state.condition, state.request
        scale, interval = _known(request.guidance), request.guidance_interval or (0.0, 1.0)
        if scale == 1 or not guidance.active(state.step, state.total, interval):
            return [condition.positive]
        return [condition.positive, condition.negative]

    def _denoised(self, state: LatentState, rows: Iterator[Tensor]) -> Tensor:
        sampler = get_sampler(state.request.sampler or "")
        own = [next(rows) for _ in self._readings(state)]
        output = own[0]
        if len(own) == 2:
            scale, rescale = _known(state.request.guidance), state.request.guidance_rescale or 0.0
            output = guidance.combine(own[0], own[1], scale, rescale)
        alpha, sigma = sampler.level(state.sampler)
        return parameterization.to_x0(self.parameterization, output, sampler.query(state.sampler)[0], alpha, sigma)

    def advance(self, state: State, prediction: Tensor) -> LatentState:
        mine = _mine(state)
        x0 = _with_kept(mine, prediction)
        sampler = get_sampler(mine.request.sampler or "").advance(mine.sampler, x0)
        return replace(mine, sampler=sampler, step=sampler.i, x0=x0)

    def preview(self, state: State) -> Pixels | None:
        x0 = _mine(state).x0
        return None if x0 is None else to_pixels(self.autoencoder.preview(x0[None])[0])

    def decode(self, states: Sequence[State]) -> list[Pixels]:
        """One by one: a convolution gains nothing from company on a CPU, and the pixels cannot depend on it."""
        return [self._decode(_mine(state).sampler.x) for state in states]

    def _decode(self, latent: Tensor) -> Pixels:
        whole = max(latent.shape[-2:]) <= WHOLE_DECODE_SIDE
        decoded = self.autoencoder.decode(latent[None]) if whole else decode_tiled(self.autoencoder, latent[None])
        return to_pixels(decoded[0])

    def release(self, state: State) -> None:
        """A latent holds nothing outside itself."""
        _mine(state)


def _with_kept(state: LatentState, x0: Tensor) -> Tensor:
    """Differential diffusion (Levin & Fried 2023): a position whose strength is not reached yet stays the init's.

    It is the predicted clean picture that is replaced, so every sampler carries such a position along the init's own
    noising, and a position without any freedom ends as the init, to the last bit.
    """
    freedom, init = state.condition.freedom, state.condition.init
    if freedom is None or init is None:
        return x0
    left = (state.total - state.step) / state.total
    return torch.where(freedom < left - 1e-6, init, x0)


def _size(request: Request) -> tuple[int, int]:
    return _known(request.width), _known(request.height)


def _mine(state: State) -> LatentState:
    if not isinstance(state, LatentState):
        raise TypeError(f"a latent family was handed a {type(state).__name__}")
    return state


def _known(value: T | None) -> T:
    """A field of a resolved request, which is never None."""
    if value is None:
        raise TypeError("the request is not resolved")
    return value
