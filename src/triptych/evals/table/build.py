"""Makes the whole table: every row for every model, the ceilings, the costs, and what is measured without prompts.

The result is one JSON-ready document; nothing here knows how it is shown.
"""

from __future__ import annotations

import dataclasses
import datetime
import os
import platform
import statistics as medians
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from triptych.core.errors import FileProblem, InvalidRequest
from triptych.core.recipe import package_version
from triptych.evals import statistics
from triptych.evals.rows import GENEVAL, ROWS, Prompt, level_of_models, prompts
from triptych.evals.table import score
from triptych.evals.table.measure import Cost, in_new_process, peta_flops, reproducibility
from triptych.evals.table.painters import BATCH, EnginePainter, Painter, ScenePainter, Work
from triptych.evals.table.path import straightness
from triptych.evals.table.runner import Reads, Report, run_cell
from triptych.evals.table.score import Score
from triptych.evals.table.store import Line, Store
from triptych.evals.table.subjects import REPRODUCIBILITY, STEPS, Choice, Subject
from triptych.scenes import Sprites
from triptych.scenes.render import default_sprites

OVERALL = "geneval"
LEAST_CEILING = 0.5
"""Of a row that a model card may carry: below it the readers themselves fail on true scenes."""
_STEPS_ROW, _STEPS_PROMPTS = "binding", 50
_WALKED, _REPEATED = 16, 8


@dataclass(frozen=True)
class Column:
    """A column: a model with or without plans, or true scenes. ceiling: the column of true scenes beside it."""

    painter: Painter
    subject: Subject | None
    plan: bool
    ceiling: str | None
    pictures: int | None = None

    @property
    def id(self) -> str:
        return self.painter.column


@dataclass(frozen=True)
class Cell:
    prompts: Sequence[Prompt]
    lines: Mapping[tuple[int, int], Line]
    scores: list[Score]


Cells = dict[tuple[str, str], Cell]
"""By (column, row)."""


class Table:
    """One run. `sprites` are those that true scenes are drawn with, the system's if None."""

    def __init__(
        self,
        subjects: Sequence[Subject],
        choice: Choice,
        reads: Reads,
        store: Store,
        report: Report = lambda line: None,
        sprites: Sprites | None = None,
    ) -> None:
        labels = [subject.label for subject in subjects]
        if not subjects or len(set(labels)) != len(labels):
            raise InvalidRequest("models", "at least one model is needed, each under a name of its own")
        self.subjects, self.choice, self.reads, self.store, self.report = subjects, choice, reads, store, report
        takes = [subject.card.capabilities for subject in subjects if subject.card.capabilities]
        self.level = level_of_models(takes)
        self.notes: list[dict[str, str]] = []
        self._ceiling_of: dict[tuple[str, int], str] = {}
        self.ceilings = self._true_scenes(sprites)
        self.columns = [self._model(subject, plan) for plan in choice.plans for subject in subjects]
        self.cells: Cells = {}

    def run(self) -> dict[str, Any]:
        """Paint, read and judge everything that is missing; return the document."""
        for name in self.choice.rows:
            if name in ROWS:
                self._row(name)
        measured = self._measure()
        steps = self._steps() if STEPS in self.choice.rows else []
        rows = [self._row_document(name) for name in self.choice.rows if name in ROWS and self._was_run(name)]
        overall = self._overall()
        return {
            "conditions": self._conditions(),
            "columns": [self._column_document(column, measured, overall) for column in self.columns],
            "ceilings": [{"id": column.id} for column in self.ceilings],
            "rows": [*rows, *([self._overall_document(overall)] if overall else [])],
            "left_out": self.notes,
            "steps": steps,
        }

    def _was_run(self, row: str) -> bool:
        return any(name == row for _, name in self.cells)

    def _true_scenes(self, sprites: Sprites | None) -> list[Column]:
        """Renders, and the round trip through every different part; none where there is no font to draw with."""
        if sprites is None:
            try:
                sprites = default_sprites()
            except FileProblem as problem:
                self.notes.append({"row": "ceilings", "title": "the reader's ceilings", "note": str(problem)})
                return []
        columns: dict[tuple[str, int], Column] = {}
        for subject in self.subjects:
            side = _side(subject)
            plain = ScenePainter("renders", self.level, side, sprites)
            there = ScenePainter(subject.part, self.level, side, sprites, subject.round_trip, subject.part_sha256)
            for painter in (plain, there):
                if (key := (painter.weights, side)) not in columns:
                    taken = sum(column.id.partition("~")[0] == painter.column for column in columns.values())
                    name = f"{painter.column}~{taken + 1}" if taken else painter.column
                    columns[key] = Column(dataclasses.replace(painter, column=name), None, True, None, pictures=1)
        self._ceiling_of = {key: column.id for key, column in columns.items()}
        return list(columns.values())

    def _model(self, subject: Subject, plan: bool) -> Column:
        name = subject.label if plan else f"{subject.label}~no-plan"
        painter = EnginePainter(subject.models, subject.model, name, subject.weights, self.choice.quality, plan)
        return Column(painter, subject, plan, self._ceiling_of.get((subject.part_sha256, _side(subject))))

    def _row(self, name: str) -> None:
        row = ROWS[name]
        lacks = row.lacks(self.level)
        asked = score.whole(name, prompts(name, self.level, self.choice.split)[: self.choice.prompts])
        if lacks or not asked:
            note = lacks or "no prompt of it fits this choice"
            self.notes.append({"row": name, "title": row.title, "note": note})
            return
        for column in (*self.ceilings, *self.columns):
            pictures = self.choice.pictures(name)
            if column.pictures is not None and name != "diversity":
                pictures = column.pictures
            self.cells[column.id, name] = self._cell(column, name, asked, pictures)

    def _cell(self, column: Column, row: str, asked: Sequence[Prompt], pictures: int) -> Cell:
        lines = run_cell(column.painter, row, asked, pictures, self.reads, self.store, self.report)
        readings = {key: line.reading for key, line in lines.items()}
        return Cell(asked, lines, score.scores(row, asked, pictures, readings, self.level))

    def _row_document(self, name: str) -> dict[str, Any]:
        row = ROWS[name]
        some = next(cell for (_, cell_row), cell in self.cells.items() if cell_row == name)
        told = [
            {"id": one.name, "title": one.title, "unit": one.unit, "lower": one.lower} | self._score_document(name, i)
            for i, one in enumerate(some.scores)
        ]
        return {
            "id": name,
            "title": row.title,
            "measure": row.measure,
            "prompts": len(some.prompts),
            "pictures": self.choice.pictures(name),
            "scores": told,
        }

    def _score_document(self, row: str, number: int) -> dict[str, Any]:
        found = {
            column.id: self.cells[column.id, row].scores[number].estimate for column in (*self.ceilings, *self.columns)
        }
        shares = {column: self.cells[column, row].scores[number] for column in found}
        return {
            "cells": {column: _interval(each, shares[column].share_of) for column, each in found.items()},
            "differences": self._differences(found),
        }

    def _differences(self, found: Mapping[str, statistics.Estimate]) -> list[dict[str, Any]]:
        """Between every two models with the same kind of plan, and of each model with and without one."""
        pairs = [
            (a, b)
            for i, a in enumerate(self.columns)
            for b in self.columns[i + 1 :]
            if a.plan == b.plan or a.subject is b.subject
        ]
        told: list[dict[str, Any]] = []
        for a, b in pairs:
            interval = found[a.id].minus(found[b.id]).interval()
            told.append({"a": a.id, "b": b.id, "excludes_zero": interval.excludes_zero} | dataclasses.asdict(interval))
        return told

    def _overall(self) -> dict[str, statistics.Estimate]:
        """GenEval's overall score: the mean of its six tasks, where all were run."""
        if not all(self._was_run(row) for row in GENEVAL):
            return {}
        return {
            column.id: statistics.mean([self.cells[column.id, row].scores[0].estimate for row in GENEVAL])
            for column in (*self.ceilings, *self.columns)
        }

    def _overall_document(self, overall: Mapping[str, statistics.Estimate]) -> dict[str, Any]:
        told = {"id": "right", "title": "mean of the six tasks", "unit": "share", "lower": False}
        count = sum(len(self.cells[self.columns[0].id, row].prompts) for row in GENEVAL)
        cells = {column: _interval(each, count) for column, each in overall.items()}
        return {
            "id": OVERALL,
            "title": "GenEval overall",
            "measure": "mean of single, two objects, counting, colours, position, binding",
            "prompts": count,
            "pictures": self.choice.seeds,
            "scores": [told | {"cells": cells, "differences": self._differences(overall)}],
        }

    def _measure(self) -> dict[str, tuple[Cost, dict[str, float]]]:
        """Cost and reproducibility by model, on the first prompts of a row that all models can paint."""
        measured: dict[str, tuple[Cost, dict[str, float]]] = {}
        asked = prompts("single", self.level, self.choice.split)[: min(self.choice.prompts or _REPEATED, _REPEATED)]
        for column in self.columns[: len(self.subjects)]:  # with plans, if there are any
            if not isinstance(column.painter, EnginePainter) or column.subject is None:
                continue
            self.report(f"{column.id}  cost, in a new process")
            requests = [column.painter.request(Work(prompt, 0)) for prompt in asked]
            cost = in_new_process(column.subject.open_models, requests)
            again: dict[str, float] = {}
            if REPRODUCIBILITY in self.choice.rows:
                self.report(f"{column.id}  {REPRODUCIBILITY}")
                again = reproducibility(column.subject.models, requests, cost)
            measured[column.subject.label] = cost, again
        return measured

    def _column_document(
        self,
        column: Column,
        measured: Mapping[str, tuple[Cost, dict[str, float]]],
        overall: Mapping[str, statistics.Estimate],
    ) -> dict[str, Any]:
        subject = column.subject
        if subject is None or not isinstance(column.painter, EnginePainter):
            raise TypeError(f"{column.id} is not a model's column")
        cost, again = measured[subject.label]
        lines = [line for (name, _), cell in self.cells.items() if name == column.id for line in cell.lines.values()]
        compute = peta_flops(subject.card.training, cost)
        value = overall[column.id].value if column.id in overall else None
        samples = subject.card.training.samples
        return {
            "id": column.id,
            "model": subject.label,
            "family": subject.card.family,
            "plan": column.plan,
            "ceiling": column.ceiling,
            "weights": subject.weights,
            "settings": column.painter.settings,
            "parameters": cost.parameters,
            "forwards": cost.forwards,
            "seconds": round(medians.median(line.seconds for line in lines), 4) if lines else None,
            "load": round(medians.median(line.load for line in lines), 2) if lines else None,
            "peak_mib": round(cost.peak_mib, 1),
            "samples": samples,
            "petaflop": round(compute, 4),
            "score_per_million_samples": round(value / (samples / 1e6), 3) if value is not None and samples else None,
            "score_per_petaflop": round(value / compute, 3) if value is not None and compute else None,
            "reproducibility": again if column.plan == self.choice.plans[0] else {},
            "failures": sum(line.picture is None for line in lines),
        }

    def _steps(self) -> list[dict[str, Any]]:
        """Straightness, and the share of right pictures at few and many steps, of the models that paint in steps."""
        told: list[dict[str, Any]] = []
        asked = prompts(_STEPS_ROW, self.level, self.choice.split)[: min(self.choice.prompts or 99, _STEPS_PROMPTS)]
        for subject in self.subjects:
            takes = subject.card.capabilities
            if takes is None or takes.steps_range is None or not asked:
                self.notes.append({"row": STEPS, "title": f"steps of {subject.label}", "note": "it paints in no steps"})
                continue
            plan = self.choice.plans[0]
            points: list[dict[str, Any]] = []
            for count in self.choice.steps:
                name = f"{subject.label}~{count}-steps"
                painter = EnginePainter(
                    subject.models, subject.model, name, subject.weights, self.choice.quality, plan, {"steps": count}
                )
                cell = self._cell(Column(painter, subject, plan, None), _STEPS_ROW, asked, 1)
                points.append({"steps": count, "column": name} | _interval(cell.scores[0].estimate, len(asked)))
                self.cells[name, STEPS] = cell
            self.report(f"{subject.label}  straightness")
            walked = [painter.request(Work(prompt, 0)) for prompt in asked[:_WALKED]]
            told.append(
                {"model": subject.label, "row": _STEPS_ROW, "prompts": len(asked), "plan": plan, "points": points}
                | {"straightness": dataclasses.asdict(straightness(subject.models, walked)), "walked": len(walked)}
            )
        return told

    def _conditions(self) -> dict[str, Any]:
        choice = self.choice
        return {
            "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "version": package_version(),
            "split": choice.split,
            "complete": choice.complete,
            "quality": choice.quality,
            "seeds": choice.seeds,
            "prompts": choice.prompts,
            "level": self.level.name,
            "reader": self.reads.sha256,
            "batch": BATCH,
            "threads": torch.get_num_threads(),
            "processors": os.cpu_count(),
            "machine": f"{platform.system()} {platform.machine()}, torch {torch.__version__}",
            "resamples": statistics.RESAMPLES,
        }


def card_scores(document: Mapping[str, Any], column: str) -> dict[str, float]:
    """The table's scores of one column as a model card carries them: "binding", "complex gm", ...

    A row whose true renders score below `LEAST_CEILING` is left out: it says something of the readers, nothing of the
    model.
    """
    told: dict[str, float] = {}
    for row in document["rows"]:
        if row["scores"][0]["cells"]["renders"]["value"] < LEAST_CEILING:
            continue
        for number, one in enumerate(row["scores"]):
            name = row["id"] if number == 0 else f"{row['id']} {one['id']}"
            told[name] = round(one["cells"][column]["value"], 4)
    return told


def _interval(estimate: statistics.Estimate, share_of: int | None = None) -> dict[str, float]:
    """share_of: of a share, the number of prompts that it is a share of."""
    interval = statistics.share_interval(estimate, share_of) if share_of else estimate.interval()
    return {name: round(value, 5) for name, value in dataclasses.asdict(interval).items()}


def _side(subject: Subject) -> int:
    takes = subject.card.capabilities
    if takes is None:
        raise InvalidRequest("models", f"{subject.label} is a part, not a model that paints")
    return takes.native_size[0]
