"""The editor: a small network that reads an instruction beside the plan of a picture and writes the next edit.

Words, things, background and light are read together by one bidirectional encoder; a causal decoder writes the edit's
symbols (`planning.edit_tokens`) and points at things with the encoder's own states (pointer networks, Vinyals et al.
2015). What the grammar forbids is masked, so every edit is well formed, whatever the weights. An instruction of several
edits is read several times: each time with the plan as the edits so far have left it, how many they are, and what the
last one touched. Knows no world; what an edit does to a plan is `editing.instruct.apply`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from triptych.core.plan import Plan
from triptych.nn.block import Block
from triptych.nn.norm import RMSNorm
from triptych.nn.rows import ENOUGH_ROWS
from triptych.planning.edit_tokens import ANY, PAD, START, EditTokens, Symbol, walk

# B batch, W words, N things, S all that is read, P symbols written, V vocabulary, C width

FEATURES = 33
"""Numbers that describe where a thing stands, and how it ranks among all and among those of its noun."""


@dataclass(frozen=True)
class EditorConfig:
    """vocabulary: number of names; words, things, length: the most of each; edits: the most in one instruction.

    neighbours: words that a convolution sees at once before attention does; a colour stands beside its noun.
    """

    vocabulary: int
    words: int = 49
    things: int = 12
    length: int = 40
    edits: int = 6
    width: int = 128
    heads: int = 4
    reading_layers: int = 3
    writing_layers: int = 2
    neighbours: int = 5


@dataclass(frozen=True)
class Situation:
    """What the editor looks at. words: names of the vocabulary. done: edits made so far. touched: things of the plan
    that the last one made or changed.
    """

    words: tuple[str, ...]
    plan: Plan
    done: int = 0
    touched: tuple[int, ...] = ()


@dataclass(frozen=True)
class Written:
    """symbols: one edit. sure: the probability of its least sure symbol, in 0..1."""

    symbols: tuple[Symbol, ...]
    sure: float


class Editor(nn.Module):
    def __init__(self, config: EditorConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.name = nn.Embedding(config.vocabulary, width)
        self.word_place = nn.Parameter(torch.empty(config.words, width))
        self.neighbours = nn.Conv1d(width, width, config.neighbours, padding=config.neighbours // 2)
        self.role = nn.Parameter(torch.empty(5, width))  # thing, its colour, background, light, number of edits done
        self.where = nn.Sequential(nn.Linear(FEATURES, width), nn.SiLU(), nn.Linear(width, width))
        self.count = nn.Embedding(config.edits + 1, width)
        self.reading = nn.ModuleList(Block(width, config.heads) for _ in range(config.reading_layers))
        self.read_norm = RMSNorm(width)
        self.nothing = nn.Parameter(torch.zeros(width))
        self.written_place = nn.Parameter(torch.empty(config.length, width))
        self.pointed = nn.Linear(width, width, bias=False)
        self.writing = nn.ModuleList(Block(width, config.heads, context=width) for _ in range(config.writing_layers))
        self.norm = RMSNorm(width)
        self.head = nn.Linear(width, width)
        self.bias = nn.Parameter(torch.zeros(config.vocabulary))
        self.pointer = nn.Linear(width, width)
        for place in (self.word_place, self.role, self.written_place):
            nn.init.normal_(place, std=0.5)

    def columns(self, words: int) -> int:
        """So many columns of words are read where the longest instruction has so many: all that is read together makes
        whole rows of `nn.rows`, for which kernels round alike.
        """
        others = self.config.things + 3
        rows = -(-(max(words, 1) + others) // ENOUGH_ROWS) * ENOUGH_ROWS
        return min(max(rows - others, 1), self.config.words)

    def forward(self, batch: dict[str, Tensor], symbols: Tensor) -> Tensor:
        """batch: see `collate`. symbols (B, P): ids, or V + i for a pointer at thing i -> logits (B, P, V + N)."""
        states, real = self._read(batch)
        return self._logits(states, real, symbols)

    def _read(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """States (B, S, C), things first, and which of them are real (B, S)."""
        words, nouns, colours = batch["words"], batch["nouns"], batch["colours"]
        x = self.name(words) + self.word_place[: words.shape[1]]
        x = x + self.neighbours(x.transpose(1, 2)).transpose(1, 2)
        things = self.name(nouns) + self.name(colours) * self.role[1] + self.role[0] + self.where(batch["features"])
        rest = torch.stack(
            (
                self.name(batch["background"]) + self.role[2],
                self.name(batch["light"]) + self.role[3],
                self.count(batch["done"]) + self.role[4],
            ),
            dim=1,
        )
        x = torch.cat((things, rest, x), dim=1)
        real = torch.cat(
            (nouns != 0, torch.ones(len(words), 3, dtype=torch.bool, device=words.device), words != 0), dim=1
        )
        for block in self.reading:
            x = block(x, mask=real[:, None, None, :])
        x = self.read_norm(x)
        return torch.where(real[:, :, None], x, self.nothing.to(x.dtype)), real

    def _logits(self, states: Tensor, real: Tensor, symbols: Tensor) -> Tensor:
        things = states[:, : self.config.things]
        vocabulary = self.config.vocabulary
        is_pointer = symbols >= vocabulary
        at = (symbols - vocabulary).clamp(min=0)
        shown = self.pointed(things).gather(1, at[:, :, None].expand(-1, -1, states.shape[2]))
        x = torch.where(is_pointer[:, :, None], shown, self.name(symbols.clamp(max=vocabulary - 1)))
        x = x + self.written_place[: symbols.shape[1]]
        for block in self.writing:
            x = block(x, states, causal=True)
        x = self.norm(x)
        names = F.linear(self.head(x), self.name.weight.to(x.dtype)) * self.config.width**-0.5 + self.bias.to(x.dtype)
        pointers = self.pointer(x) @ things.transpose(1, 2) * self.config.width**-0.5
        pointers = pointers.masked_fill(~real[:, None, : self.config.things], -30.0)
        return torch.cat((names, pointers), dim=2)

    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        """Mean negative log likelihood of a symbol, in nats. batch["symbols"] (B, P): one edit each, then PAD."""
        symbols = batch["symbols"]
        start = torch.full_like(symbols[:, :1], 1)
        logits = self(batch, torch.cat((start, symbols[:, :-1]), dim=1))
        return F.cross_entropy(logits.flatten(0, 1).float(), symbols.flatten(), ignore_index=0)

    @torch.inference_mode()
    def write(self, situation: Situation, tokens: EditTokens) -> Written:
        """The likeliest next edit, symbol by symbol."""
        batch = collate([situation], tokens, self.config)
        batch["words"] = batch["words"][:, : self.columns(len(situation.words))]
        device = self.bias.device
        states, real = self._read({name: value.to(device) for name, value in batch.items()})
        grammar = walk(tokens, tokens.seen(situation.plan))
        allowed = next(grammar)
        ids, symbols, sure = [tokens.ids[START]], list[Symbol](), 1.0
        while True:
            if len(allowed) == 1:
                symbol = allowed[0]
            else:
                options = [self._id(each, tokens) for each in allowed]
                logits = self._logits(states, real, torch.tensor([ids], device=device))[0, -1, options].double()
                shares = logits.softmax(0)
                best = int(shares.argmax())
                symbol, sure = allowed[best], min(sure, float(shares[best]))
            symbols.append(symbol)
            try:
                allowed = grammar.send(symbol)
            except StopIteration:
                return Written(tuple(symbols), sure)
            ids.append(self._id(symbol, tokens))

    def _id(self, symbol: Symbol, tokens: EditTokens) -> int:
        return self.config.vocabulary + symbol if isinstance(symbol, int) else tokens.ids[symbol]


def symbol_ids(symbols: Sequence[Symbol], tokens: EditTokens) -> list[int]:
    """Ids of one edit; pointers follow the vocabulary."""
    return [len(tokens) + symbol if isinstance(symbol, int) else tokens.ids[symbol] for symbol in symbols]


def collate(situations: Sequence[Situation], tokens: EditTokens, config: EditorConfig) -> dict[str, Tensor]:
    """Tensors of a batch: words (B, W), nouns and colours (B, N), features (B, N, FEATURES); background, light and
    done (B,).

    Words beyond the most, and things beyond the most, are left out.
    """
    pad = tokens.ids[PAD]
    size = len(situations)
    words = np.full((size, config.words), pad, np.int64)
    nouns, colours = (np.full((size, config.things), pad, np.int64) for _ in range(2))
    features = np.zeros((size, config.things, FEATURES), np.float32)
    for row, situation in enumerate(situations):
        kept = situation.words[: config.words]
        words[row, : len(kept)] = [tokens.id(word) for word in kept]
        seen = tokens.seen(situation.plan)[: config.things]
        nouns[row, : len(seen)] = [tokens.id(thing.noun) for thing in seen]
        colours[row, : len(seen)] = [tokens.id(thing.colour) for thing in seen]
        features[row, : len(seen)] = described(situation)[: config.things]
    return {
        "words": torch.from_numpy(words),
        "nouns": torch.from_numpy(nouns),
        "colours": torch.from_numpy(colours),
        "features": torch.from_numpy(features),
        "background": torch.tensor([tokens.id(situation.plan.background or ANY) for situation in situations]),
        "light": torch.tensor(
            [tokens.id(f"light:{situation.plan.light}" if situation.plan.light else ANY) for situation in situations]
        ),
        "done": torch.tensor([min(situation.done, config.edits) for situation in situations]),
    }


def described(situation: Situation) -> np.ndarray:
    """(N, FEATURES) float32: box, centre, sides, area, place in the order, whether just touched; then of the places of
    its middle from the left, from the top and of its area the rank among all things and among those of its noun, as
    one-hot of the first and as being the last.
    """
    things = situation.plan.objects
    if not things:
        return np.zeros((0, FEATURES), np.float32)
    boxes = np.array([thing.box for thing in things], np.float32)
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    sides = boxes[:, 2:] - boxes[:, :2]
    area = sides.prod(axis=1, keepdims=True)
    order = np.arange(len(things), dtype=np.float32)[:, None] / 4
    touched = np.array([[float(i in situation.touched)] for i in range(len(things))], np.float32)
    same = np.array([[a.noun == b.noun for b in things] for a in things])
    alone = (same.sum(axis=1, keepdims=True) == 1).astype(np.float32)
    parts = [boxes, middle, sides, area, order, touched, alone]
    measures = np.concatenate((middle, area), axis=1)  # (N, 3)
    for among in (np.ones_like(same), same):
        before = ((measures[None] < measures[:, None]) & among[:, :, None]).sum(axis=1)  # (N, 3)
        after = ((measures[None] > measures[:, None]) & among[:, :, None]).sum(axis=1)
        first = [before == rank for rank in range(3 if among is same else 2)]
        parts += [np.concatenate([*first, after == 0], axis=1).astype(np.float32)]
    return np.concatenate(parts, axis=1)
