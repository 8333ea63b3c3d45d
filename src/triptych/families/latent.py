"""What the families that paint latents share: diffusion and flow differ in network, schedule and parameterization only.

A subclass says which schedule a request gets, what its network predicts and how to call it. The rest - reading the
prompt, starting from noise, laying out guidance rows, one sampler step, decoding - is the same and stands here.

B rows of a forward, T text tokens, C channels; latents are (C, h, w) per picture.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import torch
import torch.nn.functional as F
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
from triptych.core.state import Saved, State
from triptych.families.looks import LatentCondition, Look, Pass, Voice, blended, looks_of
from triptych.families.pixels import freedom_of, to_picture, to_pixels
from triptych.families.reading import Reading, ReadsText
from triptych.families.references import Memory, References, stacked
from triptych.families.regions import readings_of, shares_of
from triptych.families.steering import Steering, Steers
from triptych.families.tiles import REFINE, Size, Stage, frame, measured, stages
from triptych.sampling import guidance, parameterization, saving
from triptych.sampling.registry import get_sampler
from triptych.sampling.sampler import SamplerState, begin_from_noise
from triptych.sampling.schedules import Schedule

T = TypeVar("T")

LATENT_FACTOR = 8
WHOLE_DECODE_SIDE = 64
"""Latents larger than this on a side are decoded in tiles, so that memory stays bounded."""
MOST_ROWS = 32
"""The network is shown no more at once: a large picture has hundreds of windows."""
WALK_STREAM = 2**20
"""Added to a picture's index for the noise of each further walk, beyond any picture of a request."""


@dataclass(frozen=True)
class LatentState(State):
    """One walk after another (`tiles.stages`), mostly one alone.

    sampler: of the walk under way. x0: the last prediction of the clean latent, what previews show. number: of the
    walk, in `condition.passes`. before: steps of the walks that are done.
    """

    condition: LatentCondition
    sampler: SamplerState
    x0: Tensor | None = None
    number: int = 0
    before: int = 0

    @property
    def walk(self) -> Pass:
        return self.condition.passes[self.number]


@dataclass(frozen=True)
class _Row:
    """One row of a forward: x (C, h, w) at time t, what is read there, and the maps that act at this step."""

    x: Tensor
    t: float
    reading: Reading
    steering: list[Steering]


class LatentFamily(ABC):
    """A family whose state is a latent. `network` and `plan_input` are trained, the rest is shared and frozen."""

    parameterization: parameterization.Kind
    learns = "latents"
    steers: Steers | None = None
    """What reads control maps; None is a family without, whose network is called as if there were none."""
    references: References | None = None
    """What reads reference pictures; None is a family that never looks at any."""

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
        """The network's raw output for latents x (B, C, h, w) at times t (B,), of x's shape.

        One that looks at references takes `memory` too, of each block what is seen of them; one whose `words` tell
        more than token states takes those as `told`.
        """

    @abstractmethod
    def read_plan(self, raster: PlanRaster, cells: Tensor | None = None) -> Tensor:
        """The position input that `predict` takes, one row per plan. cells: as in `PlanInput`."""

    def encode(self, request: Request, plan: Plan | None) -> LatentCondition:
        """Prompt with plan for the one pass; negative prompt without plan for the other; for every walk."""
        size = _known(request.height) // LATENT_FACTOR, _known(request.width) // LATENT_FACTOR
        unit = self.capabilities.size_multiple // LATENT_FACTOR
        wide, high = (side // LATENT_FACTOR for side in self.capabilities.native_size)
        grows = request.strength_map is None
        memory = self.remembered(request)
        walks = stages(size, (high, wide), unit, grows=grows)
        passes = tuple(self._pass(request, plan, stage, memory) for stage in walks)
        last = passes[-1]
        return LatentCondition(last.voices[0].reading, last.negative, plan, last.init, last.freedom, passes)

    def remembered(self, request: Request) -> Memory | None:
        """What the pictures of a request look at."""
        family: Any = self
        return self.references.read(request, family, self.capabilities.native_size) if self.references else None

    def as_target(self, picture: Tensor) -> Tensor:
        """(1, 3, H, W) in [-1, 1] -> latents (1, C, h, w)."""
        return self._latent(picture[0])[None]

    def _pass(self, request: Request, plan: Plan | None, stage: Stage, memory: Memory | None) -> Pass:
        request = _sized(request, stage.size)
        freedom = freedom_of(request.strength_map, stage.size) if request.strength_map else None
        cells = frame(freedom) if stage.windows and freedom is not None else None

        def read(what: Plan | None) -> Tensor:
            return self.position(what, stage, cells)

        nothing = read(None)
        planned = nothing if plan is None else read(plan)
        steering = self.steers.read(request, planned=plan is not None) if self.steers else ()

        def reading(prompt: str) -> Reading:
            text, told = self.words(prompt, request)
            return Reading(text, planned, steering, memory, told)

        whole = reading(request.prompt)
        voices: tuple[Voice, ...] = (Voice(whole),)
        if request.regions:
            readings = [whole, *readings_of(request.regions, plan, whole, read, reading)]
            voices = tuple(map(Voice, readings, shares_of(request.regions, stage.size)))
        text, told = self.words(request.negative, request, negative=True)
        return Pass(
            stage=stage,
            voices=voices,
            negative=Reading(text, nothing, steering, told=told),
            init=self._latent(to_picture(request.init, _size(request))) if request.init else None,
            freedom=freedom,
        )

    def position(self, plan: Plan | None, stage: Stage, cells: Tensor | None) -> Tensor:
        """What `predict` takes as the position input of one row. cells: as in `PlanInput`."""
        return self.read_plan(measured(rasterise(plan, self.vocabulary, stage.size), stage), cells)[0]

    def words(self, prompt: str, request: Request, *, negative: bool = False) -> tuple[Tensor, tuple[Tensor, ...]]:
        """What the network is told by a prompt: token states (T, width), and what else it takes, such as one vector
        for the whole. negative: whether guidance leads away from it.
        """
        return self.text.states(prompt), ()

    def guided(self, state: LatentState) -> bool:
        """Whether guidance brings a second row at this step. An enlarged picture is gone over without: it would
        sharpen noise.
        """
        interval = state.request.guidance_interval or (0.0, 1.0)
        if state.before or _known(state.request.guidance) == 1:
            return False
        return guidance.active(state.sampler.i, state.sampler.total, interval)

    def _latent(self, picture: Tensor) -> Tensor:
        """(3, H, W) in [-1, 1] -> (C, H / 8, W / 8)."""
        whole = max(picture.shape[-2:]) <= WHOLE_DECODE_SIDE * LATENT_FACTOR
        encode = self.autoencoder.encode if whole else partial(encode_tiled, self.autoencoder)
        return encode(picture[None])[0]

    def begin(self, request: Request, condition: LatentCondition, index: int) -> LatentState:
        """Noise at the first walk's size, with a share of the init picture where there is one.

        One that is hardly changed begins at its own size: a smaller one would lose what is to be kept.
        """
        strength = 1.0 if condition.init is None else _known(request.strength)
        number = len(condition.passes) - 1 if strength <= REFINE else 0
        first, *others = condition.passes[number:]
        schedule = self.schedule(_sized(request, first.stage.seen)).tail(strength)
        total = schedule.steps + sum(self._going_over(request, one).steps for one in others)
        sampler = self._start(request, first, index, schedule, first.init)
        return LatentState(request, index, condition, 0, total, sampler, number=number)

    def _going_over(self, request: Request, one: Pass) -> Schedule:
        """The noise levels of a further walk. With very few steps even the last one would begin in deep noise."""
        steps = max(_known(request.steps), round(1 / REFINE))
        return self.schedule(_sized(request, one.stage.seen).model_copy(update={"steps": steps})).tail(REFINE)

    def _start(self, request: Request, one: Pass, index: int, schedule: Schedule, init: Tensor | None) -> SamplerState:
        shape = (self.autoencoder.config.latent_channels, *one.stage.size)
        method = get_sampler(request.sampler or "")
        return begin_from_noise(method, schedule, shape, seed=_known(request.seed), index=index, init=init)

    def _enlarged(self, state: LatentState) -> LatentState:
        """The state at the start of its next walk: the picture so far, enlarged, under a little noise of its own."""
        number = state.number + 1
        one = state.condition.passes[number]
        h, w = (side * LATENT_FACTOR for side in one.stage.size)
        picture = self._picture(state.sampler.x).clamp(-1, 1)
        # In pixels: latents in between cells that the encoder made are no latents of anything.
        larger = F.interpolate(picture[None], size=(h, w), mode="bicubic", align_corners=False)[0].clamp(-1, 1)
        index = state.index + number * WALK_STREAM
        sampler = self._start(state.request, one, index, self._going_over(state.request, one), self._latent(larger))
        return replace(state, sampler=sampler, number=number, before=state.step)

    def batch_key(self, state: State) -> Hashable:
        """Any steps, samplers, guidance and prompts may share a forward; only the LoRAs must agree, the size that the
        network is shown, and how many tokens of references it looks at.
        """
        walk = _mine(state).walk
        memory = walk.voices[0].reading.memory
        return (walk.stage.seen, state.request.loras, memory.tokens if memory else 0)

    def forward(self, states: Sequence[State]) -> list[Tensor]:
        """The prediction of the clean latent (C, h, w) for each state, guidance applied."""
        rows: list[_Row] = []
        looks: list[list[Look]] = []
        for state in map(_mine, states):
            x, t = get_sampler(state.request.sampler or "").query(state.sampler)
            looks.append(looks_of(state.walk, guided=self.guided(state)))
            for look in looks[-1]:
                for reading in look.readings:
                    acting = [one for one in reading.steering if one.acts(state.sampler.i, state.sampler.total)]
                    rows.append(_Row(look.cut(x), t, reading, acting))
        with attached(self.network, states[0].request.loras):
            answers = iter(self._answers(rows))
        return [self._denoised(state, own, answers) for state, own in zip(map(_mine, states), looks, strict=True)]

    def _answers(self, rows: Sequence[_Row]) -> list[Tensor]:
        """The network's raw output for each row. Those that look at references have calls of their own: for the others
        the network is as it always is.
        """
        found: dict[int, Tensor] = {}
        for looking in (False, True):
            places = [place for place, row in enumerate(rows) if (row.reading.memory is not None) == looking]
            for k in range(0, len(places), MOST_ROWS):
                some = places[k : k + MOST_ROWS]
                found |= zip(some, self._predicted([rows[place] for place in some]).unbind(), strict=True)
        return [found[place] for place in range(len(rows))]

    def _predicted(self, rows: Sequence[_Row]) -> Tensor:
        """The network's raw output for so many rows, which all look at references, or none does."""
        memories = [row.reading.memory for row in rows if row.reading.memory is not None]
        beside = self.references.painting(self.network) if memories and self.references else nullcontext()
        more: dict[str, Any] = {"memory": stacked(memories)} if memories else {}
        if rows[0].reading.told:
            more["told"] = tuple(map(torch.stack, zip(*(row.reading.told for row in rows), strict=True)))
        with beside:
            return self.predict(
                torch.stack([row.x for row in rows]),
                torch.tensor([row.t for row in rows], dtype=torch.float32),
                torch.stack([row.reading.text for row in rows]),
                torch.stack([row.reading.position for row in rows]),
                steer=self.steers.steer([row.steering for row in rows]) if self.steers else None,
                **more,
            )

    def _denoised(self, state: LatentState, looks: Sequence[Look], answers: Iterator[Tensor]) -> Tensor:
        sampler = get_sampler(state.request.sampler or "")
        scale, rescale = _known(state.request.guidance), state.request.guidance_rescale or 0.0
        outputs: list[Tensor] = []
        for look in looks:
            own = [next(answers) for _ in look.readings]
            outputs.append(own[0] if len(own) == 1 else guidance.combine(own[0], own[1], scale, rescale))
        output = blended(looks, outputs, state.walk.stage.size)
        alpha, sigma = sampler.level(state.sampler)
        return parameterization.to_x0(self.parameterization, output, sampler.query(state.sampler)[0], alpha, sigma)

    def advance(self, state: State, prediction: Tensor) -> LatentState:
        mine = _mine(state)
        x0 = _with_kept(mine, prediction)
        sampler = get_sampler(mine.request.sampler or "").advance(mine.sampler, x0)
        moved = replace(mine, sampler=sampler, step=mine.before + sampler.i, x0=x0)
        return self._enlarged(moved) if sampler.done and not moved.done else moved

    def preview(self, state: State) -> Pixels | None:
        x0 = _mine(state).x0
        return None if x0 is None else to_pixels(self.autoencoder.preview(x0[None])[0])

    def decode(self, states: Sequence[State]) -> list[Pixels]:
        """One by one: a convolution gains nothing from company on a CPU, and the pixels cannot depend on it."""
        return [to_pixels(self.picture(state)) for state in states]

    def picture(self, state: State) -> Tensor:
        """(3, H, W) in about [-1, 1]: the finished picture before it is rounded to bytes."""
        return self._picture(_mine(state).sampler.x)

    def _picture(self, latent: Tensor) -> Tensor:
        """(C, h, w) -> (3, 8 h, 8 w) in about [-1, 1]."""
        whole = max(latent.shape[-2:]) <= WHOLE_DECODE_SIDE
        return (self.autoencoder.decode(latent[None]) if whole else decode_tiled(self.autoencoder, latent[None]))[0]

    def release(self, state: State) -> None:
        """A latent holds nothing outside itself."""
        _mine(state)

    def save(self, state: State) -> Saved:
        mine = _mine(state)
        kept = saving.save(mine.sampler, mine.step)
        return replace(kept, facts={**kept.facts, "number": mine.number, "before": mine.before, "total": mine.total})

    def resume(self, request: Request, condition: LatentCondition, index: int, saved: Saved) -> LatentState:
        """Only the last prediction, which previews show, is not there before the next step."""
        sampler, facts = saving.load(saved), saved.facts
        number, before, total = (int(facts[name]) for name in ("number", "before", "total"))
        shape = (self.autoencoder.config.latent_channels, *condition.passes[number].stage.size)
        if tuple(sampler.x.shape) != shape or (sampler.seed, sampler.index % WALK_STREAM) != (request.seed, index):
            raise ValueError("the saved state is of another picture")
        return LatentState(request, index, condition, before + sampler.i, total, sampler, number=number, before=before)


def _with_kept(state: LatentState, x0: Tensor) -> Tensor:
    """Differential diffusion (Levin & Fried 2023): a position whose strength is not reached yet stays the init's.

    It is the predicted clean picture that is replaced, so every sampler carries such a position along the init's own
    noising, and a position without any freedom ends as the init, to the last bit.
    """
    freedom, init = state.walk.freedom, state.walk.init
    if freedom is None or init is None:
        return x0
    left = (state.sampler.total - state.sampler.i) / state.sampler.total
    return torch.where(freedom < left - 1e-6, init, x0)


def _sized(request: Request, size: Size) -> Request:
    """The request at another size, in cells of the latent."""
    return request.model_copy(update={"height": size[0] * LATENT_FACTOR, "width": size[1] * LATENT_FACTOR})


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
