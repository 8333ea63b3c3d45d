"""How well the adviser finds, on labelled prompts, and whether its rewrites keep what they should. Pure; reads one
file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from triptych.advice.adviser import advise, applied
from triptych.advice.challenges import rules_for
from triptych.advice.facts import lost
from triptych.advice.finding import CHALLENGES
from triptych.advice.grammar import parse
from triptych.core.errors import FileProblem


@dataclass(frozen=True)
class Case:
    """A labelled prompt. labels: the challenges that are in it, none for a clean one."""

    prompt: str
    labels: frozenset[str]
    edit: bool


@dataclass(frozen=True)
class Score:
    """Counts of one challenge over prompts: found and there, found and not there, there and not found."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0


@dataclass(frozen=True)
class Mistake:
    """A prompt whose findings differ from its labels."""

    prompt: str
    missed: tuple[str, ...]
    extra: tuple[str, ...]


@dataclass(frozen=True)
class Rewrites:
    """Of one challenge: how many rewrites, how many lose another fact, how many leave the finding in place."""

    made: int = 0
    losing: int = 0
    unmended: int = 0


def read_cases(path: Path) -> list[Case]:
    """The labelled prompts of a file of three columns, separated by tabs: paint or edit, labels, prompt."""
    cases: list[Case] = []
    for number, line in enumerate(_text(path).splitlines(), 1):
        columns = line.split("\t")
        labels = frozenset(columns[1].split(",")) - {"clean"} if len(columns) == 3 else frozenset({""})
        if len(columns) != 3 or columns[0] not in ("paint", "edit") or not labels <= set(CHALLENGES):
            raise FileProblem(
                f"{path}, line {number}: three columns are needed: paint or edit, labels or clean, prompt"
            )
        cases.append(Case(columns[2], labels, columns[0] == "edit"))
    return cases


def read_others(prompts: Sequence[Path], labels: Path) -> dict[str, list[Case]]:
    """Prompts of other people, which are not part of this repository, with labels that are: source -> cases.

    prompts: files of a table whose first column is the prompt, or JSON with prompts anywhere in it. A line of `labels`
    holds the source, the first 16 digits of the SHA-256 of a prompt, "paint" or "edit", and its labels.
    """
    known = {hashlib.sha256(prompt.encode()).hexdigest()[:16]: prompt for path in prompts for prompt in _prompts(path)}
    found: dict[str, list[Case]] = {}
    for line in _text(labels).splitlines():
        source, digits, mode, names = line.split("\t")
        if digits in known:
            found.setdefault(source, []).append(
                Case(known[digits], frozenset(names.split(",")) - {"clean"}, mode == "edit")
            )
    if not found:
        raise FileProblem(f"none of the prompts that {labels} labels is in {', '.join(map(str, prompts))}")
    return found


def _prompts(path: Path) -> Iterator[str]:
    text = _text(path)
    if path.suffix != ".json":
        yield from (line.split("\t")[0] for line in text.splitlines())
        return
    try:
        waiting = [json.loads(text)]
    except (ValueError, RecursionError) as error:
        raise FileProblem(f"{path} is not JSON: {error}") from None
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            prompt = item.get("prompt")
            if isinstance(prompt, str):
                yield prompt
        elif isinstance(item, str):
            yield item
        if isinstance(item, dict | list):
            waiting += item.values() if isinstance(item, dict) else item


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileProblem(f"{path} cannot be read: {error}") from None


def scores(cases: Iterable[Case]) -> tuple[dict[str, Score], list[Mistake]]:
    """Challenge -> counts, and the prompts that were not read as labelled."""
    counts = {challenge: [0, 0, 0] for challenge in CHALLENGES}
    mistakes: list[Mistake] = []
    for case in cases:
        found = {finding.challenge for finding in advise(case.prompt, edit=case.edit).findings}
        for challenge in CHALLENGES:
            there, seen = challenge in case.labels, challenge in found
            counts[challenge][0] += there and seen
            counts[challenge][1] += seen and not there
            counts[challenge][2] += there and not seen
        if found != case.labels:
            mistakes.append(
                Mistake(case.prompt, tuple(sorted(case.labels - found)), tuple(sorted(found - case.labels)))
            )
    return {challenge: Score(*count) for challenge, count in counts.items()}, mistakes


def clean_share(cases: Sequence[Case]) -> tuple[int, int]:
    """How many clean prompts are told to be clean, of how many."""
    clean = [case for case in cases if not case.labels]
    return sum(not advise(case.prompt, edit=case.edit).findings for case in clean), len(clean)


def rewrites(cases: Iterable[Case]) -> tuple[dict[str, Rewrites], list[str]]:
    """Challenge -> counts of its rewrites, each made alone and parsed again; and what went wrong, in lines."""
    counts = {challenge: [0, 0, 0] for challenge in CHALLENGES}
    lines: list[str] = []
    for case in cases:
        for challenge, rule in rules_for(edit=case.edit).items():
            spots = list(rule(parse(case.prompt)))
            for spot in spots:
                if spot.rewrite is None:
                    continue
                better = applied(case.prompt, [spot])
                missing = lost(case.prompt, better, challenge, spot)
                # Text stays text: its rewrite makes it easier to spell.
                stays = challenge != "text" and len(list(rule(parse(better)))) >= len(spots)
                counts[challenge][0] += 1
                counts[challenge][1] += bool(missing)
                counts[challenge][2] += stays
                if missing or stays:
                    lines.append(f"{challenge}: {case.prompt!r} -> {better!r}: {sorted(missing) or 'still found'}")
    return {challenge: Rewrites(*count) for challenge, count in counts.items()}, lines
