"""A plan as a drawing: labelled boxes on a tint of the background, as `triptych plan --draw` shows it.

Colours are looked up by name among Pillow's; a name that Pillow does not know, or none, is drawn in grey.
"""

from __future__ import annotations

from PIL import Image, ImageColor, ImageDraw, ImageFont

from triptych.core.plan import Plan, PlanObject

_PAPER = (247, 245, 240)
_INK = (38, 40, 46)
_GREY = (140, 142, 150)
_TINTS = {
    "beach": "#fdf1d6", "sea": "#dcecf8", "underwater": "#d5ebf5", "meadow": "#e4f3dc", "forest": "#dcebdc",
    "snow": "#eef5fb", "desert": "#faecd2", "night": "#d9daee", "sunset": "#fde2d4", "street": "#e9e9ec",
    "room": "#f5e9e0", "mountains": "#e3e8f0", "sky": "#e0f0fc", "space": "#d8d6ea",
}  # fmt: skip


def draw(plan: Plan, size: int | tuple[int, int] = 512) -> Image.Image:
    """size: side, or (width, height), in pixels. RGB; later objects lie over earlier ones, as in the picture."""
    width, height = (size, size) if isinstance(size, int) else size
    sheet = Image.new("RGB", (width, height), _tint(plan.background))
    wash = Image.new("RGBA", sheet.size)
    brush = ImageDraw.Draw(wash)
    for item in plan.objects:
        brush.rectangle(_pixels(item, width, height), fill=(*_colour(item), 70))
    sheet.paste(wash, mask=wash)
    pen = ImageDraw.Draw(sheet)
    letters = max(11, min(width, height) // 28)
    font = ImageFont.load_default(letters)
    for number, item in enumerate(plan.objects, 1):
        box = _pixels(item, width, height)
        pen.rectangle(box, outline=_colour(item), width=max(2, letters // 7))
        label = f"{number} {item.colour or ''} {item.noun}".replace("  ", " ")
        _tag(pen, (box[0], box[1]), f'{label} "{item.text}"' if item.text else label, font, sheet.size)
    place = ", ".join(part for part in (plan.background, f"light: {plan.light}" if plan.light else "") if part)
    if place:
        _tag(pen, (letters // 2, height - 2 * letters), place, font, sheet.size)
    return sheet


def _pixels(item: PlanObject, width: int, height: int) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = item.box
    return round(x0 * width), round(y0 * height), round(x1 * width) - 1, round(y1 * height) - 1


Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def _tag(pen: ImageDraw.ImageDraw, corner: tuple[int, int], text: str, font: Font, size: tuple[int, int]) -> None:
    """Dark words on paper, moved so that they lie wholly inside the picture where they fit."""
    left, top, right, bottom = map(round, pen.textbbox((0, 0), text, font=font))
    pad = 3
    x = max(0, min(corner[0], size[0] - (right - left) - 2 * pad))
    y = max(0, min(corner[1], size[1] - (bottom - top) - 2 * pad))
    pen.rectangle((x, y, x + right - left + 2 * pad, y + bottom - top + 2 * pad), fill=_PAPER)
    pen.text((x + pad - left, y + pad - top), text, fill=_INK, font=font)


def _colour(item: PlanObject) -> tuple[int, int, int]:
    try:
        return ImageColor.getcolor(item.colour or "", "RGB")  # type: ignore[return-value]
    except ValueError:
        return _GREY


def _tint(background: str) -> tuple[int, int, int]:
    words = background.lower().split()
    return next((ImageColor.getrgb(_TINTS[word])[:3] for word in words if word in _TINTS), _PAPER)
