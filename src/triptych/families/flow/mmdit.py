"""The network of the flow family: a multimodal diffusion transformer, FLUX.2's structure at any size.

Picture tokens and text tokens first run in two streams that meet in attention only (dual blocks), then in one
stream (single blocks, attention and feed-forward in parallel). One modulation, computed from the timestep,
serves all blocks of a kind. Positions enter through 4-axis RoPE: (reference, row, column, place in the text).

Sources: Esser et al. 2024 (arXiv 2403.03206, the dual stream), Dehghani et al. 2023 (arXiv 2302.05442, the
parallel block and QK norm), Black Forest Labs' FLUX.2 (shared modulation, fused projections). Parameter names
and numbers are those of diffusers' `Flux2Transformer2DModel`; tests/parity/test_flow_network.py holds both
together.

It predicts a velocity from noisy tokens and knows nothing of noise, steps, guidance, pixels or plans: a plan
arrives as `position_input`, added to the picture tokens.

Shapes: B batch, N picture tokens, T text tokens, S = T + N, C width, H heads, D channels of a head.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from triptych.nn.added import with_added
from triptych.nn.attention import attention
from triptych.nn.embeddings import TimestepEmbedding, sinusoidal
from triptych.nn.feedforward import SwiGLU, swiglu
from triptych.nn.norm import RMSNorm
from triptych.nn.rope import RopeCache, rotate_pairs
from triptych.nn.rows import with_enough_rows

Look = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""What one block's attention looks at: the sequence's own keys and values, (B, S, H, D), turned -> those and more."""

TIME_SCALE = 1000.0
"""t in [0, 1] and the guidance scale are multiplied by this before their sinusoidal embedding."""


@dataclass(frozen=True)
class MMDiTConfig:
    """Sizes of the network. The defaults are FLUX.2 [dev]'s; every preset states its own.

    num_layers counts dual blocks. axes_dims_rope: channels of a head that each of the four position axes
    owns.
    guidance_embeds: the network takes the guidance scale as an input (guidance distillation).
    """

    in_channels: int = 128
    out_channels: int = 128
    num_layers: int = 8
    num_single_layers: int = 48
    attention_head_dim: int = 128
    num_attention_heads: int = 48
    joint_attention_dim: int = 15360
    timestep_guidance_channels: int = 256
    mlp_ratio: float = 3.0
    axes_dims_rope: tuple[int, ...] = (32, 32, 32, 32)
    rope_theta: float = 2000.0
    eps: float = 1e-6
    guidance_embeds: bool = True

    def __post_init__(self) -> None:
        if sum(self.axes_dims_rope) != self.attention_head_dim or any(dim % 2 for dim in self.axes_dims_rope):
            raise ValueError(
                f"axes_dims_rope: {self.axes_dims_rope} must be even numbers that add up to "
                f"attention_head_dim = {self.attention_head_dim}"
            )

    @property
    def width(self) -> int:
        """Channels of a token inside the network."""
        return self.num_attention_heads * self.attention_head_dim

    @property
    def mlp_hidden(self) -> int:
        """Channels between the two linear layers of a feed-forward network."""
        return int(self.width * self.mlp_ratio)


def picture_ids(height: int, width: int, reference: int = 0) -> Tensor:
    """Positions of a picture's tokens, row by row: (height * width, 4), float32.

    height, width: in tokens. reference: 0 for the picture being made; reference pictures take other numbers.
    """
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    ids = torch.zeros(height * width, 4)
    ids[:, 0] = reference
    ids[:, 1] = rows.flatten()
    ids[:, 2] = columns.flatten()
    return ids


def text_ids(length: int) -> Tensor:
    """Positions of text tokens: (length, 4), float32; only the fourth axis counts."""
    ids = torch.zeros(length, 4)
    ids[:, 3] = torch.arange(length)
    return ids


class MMDiT(nn.Module):
    """Velocity of a rectified flow, from noisy picture tokens, text states and time."""

    def __init__(self, config: MMDiTConfig) -> None:
        super().__init__()
        self.config = config
        C = config.width
        self.rope = RopeCache(config.axes_dims_rope, config.rope_theta)
        self.time_guidance_embed = TimeGuidanceEmbedding(config)
        self.double_stream_modulation_img = Modulation(C, sets=2)
        self.double_stream_modulation_txt = Modulation(C, sets=2)
        self.single_stream_modulation = Modulation(C, sets=1)
        self.x_embedder = nn.Linear(config.in_channels, C, bias=False)
        self.context_embedder = nn.Linear(config.joint_attention_dim, C, bias=False)
        self.transformer_blocks = nn.ModuleList(DualBlock(config) for _ in range(config.num_layers))
        self.single_transformer_blocks = nn.ModuleList(SingleBlock(config) for _ in range(config.num_single_layers))
        self.norm_out = OutputNorm(C, config.eps)
        self.proj_out = nn.Linear(C, config.out_channels, bias=False)

    def forward(
        self,
        x: Tensor,
        text: Tensor,
        t: Tensor,
        img_ids: Tensor,
        txt_ids: Tensor,
        *,
        guidance: Tensor | None = None,
        position_input: Tensor | None = None,
        steer: Callable[[int, Tensor], Tensor] | None = None,
        memory: Sequence[tuple[Tensor, Tensor]] = (),
    ) -> Tensor:
        """Predict the velocity of every picture token.

        x: (B, N, in_channels), noisy picture tokens. text: (B, T, joint_attention_dim), text states.
        t: (B,), 0 is the picture and 1 is noise. img_ids, txt_ids: (N, 4) and (T, 4), or one set per row (B,
        ., 4).
        guidance: (B,), the guidance scale, used where the configuration has guidance_embeds.
        position_input: (B, N, width), added to the picture tokens after their embedding; None is the
        reference network.
        steer: what structure adds to the picture tokens (B, N, width), called with 0 after the embedding and with k
        after the k-th block, dual and single ones counted through.
        memory: of each block the keys and values (B, M, H, D) that `recall` gave for reference pictures.
        Returns (B, N, out_channels). Without gradients a row has the same bits in any company, given that N and T
        are at least `nn.rows.ENOUGH_ROWS`.
        """
        condition = self.time_guidance_embed(t, guidance)
        table_txt, table_img = self.rope(txt_ids), self.rope(img_ids)
        if table_txt.ndim != table_img.ndim:
            B = x.shape[0]
            table_txt, table_img = (table.expand(B, -1, -1) for table in (table_txt, table_img))
        table = torch.cat((table_txt, table_img), dim=-2)

        # The residual stream keeps the parameters' precision; under autocast only matrix products are bfloat16.
        stream_type = self.x_embedder.weight.dtype
        img = self.x_embedder(x).to(stream_type)
        txt = self.context_embedder(text).to(stream_type)
        if position_input is not None:
            img = img + position_input
        if steer is not None:
            img = steer(0, img)

        looks = [_beside(*seen) for seen in memory]
        return self.proj_out(self.norm_out(self._blocks(img, txt, condition, table, steer, looks), condition))

    def recall(self, x: Tensor, ids: Tensor, added: Tensor) -> list[tuple[Tensor, Tensor]]:
        """What the attention of each block finds of clean pictures, which are read at t = 0 and see only themselves.

        x: (B, M, in_channels), their tokens. ids: (M, 4) or (B, M, 4). added: (B, M, width), to the embedded tokens.
        Returns keys and values, (B, M, H, D) each, for every block: the `memory` of `forward`.
        """
        kept: list[tuple[Tensor, Tensor]] = []

        def keep(k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
            kept.append((k, v))
            return k, v

        img = self.x_embedder(x).to(self.x_embedder.weight.dtype) + added
        condition = self.time_guidance_embed(x.new_zeros(len(x)), None)
        looks = [keep] * (len(self.transformer_blocks) + len(self.single_transformer_blocks))
        self._blocks(img, img[:, :0], condition, self.rope(ids), None, looks)
        return kept

    def _blocks(
        self,
        img: Tensor,
        txt: Tensor,
        condition: Tensor,
        table: Tensor,
        steer: Callable[[int, Tensor], Tensor] | None,
        looks: Sequence[Look],
    ) -> Tensor:
        """The picture tokens (B, N, C) after all blocks. looks: one for each block, or none."""
        modulation_img = self.double_stream_modulation_img(condition)
        modulation_txt = self.double_stream_modulation_txt(condition)
        (modulation_single,) = self.single_stream_modulation(condition)
        ahead = iter(looks)
        for number, block in enumerate(self.transformer_blocks, start=1):
            img, txt = block(img, txt, modulation_img, modulation_txt, table, next(ahead, None))
            if steer is not None:
                img = steer(number, img)
        joint = torch.cat((txt, img), dim=1)
        T = txt.shape[1]
        for number, block in enumerate(self.single_transformer_blocks, start=1 + len(self.transformer_blocks)):
            joint = block(joint, modulation_single, table, next(ahead, None))
            if steer is not None:
                joint = torch.cat((joint[:, :T], steer(number, joint[:, T:])), dim=1)
        return joint[:, T:]

    @torch.no_grad()
    def init_weights(self, generator: torch.Generator | None = None) -> None:
        """Weights to start training from: Xavier for matrices, ones for norms, zero for everything that
        modulates.

        With shifts, scales and gates at zero every block begins as the identity (adaLN-Zero, Peebles & Xie
        2023), and with a zero final projection the first prediction is zero, the mean of the target.
        """
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight, generator=generator)
            elif isinstance(module, RMSNorm):
                nn.init.ones_(module.weight)
        for module in (
            self.double_stream_modulation_img,
            self.double_stream_modulation_txt,
            self.single_stream_modulation,
            self.norm_out,
        ):
            nn.init.zeros_(module.linear.weight)
        nn.init.zeros_(self.proj_out.weight)


class ShiftScaleGate(NamedTuple):
    """What modulation does to one sub-block; each (B, 1, C). `scale` is stored with its 1 added."""

    shift: Tensor
    scale: Tensor
    gate: Tensor


class Modulation(nn.Module):
    """Shift, scale and gate from the timestep's embedding, `sets` of them."""

    def __init__(self, dim: int, sets: int) -> None:
        super().__init__()
        self.sets = sets
        self.linear = nn.Linear(dim, 3 * sets * dim, bias=False)

    def forward(self, condition: Tensor) -> tuple[ShiftScaleGate, ...]:
        """condition: (B, C)."""
        values = with_enough_rows(lambda rows: self.linear(F.silu(rows)), condition)
        values = values.to(self.linear.weight.dtype).unsqueeze(1)
        return tuple(
            ShiftScaleGate(shift, 1 + scale, gate)
            for shift, scale, gate in (part.chunk(3, dim=-1) for part in values.chunk(self.sets, dim=-1))
        )


def modulated_norm(x: Tensor, shift: Tensor, scale: Tensor, eps: float) -> Tensor:
    """Layer norm without weights of its own, then scale and shift. x: (B, N, C); shift, scale: (B, 1, C)."""
    return torch.addcmul(shift, F.layer_norm(x, x.shape[-1:], eps=eps), scale)


class TimeGuidanceEmbedding(nn.Module):
    """Sinusoidal features of the time, and of the guidance scale where the network takes it, to width C."""

    def __init__(self, config: MMDiTConfig) -> None:
        super().__init__()
        self.channels = config.timestep_guidance_channels
        self.timestep_embedder = TimestepEmbedding(self.channels, config.width, bias=False)
        self.guidance_embedder = (
            TimestepEmbedding(self.channels, config.width, bias=False) if config.guidance_embeds else None
        )

    def forward(self, t: Tensor, guidance: Tensor | None) -> Tensor:
        """t, guidance: (B,) -> (B, C)."""
        dtype = self.timestep_embedder.linear_1.weight.dtype
        embedding = self.timestep_embedder(sinusoidal(TIME_SCALE * t, self.channels).to(dtype))
        if guidance is not None and self.guidance_embedder is not None:
            features = sinusoidal(TIME_SCALE * guidance, self.channels).to(dtype)
            embedding = embedding + self.guidance_embedder(features)
        return embedding


class DualBlock(nn.Module):
    """Picture and text with their own weights, in one attention."""

    def __init__(self, config: MMDiTConfig) -> None:
        super().__init__()
        self.eps = config.eps
        self.attn = JointAttention(config)
        self.ff = SwiGLU(config.width, config.mlp_hidden)
        self.ff_context = SwiGLU(config.width, config.mlp_hidden)

    def forward(
        self,
        img: Tensor,
        txt: Tensor,
        mod_img: tuple[ShiftScaleGate, ...],
        mod_txt: tuple[ShiftScaleGate, ...],
        table: Tensor,
        look: Look | None = None,
    ) -> tuple[Tensor, Tensor]:
        """img: (B, N, C), txt: (B, T, C), table: (S, D/2) or (B, S, D/2)."""
        img_attn, img_mlp = mod_img
        txt_attn, txt_mlp = mod_txt
        from_img, from_txt = self.attn(
            modulated_norm(img, img_attn.shift, img_attn.scale, self.eps),
            modulated_norm(txt, txt_attn.shift, txt_attn.scale, self.eps),
            table,
            look,
        )
        img = torch.addcmul(img, img_attn.gate, from_img)
        txt = torch.addcmul(txt, txt_attn.gate, from_txt)
        from_img = self.ff(modulated_norm(img, img_mlp.shift, img_mlp.scale, self.eps))
        from_txt = self.ff_context(modulated_norm(txt, txt_mlp.shift, txt_mlp.scale, self.eps))
        return torch.addcmul(img, img_mlp.gate, from_img), torch.addcmul(txt, txt_mlp.gate, from_txt)


class JointAttention(nn.Module):
    """Attention of a dual block: two sets of projections, text first in the joint sequence."""

    def __init__(self, config: MMDiTConfig) -> None:
        super().__init__()
        C, D = config.width, config.attention_head_dim
        self.heads = config.num_attention_heads
        self.to_q = nn.Linear(C, C, bias=False)
        self.to_k = nn.Linear(C, C, bias=False)
        self.to_v = nn.Linear(C, C, bias=False)
        self.norm_q = RMSNorm(D, config.eps)
        self.norm_k = RMSNorm(D, config.eps)
        self.to_out = nn.ModuleList([nn.Linear(C, C, bias=False)])
        self.add_q_proj = nn.Linear(C, C, bias=False)
        self.add_k_proj = nn.Linear(C, C, bias=False)
        self.add_v_proj = nn.Linear(C, C, bias=False)
        self.norm_added_q = RMSNorm(D, config.eps)
        self.norm_added_k = RMSNorm(D, config.eps)
        self.to_add_out = nn.Linear(C, C, bias=False)

    def forward(self, img: Tensor, txt: Tensor, table: Tensor, look: Look | None = None) -> tuple[Tensor, Tensor]:
        """img: (B, N, C), txt: (B, T, C) -> the same shapes."""
        shape = (self.heads, -1)
        q_img, k_img, v_img = fused(img, self.to_q, self.to_k, self.to_v)
        q_txt, k_txt, v_txt = fused(txt, self.add_q_proj, self.add_k_proj, self.add_v_proj)
        q = torch.cat((self.norm_added_q(q_txt.unflatten(-1, shape)), self.norm_q(q_img.unflatten(-1, shape))), dim=1)
        k = torch.cat((self.norm_added_k(k_txt.unflatten(-1, shape)), self.norm_k(k_img.unflatten(-1, shape))), dim=1)
        v = torch.cat((v_txt, v_img), dim=1).unflatten(-1, shape)
        joint = attend(q, k, v, table, look)
        T = txt.shape[1]
        return self.to_out[0](joint[:, T:]), self.to_add_out(joint[:, :T])


class SingleBlock(nn.Module):
    """Attention and feed-forward side by side on the joint sequence, behind one norm and one gate."""

    def __init__(self, config: MMDiTConfig) -> None:
        super().__init__()
        self.eps = config.eps
        self.attn = ParallelAttention(config)

    def forward(self, x: Tensor, mod: ShiftScaleGate, table: Tensor, look: Look | None = None) -> Tensor:
        """x: (B, S, C) -> (B, S, C)."""
        return torch.addcmul(x, mod.gate, self.attn(modulated_norm(x, mod.shift, mod.scale, self.eps), table, look))


class ParallelAttention(nn.Module):
    """One matrix makes q, k, v and the feed-forward's input; one more takes both results back."""

    def __init__(self, config: MMDiTConfig) -> None:
        super().__init__()
        C, D, hidden = config.width, config.attention_head_dim, config.mlp_hidden
        self.heads = config.num_attention_heads
        self.sizes = (C, C, C, 2 * hidden)
        self.to_qkv_mlp_proj = nn.Linear(C, sum(self.sizes), bias=False)
        self.norm_q = RMSNorm(D, config.eps)
        self.norm_k = RMSNorm(D, config.eps)
        self.to_out = nn.Linear(C + hidden, C, bias=False)

    def forward(self, x: Tensor, table: Tensor, look: Look | None = None) -> Tensor:
        """x: (B, S, C) -> (B, S, C)."""
        q, k, v, mlp = self.to_qkv_mlp_proj(x).split(self.sizes, dim=-1)
        q, k, v = (part.unflatten(-1, (self.heads, -1)) for part in (q, k, v))
        return self.to_out(torch.cat((attend(self.norm_q(q), self.norm_k(k), v, table, look), swiglu(mlp)), dim=-1))


class OutputNorm(nn.Module):
    """The last norm, modulated by the timestep's embedding; here, unlike in the blocks, scale comes first."""

    def __init__(self, dim: int, eps: float) -> None:
        super().__init__()
        self.eps = eps
        self.linear = nn.Linear(dim, 2 * dim, bias=False)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """x: (B, N, C), condition: (B, C)."""
        values = with_enough_rows(lambda rows: self.linear(F.silu(rows)), condition)
        scale, shift = values.to(self.linear.weight.dtype).unsqueeze(1).chunk(2, dim=-1)
        return modulated_norm(x, shift, 1 + scale, self.eps)


def fused(x: Tensor, *layers: nn.Linear) -> tuple[Tensor, ...]:
    """Several bias-free linear layers of one size on the same input, as one matrix product; then what hangs on each."""
    parts = F.linear(x, torch.cat([layer.weight for layer in layers])).chunk(len(layers), dim=-1)
    return tuple(with_added(layer, x, part) for layer, part in zip(layers, parts, strict=True))


def _beside(keys: Tensor, values: Tensor) -> Look:
    """Look at what was recalled, too."""

    def look(k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        return torch.cat((k, keys.to(k.dtype)), dim=1), torch.cat((v, values.to(v.dtype)), dim=1)

    return look


def attend(q: Tensor, k: Tensor, v: Tensor, table: Tensor, look: Look | None = None) -> Tensor:
    """Every attention of this network passes here. q, k, v: (B, S, H, D), table: (S, D/2) -> (B, S, C)."""
    q = rotate_pairs(q, table).to(v.dtype)
    k = rotate_pairs(k, table).to(v.dtype)
    if look is not None:
        k, v = look(k, v)
    out = attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2))
    return out.transpose(1, 2).flatten(-2)
