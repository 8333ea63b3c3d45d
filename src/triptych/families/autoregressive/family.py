"""The autoregressive family: a picture written token by token, row by row, as LlamaGen does (Sun et al. 2024).

One step draws one token: query = the next position, advance = append the drawn token. The keys and values of what is
written lie in a cache that belongs to this family; a state carries its slot numbers and gives them back in `release`.
Chance is a function of (seed, picture, position), so a picture does not depend on its company.

T text tokens, V codes, N = h w picture tokens.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from triptych.adapters.lora import attached
from triptych.adapters.plan_input import PlanInput, PlanRaster, rasterise
from triptych.adapters.plan_vocabulary import PlanVocabulary
from triptych.autoencoders.fsq import Tokenizer
from triptych.core.capabilities import Capabilities
from triptych.core.errors import OutOfMemory
from triptych.core.events import Pixels
from triptych.core.plan import Plan
from triptych.core.request import Request
from triptych.core.state import Condition, State
from triptych.families.autoregressive.cache import KVCache
from triptych.families.autoregressive.decoder import Decoder
from triptych.families.pixels import freedom_of, to_picture, to_pixels
from triptych.families.reading import Reading, ReadsText
from triptych.sampling import guidance, noise, tokens

SLOTS = 64
"""Rows of the cache: 32 pictures with guidance. A picture beyond waits for a free one."""
KEEP_STREAM = 2**30
"""The counter of the chance by which tokens of an init picture are kept: independent of what is drawn."""
DRAW = -1
"""Stands in `TokenState.given` where a token is to be drawn."""


@dataclass(frozen=True)
class TokenState(State):
    """drawn: the tokens so far, in order; slots: of the conditional row and, with guidance, the unconditional one.

    entropies: of the guided distribution of each token, before temperature and truncation, in nats: how undecided the
    model was.
    chance: one number in [0, 1) per position, drawn at the start. given: tokens of an init picture that are kept, and
    `DRAW` elsewhere; empty where there is none.
    """

    slots: tuple[int, ...]
    chance: Tensor
    given: tuple[int, ...] = ()
    drawn: tuple[int, ...] = ()
    entropies: tuple[float, ...] = ()


class TokenFamily:
    """`network` is the decoder; the plan is added at each position for the token about to be predicted."""

    learns = "codes"

    def __init__(
        self,
        name: str,
        capabilities: Capabilities,
        network: Decoder,
        plan_input: PlanInput,
        vocabulary: PlanVocabulary,
        text: ReadsText,
        tokenizer: Tokenizer,
    ) -> None:
        self.name, self.capabilities = name, capabilities
        self.network, self.plan_input, self.vocabulary = network, plan_input, vocabulary
        self.text, self.tokenizer = text, tokenizer
        self._cache: KVCache | None = None

    @property
    def cache(self) -> KVCache:
        """Made at the first picture: training needs none."""
        if self._cache is None:
            self._cache = KVCache(self.network.config, SLOTS)
        return self._cache

    def encode(self, request: Request, plan: Plan | None) -> Condition:
        """Prompt with plan for the one pass; negative prompt without plan for the other."""
        grid = self.network.config.grid
        nothing = self.plan_input(rasterise(None, self.vocabulary, grid))[0]
        planned = self.plan_input(rasterise(plan, self.vocabulary, grid))[0] if plan is not None else nothing
        return Condition(
            positive=Reading(self.text.states(request.prompt), planned),
            negative=Reading(self.text.states(request.negative), nothing),
            plan=plan,
            init=self._codes(request) if request.init else None,
            freedom=freedom_of(request.strength_map, grid) if request.strength_map else None,
        )

    def _codes(self, request: Request) -> Tensor:
        """The init picture as tokens (h, w)."""
        if request.init is None or request.width is None or request.height is None:
            raise TypeError("the request is not resolved")
        return self.tokenizer.encode(to_picture(request.init, (request.width, request.height))[None])[0]

    def begin(self, request: Request, condition: Condition, index: int) -> TokenState:
        count = self.network.config.tokens
        chance = noise.uniform(request.seed or 0, index, 0, (count,))
        needed = 1 if request.guidance == 1 else 2
        if self.cache.free < needed:
            raise OutOfMemory(
                f"all {self.cache.slots} rows of the token cache are taken; ask for fewer pictures at once"
            )
        slots = tuple(self.cache.allocate() for _ in range(needed))
        return TokenState(request, index, condition, 0, count, slots, chance, _given(request, condition, index))

    def batch_key(self, state: State) -> Hashable:
        """Pictures at any position may share a step; those at the very start read their text together."""
        return (state.step == 0, state.request.loras)

    def forward(self, states: Sequence[State]) -> list[Tensor]:
        """Logits (V,) of the next token of each state, guidance applied."""
        mine = [_mine(state) for state in states]
        readings = [reading for state in mine for reading in _readings(state)]
        slots = [slot for state in mine for slot in state.slots]
        with attached(self.network, mine[0].request.loras):
            logits = self._logits(mine, readings, slots)
        rows = iter(logits.float().unbind())
        return [self._guided(state, [next(rows) for _ in state.slots]) for state in mine]

    def _logits(self, mine: Sequence[TokenState], readings: Sequence[Reading], slots: Sequence[int]) -> Tensor:
        """Logits of the next token, (rows, V): of the first one with the text, of a later one from the cache."""
        if mine[0].step == 0:
            text = torch.stack([reading.text for reading in readings])
            first = torch.stack([reading.position[0] for reading in readings])
            return self.network.prefill(text, self.cache, slots, first)
        places = [state.step for state in mine for _ in state.slots]
        last = torch.tensor([state.drawn[-1] for state in mine for _ in state.slots])
        position = torch.stack([r.position[place] for r, place in zip(readings, places, strict=True)])
        return self.network.decode_step(last, torch.tensor(places), self.cache, slots, position)

    @staticmethod
    def _guided(state: TokenState, rows: list[Tensor]) -> Tensor:
        """Ho & Salimans 2022 on logits, as LlamaGen has it."""
        if len(rows) == 1:
            return rows[0]
        scale = state.request.guidance
        return guidance.combine(rows[0], rows[1], 1.0 if scale is None else scale)

    def advance(self, state: State, prediction: Tensor) -> TokenState:
        mine = _mine(state)
        request = mine.request
        token = tokens.draw(
            prediction,
            1.0 if request.temperature is None else request.temperature,
            request.top_k or 0,
            1.0 if request.top_p is None else request.top_p,
            float(mine.chance[mine.step]),
        )
        if mine.given and mine.given[mine.step] != DRAW:
            token = mine.given[mine.step]
        entropy = float(tokens.entropy(prediction))
        return replace(mine, step=mine.step + 1, drawn=(*mine.drawn, token), entropies=(*mine.entropies, entropy))

    def preview(self, state: State) -> Pixels | None:
        """What is written so far; the rest of the raster repeats nothing and stays at the middle code's grey."""
        mine = _mine(state)
        return to_pixels(self.tokenizer.decode(self._raster(mine)[None])[0]) if mine.drawn else None

    def decode(self, states: Sequence[State]) -> list[Pixels]:
        """One by one, so that the pixels cannot depend on the company."""
        return [to_pixels(self.tokenizer.decode(self._raster(_mine(state))[None])[0]) for state in states]

    def _raster(self, state: TokenState) -> Tensor:
        """Tokens (h, w); positions not yet written hold the code nearest to zero."""
        filler = self.tokenizer.indices(torch.zeros(len(self.tokenizer.config.levels)))
        raster = torch.full((self.network.config.tokens,), int(filler))
        raster[: len(state.drawn)] = torch.tensor(state.drawn, dtype=raster.dtype)
        return raster.view(*self.network.config.grid)

    def release(self, state: State) -> None:
        for slot in _mine(state).slots:
            self.cache.release(slot)

    def loss(self, codes: Tensor, text: Tensor, raster: PlanRaster, generator: torch.Generator) -> Tensor:
        """Mean negative log likelihood of a token, in nats. codes: (B, h, w); text: (B, T, width).

        No randomness is drawn; the generator is part of the common form.
        """
        flat = codes.flatten(1)
        logits = self.network(text, flat[:, :-1], position_input=self.plan_input(raster))
        return F.cross_entropy(logits.flatten(0, 1).float(), flat.flatten())


def _given(request: Request, condition: Condition, index: int) -> tuple[int, ...]:
    """The tokens of the init picture that stay: each with the chance 1 - strength, scaled by the map.

    What is written later cannot change what stands before it, but the tokens kept further on are not seen in advance:
    a token model continues a picture, it does not look ahead.
    """
    if condition.init is None:
        return ()
    codes = condition.init.flatten()
    strength = torch.full(codes.shape, request.strength or 1.0, dtype=torch.float64)
    if condition.freedom is not None:
        strength = strength * condition.freedom.flatten()
    kept = noise.uniform(request.seed or 0, index, KEEP_STREAM, codes.shape) >= strength
    return tuple(torch.where(kept, codes, DRAW).tolist())


def _readings(state: TokenState) -> list[Reading]:
    return [state.condition.positive, state.condition.negative][: len(state.slots)]


def _mine(state: State) -> TokenState:
    if not isinstance(state, TokenState):
        raise TypeError(f"the token family was handed a {type(state).__name__}")
    return state
