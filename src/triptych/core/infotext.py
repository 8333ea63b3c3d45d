"""The plain-text settings that A1111's web UI began and most tools and model sites read: the `parameters` of
a picture.

    a red fox in the snow
    Negative prompt: blurry
    Steps: 16, Sampler: euler, CFG scale: 4, Seed: 7, Size: 256x256, Model: flow, Version: Triptych 0.1.0

Lines of prompt, lines of negative prompt, then one line of `Key: value` pairs. A value that holds a comma, a
colon, a quote or a line break is JSON-quoted. As in A1111, fewer than three pairs make the last line a part
of the prompt. Knows text only, neither pictures nor requests.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

NEGATIVE = "Negative prompt:"
MIN_PAIRS = 3

# The bound on the key keeps hostile text linear. Braces are for `Hashes: {...}`, which some writers leave
# unquoted.
_PAIR = re.compile(r'\s*(\w[\w \-/+]{0,60}):\s*("(?:\\.|[^\\"])*"|\{[^{}]*\}|[^,]*)(?:,|$)')
_NEEDS_QUOTES = re.compile(r'[,:"\n\r]|^[\s{]|\s$')


@dataclass(frozen=True)
class Infotext:
    """What the text says. `pairs` holds the last line's keys as written, values as text."""

    prompt: str
    negative: str = ""
    pairs: dict[str, str] = field(default_factory=dict[str, str])


def write(prompt: str, negative: str, pairs: Mapping[str, object]) -> str:
    """The text for these settings. At least three pairs are needed for it to be readable again."""
    lines = [prompt]
    if negative:
        lines.append(f"{NEGATIVE} {negative}")
    lines.append(", ".join(f"{key}: {_quoted(str(value))}" for key, value in pairs.items()))
    return "\n".join(lines)


def parse(text: str) -> Infotext:
    """Read the text of any writer of this scheme; whatever cannot be read as settings is prompt."""
    head, _, last = text.rstrip("\n").rpartition("\n")
    pairs = {match[1]: _unquoted(match[2].strip()) for match in _PAIR.finditer(last)}
    if len(pairs) < MIN_PAIRS:
        head, pairs = text, {}
    if head.startswith(NEGATIVE):
        prompt, negative = "", head.removeprefix(NEGATIVE)
    else:
        prompt, _, negative = head.partition(f"\n{NEGATIVE}")
    return Infotext(prompt, negative.removeprefix(" "), pairs)


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False) if _NEEDS_QUOTES.search(value) else value


def _unquoted(value: str) -> str:
    if not (len(value) >= 2 and value[0] == value[-1] == '"'):
        return value
    try:
        return str(json.loads(value))
    except ValueError:
        return value[1:-1]
