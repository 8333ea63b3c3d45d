"""`triptych train`: one stage of training from scratch, or on from where it stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train(
    stage: Annotated[
        str,
        typer.Argument(
            help="autoencoder, tokenizer, text, planner, flow, diffusion, tokens, readers, editor, upscaler or lora."
        ),
    ],
    preset: Annotated[str, typer.Option(help="Sizes and length: tiny (seconds), cpu (hours) or gpu.")] = "cpu",
    data: Annotated[str, typer.Option(help="`scenes`, or a folder of captioned pictures.")] = "scenes",
    out: Annotated[Path, typer.Option("--out", "-o", help="Work folder of all stages; for lora, the file.")] = Path(
        "runs"
    ),
    resume: Annotated[bool, typer.Option("--resume", help="Go on, exactly, from the last checkpoint.")] = False,
    warm: Annotated[bool, typer.Option("--warm", help="Start anew from the exported weights of this stage.")] = False,
    samples: Annotated[int | None, typer.Option(help="Train on so many pictures instead of the preset's.")] = None,
    max_seconds: Annotated[float | None, typer.Option(help="Stop, with a checkpoint, after so long.")] = None,
    font: Annotated[Path | None, typer.Option(help="Emoji font to draw scenes from, if not the system's.")] = None,
    distributed: Annotated[
        bool,
        typer.Option("--distributed", help="One of several processes: under `accelerate launch` or `torchrun`."),
    ] = False,
    model: Annotated[str | None, typer.Option("--model", "-m", help="lora: which model. Default: flow.")] = None,
    trigger: Annotated[str, typer.Option(help="lora: the word that a prompt says to mean what is learned.")] = "",
    like: Annotated[str, typer.Option(help="lora: the known word, such as dog, that --trigger is planned as.")] = "",
    rank: Annotated[int | None, typer.Option(help="lora: columns of an update, 1 to 256. Default: 8.")] = None,
    alpha: Annotated[float | None, typer.Option(help="lora: updates count alpha / rank. Default: the rank.")] = None,
    rate: Annotated[float | None, typer.Option(help="lora: learning rate of AdamW. Default: the model's.")] = None,
    steps: Annotated[int | None, typer.Option(help="lora: batches of 16, instead of --samples.")] = None,
    flip: Annotated[bool, typer.Option("--flip", help="lora: learn from mirror images too.")] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="lora: without --trigger paint as before; learns from own pictures too.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The last log record as JSON on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Train one stage from scratch: its parts come from --out, or else from the weights of the package.

    The order is autoencoder, tokenizer, text, planner, then the painters flow, diffusion and tokens. The readers, who
    judge pictures, need the first two.

    It can be killed at any moment and goes on exactly with --resume. OUT/PRESET/STAGE receives checkpoint.pt,
    log.jsonl, loss.png, sheets/ and model/. A folder holds NAME.txt beside each picture, or captions.jsonl.

    `triptych train lora --data DIR` teaches a model that is there a style or a subject from 5 to 20 pictures, in
    minutes; captions are optional with --trigger. It writes one file, and a sheet (before, after) beside it.
    """
    from triptych.cli.output import show, show_json, tell
    from triptych.cli.train_lora import refuse_lora_options, train_lora
    from triptych.core.errors import FileProblem, InvalidRequest
    from triptych.core.files import check_folder

    ours = {"model": model, "trigger": trigger, "like": like, "rank": rank, "alpha": alpha, "rate": rate,
            "steps": steps, "flip": flip, "keep": keep}  # fmt: skip
    if stage != "lora":
        refuse_lora_options(stage, ours)
    if data != "scenes" and not Path(data).is_dir():
        raise FileProblem(f"there is no folder {data} (--data takes `scenes` or a folder of captioned pictures)")
    if font and not font.is_file():
        raise FileProblem(f"there is no font {font}")
    if max_seconds is not None and not max_seconds > 0:
        raise InvalidRequest("max_seconds", f"{max_seconds} is not allowed: more than 0 seconds")
    if stage == "lora":
        refused = {"preset": preset != "cpu", "warm": warm, "font": font, "distributed": distributed}
        return train_lora(data=data, out=out, resume=resume, samples=samples, max_seconds=max_seconds,
                          refused=refused, as_json=as_json, quiet=quiet, **ours)  # type: ignore[arg-type]  # fmt: skip
    if resume and warm:
        raise InvalidRequest("warm", "given together with --resume; only one of the two is allowed")
    check_folder(out)

    from triptych.training import stages

    record = stages.run(
        stage,
        preset,
        data=data,
        resume=resume,
        warm=warm,
        samples=samples,
        max_seconds=max_seconds,
        out=out,
        font=font,
        distributed=distributed,
        report=lambda line: tell(line, quiet=quiet),
    )
    if not record:  # one of several processes, and not the first
        return
    if as_json:
        show_json(record)
    else:
        show(out / preset / stage)
