"""The document as sheets of words and numbers, and those as plain text, Markdown and CSV. Knows only the document."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Sheet:
    """A titled table of text; `notes` stand under it."""

    title: str
    header: tuple[str, ...]
    rows: list[tuple[str, ...]]
    notes: tuple[str, ...] = ()


def sheets(document: Mapping[str, Any]) -> list[Sheet]:
    """Scores, differences that are sure, costs, reproducibility, steps, what was left out; none that is empty."""
    made = [_scores(document), _differences(document), _costs(document), _repeated(document), _steps(document)]
    left = [(note["title"], note["note"]) for note in document["left_out"]]
    return [sheet for sheet in (*made, Sheet("Left out", ("row", "why"), left)) if sheet.rows]


def shown(value: float, unit: str) -> str:
    if unit == "share":
        return f"{100 * value:.1f}"
    return f"{value:.1f}" if unit == "points" else f"{value:.3g}"


def conditions(document: Mapping[str, Any]) -> str:
    """One sentence: what the figures were measured with."""
    told = document["conditions"]
    prompts = "all prompts" if told["prompts"] is None else f"the first {told['prompts']} prompts of each row"
    return (
        f"{told['split']} split, {prompts}, {_many(told['seeds'], 'picture')} each, {told['quality']} quality, "
        f"world {told['level']!r}, reader {told['reader'][:12]}, {_many(told['threads'], 'thread')}, "
        f"batches of {told['batch']}, {told['machine']}, triptych {told['version']}, {told['date']}"
    )


def _many(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _scores(document: Mapping[str, Any]) -> Sheet:
    columns = document["columns"]
    rows: list[tuple[str, ...]] = []
    for row in document["rows"]:
        for number, one in enumerate(row["scores"]):
            title = row["title"] if number == 0 and len(row["scores"]) == 1 else f"{row['title']}: {one['title']}"
            cells = [_cell(one, column["id"], column["ceiling"]) for column in columns]
            rows.append((title, str(row["prompts"]), *cells))
    header = ("row", "prompts", *(column["id"] for column in columns))
    notes = (
        "Shares in %, with half of the 95 % interval (bootstrap over prompts); in brackets the reader's ceiling: what "
        "it says of true scenes that went through the same autoencoder or tokenizer.",
    )
    return Sheet("Scores", header, rows, notes)


def _cell(one: Mapping[str, Any], column: str, ceiling: str | None) -> str:
    cell, unit = one["cells"][column], one["unit"]
    half = (cell["high"] - cell["low"]) / 2
    text = f"{shown(cell['value'], unit)} ±{shown(half, unit)}"
    return f"{text} ({shown(one['cells'][ceiling]['value'], unit)})" if ceiling else text


def _differences(document: Mapping[str, Any]) -> Sheet:
    """Of every row's main score, those whose interval excludes zero."""
    rows: list[tuple[str, ...]] = []
    for row in document["rows"]:
        one = row["scores"][0]
        scale = 100 if one["unit"] == "share" else 1
        for each in one["differences"]:
            if each["excludes_zero"]:
                value, low, high = (f"{scale * each[key]:+.1f}" for key in ("value", "low", "high"))
                rows.append((row["title"], f"{each['a']} - {each['b']}", value, f"{low} to {high}"))
    return Sheet("Differences whose 95 % interval excludes 0", ("row", "between", "points", "interval"), rows)


def _costs(document: Mapping[str, Any]) -> Sheet:
    header = (
        "model", "parameters", "forwards", "s a picture", "load", "peak MiB", "samples", "petaFLOP",
        "score / M samples", "score / petaFLOP",
    )  # fmt: skip
    rows = [
        (
            each["id"], f"{each['parameters'] / 1e6:.2f} M", f"{each['forwards']:.0f}", _or(each["seconds"], "{:.2f}"),
            _or(each["load"], "{:.1f}"), f"{each['peak_mib']:.0f}", f"{each['samples']:,}", f"{each['petaflop']:.3f}",
            _or(each["score_per_million_samples"], "{:.2f}"), _or(each["score_per_petaflop"], "{:.2f}"),
        )
        for each in document["columns"]
    ]  # fmt: skip
    notes = (
        "Forwards: rows through the network for one picture, guidance counted; of a decoder, its tokens. "
        "Seconds: median, in batches. Score: GenEval overall, 0 to 1, over what the training took.",
    )
    return Sheet("Costs", header, rows, notes)


def _repeated(document: Mapping[str, Any]) -> Sheet:
    measured = [each for each in document["columns"] if each["reproducibility"]]
    names = list(measured[0]["reproducibility"]) if measured else []
    rows = [(each["id"], *(f"{100 * each['reproducibility'][name]:.0f}" for name in names)) for each in measured]
    return Sheet("Pictures that are bit-identical, in %", ("model", *names), rows)


def _steps(document: Mapping[str, Any]) -> Sheet:
    steps = document["steps"]
    counts = [point["steps"] for point in steps[0]["points"]] if steps else []
    rows = [
        (
            each["model"],
            *(shown(point["value"], "share") for point in each["points"]),
            *(f"{each['straightness'][name]:.3f}" for name in ("bend", "detour", "one_step")),
        )
        for each in steps
    ]
    header = ("model", *(f"{count} steps" for count in counts), "bend", "detour", "one-step error")
    notes = tuple(
        f"Share of right pictures in %, {each['prompts']} prompts of {each['row']!r}; straightness: {each['walked']}."
        for each in steps[:1]
    )
    return Sheet("Steps", header, rows, notes)


def _or(value: float | None, form: str) -> str:
    return "-" if value is None else form.format(value)


def as_text(made: Sequence[Sheet]) -> str:
    """Aligned columns for a pipe or a narrow terminal."""
    parts: list[str] = []
    for sheet in made:
        grid = [sheet.header, *sheet.rows]
        widths = [max(len(row[i]) for row in grid) for i in range(len(sheet.header))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in grid]
        parts.append("\n".join([sheet.title.upper(), *lines, *sheet.notes]))
    return "\n\n".join(parts)


def as_markdown(document: Mapping[str, Any]) -> str:
    parts = ["# Comparison table", f"Measured with `triptych bench table`: {conditions(document)}."]
    for sheet in sheets(document):
        lines = [_piped(sheet.header), "|" + "---|" * len(sheet.header), *map(_piped, sheet.rows)]
        parts += [f"## {sheet.title}", "\n".join(lines), *sheet.notes]
    return "\n\n".join(parts) + "\n"


def _piped(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def as_csv(document: Mapping[str, Any]) -> str:
    """A line for each score of each column, ceilings included, with its interval."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("row", "score", "unit", "column", "prompts", "value", "low", "high", "samples", "petaflop"))
    costs = {column["id"]: (column["samples"], column["petaflop"]) for column in document["columns"]}
    for row in document["rows"]:
        for one in row["scores"]:
            for column, cell in one["cells"].items():
                known = costs.get(column, ("", ""))
                values = (cell["value"], cell["low"], cell["high"])
                writer.writerow((row["id"], one["id"], one["unit"], column, row["prompts"], *values, *known))
    return out.getvalue()
