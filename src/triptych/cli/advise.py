"""`triptych advise`: what is likely to go wrong with a prompt, and how to say it better. Loads no model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from triptych.advice import Advice, Target


def advise(
    prompt: Annotated[str, typer.Argument(help="The prompt or instruction; - reads it from stdin.")],
    model: Annotated[str, typer.Option("--model", "-m", help="Which model, built in or hosted.")] = "flow",
    family: Annotated[
        str | None, typer.Option(help="A family at large instead: diffusion, flow, autoregressive or hybrid.")
    ] = None,
    edit: Annotated[
        bool, typer.Option("--edit", help="The words are an instruction for a picture that exists.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No hints.")] = False,
) -> None:
    """Find what is likely to go wrong with a prompt, and say it better."""
    from triptych.advice import Target
    from triptych.advice import advise as advised
    from triptych.advice.target import FAMILIES
    from triptych.cli.output import read_prompt, show_json
    from triptych.core.errors import one_of
    from triptych.core.request import Request

    prompt = read_prompt(prompt)
    Request.make(prompt=prompt, model=model)
    target = _target(model) if family is None else Target(one_of("family", family, FAMILIES))
    advice = advised(prompt, target, edit=edit)
    if as_json:
        show_json(advice.as_json())
    else:
        _show(advice, quiet)


def _target(model: str) -> Target:
    """A model of the catalogue by its card, added ones too. Raises `FileProblem` for an unknown one."""
    from triptych.advice import Target
    from triptych.cli.catalogue import registry

    known = registry(hosted=True)
    known.capabilities(model)
    return Target.of(known.find(model).card)


def _show(advice: Advice, quiet: bool) -> None:
    from triptych.cli.output import show, tell

    for finding in advice.findings:
        show(f"{finding.severity:<6}  {finding.challenge}: {finding.reason}")
        if finding.rewrite is not None:
            show(f"        write: {finding.rewrite}")
    for one in advice.missing:
        show(f"missing {one.what} for a {one.task}: {one.reason}; for example: {one.suggestion}")
    if advice.rewritten != advice.prompt:
        show(f"rewritten: {advice.rewritten}")
    if advice.negative:
        tell(f"and for models that take one: --negative {advice.negative!r}", quiet=quiet)
    if not advice.findings and not advice.missing:
        tell("nothing found", quiet=quiet)
