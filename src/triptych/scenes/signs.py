"""Sign boards with a word: which words there are, and how a board is drawn in the font that Pillow ships.

It knows nothing of scenes or captions.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from triptych.core.plan import MAX_SIGN_LETTERS
from triptych.scenes.colours import COLOURS
from triptych.scenes.draw import Draw
from triptych.scenes.heldout import sign_is_heldout

_WORDS = """
OPEN CLOSED STOP GO HELLO BYE WELCOME EXIT SALE FREE HOME PARK ZOO CAFE SHOP BAKERY HOTEL MUSEUM SCHOOL LIBRARY
CINEMA THEATRE STATION AIRPORT HARBOUR BEACH POOL GARDEN FARM FOREST RIVER BRIDGE ISLAND CASTLE TOWER MARKET BANK
POST TAXI BUS TRAIN FOOD PIZZA SOUP TEA COFFEE MILK BREAD CAKE HONEY APPLES LEMONS EGGS FISH ICE HOT COLD NEW OLD
BIG TINY FAST SLOW QUIET LOUD DANGER CAREFUL SAFE LEFT RIGHT UP DOWN NORTH SOUTH EAST WEST YES NO MAYBE PLEASE
THANKS LOVE PEACE HAPPY DREAM MAGIC MUSIC DANCE GAMES TOYS BOOKS ART PAINT COLOUR PICTURE TRIPTYCH ROBOT ROCKET
SPACE MOON STARS SUN RAIN SNOW WIND SUMMER WINTER SPRING AUTUMN MONDAY FRIDAY SUNDAY PARTY BIRTHDAY WINNER FIRST
TICKETS INFO HELP TOILET PUSH PULL KEEP OUT BEWARE DOG CAT OWL LION A B X Q OK HI ME WE US
"""
SIGN_WORDS: tuple[str, ...] = tuple(_WORDS.split())
_CONSONANTS, _VOWELS = "BCDFGHJKLMNPRSTVWZ", "AEIOUY"
_MADE_UP_SHARE = 0.4
_FINER = 2
_WOOD = (186, 128, 74)
_POST = (126, 82, 46)
_PAPER = (252, 248, 236)
_INK = (44, 34, 34)


def draw_word(draw: Draw, *, heldout: bool = False) -> str:
    """A word for a sign: a real one, or a made-up one, so that spelling has to be learnt and not the list."""
    while True:
        word = _made_up(draw) if draw.chance(_MADE_UP_SHARE) else draw.pick(SIGN_WORDS)
        if sign_is_heldout(word) == heldout:
            return word


def _made_up(draw: Draw) -> str:
    length = draw.integer(1, MAX_SIGN_LETTERS)
    vowel = draw.chance(0.4)
    letters = [draw.pick(_VOWELS if (i % 2 == 0) == vowel else _CONSONANTS) for i in range(length)]
    return "".join(letters)


def sign_aspect(text: str) -> float:
    """Width over height of a board that gives each letter its room."""
    return 1.15 + 0.13 * max(len(text) - 3, 0)


def draw_sign(text: str, colour: str | None, width: int, height: int) -> npt.NDArray[np.uint8]:
    """A board on a post, (height, width, 4) uint8, premultiplied. Without a colour it is wooden, with a pale field."""
    w, h = width * _FINER, height * _FINER
    image = Image.new("RGBA", (w, h))
    brush = ImageDraw.Draw(image)
    board = h * 0.74
    rim = max(h // 22, 2)
    brush.rectangle((w * 0.46, board * 0.8, w * 0.54, h), fill=(*_POST, 255))
    face = COLOURS[colour] if colour else _PAPER
    edge = tuple(int(c * 0.72) for c in face) if colour else _WOOD
    brush.rounded_rectangle((0, 0, w - 1, board), radius=h // 12, fill=(*edge, 255))
    brush.rounded_rectangle((rim, rim, w - 1 - rim, board - rim), radius=h // 16, fill=(*face, 255))
    bright = 0.299 * face[0] + 0.587 * face[1] + 0.114 * face[2]
    ink = _INK if bright > 120 else (255, 255, 255)
    room_w, room_h = w - 4.4 * rim, board - 4 * rim
    size = room_h * 1.25
    x0, y0, x1, y1 = ImageFont.load_default(size).getbbox(text)
    size *= min(1.0, room_w / max(x1 - x0, 1), room_h / max(y1 - y0, 1))
    stroke = max(size / 28, 0.4)  # the shipped font is light: thicken it, so that it reads when small
    font = ImageFont.load_default(size)
    brush.text((w / 2, board / 2), text, font=font, fill=(*ink, 255), anchor="mm", stroke_width=stroke)
    return np.asarray(image.convert("RGBa").resize((width, height), Image.Resampling.BOX))
