"""The token decoder on its own: causality, mixed positions in one call, slots of the cache, 2-D positions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
import torch

from triptych.core.errors import OutOfMemory
from triptych.families.autoregressive.cache import KVCache
from triptych.families.autoregressive.decoder import Decoder, DecoderConfig, sequence_ids

CONFIG = DecoderConfig(
    vocab_size=97,
    width=96,
    layers=2,
    heads=3,
    kv_heads=3,
    mlp_hidden=128,
    text_dim=40,
    text_length=20,
    grid=(4, 6),
)
GROUPED = replace(CONFIG, width=128, heads=4, kv_heads=2, tie_head=True)
CONFIGS = pytest.mark.parametrize("config", [CONFIG, GROUPED], ids=["one key head each", "grouped, tied"])


@pytest.fixture(autouse=True)
def _restore_threads() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def network(config: DecoderConfig) -> Decoder:
    """A decoder whose head is not zero, so that every position has something to say."""
    decoder = Decoder(config).eval()
    generator = torch.Generator().manual_seed(0)
    decoder.init_weights(generator)
    with torch.no_grad():
        for parameter in decoder.parameters():
            if parameter.ndim == 2:
                parameter.normal_(std=parameter.shape[1] ** -0.5, generator=generator)
    return decoder


def sequences(config: DecoderConfig, batch: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Text states, whole pictures of tokens, plan input."""
    generator = torch.Generator().manual_seed(1)
    text = torch.randn(batch, config.text_length, config.text_dim, generator=generator)
    tokens = torch.randint(config.vocab_size, (batch, config.tokens), generator=generator)
    return text, tokens, torch.randn(batch, config.tokens, config.width, generator=generator)


class Rows:
    """Pictures under way in one cache, each fed its known tokens; keeps the logits of every position."""

    def __init__(self, decoder: Decoder, cache: KVCache, batch: int) -> None:
        self.decoder, self.cache = decoder, cache
        self.text, self.tokens, self.plan = sequences(decoder.config, batch)
        self.slots: dict[int, int] = {}
        self.logits: dict[int, list[torch.Tensor]] = {row: [] for row in range(batch)}

    def start(self, rows: Sequence[int]) -> None:
        self.slots.update({row: self.cache.allocate() for row in rows})
        slots = [self.slots[row] for row in rows]
        self._keep(rows, self.decoder.prefill(self.text[rows], self.cache, slots, self.plan[rows, 0]))

    def step(self, rows: Sequence[int]) -> None:
        positions = torch.tensor([len(self.logits[row]) for row in rows])
        tokens, plan = self.tokens[rows, positions - 1], self.plan[rows, positions]
        slots = [self.slots[row] for row in rows]
        self._keep(rows, self.decoder.decode_step(tokens, positions, self.cache, slots, plan))

    def finish(self, row: int) -> None:
        self.cache.release(self.slots.pop(row))

    def _keep(self, rows: Sequence[int], logits: torch.Tensor) -> None:
        for row, values in zip(rows, logits, strict=True):
            self.logits[row].append(values)


@CONFIGS
def test_mixed_positions_in_one_call_give_the_bits_of_each_row_alone(config: DecoderConfig) -> None:
    decoder, batch, depth, watched = network(config), 18, 6, (0, 1, 4, 17)
    torch.set_num_threads(1)
    alone = Rows(decoder, KVCache(config, slots=1), batch)
    for row in watched:
        alone.start([row])
        for _ in range(depth - 1):
            alone.step([row])
        alone.finish(row)
    for threads in (1, 2):
        torch.set_num_threads(threads)
        together = Rows(decoder, KVCache(config, slots=batch), batch)
        together.start([0])
        for _ in range(3):  # row 0 runs ahead
            together.step([0])
        together.start([4, 1, 2])  # slots out of order
        together.step([2, 0, 4])  # row 1 waits
        together.start([3, *range(5, batch)])
        unfinished = list(range(batch))
        while unfinished:
            together.step(unfinished)
            unfinished = [row for row in range(batch) if len(together.logits[row]) < depth]
        for row in watched:
            found, expected = torch.stack(together.logits[row][:depth]), torch.stack(alone.logits[row])
            assert torch.equal(found, expected), (threads, row)


@CONFIGS
@torch.no_grad()
def test_steps_with_the_cache_are_the_whole_forward(config: DecoderConfig) -> None:
    decoder = network(config)
    rows = Rows(decoder, KVCache(config, slots=2), 2)
    rows.start([0, 1])
    for _ in range(config.tokens - 1):
        rows.step([0, 1])
    found = torch.stack([torch.stack(rows.logits[row]) for row in (0, 1)])
    whole = decoder(rows.text, rows.tokens[:, :-1], position_input=rows.plan)
    assert whole.shape == (2, config.tokens, config.vocab_size)
    assert (found - whole).abs().max() <= 1e-4


@torch.no_grad()
def test_a_position_sees_nothing_that_comes_after_it() -> None:
    decoder = network(CONFIG)
    text, tokens, plan = sequences(CONFIG, 1)
    before = decoder(text, tokens[:, :-1], position_input=plan)
    tokens[:, 10] += 1
    plan[:, 11] += 1.0  # the plan of the position that token 10 leads to
    after = decoder(text, tokens.remainder(CONFIG.vocab_size)[:, :-1], position_input=plan)
    assert torch.equal(before[:, :11], after[:, :11])
    assert ((before - after)[:, 11:].abs().amax(-1) > 1e-4).all()


@torch.no_grad()
def test_the_plan_of_a_position_reaches_its_own_prediction() -> None:
    decoder = network(CONFIG)
    text, tokens, plan = sequences(CONFIG, 1)
    bare = decoder(text, tokens[:, :-1])
    assert torch.equal(decoder(text, tokens[:, :-1], position_input=torch.zeros_like(plan)), bare)
    for position in (0, 5, CONFIG.tokens - 1):
        one = torch.zeros_like(plan)
        one[:, position] = plan[:, position]
        changed = (decoder(text, tokens[:, :-1], position_input=one) - bare).abs().amax(-1)[0] > 1e-4
        assert not changed[:position].any()
        assert changed[position]


@torch.no_grad()
def test_a_prefix_of_the_tokens_gives_the_prefix_of_the_logits() -> None:
    decoder = network(CONFIG)
    text, tokens, plan = sequences(CONFIG, 2)
    whole = decoder(text, tokens[:, :-1], position_input=plan)
    first = decoder(text, tokens[:, :7], position_input=plan)
    assert first.shape == (2, 8, CONFIG.vocab_size)
    assert torch.allclose(first, whole[:, :8], atol=1e-5)
    assert decoder(text, tokens[:, :0]).shape == (2, 1, CONFIG.vocab_size)


def test_picture_positions_are_rows_and_columns_and_the_text_stands_still() -> None:
    ids = sequence_ids(CONFIG)
    assert ids[: CONFIG.text_length].eq(0).all()
    assert ids[CONFIG.text_length :].tolist() == [[row, column] for row in range(4) for column in range(6)]
    assert sequence_ids(replace(CONFIG, rope="1d")).flatten().tolist() == list(range(CONFIG.length))
    table = Decoder(CONFIG).rope(ids)
    assert table[: CONFIG.text_length].eq(1).all()
    half = CONFIG.head_dim // 4
    angle = table[CONFIG.text_length + 2 * 6 + 5].angle()  # row 2, column 5
    assert torch.allclose(angle[0], torch.tensor(2.0))
    assert torch.allclose(angle[half].remainder(2 * torch.pi), torch.tensor(5.0))


def test_slots_are_lent_lowest_first_emptied_and_only_once() -> None:
    cache = KVCache(CONFIG, slots=3)
    assert [cache.allocate(), cache.allocate(), cache.allocate()] == [0, 1, 2]
    assert cache.free == 0
    with pytest.raises(OutOfMemory, match="all 3 slots"):
        cache.allocate()
    cache.k[:, 1] = torch.nan
    cache.release(2)
    cache.release(1)
    assert cache.allocate() == 1
    assert cache.k.isfinite().all()
    for slot in (2, 3, -1):
        with pytest.raises(ValueError, match="not in use"):
            cache.release(slot)


def test_initial_decoder_is_undecided_and_learns() -> None:
    decoder = Decoder(CONFIG)
    decoder.init_weights(torch.Generator().manual_seed(0))
    text, tokens, plan = sequences(CONFIG, 4)
    optimizer = torch.optim.Adam(decoder.parameters(), lr=3e-3)
    losses = []
    for _ in range(15):
        with torch.autocast("cpu", torch.bfloat16):
            logits = decoder(text, tokens[:, :-1], position_input=plan)
        loss = torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), tokens.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] == pytest.approx(torch.tensor(97.0).log().item(), abs=1e-4)
    assert losses[-1] < 0.8 * losses[0]
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in decoder.parameters())


@pytest.mark.parametrize(
    ("change", "message"),
    [({"heads": 5}, "heads"), ({"kv_heads": 2}, "kv_heads"), ({"width": 18, "heads": 3}, "multiple of 4")],
)
def test_sizes_that_do_not_fit_are_refused(change: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(CONFIG, **change)
