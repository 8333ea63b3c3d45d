"""`triptych bench upscale`: how good and fast enlargements are, and whether renders keep their drafts' composition."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from triptych.core.events import Pixels
    from triptych.evals.upscaling import Enlarge, Line
    from triptych.upscaling.checkpoint import Model

SIDES = {4: 512, 2: 256}
"""Side of the true pictures for each scale: the small ones have 128 pixels, as the built-in painters' have."""
SPEED_SIDE = 1024
DRAFT_SEED = 7_000_001
SHOWN = 192
"""Pixels of a window of the sheet."""


def upscale(
    pictures: Annotated[int, typer.Option(min=1, max=1000, help="Held-out pictures of each kind.")] = 100,
    model: Annotated[str, typer.Option("--model", "-m", help="upscaler, or a safetensors file.")] = "upscaler",
    data: Annotated[Path | None, typer.Option(help="A folder of pictures to measure too, such as photographs.")] = None,
    renders: Annotated[int, typer.Option(min=0, help="Drafts of each model to render and compare.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder for sheets of examples.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Measure enlargements: PSNR and SSIM beside Lanczos and bicubic, time per megapixel, memory at 4096 pixels.

    Kinds: scenes with held-out combinations; the same after a round trip through the autoencoder, as painted pictures
    are (trips); pages of letters and lines; leaves with the statistics of photographs. Needs the emoji font.
    """
    from triptych.cli.output import show, show_json, tell
    from triptych.core.asset import FileAsset
    from triptych.core.files import check_folder

    if out:
        check_folder(out)
    from triptych.api.upscale import BUILT_IN, loaded_for
    from triptych.training.devices import bf16_pays

    loaded = loaded_for(() if model == BUILT_IN else (FileAsset.of(Path(model)),))
    fast = loaded.fast and bf16_pays()
    tell(f"{loaded.name}: {SPEED_SIDE} pixels to {SPEED_SIDE * 4}", quiet=quiet)
    found: dict[str, Any] = {"model": loaded.name, "fast": fast, "speed": _speed(loaded, fast)}
    lines: list[Line] = []
    for line in _quality(loaded, fast, pictures, data, out, lambda text: tell(text, quiet=quiet)):
        lines.append(line)
    found["quality"] = [line.as_json() for line in lines]
    if renders:
        found["renders"] = _renders(renders, out, lambda text: tell(text, quiet=quiet))
    if as_json:
        show_json(found)
        return
    speed = found["speed"]
    times = speed["processor_seconds_per_megapixel"], speed["seconds_per_megapixel"]
    show(f"{loaded.name}, {'bf16' if fast else 'fp32'}: {times[0]:.2f} s of processor time per megapixel made "
         f"({times[1]:.2f} by the clock); "
         f"peak memory {speed['peak_mib']} MiB, of which {speed['added_mib']} MiB for the picture")  # fmt: skip
    show(f"{'kind':<8}{'scale':<6}{'filter':<9}{'way':<20}{'PSNR dB':>8}{'SSIM':>8}   over Lanczos")
    for line in lines:
        gain = f"{line.gain.value:+.2f} ({line.gain.low:+.2f} to {line.gain.high:+.2f})"
        show(f"{line.kind:<8}{line.scale:<6}{line.filter:<9}{line.way:<20}{line.psnr.value:>8.2f}{line.ssim.value:>8.4f}"
             f"   {gain}")  # fmt: skip
    for row in found.get("renders", []):
        show(f"{row['model']:<12}{row['how']:<22}{row['pairs']} of {row['before']} things found again, "
             f"overlap {row['iou']:.3f}")  # fmt: skip


def _speed(model: Model, fast: bool) -> dict[str, Any]:
    """The time of one enlargement to 4096 pixels, and this process's peak memory before and after it.

    Processor time is told beside the clock's: on a busy machine only that can be compared.
    """
    import time

    import numpy as np

    from triptych.evals.table.measure import peak_mib
    from triptych.upscaling.enlarge import enlarge

    pixels = np.random.default_rng(0).integers(0, 256, (SPEED_SIDE, SPEED_SIDE, 3), dtype=np.uint8)
    enlarge(pixels[:64, :64], model, (256, 256), fast=fast)
    before, started, worked = int(peak_mib()), time.perf_counter(), time.process_time()
    made = enlarge(pixels, model, (SPEED_SIDE * 4, SPEED_SIDE * 4), fast=fast)
    seconds, processor = time.perf_counter() - started, time.process_time() - worked
    megapixels = made.shape[0] * made.shape[1] / 1e6
    return {
        "seconds": round(seconds, 2),
        "processor_seconds": round(processor, 2),
        "seconds_per_megapixel": round(seconds / megapixels, 3),
        "processor_seconds_per_megapixel": round(processor / megapixels, 3),
        "peak_mib": int(peak_mib()),
        "added_mib": int(peak_mib()) - before,
    }


def _quality(model: Model, fast: bool, count: int, data: Path | None, out: Path | None, tell: Any) -> list[Line]:
    """The lines of the table; with `out`, a sheet of examples for each scale."""
    from collections import defaultdict

    from triptych.api.results import library
    from triptych.evals import upscaling
    from triptych.evals.readers.trips import Trips
    from triptych.scenes import Sprites
    from triptych.training.sheet import contact_sheet
    from triptych.upscaling.degrade import shrink

    sprites, parts = Sprites.load(), library().parts
    trips = Trips(parts.autoencoder(), parts.tokenizer())

    def painted(small: Pixels) -> Pixels:
        return trips.both(small[None])[0, 0]

    lines: list[Line] = []
    rows: defaultdict[tuple[str, int], list[list[Pixels]]] = defaultdict(list)
    for scale, side in SIDES.items():
        ways = _ways(model, scale, fast)
        for kind in upscaling.KINDS:
            tell(f"{scale}x: {count} {kind}")
            truths = list(upscaling.pictures(kind, count, side, sprites))
            lines += upscaling.measure(kind, truths, scale, ways)
            if kind == upscaling.SCENES:
                one = {model.name: ways[model.name]}
                lines += upscaling.measure(kind, truths, scale, one, method="area")
                lines += upscaling.measure("trips", truths, scale, one, spoil=painted)
            for truth in truths[:2] if out else ():
                small = shrink(truth, scale)
                rows[kind, scale].append(_examples(truth, small, scale, ways[model.name]))
                if kind == upscaling.SCENES:
                    rows["trips", scale].append(_examples(truth, painted(small), scale, ways[model.name]))
        if data:
            truths = upscaling.folder_pictures(data, scale)
            name = data.resolve().name[:8]
            lines += upscaling.measure(name, truths, scale, ways)
            rows[name, scale] = [
                _examples(truth, shrink(truth, scale), scale, ways[model.name]) for truth in truths if out
            ]
    if out is None:
        return lines
    for scale in SIDES:
        shown = [(kind, row) for (kind, of), made in rows.items() if of == scale for row in made]
        labels = [f"{kind}: {way}" for kind, _ in shown for way in ("small", "Lanczos", model.name, "truth")]
        sheet = contact_sheet([each for _, row in shown for each in row], labels, columns=4, cell=SHOWN)
        sheet.save(out / f"x{scale}.png")
    return lines


def _ways(model: Model, scale: int, fast: bool) -> dict[str, Enlarge]:
    """The model, and for 4x what it makes in two passes; in float32 too where it is used in bf16."""
    from triptych.upscaling.enlarge import enlarge, upscaled

    def once(small: Pixels, scale: int, *, fast: bool = fast) -> Pixels:
        return enlarge(small, model, (small.shape[1] * scale, small.shape[0] * scale), fast=fast)

    ways: dict[str, Enlarge] = {model.name: once}
    if fast:
        ways["in float32"] = lambda small, scale: once(small, scale, fast=False)
    if scale == 4 and 2 in model.scales and 4 in model.scales:
        ways["as 2x of 2x"] = lambda small, scale: upscaled(upscaled(small, model, 2, fast=fast), model, 2, fast=fast)
    return ways


def _examples(truth: Pixels, small: Pixels, scale: int, enlarge: Enlarge) -> list[Pixels]:
    """A row of the sheet: the small picture as it is, Lanczos, the model, the truth; where there is most to see."""
    import numpy as np

    from triptych.evals import upscaling

    whole = [small.repeat(scale, 0).repeat(scale, 1), upscaling.lanczos(small, scale), enlarge(small, scale), truth]
    height, width = (side - SHOWN for side in truth.shape[:2])
    places = [(top, left) for top in range(0, height + 1, 16) for left in range(0, width + 1, 16)]

    def lively(place: tuple[int, int]) -> float:
        window = truth[place[0] : place[0] + SHOWN, place[1] : place[1] + SHOWN].astype(np.int16)
        return float(np.abs(np.diff(window, axis=0)).mean() + np.abs(np.diff(window, axis=1)).mean())

    top, left = max(places or [(0, 0)], key=lively)
    return [each[top : top + SHOWN, left : left + SHOWN] for each in whole]


def _renders(count: int, out: Path | None, tell: Any) -> list[dict[str, Any]]:
    """Drafts of low quality, rendered in each way: how far what the readers see agrees."""
    import numpy as np
    from PIL import Image

    from triptych.api.generate import generate
    from triptych.api.render import render
    from triptych.api.results import capabilities_of
    from triptych.scenes import caption, sample_scene

    words = [caption(sample_scene("small", DRAFT_SEED, index), 0, "short") for index in range(count)]
    found: list[dict[str, Any]] = []
    for model in ("flow", "diffusion", "tokens"):
        takes = capabilities_of(model)
        width, height = takes.native_size
        hows: dict[str, dict[str, Any]] = {"same noise": {}}
        if takes.init:
            hows["from the draft, 0.6"] = {"strength": 0.6}
        if 4 * width * height <= takes.max_pixels and takes.short_side is None:
            hows["twice the size, 0.6"] = {"size": (2 * width, 2 * height)}
        made = [generate(text, model=model, seed=seed, quality="low") for seed, text in enumerate(words)]
        drafts = [one.images[0] for one in made]
        shown: list[list[Pixels]] = [[draft.pixels for draft in drafts[:4]]]
        for how, fields in hows.items():
            tell(f"{model}: {count} renders, {how}")
            rendered = [render(draft, scale=1, **fields) for draft in drafts]
            each = [one.composition for one in rendered]
            overlaps = [one.iou * one.pairs for one in each if one.iou is not None]
            pairs = sum(one.pairs for one in each)
            found.append(
                {
                    "model": model,
                    "how": how,
                    "drafts": count,
                    "before": sum(one.before for one in each),
                    "after": sum(one.after for one in each),
                    "pairs": pairs,
                    "iou": round(sum(overlaps) / pairs, 4) if pairs else 0.0,
                }
            )
            shown.append([one.painted for one in rendered[:4]])
        if out:
            tall = [np.concatenate([_at(pixels, 2 * width) for pixels in column]) for column in shown]
            Image.fromarray(np.concatenate(tall, axis=1)).save(out / f"renders-{model}.png")
    return found


def _at(pixels: Pixels, side: int) -> Pixels:
    """At this width, nearest pixels."""
    import numpy as np
    from PIL import Image

    height = pixels.shape[0] * side // pixels.shape[1]
    return np.asarray(Image.fromarray(pixels).resize((side, height), Image.Resampling.NEAREST))
