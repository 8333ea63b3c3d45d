"""Qwen3 as FLUX.2 [klein] reads prompts: the states of three of its layers, side by side.

The network is `transformers`' own, built from known fields; the chat template is written out here, so that no template
of a file is ever run. A prompt is always read alone.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from triptych.core.errors import FileProblem
from triptych.core.files import read_bytes
from triptych.open_weights.clip import KEPT, needs_transformers
from triptych.open_weights.filling import filled
from triptych.open_weights.found import Part
from triptych.open_weights.jsonfile import MAX_TOKENIZER_BYTES, Config, read_object

LENGTH = 512
LAYERS = (9, 18, 27)
"""Whose states the transformer was trained on (FLUX.2 [klein])."""
TEMPLATE = "<|im_start|>user\n{prompt}<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
PAD = "<|endoftext|>"


class QwenText:
    """width: of a token's states. length: of every prompt, padding included."""

    def __init__(self, network: Any, tokenizer: Any, pad: int, layers: tuple[int, ...], length: int = LENGTH) -> None:
        self.network, self.layers, self.length = network, layers, length
        self._tokenizer, self._pad = tokenizer, pad
        self.width: int = network.config.hidden_size * len(layers)
        self.states = lru_cache(KEPT)(self._states)

    @property
    def networks(self) -> tuple[Any, ...]:
        return (self.network,)

    def ids(self, prompt: str) -> list[int]:
        return self._tokenizer.encode(TEMPLATE.format(prompt=prompt), add_special_tokens=False).ids

    def truncated(self, prompt: str) -> bool:
        return len(self.ids(prompt)) > self.length

    def _states(self, prompt: str) -> Tensor:
        own = self.ids(prompt)[: self.length]
        ids = torch.tensor([own + [self._pad] * (self.length - len(own))])
        mask = (torch.arange(self.length) < len(own)).long()[None]
        with torch.inference_mode():
            found = self.network(input_ids=ids, attention_mask=mask, output_hidden_states=True, use_cache=False)
        return torch.cat([found.hidden_states[layer][0] for layer in self.layers], dim=-1).float()


def load_qwen(part: Part, tokenizer: Part, what: str, layers: tuple[int, ...], dtype: torch.dtype) -> QwenText:
    transformers = needs_transformers()
    config = Config(part.config, what)
    rope = part.config.get("rope_parameters")
    theta = Config(rope, what).number("rope_theta", 1e6, least=1, most=1e9) if isinstance(rope, dict) else 1e6
    count = config.whole("num_hidden_layers", most=200)
    if max(layers) > count:
        raise config.problem("num_hidden_layers", f"at least {max(layers)}")
    known = transformers.Qwen3Config(
        vocab_size=config.whole("vocab_size", most=1_000_000),
        hidden_size=config.whole("hidden_size", most=16384),
        intermediate_size=config.whole("intermediate_size", most=131072),
        num_hidden_layers=count,
        num_attention_heads=config.whole("num_attention_heads", most=256),
        num_key_value_heads=config.whole("num_key_value_heads", most=256),
        head_dim=config.whole("head_dim", 128, most=1024),
        hidden_act=config.one_of("hidden_act", ("silu",), "silu"),
        rms_norm_eps=config.number("rms_norm_eps", 1e-6, most=1.0),
        max_position_embeddings=config.whole("max_position_embeddings", 40960, most=2**20),
        attention_bias=config.flag("attention_bias", False),
        rope_parameters={"rope_type": "default", "rope_theta": config.number("rope_theta", theta, least=1, most=1e9)},
        tie_word_embeddings=True,
    )

    def rename(name: str) -> str | None:
        """The last layer's states are never turned into words again."""
        return None if name == "lm_head.weight" else name.removeprefix("model.")

    own = Part(part.kind, part.config, part.files, part.tensors, rename)
    network = filled(lambda: transformers.Qwen3Model(known), own, what, dtype=dtype)
    network.rotary_emb = type(network.rotary_emb)(known)  # its table of angles is in no file
    words, pad = read_tokenizer(tokenizer.folder, known.vocab_size)
    return QwenText(network, words, pad, layers)


def read_tokenizer(folder: Path | None, words: int) -> tuple[Any, int]:
    """The byte-pair vocabulary of `tokenizer.json`, read by the tokenizers library, and its padding's number."""
    needs_transformers()
    from tokenizers import Tokenizer

    if folder is None:
        raise FileProblem("the checkpoint brings no tokenizer")
    path = folder / "tokenizer.json"
    read_object(path, MAX_TOKENIZER_BYTES)
    try:
        found = Tokenizer.from_str(read_bytes(path, MAX_TOKENIZER_BYTES).decode())
    except Exception as error:  # the library has no kind of its own
        raise FileProblem(f"{path} is no tokenizer: {str(error)[:200]}") from None
    pad = found.token_to_id(PAD)
    if pad is None or found.get_vocab_size() > words:
        raise FileProblem(f"{path}: it lacks {PAD}, or has more tokens than the {words} that the network knows")
    found.no_padding()
    found.no_truncation()
    return found, pad
