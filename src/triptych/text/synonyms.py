"""Words that a model does not know, replaced by a close one that it knows, and a note for each: nothing is
silent.

In order: the table (kitten: cat), which may lead on (lorry: truck, truck: car) until a known word is reached;
a regular or irregular plural of a word that is known or in the table; one slip of the pen (umbrela, guiatr).
What stands in quotes is never touched, and a word of the table or a common one (`COMMON`) is never taken for
a slip of another.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from triptych.core.events import Note
from triptych.text.tokenizer import fold, pieces

_TABLE = {
    # animals
    "cat": "kitten kitty tomcat pussycat feline tabby lynx",
    "dog": "puppy pup doggy hound pooch canine poodle terrier labrador beagle dachshund",
    "fox": "vixen wolf coyote jackal",
    "rabbit": "bunny hare",
    "bear": "cub grizzly",
    "bird": "sparrow robin finch swallow pigeon dove crow raven songbird birdie magpie",
    "duck": "duckling mallard",
    "swan": "goose",
    "chicken": "hen rooster cockerel turkey",
    "chick": "chickling",
    "owl": "owlet",
    "frog": "toad",
    "turtle": "tortoise terrapin",
    "butterfly": "moth dragonfly",
    "fish": "goldfish trout salmon carp herring tuna clownfish",
    "shark": "orca",
    "whale": "narwhal",
    "dolphin": "porpoise",
    "pig": "piglet hog boar swine piggy",
    "cow": "calf bull ox cattle",
    "sheep": "lamb ram ewe goat",
    "horse": "pony stallion mare foal donkey mule",
    "mouse": "rat hamster gerbil",
    "hedgehog": "porcupine",
    "squirrel": "chipmunk beaver",
    "lion": "lioness puma cougar",
    "tiger": "leopard panther cheetah jaguar",
    "elephant": "mammoth",
    "ladybird": "ladybug beetle",
    "bee": "bumblebee wasp hornet",
    "snail": "slug",
    "crab": "lobster",
    "octopus": "squid jellyfish",
    "snake": "serpent viper cobra python",
    "crocodile": "alligator caiman",
    "dinosaur": "dino tyrannosaurus",
    "dragon": "wyvern",
    "parrot": "macaw cockatoo budgie",
    "koala": "wombat",
    "flamingo": "heron stork",
    # vehicles and buildings
    "car": "automobile auto sedan taxi cab hatchback limousine jeep van truck",
    "bus": "coach minibus tram trolleybus",
    "rocket": "spaceship spacecraft shuttle missile",
    "boat": "sailboat yacht dinghy canoe ship",
    "ship": "steamer ferry vessel liner frigate",
    "train": "locomotive railway",
    "truck": "lorry pickup",
    "bicycle": "bike tricycle cycle",
    "motorcycle": "motorbike moped",
    "plane": "airplane aeroplane aircraft jet airliner",
    "helicopter": "chopper",
    "house": "home cottage hut cabin bungalow villa building",
    "castle": "fortress palace",
    "tent": "teepee marquee",
    # plants and food
    "tree": "oak maple birch elm willow shrub pine palm",
    "pine": "fir spruce conifer",
    "rose": "blossom flower",
    "flower": "daisy poppy lily orchid peony tulip sunflower",
    "mushroom": "toadstool fungus",
    "pumpkin": "gourd squash",
    "watermelon": "melon",
    "strawberry": "berry raspberry",
    "apple": "peach plum nectarine",
    "lemon": "lime citrus",
    "donut": "doughnut bagel",
    "cookie": "biscuit",
    "cake": "gateau pie tart cupcake",
    "cupcake": "muffin",
    # sky and things
    "moon": "crescent",
    "umbrella": "parasol brolly",
    "guitar": "ukulele banjo lute",
    "violin": "fiddle cello viola",
    "trumpet": "bugle cornet horn",
    "ball": "football soccerball basketball",
    "cup": "mug teacup beaker goblet",
    "crown": "tiara diadem",
    "hat": "cap bonnet",
    "gift": "present parcel",
    "clock": "timepiece",
    "lamp": "lantern",
    "book": "novel tome",
    "sign": "signboard signpost placard billboard noticeboard",
    "face": "portrait",
    # colours
    "red": "crimson scarlet ruby vermilion maroon burgundy carmine cherry-red reddish",
    "orange": "tangerine amber coral apricot copper",
    "yellow": "golden gold lemon-yellow mustard saffron yellowish",
    "green": "emerald lime-green olive jade mint viridian greenish",
    "blue": "azure navy cobalt sapphire indigo cyan turquoise teal sky-blue bluish",
    "purple": "violet lilac lavender mauve plum-coloured magenta",
    "pink": "rosy fuchsia salmon-pink pinkish",
    "brown": "chestnut tan chocolate-brown bronze brownish",
    "white": "ivory snow-white pearl whitish",
    "black": "ebony jet-black onyx",
    "grey": "gray silver",
    # places and times
    "beach": "seaside seashore shore coast sands",
    "meadow": "field grassland pasture lawn prairie garden park",
    "forest": "woods wood woodland jungle grove",
    "snow": "snowfield snowscape tundra winter",
    "desert": "dunes sahara wasteland",
    "underwater": "undersea reef",
    "sea": "ocean",
    "night": "midnight nighttime",
    "sunset": "dusk sundown twilight nightfall",
    "street": "road avenue city town",
    "room": "bedroom parlour lounge indoors",
    "mountains": "alps",
    "sky": "heavens",
    # sizes and places in the picture
    "large": "big huge giant enormous gigantic massive",
    "small": "little tiny",
    "tiny": "minuscule miniature wee",
    "left": "left-hand",
    "right": "right-hand",
    "centre": "center middle",
    "above": "over atop",
    "below": "under beneath underneath",
    # numbers
    "one": "1 single",
    "two": "2 pair couple",
    "three": "3 trio",
    "four": "4 quartet",
    "five": "5",
    "six": "6",
    "without": "minus sans",
}

SYNONYMS: Mapping[str, str] = {word: known for known, words in _TABLE.items() for word in words.split()}
"""Word to a closer one; a world's own table may be laid over it."""

IRREGULAR: Mapping[str, str] = {
    "mice": "mouse",
    "geese": "goose",
    "wolves": "wolf",
    "calves": "calf",
    "oxen": "ox",
    "leaves": "leaf",
    "people": "person",
    "children": "child",
    "men": "man",
    "women": "woman",
}

_COMMON_WORDS = """
    about after again along among anything beard beast being bench black blank bloom board boots bread bridge
    bring brush chair cheer child clean clear cloud cloudy clown coast could crane cream cross crowd dance
    dream dress drive earth empty every field flame floor fluffy found fresh front fruit funny glass grape
    grass great green happy heard heavy horns house juice knife large laugh light lunch magic metal money
    month mouth music never noise north nurse ocean offer other paint paper party person phone photo piano
    place plain plate playing point power pretty queen quick quiet radio rainy river robot round royal running
    scene seven shade shape sharp shell shine shirt shoes short sitting skirt sleep small smart smile smoke
    snowy sound south space spoon sport stage stair stand standing stare stars steam steel stick still stone
    storm story sugar sunny sweet table taste their there these thing think those tower trail under until
    water wheel where which while white whole windy woman world would write young
"""
COMMON = frozenset(_COMMON_WORDS.split())
"""Real words that stand one letter from some word of a world; they are left as they are."""

MIN_SLIP_LENGTH = 5


def resolve(
    prompt: str, known_words: Collection[str], synonyms: Mapping[str, str] = SYNONYMS
) -> tuple[str, list[Note]]:
    """Replace unknown words that have a close known one; `known_words` are in lower case.

    Returns the new prompt and a note per kind of replacement; without any, the prompt itself as it was typed.
    """
    known = known_words if isinstance(known_words, frozenset | set | dict) else frozenset(known_words)
    folded = fold(prompt)
    result: list[str] = []
    notes: dict[tuple[str, str], Note] = {}
    done = 0
    after_article = False
    for piece in pieces(folded.text):
        word = piece.text.lower()
        if piece.kind == "word" and word not in known:
            word = word.removesuffix("'s")
        if piece.kind not in ("word", "number") or word in known:
            after_article = word in ("a", "an")
            continue
        close = nearest(word, known, synonyms)
        if close is not None:
            start, end = folded.span(piece.start, piece.start + len(word))
            result += [prompt[done:start], close]
            done = end
            if after_article:
                _agree(result, close)
            notes[word, close] = Note("prompt", "translated", f"{word!r} is read as {close!r}")
        after_article = False
    return "".join([*result, prompt[done:]]), list(notes.values())


def nearest(word: str, known: Collection[str], synonyms: Mapping[str, str] = SYNONYMS) -> str | None:
    """The known word that stands for an unknown one in lower case; None if there is no close one."""
    followed = _follow(word, known, synonyms)
    if followed is not None:
        return followed
    for singular in _singulars(word):
        stem = singular if singular in known else _follow(singular, known, synonyms)
        if stem is not None:
            return next((form for form in _plurals(stem) if form in known), stem)
    real = word in COMMON or word in IRREGULAR or word in synonyms or word in synonyms.values()
    if real or len(word) < MIN_SLIP_LENGTH:
        return None
    return min(
        (slip for slip in _slips(word) if slip in known),
        key=lambda slip: (slip[0] != word[0], slip),
        default=None,
    )


def _follow(word: str, known: Collection[str], synonyms: Mapping[str, str]) -> str | None:
    """Along the table to the first known word."""
    seen: set[str] = set()
    while word in synonyms and word not in seen:
        seen.add(word)
        word = synonyms[word]
        if word in known:
            return word
    return None


def _singulars(word: str) -> Iterator[str]:
    if word in IRREGULAR:
        yield IRREGULAR[word]
    if word.endswith("ies"):
        yield word[:-3] + "y"
    if word.endswith("ves"):
        yield word[:-3] + "f"
    if word.endswith("es"):
        yield word[:-2]
    if word.endswith("s") and not word.endswith("ss"):
        yield word[:-1]


def _plurals(word: str) -> Iterator[str]:
    yield from (plural for plural, singular in IRREGULAR.items() if singular == word)
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        yield word[:-1] + "ies"
    if word.endswith(("s", "x", "z", "ch", "sh", "o")):
        yield word + "es"
    yield word + "s"


def _slips(word: str) -> Iterator[str]:
    """All strings one slip away: a letter dropped, added or changed, or two neighbours swapped (Damerau
    1964).
    """
    letters = "abcdefghijklmnopqrstuvwxyz"
    for place in range(len(word) + 1):
        before, after = word[:place], word[place:]
        if after:
            yield before + after[1:]
            yield from (before + letter + after[1:] for letter in letters)
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]
        yield from (before + letter + after for letter in letters)


def _agree(result: list[str], word: str) -> None:
    """Make the article before the last piece fit its new word: an automobile, a car."""
    before = result[-2]
    bare = before.rstrip()
    article = "an" if word[0] in "aeiou" and not word.startswith("uni") else "a"
    for given in ("an", "a"):
        if bare.lower().endswith(given) and not bare[: -len(given)][-1:].isalnum():
            start = len(bare) - len(given)
            fitted = article.capitalize() if bare[start].isupper() else article
            result[-2] = bare[:start] + fitted + before[len(bare) :]
            return
