"""From the readings of a cell to its scores: which numbers a row has, and how each follows from the verdicts.

Every score is a function of column means over prompts (or pairs of them), which is what the bootstrap resamples. It
knows no model and no file.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from triptych.evals import statistics
from triptych.evals.judge import Verdict, judge
from triptych.evals.judge.facts import arithmetic_mean, geometric_mean
from triptych.evals.judge.verdict import centre, found
from triptych.evals.judge.writing import MOST_DISTANCE
from triptych.evals.reading import Reading
from triptych.evals.rows import PAIRED, Prompt
from triptych.evals.statistics import Combine, Estimate, Floats
from triptych.scenes import Level

Key = tuple[int, int]
"""(prompt index, k)"""


@dataclass(frozen=True)
class Score:
    """One number of a cell. unit: "share" (0..1, shown in %), "points", or "" for a plain number.

    lower: less is better. estimate: with its bootstrap replicates over `prompts` prompts.
    """

    name: str
    title: str
    unit: str
    estimate: Estimate
    prompts: int
    lower: bool = False

    @property
    def share_of(self) -> int | None:
        """The number of prompts (or pairs) that a share is of."""
        return self.prompts if self.unit == "share" else None


def verdicts(prompts: Sequence[Prompt], readings: Mapping[Key, Reading]) -> dict[Key, Verdict]:
    return {key: judge(prompts[key[0]], reading) for key, reading in readings.items()}


def scores(
    row: str, prompts: Sequence[Prompt], pictures: int, readings: Mapping[Key, Reading], level: Level
) -> list[Score]:
    """The row's scores, the main one first. readings: for every prompt and k below `pictures`."""
    if row == "diversity":
        return _diversity(prompts, pictures, readings, level)
    judged = verdicts(prompts, readings)

    def per_prompt(value: Callable[[Verdict], float]) -> Floats:
        return np.array([[value(judged[prompt.index, k]) for k in range(pictures)] for prompt in prompts]).mean(axis=1)

    right = per_prompt(lambda verdict: float(verdict.correct))
    if row == "complex":
        am = per_prompt(lambda verdict: arithmetic_mean(list(verdict.atoms.values())))
        gm = per_prompt(lambda verdict: geometric_mean(list(verdict.atoms.values())))
        return [
            _score("am", "Soft-TIFA, arithmetic", am),
            _score("gm", "Soft-TIFA, geometric", gm),
            _score("all", "every fact right", right),
        ]
    if row == "unseen":
        columns = right[_pairs(prompts, ("unseen", "seen"))]
        gap: Combine = lambda means: 100 * (means[..., 1] - means[..., 0])  # noqa: E731
        return [
            _score("unseen", "never seen", columns[:, 0]),
            _score("seen", "seen", columns[:, 1]),
            _score("gap", "gap in points", columns, gap, unit="points", lower=True),
        ]
    if row == "text":
        return _text(
            right,
            *(
                per_prompt(lambda v, name=name: v.atoms[name])
                for name in ("distance", "matched", "words", "similarity")
            ),
        )
    if row == "left_right":
        both = np.array([[judged[prompt.index, k].correct for k in range(pictures)] for prompt in prompts])
        joint = both.reshape(-1, 2, pictures).all(axis=1).mean(axis=1)
        accuracy = right.reshape(-1, 2).mean(axis=1)
        return [_score("right", "right", accuracy), _score("pairs", "both orders right", joint)]
    if row == "face":
        error = per_prompt(lambda verdict: verdict.atoms["error"])
        return [_score("right", "every trait", right), _score("error", "face-vector error", error, unit="", lower=True)]
    return [_score("right", "right", right)]


def _score(
    name: str,
    title: str,
    values: Floats,
    combine: Combine = statistics.first,
    *,
    unit: str = "share",
    lower: bool = False,
) -> Score:
    columns = values if values.ndim == 2 else values[:, None]
    return Score(name, title, unit, statistics.estimate(columns, combine), len(columns), lower)


def _pairs(prompts: Sequence[Prompt], cases: tuple[str, str]) -> np.ndarray:
    """(pairs, 2) positions of the prompts of each pair, in the order of `cases`."""
    places: dict[int, dict[str, int]] = {}
    for position, prompt in enumerate(prompts):
        if prompt.pair is not None:
            places.setdefault(prompt.pair, {})[prompt.case] = position
    return np.array([[place[case] for case in cases] for place in places.values()])


def _text(exact: Floats, distance: Floats, matched: Floats, words: Floats, similarity: Floats) -> list[Score]:
    columns = np.stack([distance, exact, matched, words], axis=1)

    def oneig(means: Floats) -> Floats:
        wrong = np.minimum(means[..., 0], MOST_DISTANCE) / MOST_DISTANCE
        return 1 - wrong * (1 - means[..., 1]) * (1 - means[..., 2] / means[..., 3])

    return [
        _score("oneig", "OneIG text score", columns, oneig),
        _score("exact", "exact", exact),
        _score("similarity", "1 - normalised edit distance", similarity),
    ]


def whole(row: str, prompts: Sequence[Prompt]) -> Sequence[Prompt]:
    """As many prompts as given, without half a pair at the end."""
    return prompts[: len(prompts) - len(prompts) % 2] if row in PAIRED else prompts


_SIZES = (0.3, 0.45)  # longest side of a thing: below the first "small", above the second "large"


def attributes(prompt: Prompt, reading: Reading) -> dict[str, str]:
    """What an open prompt leaves to the model: the background, where its first thing stands, and how large it is."""
    things = found(reading, prompt.groups[0].noun)
    if not things:
        return {"background": reading.background or "none", "place": "nowhere", "size": "none"}
    box = things[0].box
    column, line = (min(int(value * 3), 2) for value in centre(box))
    size = sum(max(box[2] - box[0], box[3] - box[1]) > cut for cut in _SIZES)
    return {"background": reading.background or "none", "place": f"{column}{line}", "size": str(size)}


def _diversity(prompts: Sequence[Prompt], pictures: int, readings: Mapping[Key, Reading], level: Level) -> list[Score]:
    """Vendi score of each prompt's pictures, and the entropy of each attribute over all pictures, in shares of the most
    possible.
    """
    options = {"background": (*level.backgrounds, "none"), "place": _PLACES, "size": ("0", "1", "2", "none")}
    kinds = [(name, value) for name, values in options.items() for value in values]
    hot = np.zeros((len(prompts), pictures, len(kinds)))
    for p, prompt in enumerate(prompts):
        for k in range(pictures):
            seen = attributes(prompt, readings[prompt.index, k])
            hot[p, k] = [float(seen[name] == value) for name, value in kinds]
    spread = np.array([statistics.vendi(each) for each in hot])
    bounds = np.cumsum([0, *(len(values) for values in options.values())])

    def entropy(means: Floats) -> Floats:
        shares = []
        for start, end in itertools.pairwise(bounds):
            p = means[..., start:end]
            shares.append(-(p * np.log(np.maximum(p, 1e-300))).sum(axis=-1) / np.log(end - start - 1))
        return np.mean(shares, axis=0)

    return [
        _score("vendi", f"Vendi score of {pictures}", spread, unit=""),
        _score("entropy", "entropy of background, place, size", hot.mean(axis=1), entropy, unit=""),
    ]


_PLACES = (*(f"{column}{line}" for column in range(3) for line in range(3)), "nowhere")
