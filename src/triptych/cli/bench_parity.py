"""`triptych bench parity`: public architectures with random weights, whole pictures, here and in diffusers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from triptych.cli.pages import Page, table

if TYPE_CHECKING:
    from triptych.evals.parity.compare import Compared

PAGE = Page("docs/open-weights.md", "parity")
SCALES = (1.0, 6.0)


def parity(
    only: Annotated[str | None, typer.Option(help="One architecture: sd1, sd2, sdxl, flux2-klein.")] = None,
    write: Annotated[bool, typer.Option("--write", help=f"Write the figures into {PAGE.path}.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Compare whole pictures with diffusers, for every architecture, sampler and both guidance modes.

    Checkpoints are written in the public layout, tiny and with random weights. The figure is the largest difference of
    any number of the pictures, in [0, 1], float32; 0.001 is allowed.
    """
    import tempfile
    import warnings

    from triptych.cli.output import show, show_json
    from triptych.core.errors import FileProblem, TriptychError, one_of

    try:
        from triptych.evals.parity.checkpoints import CHECKPOINTS
        from triptych.evals.parity.compare import TOLERANCE, Pair
    except ImportError:
        raise FileProblem("this needs the extra `open`: pip install 'triptych[open]'") from None
    if write:
        PAGE.check()
    names = list(CHECKPOINTS) if only is None else [one_of("only", only, CHECKPOINTS)]
    found: dict[str, list[Compared]] = {}
    with tempfile.TemporaryDirectory(prefix="triptych-") as root, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in names:
            CHECKPOINTS[name](Path(root) / name)
            pair = Pair(Path(root) / name)
            found[name] = [pair.compare(sampler, scale) for sampler in pair.samplers for scale in SCALES]
    lines = table(("architecture", "sampler", *(f"guidance {scale:g}" for scale in SCALES)), _rows(found))
    if write:
        PAGE.write(lines)
    if as_json:
        show_json({name: [vars(one) for one in those] for name, those in found.items()})
    else:
        for line in lines:
            show(line)
    if any(one.difference > TOLERANCE for those in found.values() for one in those):
        raise TriptychError(f"a picture differs by more than {TOLERANCE:g}")


def _rows(found: dict[str, list[Compared]]) -> list[list[str]]:
    rows: list[list[str]] = []
    for name, those in found.items():
        for sampler in dict.fromkeys(one.sampler for one in those):
            rows.append([name, sampler, *(f"{one.difference:.1e}" for one in those if one.sampler == sampler)])
    return rows
