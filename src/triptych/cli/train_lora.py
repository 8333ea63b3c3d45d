"""`triptych train lora`: the options that only this stage has, and what of the other stages' it refuses."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from triptych.core.errors import FileProblem, InvalidRequest

SUFFIX = ".safetensors"
WORK_FOLDER = Path("runs")


def refuse_lora_options(stage: str, given: dict[str, Any]) -> None:
    """Options of `train lora` mean nothing to any other stage; `InvalidRequest` names the first that was given."""
    for parameter, value in given.items():
        if value not in (None, "", False):
            raise InvalidRequest(parameter, f"not allowed for {stage}: it is an option of `triptych train lora`")


def train_lora(
    *,
    data: str,
    out: Path,
    resume: bool,
    samples: int | None,
    max_seconds: float | None,
    refused: dict[str, Any],
    model: str | None,
    rank: int | None,
    alpha: float | None,
    rate: float | None,
    steps: int | None,
    trigger: str,
    like: str,
    flip: bool,
    keep: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Train a LoRA and show where it lies. `refused`: options of other stages that were given, by name."""
    from triptych.cli.catalogue import check_model, registry
    from triptych.cli.output import show, show_json, tell
    from triptych.core.files import check_folder

    for parameter, value in refused.items():
        if value:
            raise InvalidRequest(parameter, "not allowed for lora: it trains beside a model that is there, --model")
    if data == "scenes":
        raise InvalidRequest("data", "a folder of 5 to 20 pictures is needed: triptych train lora --data DIR")
    if samples is not None and steps is not None:
        raise InvalidRequest("steps", "given together with --samples; only one of the two is allowed")
    if not Path(data).is_dir():
        raise FileProblem(f"there is no folder {data} (--data takes a folder of pictures)")
    name = model or "flow"
    check_model(name)
    file = _file(out, Path(data))
    if file.exists() and not resume and not file.with_suffix(".training").exists():
        raise FileProblem(f"{file} is there already, and is not this training's; name another with --out")
    check_folder(file.parent)

    from triptych.training.lora import BATCH, LoraRun, train_lora

    run = LoraRun(
        Path(data),
        file,
        name,
        rank=8 if rank is None else rank,
        alpha=alpha,
        samples=steps * BATCH if steps is not None else samples,
        rate=rate,
        trigger=trigger,
        like=like,
        flip=flip,
        keep=keep,
    )
    record = train_lora(
        run, registry(), resume=resume, max_seconds=max_seconds, report=lambda line: tell(line, quiet=quiet)
    )
    if as_json:
        show_json({"file": str(file), "sheet": str(file.with_suffix(".png")), **record})
        return
    show(file)
    prompt = shlex.quote(f"{trigger} ..." if trigger else "...")
    tell(f"before and after: {file.with_suffix('.png')}", quiet=quiet)
    tell(f"use it: triptych generate {prompt} -m {name} --lora {shlex.quote(str(file))}", quiet=quiet)


def _file(out: Path, data: Path) -> Path:
    """The file that is named, or NAME.safetensors in the folder that is."""
    if out.suffix == SUFFIX:
        return out
    if out.suffix and not out.is_dir():
        raise InvalidRequest("out", f"{out} is not allowed: a file NAME{SUFFIX}, or a folder")
    return (out / "lora" if out == WORK_FOLDER else out) / f"{data.resolve().name}{SUFFIX}"
