"""Does the check of words tell the right words from wrong ones? Random texts in random pictures, and a changed letter.

    python bench/typeset_words.py [CASES] [SEED]       (600, 1)

Texts of random letters (Latin, Hebrew, Arabic) are set into cuts of the pictures in docs/sheets and into noise, in any
colour, plain, outlined or harmonised, upright, turned or in perspective, at sizes from 8 pixels on. Then the same once
more with one letter changed, the first text's check run over it: whatever it confirms there is a false confirmation.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from triptych.core.errors import InvalidRequest
from triptych.evals.statistics import estimate, share_interval
from triptych.typography import words
from triptych.typography.compose import typeset
from triptych.typography.fonts import FontBook
from triptych.typography.settings import Lettering

SHEETS = Path(__file__).parent.parent / "docs" / "sheets"
SIZE = (480, 200)
LETTERS = {
    "Latin": "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
    "Hebrew": "אבגדהוזחטיכלמנסעפצקרשת",
    "Arabic": "ابتثجحخدذرزسشصضطظعغفقكلمنهوي",
}
FONTS = {
    "Latin": ("DejaVu Sans Bold", "DejaVu Serif", "DejaVu Sans Mono", "Aileron"),
    "Hebrew": ("DejaVu Sans", "DejaVu Sans Bold"),
    "Arabic": ("DejaVu Sans", "DejaVu Sans Bold"),
}


@dataclass(frozen=True)
class Case:
    """contrast: of letters and outline, or surroundings. right, wrong: the check of the picture with each text."""

    script: str
    outlined: bool
    contrast: float
    right: words.WordCheck
    wrong: words.WordCheck


def main(cases: int, seed: int) -> None:
    done = list(drawn(cases, seed))
    print(f"{len(done)} cases, seed {seed}; share in % with its 95 % interval\n")
    print("| | confirmed | one letter wrong, confirmed all the same |\n|---|---|---|")
    rows = [(f"contrast {low} to {high}", [c for c in done if low <= c.contrast < high]) for low, high in BANDS]
    clear = [case for case in done if case.contrast >= 3]
    rows += [(f"{script}, contrast from 3", [case for case in clear if case.script == script]) for script in FONTS]
    rows += [("outlined", [case for case in done if case.outlined])]
    rows += [("plain, contrast from 3", [case for case in clear if not case.outlined])]
    for label, group in [*rows, ("all", done)]:
        kinds = (np.array([getattr(case, kind).confirmed for case in group], float) for kind in ("right", "wrong"))
        print(f"| {label} | {' | '.join(shown(each) for each in kinds)} |")


BANDS = ((1, 1.5), (1.5, 3), (3, 22))


def shown(confirmed: npt.NDArray[np.float64]) -> str:
    if not len(confirmed):
        return "no case"
    share = share_interval(estimate(confirmed[:, None]), len(confirmed))
    return f"{100 * share.value:.1f} ({100 * share.low:.1f} to {100 * share.high:.1f}) of {len(confirmed)}"


def drawn(cases: int, seed: int) -> Iterator[Case]:
    draw = random.Random(seed)
    sheets = [np.asarray(Image.open(path).convert("RGB")) for path in sorted(SHEETS.glob("*.*g"))]
    book = FontBook.installed()
    made = 0
    while made < cases:
        picture, script = scene(draw, sheets), draw.choice(("Latin", "Latin", "Hebrew", "Arabic"))
        text = " ".join("".join(draw.choices(LETTERS[script], k=draw.randint(2, 7))) for _ in range(draw.randint(1, 3)))
        font = book.choose(draw.choice(FONTS[script]), text)
        at = draw.choice([index for index, char in enumerate(text) if char != " "])
        other = draw.choice([char for char in LETTERS[script] if char != text[at]])
        lettering = settings(draw, text, script)
        try:
            largest = typeset(picture, lettering, font).layout.size
            size = max(largest / draw.choice((1, 2, 3)), 8.0)
            lettering = lettering.model_copy(update={"size": size})
            right = typeset(picture, lettering, font)
            wrong_text = text[:at] + other + text[at + 1 :]
            wrong = typeset(picture, lettering.model_copy(update={"text": wrong_text}), font)
        except InvalidRequest:
            continue  # the changed text, or the smallest size, does not fit: another case is drawn
        if [len(line) for line in wrong.layout.text] != [len(line) for line in right.layout.text]:
            continue
        made += 1
        checks = (words.check(each.pixels, right, font) for each in (right, wrong))
        yield Case(script, lettering.outline is not None, right.contrast, *checks)


def scene(draw: random.Random, sheets: list[npt.NDArray[np.uint8]]) -> npt.NDArray[np.uint8]:
    """A cut of a sheet, coarse noise or fine noise, 200 x 480."""
    kind = draw.random()
    noise = np.random.default_rng(draw.getrandbits(32))
    if kind < 0.75:
        sheet, side = draw.choice(sheets), draw.choice((96, 160, 300))
        y, x = (draw.randrange(max(length - side, 1)) for length in sheet.shape[:2])
        part = sheet[y : y + side, x : x + side]
    elif kind < 0.9:
        part = noise.integers(0, 256, (25, 60, 3), dtype=np.uint8)
    else:
        return np.clip(noise.normal(128, 60, (SIZE[1], SIZE[0], 3)), 0, 255).astype(np.uint8)
    return np.asarray(Image.fromarray(part).resize(SIZE, Image.Resampling.BICUBIC))


def settings(draw: random.Random, text: str, script: str) -> Lettering:
    colour = draw.choice(("white", "black", f"#{draw.randrange(2**24):06x}"))
    fields: dict[str, Any] = {"colour": colour, "align": "left" if script == "Latin" else "right"}
    if draw.random() < 0.5:
        fields["outline"] = {"width": draw.choice((1, 2, 4)), "colour": "white" if colour == "black" else "black"}
    fields["harmonise"] = draw.choice((0, 0, 0.5, 1.0))
    place = draw.choice(("box", "box", "rotate", "corners"))
    if place == "corners":
        around = ((20, 20), (460, 20), (460, 180), (20, 180))
        fields["corners"] = tuple((x + draw.uniform(-15, 15), y + draw.uniform(-15, 15)) for x, y in around)
    else:
        fields["box"] = (20, 60, 440, 80)
        fields["rotate"] = draw.uniform(-10, 10) if place == "rotate" else 0
    return Lettering.make(text=text, **fields)


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*(given + [600, 1][len(given) :])[:2])
