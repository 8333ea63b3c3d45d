"""The network of the autoregressive family: a Llama-type decoder that writes a picture token by token.

The sequence is LlamaGen's (Sun et al. 2024, arXiv 2406.06525): `text_length` text states, projected to the width,
then the picture's tokens row by row; each position predicts the token after it, so the last text position predicts
token 0. Trunk, parameter names and numbers are those of transformers' `LlamaForCausalLM`
(tests/parity/test_token_network.py). Picture tokens are placed by 2-D RoPE in LlamaGen's layout; text is not turned.
One difference: LlamaGen's code multiplies the queries and keys of the text by zero, which makes all text look alike
to the picture; here it is the angle that is zero.

It gives logits and knows nothing of sampling, guidance, seeds or plans: a plan arrives as `position_input`.

Shapes: B batch, T text positions, n picture tokens given, N any number of positions, C width, H heads, K
key/value heads, D channels of a head.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from triptych.families.autoregressive.cache import KVCache, Memory, causal_beside, keeping
from triptych.nn.norm import RMSNorm
from triptych.nn.rope import RopeCache, rotate_halves, rotate_pairs
from triptych.nn.rows import ENOUGH_ROWS, with_enough_rows

Attend = Callable[[int, Tensor, Tensor, Tensor], Tensor]
"""(layer, q, k, v) -> attended values, all (B, heads, N, D); with or without a cache behind it."""


@dataclass(frozen=True)
class DecoderConfig:
    """Sizes of the decoder.

    vocab_size: picture tokens. mlp_hidden: channels inside the feed-forward network. text_dim, text_length:
    the text states that make the prefix. grid: rows and columns of picture tokens. rope: "2d" turns picture
    tokens by row and column; "1d" turns every position by its index in the sequence, as a language model
    does. tie_head: the logits use the token embedding's matrix.
    """

    vocab_size: int
    width: int
    layers: int
    heads: int
    kv_heads: int
    mlp_hidden: int
    text_dim: int
    text_length: int
    grid: tuple[int, int]
    rope: Literal["1d", "2d"] = "2d"
    rope_theta: float = 10_000.0
    norm_eps: float = 1e-5
    tie_head: bool = False

    def __post_init__(self) -> None:
        if self.width % self.heads or self.heads % self.kv_heads:
            raise ValueError(
                f"heads: {self.heads} must divide width {self.width} and be a multiple of kv_heads {self.kv_heads}"
            )
        planes = 4 if self.rope == "2d" else 2
        if self.head_dim % planes:
            raise ValueError(f"heads: {self.head_dim} channels a head, must be a multiple of {planes} for rope")

    @property
    def head_dim(self) -> int:
        """Channels of a head."""
        return self.width // self.heads

    @property
    def tokens(self) -> int:
        """Picture tokens of a whole picture."""
        return self.grid[0] * self.grid[1]

    @property
    def length(self) -> int:
        """Positions of a whole sequence, text and picture."""
        return self.text_length + self.tokens


class Decoder(nn.Module):
    """Logits of the next picture token from text states and the picture tokens before it."""

    ids: Tensor

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.config = config
        self.cap_proj = CaptionProjection(config.text_dim, config.width)
        self.model = Trunk(config)
        self.lm_head = None if config.tie_head else nn.Linear(config.width, config.vocab_size, bias=False)
        axes_dims = (config.head_dim,) if config.rope == "1d" else (config.head_dim // 2,) * 2
        self.rope = RopeCache(axes_dims, config.rope_theta)
        self.register_buffer("ids", sequence_ids(config), persistent=False)

    def forward(
        self, text: Tensor, tokens: Tensor, *, position_input: Tensor | None = None, memory: Memory = ()
    ) -> Tensor:
        """Logits of positions 0..n, for training.

        text: (B, T, text_dim). tokens: (B, n), the first n < h * w tokens of each picture; for a loss over
        whole pictures give all but the last. position_input: (B, h * w, width), row p belongs to the token
        about to be predicted at p, and is added where it is predicted; None is the bare network.
        memory: what `recall` gave for reference pictures, which every position may look at.
        Returns (B, n + 1, vocab_size): logits[:, p] predicts token p.
        """
        T, n = text.shape[1], tokens.shape[1]
        prefix = self._embed_text(text)
        last, tokens_in = prefix[:, -1:], self._embed_tokens(tokens)
        predicting = torch.cat((last, tokens_in), dim=1)
        if position_input is not None:
            predicting = predicting + position_input[:, : n + 1]
        x = torch.cat((prefix[:, :-1], predicting), dim=1)
        x = self.model(x, self.rope(self.ids)[: T + n], causal_beside(memory))
        return self._head(x[:, T - 1 :])

    def recall(self, codes: Tensor, places: Tensor, added: Tensor) -> list[tuple[Tensor, Tensor]]:
        """What each layer's attention finds of whole pictures, which see only themselves: a prefix of the sequence.

        codes: (B, M), tokens. places: (M, A) or (B, M, A), where RoPE places them. added: (B, M, C) or (B, 1, C), to
        their embeddings. Returns keys and values, (B, K, M, D) each, for every layer.
        """
        kept: list[tuple[Tensor, Tensor]] = []
        self.model(self._embed_tokens(codes) + added, self.rope(places), keeping(kept))
        return kept

    @torch.no_grad()
    def prefill(
        self,
        text: Tensor,
        cache: KVCache,
        slots: Sequence[int],
        position_input: Tensor | None = None,
        memory: Memory = (),
    ) -> Tensor:
        """Read the text of B new rows into their slots; return the logits of token 0, (B, vocab_size).

        text: (B, T, text_dim). position_input: (B, width), for position 0. memory: as in `forward`. The same bits in
        any company, given that T is at least `nn.rows.ENOUGH_ROWS`.
        """
        x = self._embed_text(text)
        if position_input is not None:
            x = torch.cat((x[:, :-1], x[:, -1:] + position_input[:, None]), dim=1)
        x = self.model(x, self.rope(self.ids)[: x.shape[1]], cache.prefix(slots, memory))
        return with_enough_rows(self._head, x[:, -1])

    @torch.no_grad()
    def decode_step(
        self,
        tokens: Tensor,
        positions: Tensor,
        cache: KVCache,
        slots: Sequence[int],
        position_input: Tensor | None = None,
        memory: Memory = (),
    ) -> Tensor:
        """Logits of one more position for each of R rows, (R, vocab_size); rows may stand anywhere.

        positions: (R,), the position to predict, 1 <= p < h * w. tokens: (R,), the token that was drawn at p
        - 1.
        slots: R different slots that `prefill` and the steps before have filled. position_input: (R, width),
        for p. memory: as in `forward`.
        The same bits in any company: the matrix products always see `nn.rows.ENOUGH_ROWS` rows or more.
        """
        R = tokens.shape[0]
        x = self._embed_tokens(tokens)
        if position_input is not None:
            x = x + position_input
        places = positions - 1 + self.config.text_length
        table = self.rope(self.ids)[places]
        padding = (0, 0, 0, max(0, ENOUGH_ROWS - R))
        x = self.model(F.pad(x, padding)[:, None], F.pad(table, padding)[:, None], cache.step(slots, places, memory))
        return self._head(x[:, 0])[:R]

    def _embed_text(self, text: Tensor) -> Tensor:
        # The residual stream keeps the parameters' precision; under autocast only matrix products are bfloat16.
        return self.cap_proj(text).to(self.model.embed_tokens.weight.dtype)

    def _embed_tokens(self, tokens: Tensor) -> Tensor:
        return self.model.embed_tokens(tokens)

    def _head(self, x: Tensor) -> Tensor:
        return F.linear(x, self.model.embed_tokens.weight) if self.lm_head is None else self.lm_head(x)

    @torch.no_grad()
    def init_weights(self, generator: torch.Generator | None = None) -> None:
        """Weights to start training from: normal with deviation 0.02, and a zero head, as LlamaGen.

        What writes into the residual stream is smaller by sqrt(2 * layers), so that its size does not grow
        with depth (GPT-2, Radford et al. 2019, section 2.3).
        """
        deviation = 0.02
        for name, parameter in self.named_parameters():
            if parameter.ndim == 1:
                nn.init.ones_(parameter)
            elif name.endswith(("o_proj.weight", "down_proj.weight")):
                nn.init.normal_(parameter, std=deviation / (2 * self.config.layers) ** 0.5, generator=generator)
            else:
                nn.init.normal_(parameter, std=deviation, generator=generator)
        for layer in (self.cap_proj.fc1, self.cap_proj.fc2):
            nn.init.xavier_uniform_(layer.weight, generator=generator)
        if self.lm_head is not None:
            nn.init.zeros_(self.lm_head.weight)


def sequence_ids(config: DecoderConfig) -> Tensor:
    """Positions of a whole sequence for RoPE: (length, 1), or (length, 2) with the text at (0, 0), int64."""
    if config.rope == "1d":
        return torch.arange(config.length)[:, None]
    rows, columns = torch.meshgrid(torch.arange(config.grid[0]), torch.arange(config.grid[1]), indexing="ij")
    picture = torch.stack((rows.flatten(), columns.flatten()), dim=-1)
    return torch.cat((torch.zeros(config.text_length, 2, dtype=torch.int64), picture))


class CaptionProjection(nn.Module):
    """Text states to prefix tokens: linear, GELU, linear, without biases (LlamaGen's CaptionEmbedder)."""

    def __init__(self, text_dim: int, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(text_dim, width, bias=False)
        self.fc2 = nn.Linear(width, width, bias=False)

    def forward(self, text: Tensor) -> Tensor:
        """(B, T, text_dim) -> (B, T, C)."""
        return self.fc2(F.gelu(self.fc1(text), approximate="tanh"))


class Trunk(nn.Module):
    """Embedding, layers and last norm: `LlamaModel`."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(config.vocab_size, config.width)
        self.layers = nn.ModuleList(DecoderLayer(config, index) for index in range(config.layers))
        self.norm = RMSNorm(config.width, config.norm_eps)

    def forward(self, x: Tensor, table: Tensor, attend: Attend) -> Tensor:
        """x: (B, N, C); table: (N, D/2), or (B, N, D/2) where rows stand at different places."""
        for layer in self.layers:
            x = layer(x, table, attend)
        return self.norm(x)


class DecoderLayer(nn.Module):
    """Attention, then feed-forward, each behind a norm."""

    def __init__(self, config: DecoderConfig, index: int) -> None:
        super().__init__()
        self.input_layernorm = RMSNorm(config.width, config.norm_eps)
        self.self_attn = SelfAttention(config, index)
        self.post_attention_layernorm = RMSNorm(config.width, config.norm_eps)
        self.mlp = GatedMLP(config.width, config.mlp_hidden)

    def forward(self, x: Tensor, table: Tensor, attend: Attend) -> Tensor:
        """x: (B, N, C) -> (B, N, C)."""
        x = x + self.self_attn(self.input_layernorm(x), table, attend)
        return x + self.mlp(self.post_attention_layernorm(x))


class SelfAttention(nn.Module):
    """Grouped-query attention (Ainslie et al. 2023); `attend` knows what lies before the new positions."""

    def __init__(self, config: DecoderConfig, index: int) -> None:
        super().__init__()
        C, D = config.width, config.head_dim
        self.index = index
        self.head_dim = D
        # Each convention with the layout of its own checkpoints: transformers' halves, LlamaGen's pairs.
        self.rotate = rotate_halves if config.rope == "1d" else rotate_pairs
        self.q_proj = nn.Linear(C, config.heads * D, bias=False)
        self.k_proj = nn.Linear(C, config.kv_heads * D, bias=False)
        self.v_proj = nn.Linear(C, config.kv_heads * D, bias=False)
        self.o_proj = nn.Linear(config.heads * D, C, bias=False)

    def forward(self, x: Tensor, table: Tensor, attend: Attend) -> Tensor:
        """x: (B, N, C) -> (B, N, C)."""
        heads = (-1, self.head_dim)
        q = self.rotate(self.q_proj(x).unflatten(-1, heads), table)
        k = self.rotate(self.k_proj(x).unflatten(-1, heads), table)
        v = self.v_proj(x).unflatten(-1, heads)
        out = attend(self.index, q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2))
        return self.o_proj(out.transpose(1, 2).flatten(-2))


class GatedMLP(nn.Module):
    """SwiGLU (Shazeer 2020) with Llama's parameter names."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(width, hidden, bias=False)
        self.up_proj = nn.Linear(width, hidden, bias=False)
        self.down_proj = nn.Linear(hidden, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(..., C) -> (..., C)."""
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))
