"""`triptych typeset`: exact words in a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from triptych.api.typeset import Lettered


def typeset(
    image: Annotated[Path, typer.Argument(help="The picture: PNG, JPEG or WebP, or - for stdin.")],
    text: Annotated[str, typer.Argument(help="The words, exactly; line breaks count. - reads them from stdin.")],
    box: Annotated[
        str | None, typer.Option(help="x,y,width,height in pixels, or in fractions of the picture: .1,.1,.8,.2.")
    ] = None,
    perspective: Annotated[
        str | None,
        typer.Option(help="Four corners x0,y0,...,x3,y3 instead, from the text's top left one, clockwise."),
    ] = None,
    font: Annotated[
        str | None, typer.Option(help="A name (DejaVu Serif Bold) or a font file; see `triptych fonts`.")
    ] = None,
    size: Annotated[float | None, typer.Option(help="Pixels per em. Default: the largest that fits.")] = None,
    align: Annotated[str, typer.Option(help="left, center, right or justify.")] = "center",
    valign: Annotated[str, typer.Option(help="top, middle or bottom.")] = "middle",
    colour: Annotated[str, typer.Option(help="A name, #rrggbb, or #rrggbbaa with opacity.")] = "white",
    outline: Annotated[str | None, typer.Option(help="WIDTH:COLOUR in pixels, such as 3:black.")] = None,
    shadow: Annotated[str | None, typer.Option(help="soft, or DX,DY,BLUR:COLOUR in pixels.")] = None,
    line_height: Annotated[float, typer.Option(help="From baseline to baseline, in sizes.")] = 1.2,
    rotate: Annotated[float, typer.Option(help="Degrees, clockwise, about the box's middle.")] = 0.0,
    direction: Annotated[str, typer.Option(help="auto, ltr or rtl, for each paragraph.")] = "auto",
    harmonise: Annotated[
        float, typer.Option(help="How far the letters take on the scene's light and grain: 0 to 1.")
    ] = 0.0,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="Paints the letters' surroundings, as strongly as --harmonise.")
    ] = None,
    prompt: Annotated[str, typer.Option(help="What that model is told.")] = "",
    seed: Annotated[int | None, typer.Option(help="Its seed. Default: a new one.")] = None,
    steps: Annotated[int | None, typer.Option(help="Its steps from noise to picture.")] = None,
    tesseract: Annotated[bool, typer.Option("--tesseract", help="Let tesseract, if installed, read them too.")] = False,
    mask: Annotated[Path | None, typer.Option(help="Write the letters' coverage here, as a grey picture.")] = None,
    out: Annotated[
        str | None, typer.Option("--out", "-o", help="File, folder, or -. Default: the picture's name and -typeset.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No notes, hints or progress.")] = False,
) -> None:
    """Write words into a picture with a real font, letter for letter, and read them back out of it.

    Whatever lies outside of the box, and of the outline and shadow around it, stays byte for byte as it was. With
    --model a painter fits the surroundings to the letters; the letters' own shapes are laid over what it paints.
    """
    from triptych.cli.fonts import book
    from triptych.cli.lettering import numbers, pairs, parse_outline, parse_shadow
    from triptych.cli.output import progress, read_prompt
    from triptych.cli.targets import slug, target
    from triptych.core.errors import InvalidRequest
    from triptych.core.metadata import format_of

    if str(image) == text == "-":
        raise InvalidRequest("text", "- (stdin) and the picture cannot share stdin; give one of them as it is")
    if box is None and perspective is None:
        raise InvalidRequest("box", "is missing: x,y,width,height in pixels or fractions (or --perspective) say where")
    fields: dict[str, Any] = {
        "box": numbers("box", box, 4) if box is not None else None,
        "corners": pairs(numbers("perspective", perspective, 8)) if perspective is not None else None,
        "size": size,
        "align": align,
        "valign": valign,
        "colour": colour,
        "outline": parse_outline(outline),
        "shadow": parse_shadow(shadow),
        "line_height": line_height,
        "rotate": rotate,
        "direction": direction,
        "harmonise": harmonise,
    }
    text = read_prompt(text)
    _check_fields(text, fields)
    _check_painter(model, prompt, harmonise, {"seed": seed, "steps": steps})
    where = target(out, 1, default=f"{slug(image.stem)}-typeset.png", as_json=as_json)
    path = where.path(prompt=image.stem, seed=seed, index=0, model=model or "typeset") if where else None
    if path:
        _check_lossless(format_of(path))
    if mask:
        format_of(mask)
    opened = _open(image)

    from triptych.api.typeset import typeset as lettered

    with progress(1, quiet=quiet or model is None) as advance:
        done = lettered(
            opened,
            text,
            font=font,
            model=model,
            prompt=prompt,
            painter={"seed": seed, "steps": steps},
            tesseract=tesseract,
            fonts=book(),
            on_event=advance,
            **fields,
        )
    _write(done, path, mask, as_json=as_json, quiet=quiet)


def _check_fields(text: str, fields: dict[str, Any]) -> None:
    """Refuse what is wrong in itself before a picture is opened or torch loaded; the box only by its numbers."""
    from triptych.core.errors import InvalidRequest
    from triptych.typography.settings import Lettering

    box = fields["box"]
    if box is not None and min(box[2:]) <= 0:
        raise InvalidRequest("box", f"{','.join(f'{side:g}' for side in box)} has no width or no height")
    placed = {"box": (0, 0, 100, 100), "corners": None} if box is not None else {}
    corners = fields["corners"]
    if corners is not None and max(max(point) for point in corners) <= 1:
        corners = tuple((x * 1000, y * 1000) for x, y in corners)
    Lettering.make(**{**fields, "text": text, "corners": corners, **(placed if corners is None else {"box": None})})


def _check_painter(model: str | None, prompt: str, harmonise: float, painter: dict[str, Any]) -> None:
    """What the model could never do is refused before torch is loaded; the rest when the picture is known."""
    from triptych.cli.catalogue import check
    from triptych.core.errors import InvalidRequest
    from triptych.core.request import Request

    given = ["prompt"] * bool(prompt) + [name for name, value in painter.items() if value is not None]
    if model is None and given:
        raise InvalidRequest(given[0], "is for a painter, and there is none; give --model too")
    if model is not None:
        if not harmonise:
            raise InvalidRequest("harmonise", "is 0, so there is nothing to paint; give a strength, or no --model")
        check(Request.make(prompt=prompt, model=model, **painter))


def _check_lossless(format_name: str) -> None:
    from triptych.core.errors import InvalidRequest

    if format_name == "JPEG":
        raise InvalidRequest("out", "JPEG loses pixels, also where no letter is; write png or webp")


def _open(image: Path) -> Any:
    """A picture from stdin is read here, since it can be read only once; a file goes on with its recipe."""
    from triptych.core.pictures import open_picture

    opened = open_picture(image)
    return opened.asset if str(image) == "-" else image


def _write(done: Lettered, path: Path | None, mask: Path | None, *, as_json: bool, quiet: bool) -> None:
    import shlex

    from triptych.cli.keeping import remember
    from triptych.cli.output import show, show_bytes, show_json, tell, tell_notes

    if mask:
        import numpy as np

        from triptych.core.metadata import save_picture

        save_picture(mask, np.repeat(done.typeset.mask[:, :, None], 3, axis=2))
    if path is None:
        show_bytes(done.encode(Path("stdout.png")))
        return
    done.save(path)
    image, report = done.image, done.report
    remember(path, image.recipe, quiet=quiet)
    if as_json:
        show_json(
            {
                "path": str(path),
                "mask": str(mask) if mask else None,
                "width": image.pixels.shape[1],
                "height": image.pixels.shape[0],
                **report,
                "model": image.recipe.model,
                "seed": image.seed,
                "seconds": done.seconds,
                "notes": [note.as_json() for note in done.notes],
                "pixels_sha256": image.recipe.pixels_sha256,
                "recipe": image.recipe.as_json(),
            }
        )
        return
    tell_notes(done.notes, quiet=quiet)
    show(path)
    font, words = report["font"], report["words"]
    read = f"words {'confirmed' if words['confirmed'] else 'not confirmed'} ({words['score']:.2f})"
    kept = f"{report['outside_changed_pixels']} of {report['outside_total_pixels']} pixels outside changed"
    what = f"{font['family']} {font['style']} at {report['size']:g} px"
    tell(f"{what}; {read}; {kept}. Again: triptych replay {shlex.quote(str(path))}", quiet=quiet)
