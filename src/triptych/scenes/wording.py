"""The phrases that captions are made of, as tables: what a person may call each thing, place and light.

Everything a caption can say stands here or in `nouns` and `colours`, so that `world_words` can list it all.
"""

from __future__ import annotations

NUMBERS: dict[int, tuple[str, ...]] = {
    2: ("two", "two", "two", "2", "a pair of"),
    3: ("three", "three", "3"),
    4: ("four", "four", "4"),
    5: ("five", "five", "5"),
    6: ("six", "six", "6"),
}
SIZE_WORDS: dict[str, tuple[str, ...]] = {
    "tiny": ("tiny", "very small", "miniature"),
    "small": ("small", "little"),
    "large": ("large", "big", "huge"),
}
BACKGROUND_PHRASES: dict[str, tuple[str, ...]] = {
    "plain": ("on a plain background", "on a white background", "on a plain white background", "on white"),
    "meadow": ("in a meadow", "in a green meadow", "on the grass", "in a grassy field"),
    "beach": ("on a beach", "on the beach", "at the beach", "on the sand by the sea"),
    "night": ("at night", "in the night", "under a starry sky", "under the stars at night"),
    "snow": ("in the snow", "in a snowy landscape", "on a snowy day", "in winter snow"),
    "forest": ("in a forest", "in the forest", "in the woods", "in front of a forest"),
    "desert": ("in a desert", "in the desert", "among sand dunes", "in a sandy desert"),
    "room": ("in a room", "indoors", "inside a room", "in a room with a window"),
    "underwater": ("underwater", "under the sea", "under water", "at the bottom of the sea"),
    "sunset": ("at sunset", "at dusk", "under a sunset sky", "in the evening light of a sunset"),
    "street": ("on a street", "in the street", "in a city street", "in the city"),
    "mountains": ("in the mountains", "in front of mountains", "before snowy mountains"),
    "space": ("in space", "in outer space", "on a strange planet in space"),
    "farm": ("on a farm", "at the farm", "on a farm with a barn"),
}
BACKGROUND_SYNONYMS: dict[str, str] = {
    "grass": "meadow",
    "grassy": "meadow",
    "field": "meadow",
    "sand": "beach",
    "seaside": "beach",
    "shore": "beach",
    "starry": "night",
    "stars": "night",
    "snowy": "snow",
    "winter": "snow",
    "woods": "forest",
    "woodland": "forest",
    "dunes": "desert",
    "indoors": "room",
    "inside": "room",
    "sea": "underwater",
    "ocean": "underwater",
    "dusk": "sunset",
    "evening": "sunset",
    "city": "street",
    "town": "street",
    "road": "street",
    "mountain": "mountains",
    "planet": "space",
    "barn": "farm",
}
LIGHT_PHRASES: dict[str, tuple[str, ...]] = {
    "left": ("lit from the left", "with light from the left", "light coming from the left"),
    "right": ("lit from the right", "with light from the right", "light coming from the right"),
    "above": ("lit from above", "with light from above", "with the light overhead"),
    "behind": ("lit from behind", "with light from behind", "backlit"),
}
PLACE_PHRASES: dict[str, tuple[str, ...]] = {
    "left": ("on the left", "on the left side", "at the left"),
    "right": ("on the right", "on the right side", "at the right"),
    "top": ("at the top", "in the upper part"),
    "bottom": ("at the bottom", "in the lower part"),
    "centre": ("in the centre", "in the middle", "in the center"),
    "top left": ("in the top left corner", "at the top left", "in the upper left"),
    "top right": ("in the top right corner", "at the top right", "in the upper right"),
    "bottom left": ("in the bottom left corner", "at the bottom left", "in the lower left"),
    "bottom right": ("in the bottom right corner", "at the bottom right", "in the lower right"),
}
RELATION_PHRASES: dict[str, tuple[str, ...]] = {
    "left of": ("to the left of", "left of", "on the left of"),
    "right of": ("to the right of", "right of", "on the right of"),
    "above": ("above", "over"),
    "below": ("below", "under", "beneath"),
    "in front of": ("in front of", "partly hiding"),
    "behind": ("behind", "partly hidden by"),
}
OPENINGS: tuple[str, ...] = (
    "",
    "",
    "",
    "",
    "a picture of ",
    "an image of ",
    "an illustration of ",
    "a drawing of ",
)
ABSENCE_PHRASES: tuple[str, ...] = (
    "without {a}",
    "with no {one}",
    "no {many}",
    "but no {one}",
    "without any {many}",
)
DETAIL_PHRASES: dict[tuple[str, bool], tuple[str, ...]] = {
    ("clouds", True): ("with clouds in the sky", "with a few clouds", "under a cloudy sky"),
    ("clouds", False): ("without clouds", "under a cloudless sky", "with no clouds in the sky", "the sky is clear"),
    ("trees", True): ("with trees in the distance", "with trees behind"),
    ("trees", False): ("treeless", "without trees", "with no trees"),
}
SAYING: tuple[str, ...] = ("that says", "saying", "reading", "with the word", "with the text")
MOOD_PHRASES: dict[str, tuple[str, ...]] = {
    "sad": ("sad", "unhappy"),
    "calm": ("calm", "serious"),
    "smiling": ("smiling", "happy"),
}
HAIR_PHRASES: dict[str, tuple[str, ...]] = {
    "bald": ("a bald head", "no hair"),
    "short": ("short {colour} hair",),
    "curly": ("curly {colour} hair", "{colour} curls"),
    "long": ("long {colour} hair",),
    "bun": ("{colour} hair in a bun",),
    "spiky": ("spiky {colour} hair",),
}
FACE_PHRASES: dict[str, tuple[str, ...]] = {
    "skin": ("{value} skin",),
    "eyes": ("{value} eyes",),
    "glasses": ("{value} glasses",),
    "freckles": ("freckles",),
    "scar": ("a scar on the {value} cheek",),
}
FRAME_WORDS: tuple[str, ...] = ("a", "an", "and", "the", "there", "is", "are", "empty", "scene")
