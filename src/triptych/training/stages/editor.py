"""Stage `editor`: an instruction beside a plan to the next edit, on pairs of scenes that differ by known edits.

Half of the pairs are of scenes that the small painters know, half of the whole world, whose words the editor then
knows too. Words that mean little are now and then hidden, as words of people will be unknown; what an edit is about
never is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from triptych.core.plan import Plan
from triptych.core.registry import Card, Training
from triptych.editing.instruct.lexer import lex, tokens_of
from triptych.editing.instruct.pairs import Pair, Split, draw_pair
from triptych.editing.instruct.read import read
from triptych.planning.draw import draw as drawn
from triptych.planning.edit_tokens import PAD, UNKNOWN
from triptych.planning.editor import Editor, EditorConfig, Situation, collate, symbol_ids
from triptych.scenes.draw import Draw
from triptych.scenes.levels import LEVELS, Level
from triptych.training.export import write_model
from triptych.training.sheet import contact_sheet

SPLITS: tuple[Split, ...] = ("train", "phrasing", "combination")
CHECKED = 150
SHOWN = 12
DONE_SHARE = 0.25
"""Of the turns that are learned, so many are the one after the last edit, where there is nothing left to do."""
_VAGUE = """
    make turn paint colour color recolour change set give let put place bring shift push slide pull draw insert include
    i want please now the a an could can you would should have with replace add it is be to also
"""
VAGUE = frozenset(_VAGUE.split())
"""Words without which an instruction still says what is wanted: "<?> the fox blue"."""
HIDDEN_SHARE = 0.12
_STREAM = 0xED17E


@dataclass(frozen=True)
class EditorSizes:
    """levels: the worlds that pairs take turns to be drawn from; the last one's words are the vocabulary."""

    levels: tuple[str, ...]
    width: int = 128
    heads: int = 4
    reading_layers: int = 3
    writing_layers: int = 2


SIZES = {
    "tiny": EditorSizes(("shapes",), 32, 2, 1, 1),
    "cpu": EditorSizes(("small", "full")),
    "gpu": EditorSizes(("small", "full"), 192, 6, 4, 3),
}


class EditorStage:
    """seed, validation: series of pairs to learn from, and of ones that are never learned from."""

    def __init__(self, sizes: EditorSizes, seed: int, validation: int) -> None:
        self.levels: tuple[Level, ...] = tuple(LEVELS[name] for name in sizes.levels)
        self.seed, self.checked = seed, validation
        self.tokens = tokens_of(self.levels[-1])
        self.module = Editor(
            EditorConfig(
                vocabulary=len(self.tokens),
                width=sizes.width,
                heads=sizes.heads,
                reading_layers=sizes.reading_layers,
                writing_layers=sizes.writing_layers,
            )
        )

    def pair(self, item: int, split: Split = "train", seed: int | None = None) -> Pair:
        level = self.levels[item % len(self.levels)]
        return draw_pair(level, self.seed if seed is None else seed, item, split)

    def batch(self, step: int, size: int, rows: range | None = None) -> dict[str, Tensor]:
        items = [step * size + row for row in rows or range(size)]
        situations: list[Situation] = []
        targets = np.full((len(items), self.module.config.length), self.tokens.ids[PAD], np.int64)
        for row, item in enumerate(items):
            situation, ids = self._row(item)
            situations.append(situation)
            targets[row, : len(ids)] = ids
        return {**collate(situations, self.tokens, self.module.config), "symbols": torch.from_numpy(targets)}

    def _row(self, item: int) -> tuple[Situation, list[int]]:
        pair, draw = self.pair(item), Draw(self.seed, item, _STREAM)
        last = len(pair.turns) - 1
        at_end = last == 0 or draw.chance(DONE_SHARE)
        turn = pair.turns[last if at_end else draw.integer(0, last - 1)]
        names = _partly_hidden(lex(pair.instruction, self.tokens).names, draw)
        situation = Situation(names, turn.plan, turn.done, turn.touched)
        return situation, symbol_ids(turn.edit.symbols(), self.tokens)

    def weight(self, batch: Any) -> float:
        return float((batch["symbols"] != self.tokens.ids[PAD]).sum())

    def loss(self, batch: Any, generator: torch.Generator, device: torch.device) -> tuple[Tensor, dict[str, float]]:
        longest = int((batch["words"] != self.tokens.ids[PAD]).sum(1).max())
        written = int((batch["symbols"] != self.tokens.ids[PAD]).sum(1).max())
        words, symbols = batch["words"][:, : self.module.columns(longest)], batch["symbols"][:, :written]
        return self.module.loss({**batch, "words": words, "symbols": symbols}), {}

    def sheet(self, path: Path) -> dict[str, float]:
        """The share of fresh instructions that are read exactly, for each split; some of them drawn to `path`."""
        figures = {f"right_{split}": self._share(split) for split in SPLITS}
        pairs = [pair for item in range(4 * SHOWN) if (pair := self.pair(item, "train", self.checked)).readable]
        contact_sheet(*self._shown(pairs[:SHOWN]), columns=6).save(path)
        return figures

    def _share(self, split: Split) -> float:
        right = 0
        for item in range(CHECKED):
            pair = self.pair(item, split, self.checked)
            right += self.reads(pair)
        return right / CHECKED

    def reads(self, pair: Pair) -> bool:
        """Whether the program is the pair's own, edit for edit."""
        found = read(self.module, self.tokens, pair.instruction, pair.turns[0].plan)
        wanted = pair.program if pair.readable else (pair.turns[-1].edit,)
        return tuple(edit.symbols() for edit in found.program) == tuple(edit.symbols() for edit in wanted)

    def _shown(self, pairs: Sequence[Pair]) -> tuple[list[np.ndarray], list[str]]:
        pictures, labels = [], []
        for pair in pairs:
            found = read(self.module, self.tokens, pair.instruction, pair.turns[0].plan)
            both = (_outline(pair.turns[0].plan), _outline(found.plan))
            pictures.append(np.concatenate(both, axis=1))
            labels.append(f"{pair.instruction} | {', '.join(edit.words() for edit in found.program)}")
        return pictures, labels

    def export(self, folder: Path, training: dict[str, Any]) -> None:
        card = Card(
            name="editor",
            description="Reads an instruction beside the plan of a picture and writes the edits that it asks for.",
            config={"editor": asdict(self.module.config), "tokens": self.tokens.as_json()},
            training=Training(data=f"edits-{'-'.join(level.name for level in self.levels)}-{self.seed}", **training),
        )
        write_model(folder, self.module.state_dict(), card, int8=True)


def _partly_hidden(names: tuple[str, ...], draw: Draw) -> tuple[str, ...]:
    """Now and then one of the words that mean little is unknown, or left out."""
    if not draw.chance(HIDDEN_SHARE):
        return names
    places = [place for place, name in enumerate(names) if name in VAGUE]
    if not places:
        return names
    place = draw.pick(places)
    return (*names[:place], *((UNKNOWN,) if draw.chance(0.7) else ()), *names[place + 1 :])


def _outline(plan: Plan) -> np.ndarray:
    return np.asarray(drawn(plan, 160))
