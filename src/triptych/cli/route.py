"""`triptych route`: which model for a prompt, and why. Loads no model and asks no provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from triptych.advice.route import Candidate, Route
    from triptych.core.events import Note


def route(
    prompt: Annotated[str, typer.Argument(help="The prompt, or what you want to do; - reads it from stdin.")],
    edit: Annotated[
        bool, typer.Option("--edit", help="The words are an instruction for a picture that exists.")
    ] = False,
    references: Annotated[bool, typer.Option("--references", help="Reference pictures go with the prompt.")] = False,
    private: Annotated[
        bool, typer.Option("--private", help="Only models that run here: nothing may leave the machine.")
    ] = False,
    prefer: Annotated[str, typer.Option(help="balance, quality, speed or cost.")] = "balance",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Say which model to ask, and why: measured scores, claims, cost, speed, privacy, and what is installed."""
    from triptych.cli.output import read_prompt, show, show_json

    chosen = routed(read_prompt(prompt), edit=edit, references=references, private=private, prefer=prefer)
    if as_json:
        show_json(chosen.as_json())
        return
    show(chosen.model or "no model")
    show(chosen.reason)


def routed(
    prompt: str, *, edit: bool = False, references: bool = False, private: bool = False, prefer: str = "balance"
) -> Route:
    """The router's choice among the models of this machine and the hosted ones. Raises `InvalidRequest`."""
    from triptych.advice.route import PREFERENCES
    from triptych.advice.route import route as choose
    from triptych.core.errors import InvalidRequest, one_of
    from triptych.core.request import Request

    one_of("prefer", prefer, PREFERENCES)
    Request.make(prompt=prompt)
    if not prompt.strip():
        raise InvalidRequest("prompt", "is empty; there is nothing to choose a model by")
    return choose(prompt, candidates(), edit=edit, references=references, private=private, prefer=prefer)


def automatic(prompt: str, *, references: bool = False, private: bool = False) -> tuple[str, Note]:
    """The model that `-m auto` stands for, and the note that says why. Raises `FileProblem` where there is none."""
    from triptych.core.errors import FileProblem
    from triptych.core.events import Note

    chosen = routed(prompt, references=references, private=private)
    ready = {one.name for one in chosen.candidates if one.candidate.ready}
    if chosen.model not in ready:
        raise FileProblem("auto finds no model that could paint now; triptych models lists them")
    return chosen.model, Note("model", "translated", f"auto is {chosen.model}: {chosen.reason}")


def candidates() -> list[Candidate]:
    """Every model of the catalogue: local ones are ready if their weights are there, hosted ones if their key is."""
    import os

    from triptych.advice.route import Candidate
    from triptych.cli.catalogue import check_model, is_hosted, registry
    from triptych.cli.settings import data_folder
    from triptych.core.errors import TriptychError
    from triptych.hosted import keys, prices

    found: list[Candidate] = []
    for card in registry(hosted=True).models():
        if not is_hosted(card.name):
            try:
                check_model(card.name)
                found.append(Candidate(card))
            except TriptychError as error:
                found.append(Candidate(card, ready=False, lacks=str(error)))
            continue
        provider = card.name.partition("/")[0]
        key = keys.find(provider, os.environ, data_folder())
        lacks = "" if key else f"there is no key ({' or '.join(keys.VARIABLES[provider])})"
        base = prices.PRICES[card.name].base
        cost = float(base) if isinstance(base, int | float) else base["medium"]
        found.append(Candidate(card, cost, ready=bool(key), lacks=lacks))
    return found
