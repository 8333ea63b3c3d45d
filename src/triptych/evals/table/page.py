"""The table as a folder that a browser opens from the disk: index.html, and a file of data for every cell.

A page of `file://` may not fetch, but it may load scripts; a cell's data is one that calls the page back. Everything is
text to the page: it is put in as text, never as markup. It knows the document and the lines, no model.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from triptych.core.files import write_atomically
from triptych.evals.judge import judge
from triptych.evals.table.build import Cells
from triptych.evals.table.sheets import conditions, sheets

DATA = "data"
_TEMPLATE = Path(__file__).with_name("page.html")


def write_page(folder: Path, document: Mapping[str, Any], cells: Cells) -> Path:
    """Write index.html and data/ into the folder that holds the pictures; return the page."""
    shutil.rmtree(folder / DATA, ignore_errors=True)
    known: list[str] = []
    for (column, row), cell in cells.items():
        name = f"{column}--{row}"
        known.append(name)
        text = f"triptychCell({_script(name)}, {_script(_cell_data(cell))});\n"
        write_atomically(folder / DATA / f"{name}.js", text.encode())
    told = {
        "document": document,
        "conditions": conditions(document),
        "cells": known,
        "sheets": [
            {"title": sheet.title, "header": sheet.header, "rows": sheet.rows, "notes": sheet.notes}
            for sheet in sheets(document)
            if sheet.title != "Scores"
        ],
    }
    page = _TEMPLATE.read_text(encoding="utf-8").replace("/*TABLE*/null", _script(told))
    return write_atomically(folder / "index.html", page.encode())


def _cell_data(cell: Any) -> list[dict[str, Any]]:
    """The prompts of a cell, each with its pictures: what was read of them, and what the rule says."""
    told: list[dict[str, Any]] = []
    for prompt in cell.prompts:
        pictures: list[dict[str, Any]] = []
        for (index, _), line in cell.lines.items():
            if index != prompt.index:
                continue
            verdict = judge(prompt, line.reading)
            things = [
                {
                    "noun": thing.noun, "colour": thing.colour, "score": round(thing.score, 2), "box": thing.box,
                    "visible": round(thing.visible, 2), "text": thing.text,
                }
                for thing in line.reading.things
                if thing.score > _SHOWN
            ]  # fmt: skip
            pictures.append(
                {
                    "file": line.picture, "seed": line.seed, "right": verdict.correct,
                    "reason": line.failure or verdict.reason, "things": things, "background": line.reading.background,
                    "atoms": {name: round(value, 3) for name, value in verdict.atoms.items()},
                }
            )  # fmt: skip
        told.append({"text": prompt.text, "case": prompt.case, "pictures": pictures})
    return told


_SHOWN = 0.3


def _script(data: Any) -> str:
    """JSON that may stand inside a script element: nothing in it can end the element or open a comment."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text
