"""`triptych train`: one stage of training from scratch, or on from where it stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train(
    stage: Annotated[str, typer.Argument(help="Which stage: autoencoder, tokenizer, text, flow, ...")],
    preset: Annotated[str, typer.Option(help="Sizes and length for a cpu or a gpu.")] = "cpu",
    data: Annotated[str, typer.Option(help="`scenes`, or a folder of captioned pictures.")] = "scenes",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder for checkpoints, log and sheets.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    max_seconds: Annotated[float | None, typer.Option(help="Stop, with a checkpoint, after so long.")] = None,
) -> None:
    """Train one stage; it can be stopped at any moment and resumed exactly."""
    from triptych.core.errors import FileProblem, InvalidRequest, one_of
    from triptych.core.files import check_folder

    one_of("preset", preset, ("cpu", "gpu"))
    if data != "scenes" and not Path(data).is_dir():
        raise FileProblem(f"there is no folder {data} (--data takes `scenes` or a folder of captioned pictures)")
    if max_seconds is not None and not max_seconds > 0:
        raise InvalidRequest("max_seconds", f"{max_seconds} is not allowed: more than 0 seconds")
    if out:
        check_folder(out)

    from triptych.training import stages

    stages.run(stage, preset, data=data, resume=resume, out=out, max_seconds=max_seconds)
