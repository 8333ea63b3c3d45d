"""CLIP's text towers (Radford et al. 2021) as painters read them: token states, and one vector for the whole.

The network is `transformers`' own, built from known fields of the configuration; what else a file says is not handed
on. A prompt is always read alone, so that what stands beside it cannot change its bits.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from triptych.core.errors import FileProblem
from triptych.open_weights.filling import empty, filled
from triptych.open_weights.found import Part
from triptych.open_weights.jsonfile import Config
from triptych.open_weights.renames import clip_name
from triptych.open_weights.vocabulary import ClipVocabulary

KEPT = 64


def needs_transformers() -> Any:
    try:
        import transformers
    except ImportError:
        raise FileProblem("public checkpoints need the extra `open`: pip install 'triptych[open]'") from None
    transformers.utils.logging.set_verbosity_error()
    return transformers


class ClipText:
    """A text tower with its vocabulary. width: of a token's state. projects: whether it has a vector for the whole."""

    def __init__(self, network: Any, vocabulary: ClipVocabulary, *, projects: bool) -> None:
        transformers = needs_transformers()
        self.network, self.projects = network, projects
        self.length = min(vocabulary.length, network.config.max_position_embeddings)
        self.width: int = network.config.hidden_size
        self._tokenizer = transformers.CLIPTokenizer(
            vocab=dict(vocabulary.ids), merges=list(vocabulary.merges), pad_token=vocabulary.pad
        )
        self.read = lru_cache(KEPT)(self._read)

    def ids(self, prompt: str) -> list[int]:
        """Of the whole prompt, both marks included, however long."""
        return self._tokenizer(prompt).input_ids

    def truncated(self, prompt: str) -> bool:
        return len(self.ids(prompt)) > self.length

    def _read(self, prompt: str) -> tuple[Tensor, Tensor, Tensor]:
        """(last states (T, width), states before the last layer (T, width), vector for the whole (P,))."""
        ids = self._tokenizer(
            prompt, padding="max_length", max_length=self.length, truncation=True, return_tensors="pt"
        ).input_ids
        with torch.inference_mode():
            found = self.network(ids, output_hidden_states=True)
        whole = found.text_embeds if self.projects else found.pooler_output
        return found.last_hidden_state[0].float(), found.hidden_states[-2][0].float(), whole[0].float()


def load_clip(part: Part, vocabulary: ClipVocabulary, what: str, dtype: torch.dtype) -> ClipText:
    """The text tower of a part; `FileProblem` if its configuration is none of CLIP's or does not fit the weights."""
    transformers = needs_transformers()
    config = Config(part.config, what)
    width = config.whole("hidden_size", 512, most=8192)
    heads = config.whole("num_attention_heads", 8, most=256)
    if width % heads:
        raise config.problem("num_attention_heads", f"a divisor of {width}")
    words = config.whole("vocab_size", 49408, most=200_000)
    if max(vocabulary.ids.values()) >= words:
        raise FileProblem(f"{what}: its vocabulary has numbers beyond the {words} that the network knows")
    if config.flag("use_attention_mask", False):
        raise config.problem("use_attention_mask", "false")
    known = transformers.CLIPTextConfig(
        vocab_size=words,
        hidden_size=width,
        intermediate_size=config.whole("intermediate_size", 2048, most=65536),
        projection_dim=config.whole("projection_dim", 512, most=8192),
        num_hidden_layers=config.whole("num_hidden_layers", 12, most=128),
        num_attention_heads=heads,
        max_position_embeddings=config.whole("max_position_embeddings", 77, most=1024),
        hidden_act=config.one_of("hidden_act", ("quick_gelu", "gelu"), "quick_gelu"),
        layer_norm_eps=config.number("layer_norm_eps", 1e-5, most=1.0),
        bos_token_id=config.whole("bos_token_id", 49406, least=0),
        eos_token_id=config.whole("eos_token_id", 49407, least=0),
        pad_token_id=1,
    )
    projects = part.kind == "CLIPTextModelWithProjection"
    kind = transformers.CLIPTextModelWithProjection if projects else transformers.CLIPTextModel
    with empty():
        network = kind(known)
    # transformers 5 names a tower's tensors without the prefix that public files have.
    prefix = "text_model." if any(name.startswith("text_model.") for name in network.state_dict()) else ""
    own = replace(part, rename=lambda name: clip_name(part.rename(name) if part.rename else name, prefix))
    return ClipText(filled(lambda: network, own, what, dtype=dtype), vocabulary, projects=projects)
