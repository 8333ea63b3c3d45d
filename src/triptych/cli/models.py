"""`triptych models`: which models are there, what they take, what they were trained on. Loads none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pathlib import Path

    from triptych.core.capabilities import Capabilities
    from triptych.core.registry import Card

app = typer.Typer(help="The models, with what each takes.", rich_markup_mode=None)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


@app.callback(invoke_without_command=True)
def list_models(context: typer.Context, as_json: AsJson = False) -> None:
    """List the models; `models show NAME` tells all about one."""
    if context.invoked_subcommand:
        return
    from triptych.cli.catalogue import registry
    from triptych.cli.output import show, show_json

    cards = registry(hosted=True).models()
    if as_json:
        show_json({"models": [card.as_json() | {"family": card.family} for card in cards]})
        return
    width = max((len(card.name) for card in cards), default=0)
    for card in cards:
        show(f"{card.name:<{width}}  {card.family:<14}  {card.description}")


@app.command("show")
def show_model(name: Annotated[str, typer.Argument(help="Name of the model.")], as_json: AsJson = False) -> None:
    """Show one model: capabilities, training, scores, licence, files."""
    from triptych.cli.catalogue import registry
    from triptych.cli.output import show, show_json

    card = registry(hosted=True).find(name).card
    memory = _memory(card)
    if as_json:
        show_json(card.as_json() | {"family": card.family} | ({"memory": memory} if memory else {}))
        return
    for line in [*_lines(card), *([f"memory      {memory}"] if memory else [])]:
        show(line)


@app.command("add")
def add_model(
    source: Annotated[str, typer.Argument(help="A diffusers folder, a .safetensors file, or a Hugging Face id.")],
    name: Annotated[str, typer.Option(help="What to call it here; default: from its own name.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Download without asking.")] = False,
) -> None:
    """Add a public checkpoint. Weights stay where they are; those of a hub's id are downloaded first."""
    from pathlib import Path

    from triptych.cli.output import show
    from triptych.cli.settings import data_folder
    from triptych.open_weights import installed
    from triptych.open_weights.cards import LICENCE

    path, licence = Path(source).expanduser(), LICENCE
    if not path.exists() and not installed.is_path(source):
        path, licence = _downloaded(source, yes=yes)
    card = installed.add(data_folder(), path, name=name, licence=licence)
    show(f"{card.name}: {card.description} Try: triptych generate 'a fox' -m {card.name}")


@app.command("add-path")
def add_path(folder: Annotated[str, typer.Argument(help="The folder of a ComfyUI or A1111.")]) -> None:
    """Use the checkpoints that another program keeps. They are listed and used where they lie."""
    from pathlib import Path

    from triptych.cli.output import show
    from triptych.cli.settings import data_folder
    from triptych.core.errors import FileProblem
    from triptych.open_weights import installed
    from triptych.open_weights.cards import described, open_checkpoint

    for path in installed.add_tree(data_folder(), Path(folder)):
        try:
            show(f"{path}: {described(open_checkpoint(path))}")
        except FileProblem as error:
            show(f"{path}: not taken: {error}")


def _downloaded(source: str, *, yes: bool) -> tuple[Path, str]:
    """The folder of a hub's model, after its files, sizes, licence and place were shown and agreed to."""
    import sys

    from triptych.cli.output import show
    from triptych.core.errors import Cancelled, InvalidRequest
    from triptych.open_weights import hub

    offer = hub.look(source)
    for line in offer.lines():
        show(line)
    if offer.left and not yes:
        if not sys.stdin.isatty():
            raise InvalidRequest("yes", "nothing was downloaded: nobody can be asked here; --yes agrees to it")
        if not typer.confirm("Download?"):
            raise Cancelled("nothing was downloaded")
    return hub.download(offer), offer.licence


def _memory(card: Card) -> str:
    """What a public checkpoint needs of this machine; nothing for the small built-in models."""
    from pathlib import Path

    from triptych.open_weights.cards import OPEN, open_checkpoint
    from triptych.open_weights.needs import needs_of

    return needs_of(open_checkpoint(Path(str(card.config[OPEN])))).sentence() if OPEN in card.config else ""


def _lines(card: Card) -> list[str]:
    """The card as text, one fact a line."""
    lines = [f"{card.name}: {card.description}", f"family      {card.family}", f"licence     {card.licence}"]
    if takes := card.capabilities:
        if takes.family == "hosted":
            return lines + _hosted_lines(takes)
        width, height = takes.native_size
        short = f", one side {takes.short_side}" if takes.short_side else ""
        most = f"at most {takes.max_pixels} pixels{short}"
        lines += [
            f"size        {width}x{height}; multiples of {takes.size_multiple}, {most}",
            f"samplers    {', '.join(takes.samplers) or 'none'}",
            f"schedules   {', '.join(takes.schedules) or 'none'}",
            f"steps       {' to '.join(map(str, takes.steps_range)) if takes.steps_range else 'not taken'}",
            f"guidance    {'yes' if takes.guidance else 'no'}; negative prompt: {'yes' if takes.negative else 'no'}",
            f"plan        {'yes' if takes.plan else 'no'}",
            f"same again  {takes.grade}",
        ]
        world = {"knows": takes.nouns, "colours": takes.colours, "places": takes.backgrounds}
        lines += [f"{label:<11} {', '.join(words)}" for label, words in world.items() if words]
    told = card.training
    if told.samples:
        lines.append(
            f"training    {told.samples:,} pictures in {told.seconds / 3600:.1f} h"
            f"{f' on {told.compute}' if told.compute else ''}: {told.data}"
        )
    lines += [f"score       {name} {value:g}" for name, value in card.scores.items()]
    lines += [
        f"file        {name}, {file.bytes / 2**20:.1f} MiB, sha256 {file.sha256}" for name, file in card.files.items()
    ]
    return lines + [f"part        {name}" for name in card.parts]


def _hosted_lines(takes: Capabilities) -> list[str]:
    """What there is to say of a model that paints elsewhere."""
    width, height = takes.native_size
    sizes = ", ".join(f"{wide}x{high}" for wide, high in takes.sizes)
    shape = f", at most {takes.max_ratio:g}:1" if takes.max_ratio else ""
    free = f"multiples of {takes.size_multiple}, {takes.min_pixels or takes.min_side**2} to {takes.max_pixels} pixels"
    masks = {
        "exact": "kept while painting",
        "guided": "told to the provider, held by the lock here",
        "words": "told in words, held by the lock here",
        "none": "not taken",
    }
    return [
        f"price       {takes.price}",
        f"size        {width}x{height}; {sizes or free + shape}",
        f"quality     {', '.join(takes.tiers) or 'one'}",
        f"seed        {'given to the provider, who promises nothing' if takes.seed else 'not taken'}",
        f"references  {takes.max_references or 'none'}",
        f"masks       {masks[takes.masks]}",
        f"previews    {takes.partial_pictures or 'none'}",
        f"same again  {takes.grade}",
    ]
