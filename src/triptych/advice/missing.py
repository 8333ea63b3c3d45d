"""What a task needs and a prompt leaves to chance: composition, light, the place of the text.

"When you don't provide it a detailed prompt, it will just guess the rest": a thumbnail without a place for its words,
or a portrait without a light, looks like the average of all. Nothing is added by itself; these are offers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from triptych.advice.challenges.lettering import lettering
from triptych.advice.finding import Missing
from triptych.advice.grammar import Parse
from triptych.advice.grammar.words import word_set

LIGHT = word_set(
    "light lighting lit backlit sunlight moonlight candlelight lamplight daylight overcast sunny cloudy golden neon "
    "softbox spotlight sunset sunrise dawn dusk night noon shadow shadows rim glow bright dark dim chiaroscuro flash "
    "studio sunlit window hour"
)
FRAMING = word_set(
    "close-up closeup close shot wide-angle angle portrait-format landscape-format frame framing centered centred "
    "foreground background overhead aerial isometric symmetrical symmetry composition cropped profile three-quarter "
    "85mm 50mm 35mm macro full-body waist-up head-and-shoulders bust third thirds headshot wide view viewed seen mm "
    "flat"
)
PLACEMENT = word_set(
    "top bottom left right upper lower corner centre center middle above below beside across under header footer side "
    "margin banner column columns row rows"
)
CONTRAST = word_set(
    "contrast bold bright background colour color plain saturated simple blurred clean dark yellow red white black blue"
)
LAYOUT = word_set(
    "columns column rows row grid steps timeline left right arrows numbered sections panels flow cycle comparison "
    "layout top bottom vertical horizontal radial"
)


@dataclass(frozen=True)
class Need:
    """words: any of which answers it. textual: it matters only where the picture is to hold text."""

    what: str
    words: frozenset[str]
    reason: str
    suggestion: str
    textual: bool = False


TASKS: dict[str, tuple[frozenset[str], tuple[Need, ...]]] = {
    "thumbnail": (
        word_set("thumbnail"),
        (
            Need(
                "composition",
                FRAMING,
                "at the size of a thumb only one large thing reads",
                "the face large, filling the right half of the frame",
            ),
            Need(
                "contrast",
                CONTRAST,
                "it has to stand out among many",
                "high contrast against a plain bright background",
            ),
            Need(
                "placement",
                PLACEMENT,
                "text that has no place lands on the face",
                "the text at the upper edge of the frame",
                textual=True,
            ),
        ),
    ),
    "infographic": (
        word_set("infographic diagram flowchart chart schematic"),
        (
            Need(
                "composition",
                LAYOUT,
                "parts without an order are scattered",
                "four steps in one row, arrows between them",
            ),
            Need(
                "placement",
                PLACEMENT,
                "labels that have no place land on each other",
                "the title at the top, each label below its drawing",
            ),
        ),
    ),
    "portrait": (
        word_set("portrait headshot"),
        (
            Need(
                "light",
                LIGHT,
                "light makes a face specific; left open it is the average of all",
                "soft window light from one side",
            ),
            Need(
                "composition",
                FRAMING,
                "the crop decides what the face tells",
                "head and shoulders, eyes on the upper third line",
            ),
        ),
    ),
    "product picture": (
        word_set("product packshot mockup"),
        (
            Need("light", LIGHT, "surfaces look like what they reflect", "large softbox from above"),
            Need(
                "background",
                word_set("background backdrop table surface tray plinth studio white marble wood slate stone"),
                "left open it competes with the product",
                "plain light grey background",
            ),
        ),
    ),
}


def missing(parse: Parse) -> Iterator[Missing]:
    """What to add, for the tasks that the prompt names."""
    words = {token.lower for token in parse.tokens} | {token.lemma for token in parse.tokens}
    textual = any(True for _ in lettering(parse))
    for task, (names, needs) in TASKS.items():
        if not _is_task(parse, names):
            continue
        for need in needs:
            if words & need.words or (need.textual and not textual):
                continue
            yield Missing(need.what, task, need.reason, need.suggestion)


def _is_task(parse: Parse, names: frozenset[str]) -> bool:
    """Whether the picture itself is one: its name heads the prompt, and is not a thing in the scene."""
    for sentence in parse.sentences[:1]:
        for phrase in sentence.phrases[:2]:
            if any(token.lower in names or token.lemma in names for token in phrase.tokens):
                return not any(token.lower in ("on", "with", "behind", "beside", "under") for token in phrase.link)
    tail = [
        phrase
        for sentence in parse.sentences
        for phrase in sentence.phrases
        if phrase.link and phrase.link[-1].text == ","
    ]
    return any(len(phrase.tokens) <= 3 and phrase.head.lemma in names for phrase in tail)
