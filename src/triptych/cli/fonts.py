"""`triptych fonts`: what `triptych typeset` can write with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from triptych.typography.fonts import Face, FontBook

FONT_FOLDERS = ("~/.fonts", "~/.local/share/fonts", "~/Library/Fonts", "~/AppData/Local/Microsoft/Windows/Fonts")
"""Where a person's own fonts lie, on Linux, macOS and Windows."""


def fonts(
    words: Annotated[list[str] | None, typer.Argument(help="Only fonts with these words in their names.")] = None,
    letters: Annotated[str | None, typer.Option(help="Only fonts that have all letters of this text.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """List the fonts that `triptych typeset` can write with: family, style, file."""
    from triptych.cli.output import show, show_json

    found = _chosen(book(), words or [], letters)
    if as_json:
        listed = [
            {"family": face.family, "style": face.style, "path": str(face.path) if face.path else None}
            for face in found
        ]
        show_json({"fonts": listed})
        return
    wide = max((len(face.family) for face in found), default=0), max((len(face.style) for face in found), default=0)
    for face in found:
        show(f"{face.family:<{wide[0]}}  {face.style:<{wide[1]}}  {face.place}")


def book() -> FontBook:
    """The fonts of this machine, with the person's own."""
    from triptych.typography.fonts import FontBook

    return FontBook.installed([Path(folder).expanduser() for folder in FONT_FOLDERS])


def _chosen(all_fonts: FontBook, words: list[str], letters: str | None) -> list[Face]:
    from triptych.core.errors import InvalidRequest

    if letters is not None and not letters.strip():
        raise InvalidRequest("letters", "is empty; name the letters that the font has to have")
    found = list(all_fonts.that_write(letters)) if letters is not None else list(all_fonts.faces)
    # Of equal names the first is the one that a name finds.
    found = list({face.name: face for face in reversed(found)}.values())
    wanted = [word.casefold() for word in words]
    named = [face for face in found if all(word in face.name.casefold() for word in wanted)]
    return sorted(named, key=lambda face: (face.family, face.style, face.place))
