"""`triptych bench edits`: do edits by instruction do what they are told, and only that, for one turn and for five?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from triptych.api.results import Image
    from triptych.core.events import Pixels
    from triptych.core.plan import Plan
    from triptych.evals.editing import Turn
    from triptych.evals.readers.load import Readers
    from triptych.evals.statistics import Interval

WAYS = {
    "plan known": "by instruction, with the plan that the picture was painted from",
    "pixels alone": "by instruction, with what the readers see in the picture",
    "naive": "the whole picture painted again from it (strength 0.6), with the new scene in words",
}
NAIVE_STRENGTH = 0.6
TRIES = 4
"""A picture to edit is the first of so many seeds that came out as planned."""


def edits(
    models: Annotated[str, typer.Option(help="Models, separated by commas.")] = "flow,diffusion,tokens",
    cases: Annotated[int, typer.Option(min=0, max=1000, help="Single edits of every kind of edit.")] = 10,
    conversations: Annotated[int, typer.Option(min=0, max=1000, help="Conversations of five turns.")] = 16,
    split: Annotated[str, typer.Option(help="train, or phrasing for wordings that training never used.")] = "train",
    quality: Annotated[str, typer.Option(help="low, medium or high.")] = "medium",
    readings: Annotated[
        int, typer.Option(min=0, max=100_000, help="Instructions to read, without painting, of each split.")
    ] = 500,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for lines and plot; goes on where it stopped.")
    ] = Path("runs/edits"),
    sheet: Annotated[
        Path | None, typer.Option(help="Draw the first model's first case of each kind here, and measure nothing.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Measure edits by instruction: how they are read, whether they succeed, what they leave alone, and drift.

    Painters edit their own pictures; the readers judge. It can be killed, and goes on where it stopped.
    """
    from triptych.cli.catalogue import check_model
    from triptych.cli.output import show, show_json, tell
    from triptych.core.errors import one_of
    from triptych.core.files import check_folder

    names = [name.strip() for name in models.split(",") if name.strip()]
    for name in names:
        check_model(name)
    one_of("quality", quality, ("low", "medium", "high"))
    one_of("split", split, ("train", "phrasing"))
    check_folder(out)

    from triptych.api.seeing import readers

    judge = readers()

    def say(line: str) -> None:
        tell(line, quiet=quiet)

    if sheet is not None:
        show(_sheet(names[0], split, quality, judge, sheet))
        return
    report: dict[str, Any] = {"conditions": {"cases": cases, "conversations": conversations, "split": split,
                                             "quality": quality, "readings": readings}}  # fmt: skip
    report["reading"] = _read_shares(readings)
    report["single"], report["drift"] = {}, {}
    turns: dict[str, Any] = {}
    for name in names:
        single = _singles(name, cases, split, quality, judge, out / f"{name}-{quality}-{split}.jsonl", say)
        report["single"][name] = {way: _by_op(lines) for way, lines in single.items()}
        turns[name] = _conversations(name, conversations, quality, judge, out / f"{name}-{quality}-drift.jsonl", say)
        report["drift"][name] = {way: [_told(means) for means in found] for way, found in turns[name].items()}
    _plot(turns, out / "drift.png", say)
    if as_json:
        show_json(report)
        return
    for line in _page(report):
        show(line)


def _read_shares(count: int) -> dict[str, Any]:
    """How many fresh instructions are read as the program they were drawn from; and the same of those read surely."""
    import numpy as np

    from triptych.api.results import library
    from triptych.editing.instruct.pairs import draw_pair
    from triptych.editing.instruct.problems import SURE
    from triptych.editing.instruct.read import read
    from triptych.evals.editing import LEVEL, SEED
    from triptych.evals.statistics import estimate, share_interval

    editor, tokens = library().parts.editor()
    shares: dict[str, Any] = {}
    for split in ("train", "phrasing", "combination"):
        right, sure = [], []
        for index in range(count):
            pair = draw_pair(LEVEL, SEED + 2, index, split)
            found = read(editor, tokens, pair.instruction, pair.turns[0].plan)
            wanted = pair.program if pair.readable else (pair.turns[-1].edit,)
            same = [edit.symbols() for edit in found.program] == [edit.symbols() for edit in wanted]
            right.append(float(same))
            refused = found.sure < SURE or (found.program and found.program[-1].op == "unread")
            sure.append(float(not refused))
        if not count:
            continue
        mean = share_interval(estimate(np.array(right)[:, None]), count)
        taken = [ok for ok, is_sure in zip(right, sure, strict=True) if is_sure]
        shares[split] = {
            "right": _span(mean),
            "taken": round(sum(sure) / count, 4),
            "right_of_taken": round(sum(taken) / max(len(taken), 1), 4),
        }
    return shares


def _singles(
    model: str, count: int, split: str, quality: str, judge: Readers, path: Path, say: Callable[[str], None]
) -> dict[str, list[dict[str, Any]]]:
    """Way -> lines of its cases; what is missing in the file is made."""
    from triptych.cli.lines import append_lines, read_lines
    from triptych.evals.editing import cases, score

    lines = read_lines(path)
    done = {(line["number"], line["way"]) for line in lines}
    for case in cases(count, split):
        if all((case.number, way) in done for way in WAYS):
            continue
        source = _source(case.source, model, quality, case.number, judge)
        if source is None:
            say(f"{model} {case.number}: the picture to edit did not come out as planned; left out")
            made = [{"number": case.number, "way": way, "op": case.op} for way in WAYS]
        else:
            made = []
            for way in WAYS:
                after, refused = _edited(source, case.instruction, case.target, way, model, quality, case.number)
                figures = score(case, source.pixels, after, judge.read([after])[0])
                made.append({"number": case.number, "way": way, "op": case.op, "refused": refused, **figures})
            told = ", ".join(f"{line['way']} {line['whole']:.0f}" for line in made)
            say(f"{model} {case.number} {case.instruction!r}: {told}")
        append_lines(path, made)
        lines += made
    known = {line["number"] for line in lines if line["number"] % 1000 < count}
    return {
        way: [line for line in lines if line["way"] == way and line["number"] in known and "done" in line]
        for way in WAYS
    }


def _sheet(model: str, split: str, quality: str, judge: Readers, path: Path) -> Path:
    """The picture to edit and what became of it in every way, a row for each kind of edit."""
    from triptych.evals.editing import OPS, cases
    from triptych.training.sheet import contact_sheet

    rows: dict[str, list[tuple[Pixels, str]]] = {}
    for case in cases(3, split):
        source = None if case.op in rows else _source(case.source, model, quality, case.number, judge)
        if source is None:
            continue
        rows[case.op] = [(source.pixels, case.instruction)]
        for way in WAYS:
            after, refused = _edited(source, case.instruction, case.target, way, model, quality, case.number)
            rows[case.op].append((after, f"{way} (refused)" if refused else way))
    shown = [each for op in OPS if op in rows for each in rows[op]]
    drawn = contact_sheet([pixels for pixels, _ in shown], [label for _, label in shown], columns=2 * (1 + len(WAYS)),
                          cell=120)  # fmt: skip
    temporary = path.with_suffix(".tmp")
    drawn.save(temporary, format="JPEG" if path.suffix.lower() in (".jpg", ".jpeg") else "PNG", quality=88)
    return temporary.replace(path)


def _conversations(
    model: str, count: int, quality: str, judge: Readers, path: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Way -> means of each turn."""
    from triptych.cli.lines import append_lines, read_lines
    from triptych.evals.editing import conversation, drift

    lines = read_lines(path)
    done = {line["number"] for line in lines}
    for number in range(count):
        if number in done:
            continue
        plan, turns = conversation(number)
        source = _source(plan, model, quality, number, judge)
        made: list[dict[str, Any]] = [{"number": number, "way": "", "turn": -1}]
        if source is not None:
            for way in WAYS:
                made += _talk(source, plan, turns, way, model, quality, number, judge)
        append_lines(path, made)
        lines += made
        say(f"{model} conversation {number + 1}/{count}")
    here = [line for line in lines if line["number"] < count]
    return {way: drift([line for line in here if line["way"] == way]) for way in WAYS}


def _talk(
    source: Image, plan: Plan, turns: Sequence[Turn], way: str, model: str, quality: str, number: int, judge: Readers
) -> list[dict[str, Any]]:
    """One conversation in one way: what holds after each turn, beginning with none."""
    import numpy as np

    from triptych.editing.instruct.apply import difference
    from triptych.evals.editing import facts_share, pixel_figures, to_stay

    first, now = source.pixels, source
    stays = np.ones(first.shape[:2], np.bool_)
    before = plan
    lines = [
        {"number": number, "way": way, "turn": 0, "facts": facts_share(judge.read([first])[0], plan), "psnr": 99.0}
    ]
    for turn, each in enumerate(turns, 1):
        stays &= to_stay(before, difference(before, each.target), first.shape[1::-1])
        now, refused = _next(now, each.instruction, each.target, way, model, quality, number)
        line = {"number": number, "way": way, "turn": turn, "refused": refused,
                "facts": facts_share(judge.read([now.pixels])[0], each.target)}  # fmt: skip
        lines.append(line | (pixel_figures(first, now.pixels, stays) if stays.any() else {}))
        before = each.target
    return lines


def _source(plan: Plan, model: str, quality: str, number: int, judge: Readers) -> Image | None:
    """The painter's picture of a plan: the first of a few seeds that the readers find as planned."""
    from triptych import api
    from triptych.editing.instruct.describe import caption_of
    from triptych.evals.editing import is_painted

    for attempt in range(TRIES):
        made = api.generate(caption_of(plan), model=model, plan=plan, seed=number + 10_007 * attempt, quality=quality)
        if is_painted(judge.read([made.images[0].pixels])[0], plan):
            return made.images[0]
    return None


def _edited(
    source: Image, instruction: str, target: Plan, way: str, model: str, quality: str, seed: int
) -> tuple[Pixels, bool]:
    image, refused = _next(source, instruction, target, way, model, quality, seed)
    return image.pixels, refused


def _next(
    now: Image, instruction: str, target: Plan, way: str, model: str, quality: str, seed: int
) -> tuple[Image, bool]:
    """The next picture, and whether the instruction was refused: then the picture stays."""
    from triptych import api
    from triptych.api import instruct
    from triptych.core.asset import Asset
    from triptych.core.errors import InvalidRequest
    from triptych.editing.instruct.describe import caption_of

    if way == "naive":
        made = api.generate(caption_of(target), model=model, init=Asset.of(now.pixels), strength=NAIVE_STRENGTH,
                            seed=seed, quality=quality)  # fmt: skip
        return made.images[0], False
    try:
        fresh = way == "pixels alone"
        return instruct.edit(now, instruction, model=model, fresh=fresh, seed=seed, quality=quality).image, False
    except InvalidRequest:
        return now, True


def _by_op(lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Figures over all cases, and of every operation the shares that are done and whole."""
    from triptych.evals.editing import OPS, summary

    found: dict[str, Any] = {"all": _told(summary(lines)), "cases": len(lines)}
    found["refused"] = sum(bool(line.get("refused")) for line in lines)
    for op in OPS:
        here = [line for line in lines if line["op"] == op]
        if here:
            means = summary(here)
            found[op] = {name: round(means[name].value, 3) for name in ("done", "kept", "whole")} | {"cases": len(here)}
    return found


def _told(means: Mapping[str, Interval]) -> dict[str, list[float]]:
    return {name: _span(span) for name, span in means.items()}


def _span(span: Interval) -> list[float]:
    return [round(value, 4) for value in (span.value, span.low, span.high)]


def _page(report: Mapping[str, Any]) -> list[str]:
    """The report as lines of text."""
    from triptych.evals.editing import OPS

    lines = [f"conditions: {json.dumps(report['conditions'])}"]
    for split, found in report["reading"].items():
        low, high = found["right"][1:]
        lines.append(
            f"read exactly, {split}: {found['right'][0]:.3f} ({low:.3f} to {high:.3f}); taken {found['taken']:.3f}, "
            f"of these right {found['right_of_taken']:.3f}"
        )
    for model, ways in report["single"].items():
        lines.append(f"{model}")
        for way, found in ways.items():
            cells = [f"{name} {span[0]:.3f} ({span[1]:.3f} to {span[2]:.3f})" for name, span in found["all"].items()]
            lines.append(f"  {way}, {found['cases']} cases, {found['refused']} refused: {'; '.join(cells)}")
            each = [f"{op} {found[op]['whole']:.2f}" for op in OPS if op in found]
            lines.append(f"    whole: {', '.join(each)}")
        for way, turns in report["drift"].get(model, {}).items():
            cells = [f"{means['facts'][0]:.2f}/{means['psnr'][0]:.0f}" for means in turns if "psnr" in means]
            lines.append(f"  drift, {way}, facts/PSNR by turn: {' '.join(cells)}")
    return lines


def _plot(turns: Mapping[str, Any], path: Path, say: Callable[[str], None]) -> None:
    from triptych.evals.editing import drawn

    if not any("facts" in means for ways in turns.values() for found in ways.values() for means in found):
        return
    try:
        figure = drawn(turns)
    except ImportError:
        say("no plot: it needs pip install 'triptych[train]'")
        return
    temporary = path.with_suffix(".tmp")
    figure.savefig(temporary, format="png")
    temporary.replace(path)
    say(f"the plot is {path}")
