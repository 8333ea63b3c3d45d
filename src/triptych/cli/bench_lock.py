"""`triptych bench lock`: random masks on random pictures of any size, and the pixels outside that changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from triptych.evals.lock import Case

SEED = 5_000_011


def lock(
    models: Annotated[str, typer.Option(help="Models, separated by commas.")] = "flow,diffusion,tokens",
    masks: Annotated[int, typer.Option(min=1, max=100_000, help="Random masks, each for every model.")] = 200,
    steps: Annotated[int, typer.Option(min=1, help="Steps of an edit; the lock does not depend on them.")] = 2,
    out: Annotated[
        Path, typer.Option(help="Folder for MODEL.jsonl, a line for each edit; goes on where it stopped.")
    ] = Path("runs/lock"),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Edit random pictures under the pixel lock, and count from the files what changed outside of the masks.

    Boxes, ellipses, blobs, strokes, single pixels, masks at the border, in several parts and with holes, on pictures
    from 1 x 1 to 4000 x 3000, a fifth of them with transparency. Few steps make it affordable; they make poor pictures
    and leave the lock as it is. Exit code 1 if a pixel changed or an edit failed. It can be killed, and goes on.
    """
    from triptych.cli.catalogue import check_model, registry
    from triptych.cli.lines import append_lines, read_lines
    from triptych.cli.output import show, show_json, tell
    from triptych.core.files import check_folder

    names = [name.strip() for name in models.split(",") if name.strip()]
    for name in names:
        check_model(name)
    check_folder(out)

    from triptych.api.edit import edit
    from triptych.evals import lock as locks
    from triptych.evals.table.measure import peak_mib

    report: dict[str, Any] = {}
    for name in names:
        takes = registry().capabilities(name)
        few: dict[str, Any] = {"steps": steps} if takes.steps_range else {}

        def edited(case: Case, name: str = name, few: dict[str, Any] = few) -> tuple[bytes, float]:
            result = edit(
                case.pixels,
                case.instruction,
                mask=case.mask,
                model=name,
                seed=case.number,
                quality="low",
                **few,
            )
            return result.encode(Path(f"picture.{case.format.lower()}")), result.report.seam.seam_error

        path = out / f"{name}-{steps}.jsonl"
        lines = {line["number"]: locks.Outcome.parse(line) for line in read_lines(path)}
        missing = [number for number in range(masks) if number not in lines]
        if missing:
            # What the model, the readers and one small edit take is loaded first: the lock's own memory comes on top.
            small = next(number for number in range(1000) if max(locks.case(SEED, number).size) <= 128)
            locks.outcome(locks.case(SEED, small), edited)
        before = peak_mib()
        for number in missing:
            one = locks.outcome(locks.case(SEED, number), edited)
            lines[number] = one = replace(one, memory=max(peak_mib() - before, 0.0))
            append_lines(path, [one.as_json()])
            changed = one.failure or f"{one.changed} of {one.outside} outside changed"
            size = f"{one.size[0]}x{one.size[1]}"
            tell(f"{name} {one.number:>4} {one.kind:<12} {size:>9}  {changed}  {one.seconds:.1f} s", quiet=quiet)
        report[name] = {**locks.summary([lines[number] for number in range(masks)]), "steps": steps}
    if as_json:
        show_json(report)
    else:
        for name, found in report.items():
            width, height = found["largest"]
            show(
                f"{name:<10} {found['edits']} edits, {found['outside_changed_pixels']} of "
                f"{found['outside_total_pixels']} pixels outside changed, {len(found['failures'])} failures, largest "
                f"{width}x{height}, {found['memory_beyond_model_mib']} MiB beyond the model, "
                f"seam {found['seam_error_median']:.2f} (95 %: {found['seam_error_95']:.2f}), {found['seconds']:.0f} s"
            )
    if any(found["outside_changed_pixels"] or found["failures"] for found in report.values()):
        raise typer.Exit(1)
