"""`triptych bench readers`: how well the readers read what is known exactly, the ceilings of every table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

_ROWS = {
    "precision": "found things that are there",
    "recall": "things that are found",
    "scenes_right": "scenes with every noun and count right",
    "colour": "colours right",
    "box_iou": "boxes: intersection over union",
    "visible_error": "visible share: mean error",
    "background": "backgrounds right",
    "sign_exact": "signs read letter for letter",
    "face_rmse": "face vector: root mean square error",
    "face_top1": "faces: first of 1,000",
    "shadow_error": "shadow direction: median error, degrees",
    "shadow_within_20": "shadow directions within 20 degrees",
}


def readers(
    scenes: Annotated[
        int, typer.Option(min=1, help="So many fresh scenes, each as render and after both trips.")
    ] = 500,
    folder: Annotated[Path | None, typer.Option(help="Another model folder of readers than the package's.")] = None,
    font: Annotated[Path | None, typer.Option(help="Emoji font to draw scenes from, if not the system's.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Measure the readers on renders, autoencoder round trips and tokenizer round trips of fresh scenes."""
    from triptych.cli.output import show, show_json
    from triptych.core.registry import builtin_folder
    from triptych.evals.readers.ceilings import GALLERY, SIGN_WIDTH, measure
    from triptych.evals.readers.load import Readers
    from triptych.evals.readers.trips import Trips
    from triptych.evals.readers.worlds import level_of_readers
    from triptych.families.loading import Parts
    from triptych.scenes import Sprites

    judges = Readers.load(folder)
    parts = Parts(lambda part: builtin_folder() / part)
    trips = Trips(parts.autoencoder(), parts.tokenizer())
    config = judges.networks.config
    level = level_of_readers(config.nouns, config.backgrounds)
    measured = measure(judges, level, Sprites.load(font), trips, scenes)
    if as_json:
        conditions = {"scenes": scenes, "size": config.size, "gallery": GALLERY, "sign_width": SIGN_WIDTH}
        show_json({"conditions": conditions, "readers": measured})
        return
    for line in _lines(measured):
        show(line)
    show(f"{scenes} scenes of {config.size} px; signs at least {SIGN_WIDTH} px wide")


def _lines(measured: dict[str, dict[str, Any]]) -> Iterable[str]:
    """A row for each figure, a column for each way that the pictures have come."""
    yield f"{'':<48}" + "".join(f"{domain:>13}" for domain in measured)
    for key, words in _ROWS.items():
        told = [domain[key] for domain in measured.values()]
        if isinstance(told[0], dict):
            for length in told[0]:
                yield _line(f"{words}, {length} letters", [each[length] for each in told])
        else:
            yield _line(words, told)


def _line(words: str, values: list[float | None]) -> str:
    return f"{words:<48}" + "".join(f"{'-' if value is None else f'{value:.4f}':>13}" for value in values)
