"""`triptych chain`: several steps across models from one TOML file, priced before the start."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from triptych.chains.record import Done


def chain(
    file: Annotated[Path, typer.Argument(help="The chain, as TOML; see docs/chains.md.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for pictures and record. Default: the chain's name.")
    ] = None,
    max_cost: Annotated[
        float | None, typer.Option(help="Most US dollars that all of it may cost, by the estimate.", min=0)
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Check and price the steps; make nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No hints or progress.")] = False,
) -> None:
    """Carry out a chain of steps. Run again, it goes on where it stopped and makes nothing twice."""
    from triptych.chains import plan as plans
    from triptych.chains import run as runs
    from triptych.cli.accounts import account, agree, ceiling
    from triptych.cli.catalogue import registry
    from triptych.cli.keeping import remember
    from triptych.cli.output import show, show_json, tell

    read = plans.read(file)
    models = registry(hosted=True)
    estimates = runs.check(read, models)
    total = sum(estimates.values())
    if plan:
        if as_json:
            steps = [
                {
                    "name": step.name,
                    "do": step.do,
                    "model": step.model,
                    "needs": sorted(step.needs),
                    "estimate": estimates[step.name],
                }
                for step in read.steps
            ]
            show_json({"chain": read.name, "steps": steps, "estimate": total, "max_cost": read.max_cost})
            return
        for step in read.steps:
            needs = f"  from {', '.join(sorted(step.needs))}" if step.needs else ""
            show(f"{step.name:<16} {step.do:<9} {step.model:<28} ${estimates[step.name]:.3f}{needs}")
        show(f"{'all':<16} {'':<9} {'':<28} ${total:.3f}")
        return
    limits = [limit for limit in (read.max_cost, ceiling(max_cost)) if limit is not None]
    agree(total, f"the chain {read.name}", min(limits) if limits else None, asks=total > 0)
    folder = out or Path(read.name)

    def on_done(done: Done) -> None:
        for output in done.outputs:
            remember(folder / output.file, output.recipe, quiet=quiet)

    stage = runs.Stage(folder, account(), models, lambda line: tell(line, quiet=quiet or as_json), on_done)
    record = runs.run(read, stage)
    if as_json:
        show_json({**record.model_dump(mode="json"), "folder": str(folder), "cost": record.cost})
        return
    for name in read.last:
        for output in record.steps[name].outputs:
            show(folder / output.file)
    tell(f"the record of all steps is in {folder / 'chain.json'}; it cost ${record.cost:.3f}", quiet=quiet)
