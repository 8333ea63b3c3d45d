"""`triptych bench memory`: whether models paint copies of their training pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from triptych.core.events import Pixels
    from triptych.core.registry import Card
    from triptych.evals.memory import Memory
    from triptych.scenes import Scene, Sprites

FRESH_SEED = 4_000_037
"""Scenes of this seed are in no training set."""
SHOWN = 8


def memory(
    models: Annotated[str, typer.Option(help="Models, separated by commas.")] = "flow,diffusion,tokens",
    pictures: Annotated[int, typer.Option(min=8, help="Fresh scenes to paint.")] = 200,
    out: Annotated[Path, typer.Option(help="Folder for the sheets of closest pairs.")] = Path("runs/memory"),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Hold painted pictures against every training picture: are they nearer than fresh renders are?

    Each model paints fresh scenes from their captions. `copied` is the share that is nearer to a training picture than
    99 % of fresh renders are; about 1 % is chance. Needs the emoji font, since training pictures are drawn again.
    """
    from triptych.cli.catalogue import registry
    from triptych.cli.output import show, show_json, tell
    from triptych.core.files import check_folder

    names = [name.strip() for name in models.split(",") if name.strip()]
    catalogue = registry()
    cards = [catalogue.find(name).card for name in names]
    worlds = [_trained_on(card) for card in cards]
    check_folder(out)

    from triptych.evals import memory as memories
    from triptych.library import Library
    from triptych.scenes import Sprites, caption, render

    sprites, library = Sprites.load(), Library(catalogue)
    found: dict[str, Any] = {}
    books: dict[Any, Any] = {}  # models of one world share their training pictures: some 400 MB, drawn once
    for name, (level, size, seed, count) in zip(names, worlds, strict=True):
        tell(f"{name}: painting {pictures} fresh scenes", quiet=quiet)
        scenes = memories.fresh_scenes(level, FRESH_SEED, pictures)
        painted = _painted(library, name, [caption(scene, 0, "dense") for scene in scenes])
        if (level, size, seed, count) not in books:
            tell(f"{name}: drawing its {count:,} training pictures again", quiet=quiet)
            books[level, size, seed, count] = list(memories.training_book(level, size, seed, count, sprites))
        book = books[level, size, seed, count]
        result = memories.compare(painted, [render(scene, size, sprites) for scene in scenes], book)
        _sheet(out / f"{name}.png", result, painted, scenes, (level, size, seed), sprites)
        found[name] = result.as_json() | {"training_pictures": count, "sheet": str(out / f"{name}.png")}
    if as_json:
        show_json(found)
        return
    for name, figures in found.items():
        show(
            f"{name:<12}copied {figures['copied']:.3f} (chance 0.010)   distance {figures['ratio_to_fresh']:.2f} of a "
            f"fresh render's   {figures['sheet']}"
        )


def _trained_on(card: Card) -> tuple[str, int, int, int]:
    """Level, picture size, seed and number of a model's training scenes, from its card."""
    from triptych.core.errors import InvalidRequest

    kind, *parts = card.training.data.split("-")
    count = (card.training.model_extra or {}).get("pool")
    if kind != "scenes" or len(parts) != 3 or not isinstance(count, int):
        raise InvalidRequest("models", f"{card.name} does not say on its card which built-in scenes it was trained on")
    level, size, seed = parts
    return level, int(size), int(seed), count


def _painted(library: Any, model: str, prompts: Sequence[str]) -> list[Pixels]:
    from triptych.core.request import Request
    from triptych.engine import Engine

    requests = [Request(prompt=prompt, model=model, seed=place) for place, prompt in enumerate(prompts)]
    return [made[0].pixels for made in Engine(library).generate_many(requests)]


def _sheet(
    path: Path,
    result: Memory,
    painted: Sequence[Pixels],
    scenes: Sequence[Scene],
    book: tuple[str, int, int],
    sprites: Sprites,
) -> None:
    """The closest pairs: painted above, the nearest training picture below."""
    from triptych.scenes import caption, render, sample_scene
    from triptych.training.sheet import contact_sheet

    level, size, seed = book
    pairs = result.closest(min(SHOWN, len(painted)))
    above = [painted[picture] for picture, _ in pairs]
    below = [render(sample_scene(level, seed, training), size, sprites) for _, training in pairs]
    words = [caption(scenes[picture], 0, "dense") for picture, _ in pairs]
    told = [f"training scene {training:,}" for _, training in pairs]
    contact_sheet([*above, *below], [*words, *told], columns=len(pairs)).save(path)
