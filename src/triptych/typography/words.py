"""Are the words in the finished picture the words that were asked for?

Each line is looked for in the picture's final pixels, in the plane of the text. First by normalised cross-correlation
with the line as it should look over a plain ground, piece by piece. Then in duels with decoys: lines with one letter
exchanged, dropped or swapped with its neighbour; on the pixels where line and decoy differ, the picture has to be
nearer to the line.

This says that ground, light, repainting and blending have not spoilt the letters. It draws with the same font, so it
cannot find a fault of the font or of the shaping; tesseract, where it is installed, reads without knowing either
(`recognised`).
"""

from __future__ import annotations

import math
import re
import subprocess
import tempfile
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from triptych.core.errors import FileProblem
from triptych.typography import draw, light, warp
from triptych.typography.compose import Pixels, Typeset
from triptych.typography.decoys import alphabet, decoys, spread
from triptych.typography.fonts import Font
from triptych.typography.layout import Layout, Line, Run, base
from triptych.typography.settings import Lettering, rgba

METHOD = "template"
LOWEST_LIKENESS = 0.4
"""Correlation below which a line counts as unreadable (docs/decisions/0030 has the figures)."""
LOWEST_DUEL = 0.55
"""1: the picture shows the line, 0: the decoy, 0.5: as near to the one as to the other."""
LOWEST_DEPTH = 8.0
"""Codes below which nobody sees the letters, however exact they are."""
MAX_DECOYS = 240
_MARGIN = 3
_SUSPECTS = 3
_SIZE = 40
"""Larger letters are looked at in a copy of this size: that is enough to tell them apart."""
_SAME = 0.02
"""A decoy that differs by less than this share of a letter's own contrast looks the same."""
_DRAWN_SIZE = 400.0
_OCR_SECONDS = 60
_OCR_SIZE = 48
"""tesseract reads letters of about this size best."""

_LANGUAGES = {"ARABIC": "ara", "HEBREW": "heb", "CYRILLIC": "rus", "GREEK": "ell", "HIRAGANA": "jpn", "CJK": "chi_sim"}

Plain = npt.NDArray[np.float32]


@dataclass(frozen=True)
class LineCheck:
    """likeness: correlation of the whole line, -1 to 1. weakest: of its worst piece, a letter wide. depth: how far
    the letters stand out of the ground, in sRGB codes. duel: the worst outcome against a decoy, and which; 1 is best.
    """

    text: str
    likeness: float
    weakest: float
    depth: float
    duel: float
    decoy: str

    @property
    def confirmed(self) -> bool:
        return self.weakest >= LOWEST_LIKENESS and self.duel >= LOWEST_DUEL and self.depth >= LOWEST_DEPTH


@dataclass(frozen=True)
class WordCheck:
    """What was found per line. score: the lowest likeness. read: what tesseract read, None if it was not asked."""

    lines: tuple[LineCheck, ...]
    read: str | None = None

    @property
    def confirmed(self) -> bool:
        return all(line.confirmed for line in self.lines)

    @property
    def score(self) -> float:
        return min(line.likeness for line in self.lines)

    def as_json(self) -> dict[str, object]:
        """For reports: confirmed, method, score, the narrowest duel, and what tesseract read where it was asked."""
        worst = min(self.lines, key=lambda line: line.duel)
        found: dict[str, object] = {
            "confirmed": self.confirmed,
            "method": METHOD,
            "score": round(self.score, 4),
            "duel": round(worst.duel, 4),
        }
        return found | ({} if self.read is None else {"tesseract": self.read})


def check(pixels: Pixels, done: Typeset, font: Font) -> WordCheck:
    """Look for every line of a typeset text in `pixels`, the picture as it is now."""
    shrink = math.ceil(done.layout.size / _SIZE)
    layout = done.layout
    while layout.scale > 1 and layout.size * layout.scale > _DRAWN_SIZE:
        layout = replace(layout, scale=layout.scale // 2)
    lines = [line for line in layout.lines if line.ink]
    share = max(MAX_DECOYS // len(lines), 4)
    homography = done.plane.homography
    return WordCheck(
        tuple(_Line(pixels, homography, layout, line, done.lettering, font, shrink).check(share) for line in lines)
    )


def recognised(pixels: Pixels, done: Typeset) -> str:
    """What tesseract reads in the text's plane. `FileProblem` if it is not installed or lacks the script's language."""
    plane, rim = done.plane, round(done.layout.size / 2)
    at = plane.homography @ np.array([[1, 0, -rim], [0, 1, -rim], [0, 0, 1]], np.float64)
    flat = warp.flattened(pixels[:, :, :3], at, round(plane.width) + 2 * rim, round(plane.height) + 2 * rim)
    image, times = Image.fromarray(flat), _OCR_SIZE / done.layout.size
    image = image.resize((math.ceil(image.width * times), math.ceil(image.height * times)), Image.Resampling.LANCZOS)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "text.png"
        image.save(path)
        mode = "7" if len(done.layout.lines) == 1 else "6"
        command = ["tesseract", str(path), "-", "--psm", mode, "-l", _language(done.lettering.text)]
        try:
            run = subprocess.run(command, capture_output=True, timeout=_OCR_SECONDS, check=False, text=True)
        except FileNotFoundError:
            raise FileProblem("tesseract is not installed, so the words cannot be read by it") from None
        except subprocess.TimeoutExpired:
            raise FileProblem(f"tesseract did not answer within {_OCR_SECONDS} seconds") from None
    if run.returncode:
        why = (run.stderr.strip().splitlines() or ["it gave no reason"])[-1]
        raise FileProblem(f"tesseract failed: {why[:200]}")
    return run.stdout.strip()


def alike(first: str, second: str) -> bool:
    """Whether two readings have the same letters and digits, whatever their case, spaces and marks."""
    return _letters(first) == _letters(second)


class _Line:
    """One line: how it should look, how it does, and duels between it and others."""

    def __init__(
        self,
        pixels: Pixels,
        homography: warp.Homography,
        layout: Layout,
        line: Line,
        lettering: Lettering,
        font: Font,
        shrink: int,
    ) -> None:
        assert line.ink is not None
        self.layout, self.line, self.lettering, self.font, self.shrink = layout, line, lettering, font, shrink
        margin = _MARGIN + math.ceil((lettering.outline.width if lettering.outline else 0.0) / shrink)
        x0, y0 = (math.floor(side / shrink) - margin for side in line.ink[:2])
        x1, y1 = (math.ceil(side / shrink) + margin for side in line.ink[2:])
        self.window = x0, y0, x1, y1
        self.reach = max(round(layout.size / shrink), 4)
        seen = _seen(pixels, homography, self.window, shrink)
        rim = np.ones(seen.shape[:2], bool)
        rim[_MARGIN - 1 : 1 - _MARGIN, _MARGIN - 1 : 1 - _MARGIN] = False
        self.ground = np.median(seen[rim], axis=0)
        self.found = _without_ground(seen, self.reach)
        self.wanted = self.template(line.runs)

    def check(self, most: int) -> LineCheck:
        likeness, weakest = _likeness(self.found, self.wanted), min(self.pieces().values(), default=0.0)
        text = self.line.text
        if likeness <= 0:
            return LineCheck(text, likeness, weakest, 0.0, 0.0, "")
        # Light may have made the letters paler as a whole: how far tells the depth, and duels are about shape.
        gain = float((self.found * self.wanted).sum() / (self.wanted**2).sum())
        depth = gain * float(np.sqrt((self.wanted**2).sum(axis=2).max()))
        self.found = self.found / gain
        worst, winner = 1.0, ""
        for decoy, runs in [*self.near(most), *self.any_letter(most)]:
            duel = self.duel(runs)
            if duel < worst:
                worst, winner = duel, decoy
        return LineCheck(text, likeness, weakest, depth, worst, winner)

    def pieces(self) -> dict[int, float]:
        """The likeness of each piece of the line that is about a letter wide, by where it begins."""
        energy = (self.wanted**2).sum(axis=(0, 2))
        enough = 0.25 * self.reach * float(energy.mean())
        starts = range(0, max(len(energy) - self.reach // 2, 1), max(self.reach // 2, 1))
        cuts = {start: slice(start, start + self.reach) for start in starts}
        return {
            start: _likeness(self.found[:, cut], self.wanted[:, cut])
            for start, cut in cuts.items()
            if energy[cut].sum() >= enough
        }

    def duel(self, runs: tuple[Run, ...]) -> float:
        """Each pixel votes, from 0 (the decoy) to 1 (the line), with the weight of how far apart the two are there."""
        apart = self.wanted - self.template(runs)
        weights = (apart**2).sum(axis=2)
        size = float(weights.sum())
        if size < _SAME * float((self.wanted**2).sum()) / max(len(self.line.text), 1):
            return 1.0  # this font draws both alike
        votes = 1 + ((self.found - self.wanted) * apart).sum(axis=2) / np.maximum(weights, 1e-6)
        return float((np.clip(votes, 0.0, 1.0) * weights).sum()) / size

    def near(self, most: int) -> list[tuple[str, tuple[Run, ...]]]:
        """Look-alikes of the line, and how they would be drawn."""
        letters = sum(len(run.text) for run in self.line.runs)
        found: list[tuple[str, tuple[Run, ...]]] = []
        for number, run in enumerate(self.line.runs):
            near = decoys(run.text, max(most * len(run.text) // letters, 1), self.font)
            found += [(text, self.rewritten(number, text)) for text in near]
        return found

    def any_letter(self, most: int) -> list[tuple[str, tuple[Run, ...]]]:
        """The letters in the least likely pieces of the line, exchanged for every other letter of their script."""
        pieces = sorted(self.pieces().items(), key=lambda piece: piece[1])[:_SUSPECTS]
        found: list[tuple[str, tuple[Run, ...]]] = []
        for number, run in enumerate(self.line.runs):
            for at, x in self.places(number):
                if any(start - self.reach / 4 <= x <= start + self.reach for start, _ in pieces):
                    texts = [run.text[:at] + other + run.text[at + 1 :] for other in alphabet(run.text[at], self.font)]
                    found += [(text, self.rewritten(number, text)) for text in texts]
        return spread(found, most)

    def places(self, number: int) -> list[tuple[int, float]]:
        """(index, where it begins in the window) of the letters of a run, reckoned by what stands before them."""
        run = self.line.runs[number]
        sized = self.font.at(self.layout.size * self.layout.scale)

        def length(text: str) -> float:
            return sized.getlength(text, "L", direction=base(run.way)) / self.layout.scale

        left = run.x - self.window[0] * self.shrink
        letters = [at for at, char in enumerate(run.text) if char.isalnum()]
        if run.way == "rtl":
            right = left + length(run.text)
            return [(at, (right - length(run.text[: at + 1])) / self.shrink) for at in letters]
        return [(at, (left + length(run.text[:at])) / self.shrink) for at in letters]

    def rewritten(self, number: int, text: str) -> tuple[Run, ...]:
        """The line's runs with another text in one; what is read before the change stays where it is."""
        run = self.line.runs[number]
        x = run.x
        if run.way == "rtl":
            sized = self.font.at(self.layout.size * self.layout.scale)
            lengths = [sized.getlength(each, "L", direction=base(run.way)) for each in (run.text, text)]
            x += (lengths[0] - lengths[1]) / self.layout.scale
        return (*self.line.runs[:number], replace(run, text=text, x=x), *self.line.runs[number + 1 :])

    def template(self, runs: tuple[Run, ...]) -> Plain:
        """Runs as they look over a plain ground, less that: float32 (h, w, 3) in sRGB codes."""
        x0, y0, x1, y1 = self.window
        window = x0 * self.shrink, y0 * self.shrink, x1 * self.shrink, y1 * self.shrink
        colour = light.decoded(np.broadcast_to(np.rint(self.ground).astype(np.uint8), (y1 - y0, x1 - x0, 3)))
        layers = [(0.0, self.lettering.colour)]
        if self.lettering.outline:
            layers.insert(0, (self.lettering.outline.width, self.lettering.outline.colour))
        for stroke, paint in layers:
            *tone, opacity = rgba(paint)
            mask = draw.run_mask(self.layout, self.font, runs, self.line.baseline, window, stroke, self.shrink)
            alpha = mask.astype(np.float32) * np.float32(opacity / 255 / 255)
            colour = light.over(colour, alpha, light.decoded(np.array(tone, np.uint8)))
        return _without_ground(light.encoded(colour).astype(np.float32), self.reach)


def _seen(pixels: Pixels, homography: warp.Homography, window: tuple[int, int, int, int], shrink: int) -> Plain:
    """A window of the text's plane, `shrink` times smaller: float32 (h, w, 3), sRGB codes averaged in linear light."""
    x0, y0, x1, y1 = window
    at = homography @ np.array([[1, 0, x0 * shrink], [0, 1, y0 * shrink], [0, 0, 1]], np.float64)
    flat = warp.flattened(pixels[:, :, :3], at, (x1 - x0) * shrink, (y1 - y0) * shrink)
    if shrink == 1:
        return flat.astype(np.float32)
    linear = light.decoded(flat).reshape(y1 - y0, shrink, x1 - x0, shrink, 3).mean(axis=(1, 3))
    return light.encoded(linear).astype(np.float32)


def _likeness(found: Plain, wanted: Plain) -> float:
    """Normalised cross-correlation, -1 to 1; 0 where one of the two is flat."""
    norm = np.sqrt(float((found**2).sum()) * float((wanted**2).sum()))
    return float((found * wanted).sum() / norm) if norm > 0 else 0.0


def _without_ground(values: Plain, reach: int) -> Plain:
    """Less what is the same over `reach` pixels: a mean of boxes, so that a ground that changes slowly drops out."""
    mean = values
    for axis in (0, 1):
        before = reach // 2
        pad = [(before + 1, reach - before - 1) if axis == each else (0, 0) for each in range(3)]
        total = np.cumsum(np.pad(mean, pad, mode="edge"), axis=axis, dtype=np.float64)
        length = values.shape[axis]
        high, low = (np.take(total, range(start, start + length), axis=axis) for start in (reach, 0))
        mean = ((high - low) / reach).astype(np.float32)
    return values - mean


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())


def _language(text: str) -> str:
    """tesseract's name for the text's scripts; Latin letters are always read too."""
    scripts = {unicodedata.name(char, "").split(" ")[0] for char in text}
    return "+".join(dict.fromkeys([*(code for name, code in _LANGUAGES.items() if name in scripts), "eng"]))
