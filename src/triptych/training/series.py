"""Where the pictures of reference training come from: series that share what no word says, picture after picture.

Item i is picture i % SHOTS of series i // SHOTS, so that a pool of encoded pictures (`training.pool`) holds whole
series. `drawn` says which of them one row of a batch makes, and which it is shown. Knows nothing of models.
"""

from __future__ import annotations

from dataclasses import dataclass

from triptych.scenes import LEVELS, Sprites
from triptych.scenes.draw import Draw
from triptych.scenes.series import JOINT, ROLES, SHOTS, Kind, draw_series, kind_of
from triptych.training.data import Example

SEED = 4_000_037
"""No other stage draws scenes of this seed."""
_STREAM = 0x2EF
_JOINT_SHARE = 0.7
"""Of the rows with two references: those of a joint series. The others show the same thing twice."""


class SeriesSource:
    """The endless row of series of one level. Satisfies `training.data.Source`."""

    def __init__(self, level: str, size: int, seed: int, sprites: Sprites) -> None:
        self.level, self.size, self.seed, self.sprites = LEVELS[level], size, seed, sprites
        self.name = f"series-{level}-{size}-{seed}"
        self._last = (-1, draw_series(self.level, seed, 0))

    def example(self, index: int) -> Example:
        number, place = divmod(index, SHOTS)
        if self._last[0] != number:  # the pictures of a series are asked for one after another
            self._last = (number, draw_series(self.level, self.seed, number))
        shot = self._last[1].shots[place]
        return Example(shot.picture(self.size, self.sprites), (shot.text,), shot.plan)


@dataclass(frozen=True)
class Row:
    """target, references: numbers of items; roles: of the references."""

    target: int
    references: tuple[int, ...]
    roles: tuple[str, ...]


class Rows:
    """Which pictures row `number` of the training is made of; a pure function of it. count: items in the pool."""

    def __init__(self, seed: int, count: int) -> None:
        kinds: list[Kind] = [kind_of(seed, index) for index in range(count // SHOTS)]
        self._seed, self._kinds = seed, kinds
        self._joint = [index for index, kind in enumerate(kinds) if kind in JOINT]
        self._single = [index for index, kind in enumerate(kinds) if kind not in JOINT]

    def drawn(self, number: int, references: int) -> Row:
        """references: 1 or 2."""
        draw = Draw(self._seed, number, _STREAM)
        joint = references > 1 and bool(self._joint) and draw.chance(_JOINT_SHARE)
        index = draw.pick(self._joint if joint else self._single)
        order = [0, *draw.sample((1, 2), 2)] if joint else draw.sample(range(SHOTS), SHOTS)
        shown = order[1 : 1 + references]
        roles = ROLES[self._kinds[index]]
        return Row(
            index * SHOTS + order[0], tuple(index * SHOTS + place for place in shown), tuple(roles[p] for p in shown)
        )
