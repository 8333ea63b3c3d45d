"""`triptych lora`: what a LoRA file is and whether it fits a model, and models with LoRAs fused in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from triptych.adapters.lora import Report

app = typer.Typer(help="Low-rank weights: look into a file, fuse into a model.", rich_markup_mode=None)
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


@app.callback()
def lora() -> None:
    """Look into LoRA files, and fuse them into models. `triptych generate --lora FILE` uses one."""


@app.command("show")
def show_lora(
    file: Annotated[Path, typer.Argument(help="The file (safetensors).")],
    model: Annotated[str | None, typer.Option("--model", "-m", help="Hold it against this model.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a LoRA's header says and, with --model, which of its layers fit and which do not."""
    from triptych.cli.catalogue import check_model, registry
    from triptych.cli.output import show, show_json
    from triptych.core.errors import FileProblem
    from triptych.core.weights import check_safetensors, file_sha256

    if not file.is_file():
        raise FileProblem(f"there is no file {file}")
    check_safetensors(file)
    if model is not None:
        check_model(model)

    from triptych.adapters.lora import printable, read_lora, read_metadata
    from triptych.adapters.lora.parse import pairs

    found, rest = pairs(read_lora(file))
    ranks = sorted({len(pair.down) for pair in found})
    words = read_metadata(file)
    report = None
    if model is not None:
        from triptych.core.asset import FileAsset
        from triptych.core.inputs import Lora
        from triptych.library import Library

        report = Library(registry()).lora(model, Lora(file=FileAsset.of(file))).report
    if as_json:
        data = {"file": str(file), "sha256": file_sha256(file), "layers": len(found), "ranks": ranks, "words": words}
        show_json(data | {"rest": rest, "match": report.as_json() if report else None})
        return
    show(f"{file}: {len(found)} layers of rank {', '.join(map(str, ranks))}; SHA-256 {file_sha256(file)}")
    for key, value in sorted(words.items()):
        show(f"  {printable(key)}: {printable(value)}")
    if report:
        for line in _lines(report):
            show(line)


@app.command("fuse")
def fuse_loras(
    files: Annotated[list[str], typer.Argument(help="FILE[:SCALE], one or more.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the new model.")],
    model: Annotated[str, typer.Option("--model", "-m", help="The model that they are fused into.")] = "flow",
    name: Annotated[str | None, typer.Option(help="What the new model is called. Default: the folder's name.")] = None,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No notes.")] = False,
) -> None:
    """Write a model folder with the LoRAs in its weights.

    It paints the same pixels as the model with the LoRAs attached. OUT/unfused holds the original files, byte for byte.
    """
    from triptych.cli.catalogue import check_model, registry
    from triptych.cli.inputs import lora as parsed
    from triptych.cli.output import show, show_json, tell
    from triptych.core.files import check_folder

    loras = [parsed(text)[0] for text in files]
    check_model(model)
    check_folder(out)

    from triptych.training.fused import write_fused

    reports = write_fused(registry(), model, loras, out, name or out.resolve().name.lower())
    if as_json:
        show_json({"folder": str(out), "model": model, "match": [report.as_json() for report in reports]})
        return
    for report in reports:
        tell(f"note  loras: {report.sentence()}", quiet=quiet)
    show(out)


def _lines(report: Report) -> list[str]:
    """The account of every layer, for people."""
    from triptych.adapters.lora import printable

    lines = [report.sentence(), f"{len(report.layers)} of the model's {report.of_network} layers are changed"]
    lines += [f"  shape  {one}" for one in report.mismatched]
    for what, names in (
        ("unknown name", report.unmatched),
        ("text encoder", report.of_text_encoder),
        ("of no LoRA", report.rest),
    ):
        lines += [f"  {what}  {printable(name)}" for name in names]
    return lines
