"""CLIP's vocabulary: the one that ships here (OpenAI's, MIT licence, as in open_clip), or a checkpoint's own.

Byte-pair encoding (Radford et al. 2021, section 2.4): 256 bytes, each also as the end of a word, what the merges make
of them in their order, and two marks. No torch, no network.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from triptych.core.errors import FileProblem
from triptych.core.files import read_bytes
from triptych.open_weights.jsonfile import MAX_TOKENIZER_BYTES, read_object

START, END = "<|startoftext|>", "<|endoftext|>"
LENGTH = 77
_MERGES = Path(__file__).parent / "data" / "clip_merges.txt.gz"


@dataclass(frozen=True)
class ClipVocabulary:
    """ids: by token. pad: the token that fills up to `length`."""

    ids: dict[str, int]
    merges: tuple[tuple[str, str], ...]
    pad: str = END
    length: int = LENGTH


@cache
def shipped(pad: str = END) -> ClipVocabulary:
    """The vocabulary of every Stable Diffusion; OpenCLIP's towers pad with "!"."""
    merges = tuple(_pair(line) for line in gzip.decompress(_MERGES.read_bytes()).decode().split("\n"))
    symbols = _bytes_as_letters()
    tokens = [*symbols, *(f"{symbol}</w>" for symbol in symbols), *("".join(pair) for pair in merges), START, END]
    return ClipVocabulary({token: number for number, token in enumerate(tokens)}, merges, pad)


def read_vocabulary(folder: Path) -> ClipVocabulary:
    """The vocabulary in a tokenizer's folder: `vocab.json` with `merges.txt`, or `tokenizer.json`."""
    ids, merges = _pieces(folder)
    settings = read_object(folder / "tokenizer_config.json") if (folder / "tokenizer_config.json").is_file() else {}
    special_path = folder / "special_tokens_map.json"
    special = read_object(special_path) if special_path.is_file() else {}
    pad = settings.get("pad_token", special.get("pad_token", END))
    pad = pad.get("content") if isinstance(pad, dict) else pad
    length = settings.get("model_max_length", LENGTH)
    if not isinstance(pad, str) or not {pad, START, END} <= ids.keys():
        raise FileProblem(f"{folder}: the vocabulary lacks one of {START}, {END} and its padding")
    if not isinstance(length, int) or not 8 <= length <= 1024:
        raise FileProblem(f"{folder}: model_max_length is {str(length)[:40]}; 8 to 1024 is allowed")
    return ClipVocabulary(ids, merges, pad, length)


def _pieces(folder: Path) -> tuple[dict[str, int], tuple[tuple[str, str], ...]]:
    if (folder / "vocab.json").is_file():
        ids: Any = read_object(folder / "vocab.json", MAX_TOKENIZER_BYTES)
        text = read_bytes(folder / "merges.txt", MAX_TOKENIZER_BYTES).decode("utf-8", "replace")
        lines: list[Any] = [line for line in text.split("\n") if line and not line.startswith("#version")]
    else:
        found = read_object(folder / "tokenizer.json", MAX_TOKENIZER_BYTES)
        model = found.get("model")
        if not isinstance(model, dict) or not isinstance(model.get("merges"), list):
            raise FileProblem(f"{folder / 'tokenizer.json'} holds no byte-pair vocabulary")
        ids, lines = model.get("vocab"), model["merges"]
    if not isinstance(ids, dict) or not all(isinstance(number, int) for number in ids.values()):
        raise FileProblem(f"{folder}: the vocabulary does not map tokens to numbers")
    merges = tuple(_pair(line) for line in lines)
    for left, right in merges:
        if left not in ids or right not in ids or left + right not in ids:
            raise FileProblem(f"{folder}: a merge makes a token that the vocabulary lacks")
    return ids, merges


def _pair(line: Any) -> tuple[str, str]:
    parts = line.split(" ") if isinstance(line, str) else line
    if not isinstance(parts, list) or len(parts) != 2 or not all(isinstance(part, str) for part in parts):
        raise FileProblem(f"{str(line)[:60]!r} is no merge of two tokens")
    return parts[0], parts[1]


def _bytes_as_letters() -> list[str]:
    """A visible letter for each of 256 bytes, in the vocabulary's order (Radford et al. 2019's table)."""
    visible = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    hidden = [byte for byte in range(256) if byte not in visible]
    return [chr(byte) for byte in visible] + [chr(256 + number) for number in range(len(hidden))]
