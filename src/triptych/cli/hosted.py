"""`triptych hosted`: the jobs that were sent to providers, what they cost, and those whose end nobody knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from triptych.hosted.ledger import Job

app = typer.Typer(help="The ledger of hosted models: what was sent, billed and is unknown.", rich_markup_mode=None)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


@app.callback(invoke_without_command=True)
def list_jobs(
    context: typer.Context,
    unfinished: Annotated[bool, typer.Option("--unfinished", help="Only those without an end.")] = False,
    limit: Annotated[int, typer.Option(help="How many, the latest first.", min=1)] = 20,
    as_json: AsJson = False,
) -> None:
    """List the jobs; `triptych hosted resolve JOB` brings one without an end to it."""
    if context.invoked_subcommand:
        return
    from triptych.cli.accounts import account
    from triptych.cli.output import show, show_json, tell

    jobs = [job for job in account().ledger.jobs() if job.is_open or not unfinished][:limit]
    if as_json:
        show_json({"jobs": [job.as_json() for job in jobs]})
        return
    if not jobs:
        tell("no job was sent to a provider" if not unfinished else "every job has an end")
    for job in jobs:
        show(_line(job))


@app.command("resolve")
def resolve_job(
    job: Annotated[str, typer.Argument(help="The job, or the beginning of its name.")],
    billed: Annotated[
        bool | None,
        typer.Option("--billed/--not-billed", help="What the provider's usage page says, where it cannot be asked."),
    ] = None,
    out: Annotated[str | None, typer.Option("--out", "-o", help="File, folder or pattern for the pictures.")] = None,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No hints.")] = False,
) -> None:
    """Ask the provider what became of a job and bring its pictures home. Nothing is ever sent again."""
    from triptych.cli.accounts import account
    from triptych.cli.keeping import remember
    from triptych.cli.output import show, show_json, tell
    from triptych.cli.targets import target
    from triptych.core.errors import InvalidRequest
    from triptych.hosted.unfinished import resolve, settle

    if out == "-":
        raise InvalidRequest("out", "- (stdout) is not allowed here; give a file or a folder")
    own = account()
    if billed is not None:
        result = settle(job, own, billed=billed)
    else:
        result = resolve(job, own)
    paths = []
    where = target(out, max(len(result.images), 1), as_json=as_json)
    for image in result.images:
        request = image.recipe.request
        if where is None or request is None:
            continue
        path = image.save(
            where.path(prompt=request.prompt, seed=image.seed, index=image.index, model=image.recipe.model)
        )
        remember(path, image.recipe, quiet=quiet)
        paths.append(path)
    if as_json:
        show_json({**result.job.as_json(), "told": result.told, "images": [{"path": str(path)} for path in paths]})
        return
    for path in paths:
        show(path)
    tell(f"{result.job.id} is {result.job.state}: {result.told}", quiet=quiet)


def _line(job: Job) -> str:
    """One job in one line."""
    cost = "" if job.cost is None else f" ${job.cost:.3f}"
    bill = {True: "billed", False: "not billed", None: "billed or not"}[job.billed]
    state = job.state if job.state in ("running", "done") else f"{job.state}, {bill}"
    prompt = " ".join(str(job.what.get("prompt", "")).split())[:60]
    return f"{job.id}  {state}{cost}  {job.model}  {prompt}{'  ' + job.told if job.told else ''}"
