"""Runs cells: paints what is missing, reads it, stores it.

Batches are read and stored one by one, so that a kill at any moment costs one batch at most.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from triptych.core.events import Pixels
from triptych.evals.reading import Reading
from triptych.evals.rows import Prompt
from triptych.evals.table.painters import BATCH, Painter, Work
from triptych.evals.table.store import Line, Store

Report = Callable[[str], None]
T = TypeVar("T")


class Reads(Protocol):
    """The judge's eyes. `sha256` names their weights."""

    @property
    def sha256(self) -> str: ...

    def read(self, pictures: Sequence[Pixels]) -> list[Reading]: ...


def run_cell(
    painter: Painter,
    row: str,
    prompts: Sequence[Prompt],
    pictures: int,
    reads: Reads,
    store: Store,
    report: Report = lambda line: None,
) -> dict[tuple[int, int], Line]:
    """All lines of a cell by (prompt index, k), k below `pictures`.

    What an earlier run stored is kept where prompt, seed and everything that the pixels depend on are the same; with
    another reader it is only read anew.
    """
    known = store.lines(painter.column, row)
    works = [Work(prompt, k) for prompt in prompts for k in range(pictures)]
    kept = {_key(work): known[_key(work)] for work in works if _same(known.get(_key(work)), work, painter, store)}
    stale = [work for work in works if _key(work) in kept and kept[_key(work)].reader != reads.sha256]
    for batch in _batches(stale):
        anew = _read_again([kept.pop(_key(work)) for work in batch], reads, store)
        store.append(painter.column, row, anew)
        kept |= {(line.index, line.k): line for line in anew}
    missing = [work for work in works if _key(work) not in kept]
    for number, batch in enumerate(_batches(missing)):
        lines = _paint(painter, row, batch, reads, store)
        store.append(painter.column, row, lines)
        kept |= {(line.index, line.k): line for line in lines}
        done = len(works) - len(missing) + min((number + 1) * BATCH, len(missing))
        report(f"{painter.column}  {row}  {done}/{len(works)}  {lines[0].seconds:.2f} s a picture")
    return {_key(work): kept[_key(work)] for work in works}


def _key(work: Work) -> tuple[int, int]:
    return work.prompt.index, work.k


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))


def _same(line: Line | None, work: Work, painter: Painter, store: Store) -> bool:
    """Whether the line is of this very picture, and the picture is there."""
    if line is None or (line.picture is not None and not (store.folder / line.picture).is_file()):
        return False
    return (line.prompt, line.seed, line.stamp) == (work.prompt.text, work.prompt.seed(work.k), painter.stamp(work))


def _read_again(lines: Sequence[Line], reads: Reads, store: Store) -> list[Line]:
    """The lines whose pictures are still there, with what this reader says of them."""
    pictures = [(line, store.picture(line.picture)) for line in lines if line.picture is not None]
    there = [(line, pixels) for line, pixels in pictures if pixels is not None]
    readings = reads.read([pixels for _, pixels in there])
    again = [
        replace(line, reading=reading, reader=reads.sha256) for (line, _), reading in zip(there, readings, strict=True)
    ]
    return again + [replace(line, reader=reads.sha256) for line in lines if line.picture is None]


def _paint(painter: Painter, row: str, works: Sequence[Work], reads: Reads, store: Store) -> list[Line]:
    painted = painter.paint(works)
    readings = iter(reads.read([each.pixels for each in painted if each.pixels is not None]))
    load = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else 0.0
    lines: list[Line] = []
    for work, each in zip(works, painted, strict=True):
        prompt, column = work.prompt, painter.column
        line = Line(
            index=prompt.index,
            k=work.k,
            seed=prompt.seed(work.k),
            prompt=prompt.text,
            stamp=painter.stamp(work),
            reader=reads.sha256,
            reading=Reading() if each.pixels is None else next(readings),
            picture=None if each.pixels is None else store.save(column, row, prompt.index, work.k, each.pixels),
            plan=each.plan,
            seconds=each.seconds,
            load=load,
            failure=each.reason,
        )
        lines.append(line)
    return lines
