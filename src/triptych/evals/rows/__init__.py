"""The rows of the comparison table: what is asked, how often, and of which models.

A row is an endless deterministic series of prompts. Its first `count` are the report, the next `count` are for
development: settings are chosen on the one and figures quoted from the other, and no text is in both.
"""

from __future__ import annotations

import dataclasses
import functools
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from triptych.core.capabilities import Capabilities
from triptych.core.errors import InvalidRequest
from triptych.evals.rows import beyond, captions, geneval
from triptych.evals.rows.prompt import SPLITS, Prompt, Split, truth, visible_on
from triptych.evals.rows.words import coloured
from triptych.scenes import LEVELS, Level
from triptych.scenes.draw import Draw

__all__ = [
    "GENEVAL",
    "PAIRED",
    "ROWS",
    "SPLITS",
    "Prompt",
    "Row",
    "Split",
    "level_of_models",
    "prompts",
    "truth",
    "visible_on",
]

_NO_SIGNS = "no sign in this model's world"
_NO_FACES = "no face in this model's world"


@dataclass(frozen=True)
class Row:
    """make: prompts n of the series (two for a pair, none where the world is too small). lacks: why a level cannot
    be asked this, or "".
    """

    name: str
    title: str
    count: int
    measure: str
    make: Callable[[Level, int, Draw], list[Prompt]]
    lacks: Callable[[Level], str] = lambda level: ""


def _few_kinds(level: Level) -> str:
    return "" if level.max_kinds >= 2 and len(level.sprites) >= 3 else "one kind of thing at a time in this world"


def _few_things(level: Level) -> str:
    return "" if level.max_things >= 2 else "one thing at a time in this world"


def _no_colours(level: Level) -> str:
    return "" if len(level.colours) >= 2 and coloured(level) else "no colours in this model's world"


def _no_sizes(level: Level) -> str:
    return _few_kinds(level) or ("" if {"small", "large"} <= set(level.sizes) else "no sizes in this model's world")


def _no_lights(level: Level) -> str:
    return "" if level.lights else "no light with a direction in this model's world"


_ALL = (
    Row("single", "single object", 80, "GenEval: it is there", geneval.single),
    Row("two_objects", "two objects", 99, "GenEval: both are there", geneval.two_objects, _few_kinds),
    Row("counting", "counting", 80, "GenEval: exactly so many, read with score 0.9", geneval.counting, _few_things),
    Row("colours", "colours", 94, "GenEval: it is there in that colour", geneval.colours, _no_colours),
    Row("position", "position", 100, "GenEval: both, and on that side", geneval.position, _few_kinds),
    Row("binding", "attribute binding", 100, "GenEval: both, each in its colour", geneval.binding,
        lambda level: _few_kinds(level) or _no_colours(level)),
    Row("left_right", "left and right", 100, "50 pairs in both orders", geneval.left_right, _few_kinds),
    Row("negation", "negation", 100, "the absent is absent, the rest is there", beyond.negation, _few_kinds),
    Row("scale", "scale", 100, "ratio of areas within 20 % of what the words mean", beyond.scale, _no_sizes),
    Row("occlusion", "occlusion", 100, "boxes overlap, 0.3 to 0.95 of the back shows", beyond.occlusion, _few_kinds),
    Row("shadows", "shadows", 100, "the shadow within 20 degrees of the stated", beyond.shadows, _no_lights),
    Row("complex", "complex, 3-10 facts", 100, "Soft-TIFA over all facts of a dense caption", captions.complex_,
        lambda level: _few_kinds(level) or _no_colours(level)),
    Row("unseen", "unseen combinations", 100, "noun x colour and colour x count never trained on, beside seen ones",
        beyond.unseen, _no_colours),
    Row("text", "text on signs", 100, "OneIG text score", captions.text,
        lambda level: "" if "sign" in level.nouns else _NO_SIGNS),
    Row("face", "faces from words", 100, "every trait that the words name", captions.face,
        lambda level: "" if "face" in level.nouns else _NO_FACES),
    Row("diversity", "diversity", 50, "Vendi score and entropy of what the words leave open", captions.diversity),
)  # fmt: skip
ROWS: dict[str, Row] = {row.name: row for row in _ALL}
PAIRED = ("left_right", "unseen", "text")
"""The rows whose prompts come in twos."""
GENEVAL = ("single", "two_objects", "counting", "colours", "position", "binding")
"""The rows whose mean is GenEval's overall score."""


@functools.cache
def prompts(name: str, level: Level, split: Split = "report") -> tuple[Prompt, ...]:
    """All prompts of a row, in the order in which `--prompts N` takes them.

    A small world may not hold so many different ones; then both splits get half of what there is.
    """
    row = ROWS[name]
    units: list[list[Prompt]] = []
    texts: set[str] = set()
    size = 2 if name in PAIRED else 1
    wanted = 2 * row.count // size
    for n in range(30 * wanted):
        unit = row.make(level, n, Draw(zlib.crc32(name.encode()), n, 0))
        words = {prompt.text for prompt in unit}
        if unit and len(words) == len(unit) and not words & texts:
            texts |= words
            units.append(unit)
        if len(units) == wanted:
            break
    half = len(units) // 2
    mine = units[:half] if split == "report" else units[half:]
    numbered = [(number, prompt) for number, unit in enumerate(mine) for prompt in unit]
    return tuple(
        dataclasses.replace(prompt, split=split, index=index, pair=number if size == 2 else None)
        for index, (number, prompt) in enumerate(numbered)
    )


def level_of_models(worlds: Iterable[Capabilities]) -> Level:
    """The largest level that every model knows, so that all are asked the same; `InvalidRequest` if there is none."""
    known = list(worlds)
    fitting = [
        level
        for level in LEVELS.values()
        if all(
            set(level.nouns) <= set(each.nouns)
            and set(level.colours) <= set(each.colours)
            and set(level.backgrounds) <= set(each.backgrounds)
            for each in known
        )
    ]
    if not fitting:
        raise InvalidRequest("models", f"no level of the world ({', '.join(LEVELS)}) is known to all of them")
    return max(fitting, key=lambda level: len(level.nouns))
