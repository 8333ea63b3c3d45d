"""The things of the world: name, glyph, plural, synonyms, how each takes a colour, and its shape (width over height).

It knows nothing of pixels: `sprites` draws these. The aspect stands here, so that a scene is laid out without a font.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Body = Literal["hue", "light", "dark"]
"""What a named colour replaces: the sprite's main hue, its whitish parts, or its dark parts."""


@dataclass(frozen=True, slots=True)
class Noun:
    """One kind of thing. `natural` is the colour that its own drawing already has, if a person would name one."""

    name: str
    glyph: str | None
    plural: str
    aspect: float
    natural: str | None = None
    body: Body | None = "hue"
    synonyms: tuple[str, ...] = ()
    flies: bool = False

    @property
    def recolourable(self) -> bool:
        return self.body is not None


def _noun(
    name: str,
    glyph: str | None,
    aspect: float,
    natural: str | None = None,
    synonyms: str = "",
    *,
    body: Body | None = "hue",
    plural: str | None = None,
    flies: bool = False,
) -> Noun:
    return Noun(name, glyph, plural or name + "s", aspect, natural, body, tuple(synonyms.split()), flies)


SHAPE_NOUNS: tuple[Noun, ...] = (
    _noun("circle", None, 1.0, "red", "disc"),
    _noun("square", None, 1.0, "blue"),
    _noun("triangle", None, 1.0, "green"),
    _noun("diamond", None, 1.0, "purple", "rhombus"),
    _noun("ring", None, 1.0, "orange"),
    _noun("cross", None, 1.0, "red", "plus", plural="crosses"),
    _noun("hexagon", None, 1.0, "yellow"),
    _noun("arrow", None, 1.0, "blue"),
)
"""Drawn by Pillow, without a font."""

GLYPH_NOUNS: tuple[Noun, ...] = (
    # animals
    _noun("fox", "🦊", 1.06, "orange", "vixen", plural="foxes"),
    _noun("cat", "🐱", 1.12, "yellow", "kitten kitty"),
    _noun("dog", "🐶", 1.28, None, "puppy hound"),
    _noun("fish", "🐟", 1.47, "blue", plural="fish"),
    _noun("bird", "🐦", 1.19, "blue", "bluebird", flies=True),
    _noun("frog", "🐸", 1.15, "green", "toad"),
    _noun("owl", "🦉", 0.73, "brown", flies=True),
    _noun("butterfly", "🦋", 1.23, "orange", "moth", plural="butterflies", flies=True),
    _noun("turtle", "🐢", 1.26, "green", "tortoise"),
    _noun("penguin", "🐧", 0.66, "black", body="dark"),
    _noun("rabbit", "🐰", 0.76, None, "bunny hare", body="light"),
    _noun("bear", "🐻", 1.06, "brown", "cub"),
    _noun("panda", "🐼", 1.11, None, body=None),
    _noun("koala", "🐨", 1.31, None, body="light"),
    _noun("lion", "🦁", 0.89, "orange"),
    _noun("tiger", "🐯", 1.02, "orange"),
    _noun("pig", "🐷", 1.14, "pink", "piglet hog"),
    _noun("cow", "🐮", 1.10, None, "calf", body=None),
    _noun("chicken", "🐔", 1.02, "white", "hen", body="light"),
    _noun("chick", "🐥", 1.05, "yellow"),
    _noun("elephant", "🐘", 1.10, None, body="light"),
    _noun("giraffe", "🦒", 0.75, "yellow"),
    _noun("zebra", "🦓", 1.03, None, body=None),
    _noun("horse", "🐎", 1.11, "brown", "pony"),
    _noun("sheep", "🐑", 1.01, "white", "lamb", body="light", plural="sheep"),
    _noun("mouse", "🐭", 1.35, None, body="light", plural="mice"),
    _noun("hedgehog", "🦔", 1.38, "brown"),
    _noun("squirrel", "🐿", 1.18, "brown"),
    _noun("bee", "🐝", 1.05, "yellow", flies=True),
    _noun("ladybird", "🐞", 0.93, "red", "ladybug"),
    _noun("snail", "🐌", 1.05, "brown"),
    _noun("octopus", "🐙", 1.10, "pink", plural="octopuses"),
    _noun("crab", "🦀", 1.41, "orange"),
    _noun("whale", "🐳", 1.11, "blue"),
    _noun("dolphin", "🐬", 0.93, "blue"),
    _noun("shark", "🦈", 1.01, None, body="light"),
    _noun("dinosaur", "🦖", 1.16, "green", "dino"),
    _noun("dragon", "🐉", 0.86, "green"),
    _noun("unicorn", "🦄", 0.93, "white", body="light"),
    _noun("duck", "🦆", 0.89, None, "duckling mallard"),
    _noun("swan", "🦢", 1.12, "white", "goose", body="light"),
    _noun("flamingo", "🦩", 0.70, "pink"),
    _noun("parrot", "🦜", 0.90, "green", flies=True),
    _noun("snake", "🐍", 1.03, "green", "serpent"),
    _noun("crocodile", "🐊", 0.87, "green", "alligator"),
    # vehicles and buildings
    _noun("car", "🚗", 1.58, "red", "automobile"),
    _noun("bus", "🚌", 1.47, "white", "coach", body="light", plural="buses"),
    _noun("rocket", "🚀", 0.99, None, "spaceship", flies=True),
    _noun("boat", "⛵", 0.91, "orange", "sailboat"),
    _noun("train", "🚂", 1.03, None, "locomotive", body=None),
    _noun("tractor", "🚜", 1.23, "green", body=None),
    _noun("bicycle", "🚲", 1.39, None, "bike", body="light"),
    _noun("motorcycle", "🏍", 1.59, "red", "motorbike"),
    _noun("plane", "✈", 1.01, None, "airplane aeroplane", flies=True),
    _noun("helicopter", "🚁", 1.48, "yellow", flies=True),
    _noun("truck", "🚚", 1.22, None, "lorry"),
    _noun("ship", "🚢", 1.05, None, "steamer"),
    _noun("scooter", "🛴", 0.95, "blue"),
    _noun("house", "🏠", 1.02, None, "home cottage"),
    _noun("castle", "🏰", 1.03, None, "fortress", body="light"),
    _noun("tent", "⛺", 1.46, "orange"),
    # plants and food
    _noun("tree", "🌳", 0.89, "green", "oak"),
    _noun("pine", "🌲", 0.89, "green", "fir spruce"),
    _noun("palm", "🌴", 0.85, "green"),
    _noun("cactus", "🌵", 0.75, "green", plural="cactuses"),
    _noun("rose", "🌹", 0.70, "red", "flower"),
    _noun("sunflower", "🌻", 0.77, "yellow"),
    _noun("tulip", "🌷", 0.69, "pink"),
    _noun("apple", "🍎", 0.93, "red"),
    _noun("banana", "🍌", 0.89, "yellow"),
    _noun("strawberry", "🍓", 0.89, "red", "berry", plural="strawberries"),
    _noun("mushroom", "🍄", 0.96, "red", "toadstool"),
    _noun("pumpkin", "🎃", 1.05, "orange", "gourd"),
    _noun("pear", "🍐", 0.69, "green"),
    _noun("lemon", "🍋", 1.19, "yellow"),
    _noun("pineapple", "🍍", 0.62, "yellow"),
    _noun("carrot", "🥕", 1.15, "orange"),
    _noun("cherry", "🍒", 0.79, "red", plural="cherries"),
    _noun("watermelon", "🍉", 1.20, "red", "melon"),
    _noun("egg", "🥚", 0.75, None),
    _noun("cheese", "🧀", 1.17, "yellow", plural="cheeses"),
    _noun("pizza", "🍕", 0.80, None, body=None),
    _noun("donut", "🍩", 1.26, "brown", "doughnut"),
    _noun("cookie", "🍪", 1.03, "brown", "biscuit"),
    _noun("cake", "🎂", 0.79, None, "gateau"),
    _noun("cupcake", "🧁", 0.78, None, "muffin", body=None),
    # sky and things
    _noun("star", "⭐", 1.04, "yellow", flies=True),
    _noun("moon", "🌙", 1.01, "yellow", "crescent", flies=True),
    _noun("sun", "🌞", 1.00, "yellow", flies=True),
    _noun("cloud", "☁", 1.41, "white", body="light", flies=True),
    _noun("balloon", "🎈", 0.70, "red", flies=True),
    _noun("umbrella", "☂", 1.01, None, "parasol"),
    _noun("guitar", "🎸", 1.00, "red"),
    _noun("drum", "🥁", 0.97, "red"),
    _noun("trumpet", "🎺", 1.05, "yellow"),
    _noun("crown", "👑", 1.05, "yellow", "tiara"),
    _noun("heart", "❤", 1.09, "red"),
    _noun("snowman", "⛄", 0.77, "white", body="light", plural="snowmen"),
    _noun("key", "🔑", 0.98, "yellow"),
    _noun("bell", "🔔", 1.02, "yellow"),
    _noun("ball", "⚽", 1.01, "white", "football", body="light"),
    _noun("basketball", "🏀", 1.01, "orange"),
    _noun("cup", "☕", 0.99, "white", "mug", body="light"),
    _noun("trophy", "🏆", 1.01, "yellow", plural="trophies"),
    _noun("gift", "🎁", 0.93, None, "present"),
    _noun("book", "📕", 0.84, "red"),
    _noun("pencil", "✏", 1.00, "yellow", "crayon"),
    _noun("hat", "🎩", 1.20, "black", body="dark"),
    _noun("shoe", "👟", 1.52, "blue", "sneaker"),
    _noun("cap", "🧢", 1.33, "blue"),
    _noun("clock", "⏰", 0.86, "red"),
    _noun("camera", "📷", 1.22, None, body="dark"),
    _noun("chair", "🪑", 0.64, "brown", "seat"),
    _noun("sofa", "🛋", 1.01, "blue", "couch"),
    _noun("teddy", "🧸", 0.86, "brown", plural="teddies"),
    _noun("kite", "🪁", 1.05, None, flies=True),
    _noun("robot", "🤖", 1.00, None, "android", body="light"),
    _noun("ghost", "👻", 1.02, "white", "spirit", body="light", flies=True),
    _noun("bucket", "🪣", 1.00, "blue", "pail"),
    _noun("backpack", "🎒", 0.98, "red", "rucksack"),
    _noun("dress", "👗", 0.79, "blue", "gown", plural="dresses"),
    _noun("gem", "💎", 1.11, "blue", "jewel"),
)
"""Drawn from a colour-emoji font."""

SMALL_NOUNS: tuple[str, ...] = (
    "fox", "cat", "dog", "fish", "bird", "frog", "owl", "butterfly", "turtle", "penguin",
    "car", "bus", "rocket", "boat", "house",
    "tree", "rose", "apple", "banana", "strawberry", "mushroom", "pumpkin",
    "star", "moon", "sun", "balloon", "umbrella", "guitar", "cake", "crown", "heart", "snowman",
)  # fmt: skip
"""Distinct from each other at 40 pixels: the world of a model with little compute."""

MADE_NOUNS: tuple[Noun, ...] = (
    _noun("sign", None, 1.25, None, "signboard"),
    _noun("face", None, 0.86, None, "head", body=None),
)
"""Drawn for each scene anew: a sign by `signs` from its text, a face by `faces` from its identity."""

NOUNS: dict[str, Noun] = {noun.name: noun for noun in (*GLYPH_NOUNS, *SHAPE_NOUNS, *MADE_NOUNS)}
