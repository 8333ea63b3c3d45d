"""Keys and values of the positions that a decoder has already seen, one slot per row of a running request.

Every slot has the full length from the start, and a step always attends over the full length behind a mask:
the sizes of the products, and with them the bits of the result, do not depend on how far other rows have
come.

Knows slots and positions in the sequence (text first, then picture tokens); knows nothing of requests. What reference
pictures put before the sequence is read once for all pictures of a request and has no slot: it is handed in (`Memory`).

Shapes: S slots, R rows of one call, K key/value heads, G queries per key head, L positions, D channels of a
head.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from triptych.core.errors import OutOfMemory
from triptych.nn.attention import attention

Memory = Sequence[tuple[Tensor, Tensor]]
"""Of each layer the keys and values (R, K, M, D) of reference pictures, which every position may look at."""

if TYPE_CHECKING:
    from triptych.families.autoregressive.decoder import DecoderConfig


class KVCache:
    """Room for `slots` rows: 2 * layers * slots * kv_heads * length * head_dim numbers, taken at once."""

    def __init__(
        self,
        config: DecoderConfig,
        slots: int,
        *,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> None:
        self.slots = slots
        self.length = config.length
        shape = (config.layers, slots, config.kv_heads, config.length, config.head_dim)
        # Ordinary tensors even if first needed in inference mode: those may be written to in any mode.
        with torch.inference_mode(False):
            self.k = torch.zeros(shape, dtype=dtype, device=device)
            self.v = torch.zeros(shape, dtype=dtype, device=device)
        self._free = list(range(slots))

    @property
    def free(self) -> int:
        """How many slots can still be allocated."""
        return len(self._free)

    def allocate(self) -> int:
        """The lowest free slot, emptied. Raises `OutOfMemory` where none is left.

        Lowest first keeps the slots in use side by side, where a step reads them without a copy.
        """
        if not self._free:
            raise OutOfMemory(f"all {self.slots} slots of the token cache are taken")
        slot = heapq.heappop(self._free)
        # Zero weight times a NaN that a former tenant left behind would still be NaN.
        self.k[:, slot].zero_()
        self.v[:, slot].zero_()
        return slot

    def release(self, slot: int) -> None:
        """Give a slot back. Raises ValueError for one that is not in use."""
        if not 0 <= slot < self.slots or slot in self._free:
            raise ValueError(f"slot {slot} is not in use")
        heapq.heappush(self._free, slot)

    def prefix(self, slots: Sequence[int], memory: Memory = ()) -> PrefixRows:
        """Attention for the first positions of `slots`: causal among themselves, kept for later."""
        return PrefixRows(self, slots, memory)

    def step(self, slots: Sequence[int], places: Tensor, memory: Memory = ()) -> StepRows:
        """Attention for one new position in each of `slots`; places: (R,), where in the sequence it stands."""
        return StepRows(self, slots, places, memory)


class PrefixRows:
    """What a layer calls while the text is read for the first time."""

    def __init__(self, cache: KVCache, slots: Sequence[int], memory: Memory) -> None:
        self._cache = cache
        self._slots = torch.tensor(slots, device=cache.k.device)
        self._attend = causal_beside(memory)

    def __call__(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """q: (R, K * G, N, D); k, v: (R, K, N, D) -> (R, K * G, N, D)."""
        N = k.shape[2]
        self._cache.k[layer, self._slots, :, :N] = k.to(self._cache.k.dtype)
        self._cache.v[layer, self._slots, :, :N] = v.to(self._cache.v.dtype)
        return self._attend(layer, q, k, v)


class StepRows:
    """What a layer calls for one more token in each row. Rows beyond the slots are padding, and get zeros."""

    def __init__(self, cache: KVCache, slots: Sequence[int], places: Tensor, memory: Memory) -> None:
        self._cache, self._memory = cache, memory
        self._slots = torch.tensor(slots, device=cache.k.device)
        self._places = places
        first = slots[0]
        side_by_side = list(slots) == list(range(first, first + len(slots)))
        self._rows = slice(first, first + len(slots)) if side_by_side else self._slots
        seen = torch.arange(cache.length, device=cache.k.device) <= places[:, None]
        if memory:
            seen = torch.cat((seen.new_ones(len(seen), memory[0][0].shape[2]), seen), dim=1)
        self._mask = seen[:, None, None, :]

    def __call__(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """q: (P, K * G, 1, D); k, v: (P, K, 1, D) with P >= R rows -> (P, K * G, 1, D)."""
        R, K = len(self._slots), k.shape[1]
        self._cache.k[layer, self._slots, :, self._places] = k[:R, :, 0].to(self._cache.k.dtype)
        self._cache.v[layer, self._slots, :, self._places] = v[:R, :, 0].to(self._cache.v.dtype)
        keys = self._cache.k[layer, self._rows].to(q.dtype)
        values = self._cache.v[layer, self._rows].to(q.dtype)
        if self._memory:
            keys, values = _after(self._memory[layer], keys, values)
        # With one new position, the G queries that share a key head stand where positions usually stand.
        queries = q[:R].view(R, K, -1, q.shape[-1])
        out = torch.zeros_like(q)
        out[:R] = attention(queries, keys, values, self._mask).reshape(R, *q.shape[1:])
        return out


def causal_attention(layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attention over whole sequences, without a cache, alike in every layer. Shapes as in `PrefixRows`."""
    return attention(q, *_spread(q, k, v), causal=True)


def causal_beside(memory: Memory) -> Callable[[int, Tensor, Tensor, Tensor], Tensor]:
    """`causal_attention` that also looks at everything in the memory, where there is one."""
    if not memory:
        return causal_attention

    def attend(layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        N, M = k.shape[2], memory[layer][0].shape[2]
        k, v = _spread(q, *_after(memory[layer], k, v))
        mask = torch.ones(N, M + N, dtype=torch.bool, device=q.device).tril(M)
        return attention(q, k, v, mask)

    return attend


def keeping(kept: list[tuple[Tensor, Tensor]]) -> Callable[[int, Tensor, Tensor, Tensor], Tensor]:
    """Attention of whole pictures to themselves, in both directions, that leaves every layer's keys and values in
    `kept`: the memory of what is written beside them.
    """

    def attend(layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        kept.append((k, v))
        return attention(q, *_spread(q, k, v))

    return attend


def _after(recalled: tuple[Tensor, Tensor], k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Keys and values with those of the memory before them."""
    return torch.cat((recalled[0].to(k.dtype), k), dim=2), torch.cat((recalled[1].to(v.dtype), v), dim=2)


def _spread(q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Each key head once for every query head that shares it."""
    groups = q.shape[1] // k.shape[1]
    return (k, v) if groups == 1 else (k.repeat_interleave(groups, dim=1), v.repeat_interleave(groups, dim=1))
