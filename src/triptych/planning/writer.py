"""The plan writer: a tiny causal decoder that writes a plan's tokens from the states of a prompt.

Guided decoding: before each draw, what the grammar forbids is masked, so every plan is well formed whatever
the weights. Facts (background, noun, colour, letters, whether another object comes) are drawn only among
values nearly as likely as the best, so that what the prompt states stays as stated and what it leaves open
varies with the seed; places are drawn more freely. Randomness comes in as a function of the draw's number.
Knows no prompt, only states.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from triptych.core.plan import Plan
from triptych.nn.block import Block
from triptych.nn.norm import RMSNorm
from triptych.planning.tokens import PAD, SIDES, START, Grammar, PlanTokens

# B batch, T prompt tokens, P plan tokens, C width, V plan vocabulary

_ROWS = 32
"""Sequences are decoded padded to a multiple of this: kernels round the same from 16 rows upwards (nn.rows).
"""


@dataclass(frozen=True)
class PlanWriterConfig:
    """vocabulary: number of plan ids; length: the most tokens of a plan; context: width of the prompt's states.

    reading_layers: the writer's own blocks over the states, where it works out what belongs to what ("a red fox left of
    a blue owl"): the shared encoder, which the painters depend on, is frozen by then.
    neighbours: words that a convolution before them sees at once, an odd number. A colour stands beside its noun, and
    the word for a side within five words of both of its nouns; attention alone, with learned positions, had not found
    that out after 190,000 captions (docs/decisions/0013).
    """

    vocabulary: int
    length: int
    context: int = 160
    width: int = 160
    layers: int = 3
    heads: int = 5
    reading_layers: int = 2
    neighbours: int = 11


class PlanWriter(nn.Module):
    def __init__(self, config: PlanWriterConfig) -> None:
        super().__init__()
        self.config = config
        rows = -(-config.length // _ROWS) * _ROWS
        self.token = nn.Embedding(config.vocabulary, config.width)
        self.position = nn.Parameter(torch.empty(rows, config.width))
        self.context_norm = RMSNorm(config.context)
        self.neighbours = nn.Conv1d(config.context, config.context, config.neighbours, padding=config.neighbours // 2)
        nn.init.zeros_(self.neighbours.weight)
        self.reading = nn.ModuleList(Block(config.context, config.heads) for _ in range(config.reading_layers))
        self.blocks = nn.ModuleList(
            Block(config.width, config.heads, context=config.context) for _ in range(config.layers)
        )
        self.norm = RMSNorm(config.width)
        self.head = nn.Linear(config.width, config.vocabulary)
        nn.init.normal_(self.position, std=0.5)

    def forward(self, states: Tensor, ids: Tensor) -> Tensor:
        """states (B, T, context), ids (B, P) beginning with START -> logits of the id after each, (B, P, V)."""
        return self._logits(self._read(states), ids)

    def _read(self, states: Tensor) -> Tensor:
        """What the decoder attends to, (B, T, context); the same for every token of a plan."""
        context = self.context_norm(states)
        context = context + self.neighbours(context.transpose(1, 2)).transpose(1, 2)
        for block in self.reading:
            context = block(context)
        return context

    def _logits(self, context: Tensor, ids: Tensor) -> Tensor:
        x = self.token(ids) + self.position[: ids.shape[1]]
        for block in self.blocks:
            x = block(x, context, causal=True)
        return self.head(self.norm(x))

    def loss(self, states: Tensor, plan_ids: Tensor) -> Tensor:
        """Mean negative log likelihood of a token, in nats. plan_ids (B, P): from background to END, then
        PAD.
        """
        plan_ids = plan_ids[:, : int((plan_ids != PAD).sum(1).max())]
        start = plan_ids.new_full((len(plan_ids), 1), START)
        logits = self(states, torch.cat((start, plan_ids[:, :-1]), dim=1))
        return F.cross_entropy(logits.flatten(0, 1).float(), plan_ids.flatten(), ignore_index=PAD)

    @torch.inference_mode()
    def write(
        self,
        states: Tensor,
        tokens: PlanTokens,
        uniforms: Callable[[int], float],
        *,
        temperature: float = 0.7,
        top_p: float = 0.9,
        fact_floor: float = 0.3,
    ) -> Plan:
        """Draw one plan.

        states: (T, context) of one prompt. uniforms: the number of a draw to a number in [0, 1),
        counter-based. temperature, top_p: for the sides of boxes; temperature 0 takes the likeliest.
        fact_floor: facts are drawn among the values at least this share as likely as the likeliest (1: only
        the likeliest).
        """
        grammar = Grammar(tokens)
        context = self._read(states[None])
        ids = [START]
        while not grammar.done:
            choice = grammar.choice()
            logits = self._next_logits(context, ids)[list(choice.allowed)]
            if choice.field in SIDES:
                shares = nucleus(softmax(logits, temperature), top_p)
            else:
                shares = floored(softmax(logits, 1.0), fact_floor)
            token = choice.allowed[draw(shares, uniforms(len(ids) - 1))]
            grammar.take(token)
            ids.append(token)
        return grammar.plan()

    def _next_logits(self, context: Tensor, ids: Sequence[int]) -> np.ndarray:
        """(V,) float64. The past is recomputed: with some thirty tokens a cache would save little of a plan's
        time.
        """
        rows = -(-len(ids) // _ROWS) * _ROWS
        padded = torch.full((1, rows), PAD, dtype=torch.long, device=context.device)
        padded[0, : len(ids)] = torch.tensor(ids, device=context.device)
        return self._logits(context, padded)[0, len(ids) - 1].double().cpu().numpy()


def softmax(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities at a temperature; 0 puts all on the likeliest."""
    if temperature <= 0:
        return (np.arange(len(logits)) == int(np.argmax(logits))).astype(np.float64)
    scaled = np.exp((logits - logits.max()) / temperature)
    return scaled / scaled.sum()


def nucleus(shares: np.ndarray, top_p: float) -> np.ndarray:
    """Keep the likeliest values that together reach top_p (Holtzman et al. 2020), at least one."""
    order = np.argsort(-shares, kind="stable")
    before = np.cumsum(shares[order]) - shares[order]
    kept = np.zeros_like(shares)
    chosen = order[(before < top_p) | (np.arange(len(order)) == 0)]
    kept[chosen] = shares[chosen]
    return kept / kept.sum()


def floored(shares: np.ndarray, floor: float) -> np.ndarray:
    """Keep the values at least `floor` times as likely as the likeliest (min-p, Nguyen et al. 2024)."""
    kept = np.where(shares >= min(floor, 1.0) * shares.max(), shares, 0.0)
    return kept / kept.sum()


def draw(shares: np.ndarray, uniform: float) -> int:
    """Inverse transform sampling: the first place where the running sum passes `uniform`."""
    place = int(np.searchsorted(np.cumsum(shares), uniform, side="right"))
    return min(place, int(np.flatnonzero(shares)[-1]))
