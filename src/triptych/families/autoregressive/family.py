"""The autoregressive family: a picture written token by token, row by row, as LlamaGen does (Sun et al. 2024).

One step draws one token: query = the next position, advance = append the drawn token. The keys and values of what is
written lie in a cache that belongs to this family; a state carries its slot numbers and gives them back in `release`.
Chance is a function of (seed, picture, position), so a picture does not depend on its company.

T text tokens, V codes, N = h w picture tokens.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from triptych.adapters.lora import attached
from triptych.adapters.plan_input import PlanInput, PlanRaster, rasterise
from triptych.adapters.plan_vocabulary import PlanVocabulary
from triptych.adapters.reference import ReferenceAdapter, sizes_of
from triptych.autoencoders.fsq import Tokenizer
from triptych.autoencoders.tiling import TILE, decode_tiled
from triptych.core.capabilities import Capabilities
from triptych.core.errors import OutOfMemory
from triptych.core.events import Pixels
from triptych.core.plan import Plan
from triptych.core.request import Request
from triptych.core.state import Condition, Saved, State
from triptych.families.autoregressive.cache import KVCache, Memory
from triptych.families.autoregressive.decoder import Decoder
from triptych.families.pixels import freedom_of, to_picture, to_pixels
from triptych.families.reading import Reading, ReadsText
from triptych.families.references import References, stacked
from triptych.families.regions import readings_of, shares_of
from triptych.families.tiles import Stage, Window, measured, tiled
from triptych.sampling import guidance, noise, tokens

SLOTS = 64
"""Rows of the cache: 32 pictures with guidance. A picture beyond waits for a free one."""
KEEP_STREAM = 2**30
"""The counter of the chance by which tokens of an init picture are kept: independent of what is drawn."""
CELL = 8
"""Pixels of a token."""
WINDOW_OVERLAP = 0.5
"""Share of a window that the one before has written."""
DRAW = -1
"""Stands in `TokenState.given` where a token is to be drawn."""


@dataclass(frozen=True)
class TokenCondition(Condition):
    """regions: the readings of parts with prompts of their own. owner: of each position the number of the reading that
    writes it, 0 for that of the whole. size: rows and columns of the picture's tokens. order: the position that each
    step writes; a picture larger than the decoder's is written in windows, and what an earlier one wrote is read again.
    """

    regions: tuple[Reading, ...] = ()
    owner: tuple[int, ...] = ()
    size: tuple[int, int] = (0, 0)
    order: tuple[int, ...] = ()


@dataclass(frozen=True)
class TokenState(State):
    """drawn: the tokens so far, in order; slots: of the conditional rows (the whole's, then those of regions) and, with
    guidance, the unconditional one.

    entropies: of the guided distribution of each token, before temperature and truncation, in nats: how undecided the
    model was.
    chance: one number in [0, 1) per step, drawn at the start. given: tokens that are fixed, `DRAW` elsewhere: kept ones
    of an init picture, and in windows what is written; empty where there are none.
    """

    condition: TokenCondition
    slots: tuple[int, ...]
    chance: Tensor
    given: tuple[int, ...] = ()
    drawn: tuple[int, ...] = ()
    entropies: tuple[float, ...] = ()

    @property
    def position(self) -> int:
        """Where in the picture the next token stands, counted row by row."""
        return self.condition.order[self.step]


@dataclass(frozen=True)
class _Row:
    """One row of a forward: what is read there, and where its keys and values lie."""

    state: TokenState
    reading: Reading
    slot: int


class TokenFamily:
    """`network` is the decoder; the plan is added at each position for the token about to be predicted."""

    learns = "codes"
    references: References | None = None
    """What reads reference pictures; None is a model that never looks at any."""

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

    def encode(self, request: Request, plan: Plan | None) -> TokenCondition:
        """Prompt with plan for the one pass; negative prompt without plan for the other."""
        native = self.network.config.grid
        grid = (request.height or 0) // CELL, (request.width or 0) // CELL
        stage = tiled(grid, native, 1, WINDOW_OVERLAP)
        stage = replace(stage, measure=(native[0] / grid[0], native[1] / grid[1]))

        def read(what: Plan | None) -> Tensor:
            return self.plan_input(measured(rasterise(what, self.vocabulary, grid), stage))[0]

        nothing = read(None)
        planned = nothing if plan is None else read(plan)
        memory = self.references.read(request, self, self.capabilities.native_size) if self.references else None

        def reading(prompt: str) -> Reading:
            return Reading(self.text.states(prompt), planned, memory=memory)

        whole = reading(request.prompt)
        shares = torch.stack(shares_of(request.regions, grid)).flatten(1)  # (voices, N)
        return TokenCondition(
            positive=whole,
            negative=Reading(self.text.states(request.negative), nothing),
            plan=plan,
            init=self._codes(request) if request.init else None,
            freedom=freedom_of(request.strength_map, grid) if request.strength_map else None,
            regions=tuple(readings_of(request.regions, plan, whole, read, reading)),
            owner=tuple(shares.argmax(dim=0).tolist()),
            size=grid,
            order=_order(stage),
        )

    def _codes(self, request: Request) -> Tensor:
        """The init picture as tokens (h, w)."""
        if request.init is None or request.width is None or request.height is None:
            raise TypeError("the request is not resolved")
        return self.tokenizer.encode(to_picture(request.init, (request.width, request.height))[None])[0]

    def begin(self, request: Request, condition: TokenCondition, index: int) -> TokenState:
        count = len(condition.order)
        chance = noise.uniform(request.seed or 0, index, 0, (count,))
        needed = 1 + len(condition.regions) + (request.guidance != 1)
        if self.cache.free < needed:
            raise OutOfMemory(
                f"all {self.cache.slots} rows of the token cache are taken; ask for fewer pictures at once"
            )
        slots = tuple(self.cache.allocate() for _ in range(needed))
        return TokenState(request, index, condition, 0, count, slots, chance, _given(request, condition, index))

    def batch_key(self, state: State) -> Hashable:
        """Pictures at any position may share a step, if they look at equally many tokens of references; those at the
        very start read their text together.
        """
        memory = state.condition.positive.memory
        return (self._place(state.step) == 0, state.request.loras, memory.tokens if memory else 0)

    def _place(self, step: int) -> int:
        """Where in its window a step writes."""
        return step % self.network.config.tokens

    def reference_layers(self) -> dict[str, tuple[int, int]]:
        """All of the trunk."""
        return sizes_of(self.network, under=("model.layers.",))

    def as_target(self, picture: Tensor) -> Tensor:
        """(1, 3, H, W) in [-1, 1] -> codes (1, h, w)."""
        return self.tokenizer.encode(picture)

    def recalled(
        self, pictures: Tensor, numbers: Tensor, roles: Tensor, adapter: ReferenceAdapter
    ) -> list[tuple[Tensor, Tensor]]:
        """Keys and values (K, heads, N, D) of codes (K, h, w). For RoPE, reference k stands k widths to the right."""
        h, w = pictures.shape[-2:]
        rows, columns = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
        places = torch.stack((rows, columns), dim=-1).flatten(0, 1).to(pictures.device).repeat(len(pictures), 1, 1)
        places[..., 1] += numbers[:, None] * self.network.config.grid[1]
        return self.network.recall(pictures.flatten(1), places, adapter.added(roles))

    def joined(self, parts: Sequence[Tensor]) -> Tensor:
        return torch.cat(tuple(parts), dim=2)

    def forward(self, states: Sequence[State]) -> list[Tensor]:
        """Logits (V,) of the next token of each state, guidance applied."""
        mine = [_mine(state) for state in states]
        rows = [
            _Row(state, reading, slot)
            for state in mine
            for reading, slot in zip(_readings(state), state.slots, strict=True)
        ]
        with attached(self.network, mine[0].request.loras):
            logits = iter(self._answers(rows))
        return [self._guided(state, [next(logits) for _ in state.slots]) for state in mine]

    def _answers(self, rows: Sequence[_Row]) -> list[Tensor]:
        """Logits of the next token for each row. Those that look at references have a call of their own: for the others
        the network is as it always is.
        """
        found: dict[int, Tensor] = {}
        for looking in (False, True):
            places = [place for place, row in enumerate(rows) if (row.reading.memory is not None) == looking]
            if places:
                logits = self._logits([rows[place] for place in places]).float()
                found |= zip(places, logits.unbind(), strict=True)
        return [found[place] for place in range(len(rows))]

    def _logits(self, rows: Sequence[_Row]) -> Tensor:
        """Logits of the next token, (rows, V): of the first one with the text, of a later one from the cache."""
        slots = [row.slot for row in rows]
        memories = [row.reading.memory for row in rows if row.reading.memory is not None]
        memory: Memory = stacked(memories) if memories else ()
        beside = self.references.painting(self.network) if memories and self.references else nullcontext()
        with beside:
            position = torch.stack([row.reading.position[row.state.position] for row in rows])
            if self._place(rows[0].state.step) == 0:
                text = torch.stack([row.reading.text for row in rows])
                return self.network.prefill(text, self.cache, slots, position, memory)
            places = torch.tensor([self._place(row.state.step) for row in rows])
            last = torch.tensor([row.state.drawn[-1] for row in rows])
            return self.network.decode_step(last, places, self.cache, slots, position, memory)

    @staticmethod
    def _guided(state: TokenState, rows: list[Tensor]) -> Tensor:
        """Ho & Salimans 2022 on logits, as LlamaGen has it; a position is written by the voice that owns it."""
        condition = state.condition
        own = rows[condition.owner[state.position]]
        if len(rows) == 1 + len(condition.regions):
            return own
        scale = state.request.guidance
        return guidance.combine(own, rows[-1], 1.0 if scale is None else scale)

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
        given, place = mine.given, mine.position
        if given and given[place] != DRAW:
            token = given[place]
        elif given and mine.total > len(given):
            given = (*given[:place], token, *given[place + 1 :])
        entropies = (*mine.entropies, float(tokens.entropy(prediction)))
        return replace(mine, step=mine.step + 1, drawn=(*mine.drawn, token), entropies=entropies, given=given)

    def preview(self, state: State) -> Pixels | None:
        """What is written so far; the rest of the raster repeats nothing and stays at the middle code's grey."""
        mine = _mine(state)
        return self._pixels(mine) if mine.drawn else None

    def decode(self, states: Sequence[State]) -> list[Pixels]:
        """One by one, so that the pixels cannot depend on the company."""
        return [self._pixels(_mine(state)) for state in states]

    def _pixels(self, state: TokenState) -> Pixels:
        raster = self._raster(state)[None]
        whole = max(state.condition.size) <= TILE
        return to_pixels((self.tokenizer.decode(raster) if whole else decode_tiled(self.tokenizer, raster))[0])

    def _raster(self, state: TokenState) -> Tensor:
        """Tokens (h, w); positions not yet written hold the code nearest to zero."""
        filler = self.tokenizer.indices(torch.zeros(len(self.tokenizer.config.levels)))
        h, w = state.condition.size
        raster = torch.full((h * w,), int(filler))
        written = torch.tensor(state.condition.order[: len(state.drawn)], dtype=torch.long)
        raster[written] = torch.tensor(state.drawn, dtype=raster.dtype)
        return raster.view(h, w)

    def release(self, state: State) -> None:
        for slot in _mine(state).slots:
            self.cache.release(slot)

    def save(self, state: State) -> Saved | None:
        """Nothing: the cache is far larger than a picture, and a token is soon written again."""
        _mine(state)
        return None

    def resume(self, request: Request, condition: TokenCondition, index: int, saved: Saved) -> TokenState:
        raise ValueError(f"a picture of tokens starts again; step {saved.step} of it was never kept")

    def loss(
        self, codes: Tensor, text: Tensor, raster: PlanRaster, generator: torch.Generator, *, memory: Memory = ()
    ) -> Tensor:
        """Mean negative log likelihood of a token, in nats. codes: (B, h, w); text: (B, T, width).

        No randomness is drawn; the generator is part of the common form.
        """
        flat = codes.flatten(1)
        logits = self.network(text, flat[:, :-1], position_input=self.plan_input(raster), memory=memory)
        return F.cross_entropy(logits.flatten(0, 1).float(), flat.flatten())


def _given(request: Request, condition: TokenCondition, index: int) -> tuple[int, ...]:
    """The tokens of the init picture that stay: each with the chance 1 - strength, scaled by the map.

    What is written later cannot change what stands before it, but the tokens kept further on are not seen in advance:
    a token model continues a picture, it does not look ahead.
    """
    if condition.init is None:
        windows = len(condition.order) > condition.size[0] * condition.size[1]
        return (DRAW,) * (condition.size[0] * condition.size[1]) if windows else ()
    codes = condition.init.flatten()
    strength = torch.full(codes.shape, request.strength or 1.0, dtype=torch.float64)
    if condition.freedom is not None:
        strength = strength * condition.freedom.flatten()
    kept = noise.uniform(request.seed or 0, index, KEEP_STREAM, codes.shape) >= strength
    return tuple(torch.where(kept, codes, DRAW).tolist())


def _order(stage: Stage) -> tuple[int, ...]:
    """The positions that are written, window after window, each row by row."""
    width = stage.size[1]
    windows = stage.windows or (Window(0, 0, *stage.size),)
    return tuple(
        row * width + column
        for each in windows
        for row in range(each.top, each.top + each.height)
        for column in range(each.left, each.left + each.width)
    )


def _readings(state: TokenState) -> list[Reading]:
    condition = state.condition
    return [condition.positive, *condition.regions, condition.negative][: len(state.slots)]


def _mine(state: State) -> TokenState:
    if not isinstance(state, TokenState):
        raise TypeError(f"the token family was handed a {type(state).__name__}")
    return state
