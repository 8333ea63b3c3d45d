"""The token decoder's trunk against transformers' `LlamaForCausalLM` on random weights."""

from __future__ import annotations

import pytest
import torch

from triptych.families.autoregressive.cache import KVCache
from triptych.families.autoregressive.decoder import Decoder, DecoderConfig

transformers = pytest.importorskip("transformers")

TOLERANCE = 1e-4

SMALL = DecoderConfig(
    vocab_size=61,
    width=64,
    layers=2,
    heads=4,
    kv_heads=4,
    mlp_hidden=96,
    text_dim=24,
    text_length=7,
    grid=(4, 5),
    rope="1d",
)
GROUPED = DecoderConfig(
    vocab_size=256,
    width=192,
    layers=4,
    heads=6,
    kv_heads=2,
    mlp_hidden=512,
    text_dim=40,
    text_length=16,
    grid=(6, 6),
    rope="1d",
    rope_theta=50_000.0,
    norm_eps=1e-6,
    tie_head=True,
)
SIZES = pytest.mark.parametrize("config", [SMALL, GROUPED], ids=["width 64", "width 192, grouped, tied"])


def pair(config: DecoderConfig) -> tuple[torch.nn.Module, Decoder]:
    """The reference with random weights, norms included, and ours with the same behind a random caption MLP."""
    reference = transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=config.vocab_size,
            hidden_size=config.width,
            intermediate_size=config.mlp_hidden,
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            num_key_value_heads=config.kv_heads,
            head_dim=config.head_dim,
            rms_norm_eps=config.norm_eps,
            tie_word_embeddings=config.tie_head,
            rope_parameters={"rope_type": "default", "rope_theta": config.rope_theta},
        )
    ).eval()
    ours = Decoder(config).eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for module in (reference, ours.cap_proj):
            for parameter in module.parameters():
                noise = torch.randn(parameter.shape, generator=generator)
                parameter.copy_(1 + 0.3 * noise if parameter.ndim == 1 else noise * parameter.shape[1] ** -0.5)
    weights = dict(reference.state_dict())
    if config.tie_head:
        del weights["lm_head.weight"]
    missing, unexpected = ours.load_state_dict(weights, strict=False)
    assert sorted(missing) == ["cap_proj.fc1.weight", "cap_proj.fc2.weight"]
    assert not unexpected
    return reference, ours


def sequences(config: DecoderConfig) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    text = torch.randn(3, config.text_length, config.text_dim, generator=generator)
    tokens = torch.randint(config.vocab_size, (3, config.tokens), generator=generator)
    plan = torch.randn(3, config.tokens, config.width, generator=generator)
    return text, tokens, plan


def reference_logits(
    reference: torch.nn.Module, ours: Decoder, text: torch.Tensor, tokens: torch.Tensor, plan: torch.Tensor | None
) -> torch.Tensor:
    """The reference reads the same embeddings: projected text, tokens, and the plan where it is predicted."""
    T = text.shape[1]
    embeddings = torch.cat((ours.cap_proj(text), reference.model.embed_tokens(tokens[:, :-1])), dim=1)
    if plan is not None:
        embeddings[:, T - 1 :] += plan
    return reference(inputs_embeds=embeddings).logits[:, T - 1 :]


@SIZES
@pytest.mark.parametrize("with_plan", [False, True], ids=["bare", "plan"])
@torch.no_grad()
def test_logits_are_the_reference_s(config: DecoderConfig, with_plan: bool) -> None:
    reference, ours = pair(config)
    text, tokens, plan = sequences(config)
    expected = reference_logits(reference, ours, text, tokens, plan if with_plan else None)
    found = ours(text, tokens[:, :-1], position_input=plan if with_plan else None)
    assert expected.shape == (3, config.tokens, config.vocab_size)
    assert expected.std() > 0.1
    assert (found - expected).abs().max() <= TOLERANCE


@SIZES
@torch.no_grad()
def test_step_by_step_with_the_cache_is_the_reference_s_whole_forward(config: DecoderConfig) -> None:
    reference, ours = pair(config)
    text, tokens, plan = sequences(config)
    expected = reference_logits(reference, ours, text, tokens, plan)
    cache = KVCache(config, slots=4)
    slots = [cache.allocate() for _ in range(3)]
    steps = [ours.prefill(text, cache, slots, plan[:, 0])]
    for position in range(1, config.tokens):
        positions = torch.full((3,), position)
        steps.append(ours.decode_step(tokens[:, position - 1], positions, cache, slots, plan[:, position]))
    assert (torch.stack(steps, dim=1) - expected).abs().max() <= TOLERANCE
