"""The list of commands, and the rule that makes `triptych "a fox"` mean `triptych generate "a fox"`."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from triptych.cli import (
    advise,
    bench,
    chain,
    compare,
    control,
    edit,
    fonts,
    generate,
    history,
    hosted,
    keys,
    log,
    lora,
    models,
    outpaint,
    plan,
    render,
    replay,
    route,
    serve,
    train,
    typeset,
    upscale,
    vary,
)

COMMANDS = (
    "generate",
    "edit",
    "outpaint",
    "typeset",
    "upscale",
    "vary",
    "render",
    "fonts",
    "history",
    "plan",
    "control",
    "lora",
    "keys",
    "hosted",
    "chain",
    "compare",
    "advise",
    "route",
    "replay",
    "models",
    "log",
    "serve",
    "train",
    "bench",
)
GROUP_OPTIONS = ("--help", "-h", "--version", "--install-completion", "--show-completion")

app = typer.Typer(
    name="triptych",
    help="Make pictures with diffusion, flow matching and autoregressive tokens, and see how they came about.\n\n"
    'In short: triptych "a red fox in the snow"',
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def with_default_command(arguments: Sequence[str]) -> list[str]:
    """The arguments with `generate` put in front, where they begin with a prompt or an option of `generate`."""
    if not arguments or arguments[0] in COMMANDS or arguments[0] in GROUP_OPTIONS:
        return list(arguments)
    close = difflib.get_close_matches(arguments[0], COMMANDS, n=1, cutoff=0.75)
    if close:
        hint = f"{arguments[0]!r} is taken as a prompt; the command is spelt {close[0]!r}"
        print(f"triptych: {hint}", file=sys.stderr)  # noqa: T201
    return ["generate", *arguments]


def _show_version(wanted: bool) -> None:
    if wanted:
        from triptych.core.recipe import package_version

        typer.echo(f"triptych {package_version()}")
        raise typer.Exit


@app.callback()
def triptych(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error comes from.")] = False,
) -> None:
    """The options before a command; --debug is read by `triptych.cli.main` and may stand anywhere."""


app.command()(generate.generate)
app.command()(edit.edit)
app.command()(outpaint.outpaint)
app.command()(vary.vary)
app.command()(typeset.typeset)
app.command()(upscale.upscale)
app.command()(render.render)
app.command()(fonts.fonts)
app.add_typer(history.app, name="history")
app.command()(plan.plan)
app.command()(control.control)
app.add_typer(lora.app, name="lora")
app.add_typer(keys.app, name="keys")
app.add_typer(hosted.app, name="hosted")
app.command()(chain.chain)
app.command()(compare.compare)
app.command()(advise.advise)
app.command()(route.route)
app.command()(replay.replay)
app.add_typer(models.app, name="models")
app.command()(log.log)
app.command()(serve.serve)
app.command()(train.train)
app.add_typer(bench.app, name="bench")
