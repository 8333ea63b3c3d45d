"""How people word an edit, as tables: for every operation the wordings to learn from, and others kept for the test.

A blank in braces is filled by `instruct.wishes`: {the} what is meant ("the left fox"), {new} what comes ("two blue
birds"), {c} a colour, {spot} where ("above the house"), {to} what a thing is moved to, {place} a place of the world.
Words that only the held-out wordings use are unknown to the editor, as many words of people will be.
"""

from __future__ import annotations

import re

from triptych.scenes import wording

TRAIN: dict[str, tuple[str, ...]] = {
    "recolour": (
        "make {the} {c}", "make {the} {c}", "turn {the} {c}", "paint {the} {c}", "colour {the} {c}",
        "color {the} {c}", "recolour {the} to {c}", "recolour {the} in {c}", "change {the} to {c}",
        "change the colour of {the} to {c}", "make the colour of {the} {c}", "{the} should be {c}",
        "{the} in {c}", "i want {the} to be {c}", "i want {the} in {c}", "give {the} a {c} colour",
        "let {the} be {c}", "set {the} to {c}", "{c} for {the}", "{the} has to be {c}",
        "have {the} in {c}", "could {the} be {c}", "can {the} be {c}", "{the} needs to be {c}",
        "how about {the} in {c}", "have {the} {c}", "let {the} become {c}", "{the} in the colour {c}",
    ),
    "natural": (
        "give {the} its own colour again", "give {the} the natural colour", "make {the} its normal colour",
        "{the} in its natural colour", "take the colour off {the}", "change {the} back to its own colour",
    ),
    "remove": (
        "remove {the}", "remove {the}", "delete {the}", "erase {the}", "take {the} away", "take away {the}",
        "take {the} out", "take out {the}", "get rid of {the}", "cut {the} out", "leave {the} out", "leave out {the}",
        "drop {the}", "{the} should go", "without {the}", "clear {the} away", "i do not want {the}", "lose {the}",
        "no more {the}", "{the} should not be there",
        "make {the} vanish", "let {the} vanish", "make {the} go away", "have {the} removed", "have {the} gone",
        "do without {the}", "{the} is not needed", "{the} needs to go", "i do not want to see {the}",
        "i would like to see {the} gone", "clear {the} out",
    ),
    "replace": (
        "replace {the} with {new}", "replace {the} with {new}", "replace {the} by {new}", "swap {the} for {new}",
        "turn {the} into {new}", "change {the} into {new}", "change {the} to {new}", "make {the} {new}",
        "make {the} into {new}", "put {new} where {the} is", "{new} instead of {the}", "exchange {the} for {new}",
        "i want {new} instead of {the}", "{the} should be {new}", "have {new} instead of {the}",
        "put {new} in the place of {the}", "let {the} become {new}", "have {the} become {new}",
        "{new} should stand where {the} is", "use {new} instead of {the}", "put {new} for {the}",
        "could {the} be {new}", "let {the} be {new}", "there should be {new} instead of {the}",
    ),
    "by": (
        "move {the} {way}", "move {the} {way}", "shift {the} {way}", "push {the} {way}", "put {the} further {way}",
        "{the} further {way}", "slide {the} {way}", "move {the} a bit {way}", "bring {the} {way}", "pull {the} {way}",
        "move {the} a little {way}",
        "have {the} further {way}", "{the} a bit {way}", "could {the} be further {way}", "let {the} move {way}",
        "get {the} {way}", "make {the} go {way}", "{the} has to move {way}",
    ),
    "up": ("lift {the}", "raise {the}", "move {the} higher", "put {the} higher", "{the} higher up", "move {the} up"),
    "down": ("lower {the}", "move {the} lower", "put {the} lower", "{the} lower down", "move {the} down"),
    "to": (
        "move {the} {to}", "move {the} {to}", "put {the} {to}", "place {the} {to}", "bring {the} {to}",
        "{the} should be {to}", "i want {the} {to}", "{the} {to}", "shift {the} {to}", "set {the} {to}",
        "have {the} {to}", "let {the} be {to}", "let {the} stand {to}", "can {the} be {to}", "get {the} {to}",
        "{the} has to be {to}", "{the} has to stand {to}",
    ),
    "larger": (
        "make {the} bigger", "make {the} larger", "enlarge {the}", "grow {the}", "scale {the} up", "{the} bigger",
        "{the} should be bigger", "increase the size of {the}", "make {the} a bit bigger", "i want {the} larger",
        "{the} has to be bigger", "let {the} be bigger", "have {the} bigger", "let {the} grow", "make {the} grow",
        "{the} should grow", "could {the} be bigger",
    ),
    "smaller": (
        "make {the} smaller", "shrink {the}", "scale {the} down", "{the} smaller", "{the} should be smaller",
        "reduce the size of {the}", "make {the} a bit smaller", "make {the} less big", "i want {the} smaller",
        "{the} has to be smaller", "let {the} be smaller", "have {the} smaller", "let {the} shrink",
        "make {the} shrink", "{the} should shrink", "could {the} be smaller",
    ),
    "large": ("make {the} big", "make {the} huge", "make {the} very big", "make {the} large", "{the} should be huge",
        "make {the} a big one", "{the} should be a huge one", "let {the} be huge", "change {the} to a big one",
        "make {the} a giant",
    ),
    "small": ("make {the} small", "make {the} tiny", "make {the} very small", "make {the} little",
              "{the} should be tiny",
        "make {the} a small one", "{the} should be a little one", "let {the} be tiny", "change {the} to a little one",
    ),
    "swap": (
        "swap {the} and {other}", "swap {the} with {other}", "exchange {the} and {other}",
        "let {the} and {other} change places", "swap the places of {the} and {other}",
        "{the} and {other} should swap places", "put {the} where {other} is and {other} where {the} is",
    ),
    "add": (
        "add {new}{spot}", "add {new}{spot}", "add {new}{spot}", "put {new}{spot}", "draw {new}{spot}",
        "place {new}{spot}", "insert {new}{spot}", "there should be {new}{spot}", "i want {new}{spot}",
        "with {new}{spot}", "include {new}{spot}", "give me {new}{spot}", "paint {new}{spot}", "and {new}{spot}",
        "bring in {new}{spot}", "there is {new} missing{spot}",
        "let there be {new}{spot}", "have {new}{spot}", "could i have {new}{spot}", "can there be {new}{spot}",
        "add in {new}{spot}", "make {new}{spot}", "{new} should be{spot}", "i would like {new}{spot}",
    ),
    "more": (
        "add {more}", "{more}", "give me {more}", "i want {more}", "put in {more}", "there should be {more}",
        "draw {more}",
        "could there be {more}", "how about {more}", "have {more}", "i would like {more}",
    ),
    "fewer": (
        "{n} {fewer} less", "{n} {fewer} fewer", "remove {n} of the {many}", "take {n} of the {many} away",
        "take away {n} {fewer}", "remove {n} {fewer}", "{n} less {fewer}", "{n} fewer {fewer}",
        "there should be {n} {fewer} less", "i want {n} {fewer} less", "leave out {n} of the {many}",
    ),
    "set": (
        "make it {counted}", "there should be {counted}", "i want {counted}", "change the number of {many} to {n}",
        "{counted} instead of {before}", "make that {counted}", "i want to see {counted}", "let there be {counted}",
        "have exactly {counted}", "just {counted}", "make them {counted}", "could there be {counted}", "show {counted}",
    ),
    "background": (
        "make it {place}", "change the background to {place}", "make the background {place}", "{at}", "{at} please",
        "put it {at}", "put them {at}", "set it {at}", "set the scene {at}", "show it {at}", "move it all {at}",
        "replace the background with {place}", "replace the background by {place}", "the same {at}",
        "turn the background into {place}", "let it be {at}", "everything {at}", "i want it {at}",
        "the background should be {place}", "change the scene to {place}", "change it to {place}",
        "turn it into {place}",
        "what about {place}", "how about {place}", "could it be {at}", "have it {at}", "bring it {at}",
        "let it play {at}", "the setting should be {place}", "let it all be {at}", "put everything {at}",
    ),
    "light": (
        "light from {from}", "let the light come from {from}", "make the light come from {from}",
        "light it from {from}", "move the light to {from}", "put the light to {from}", "{lit}", "{lit} please",
        "change the light to {from}", "the light should come from {from}", "make it {lit}", "i want light from {from}",
        "have the light from {from}", "let light shine from {from}", "light should fall from {from}",
        "the sun shines from {from}", "let it be {lit}",
    ),
    "text": (
        "make {the} say {quote}", "change the text of {the} to {quote}", "change the text on {the} to {quote}",
        "write {quote} on {the}", "{the} should say {quote}", "{the} should read {quote}", "let {the} say {quote}",
        "put the word {quote} on {the}", "change the word on {the} to {quote}", "the text on {the} should be {quote}",
    ),
    "keep": (
        "keep {what}", "keep {what}", "keep {what} as it is", "leave {what} as it is", "leave {what} alone",
        "do not change {what}", "do not touch {what}", "without changing {what}", "{what} should stay",
        "{what} stays the same", "{what} should stay as it is", "{what} has to stay",
        "{what} should not change", "{what} should remain", "never touch {what}", "let {what} be",
        "no change to {what}", "{what} is fine as it is", "i like {what} as it is",
    ),
    "unread": (
        "make it nicer", "make it more beautiful", "improve the quality", "more contrast", "sharpen it", "crop it",
        "what is this", "who painted this", "why", "hello", "make {the} happy", "make {the} run", "make {the} smile",
        "let {the} dance", "in the style of a painter", "make it look like a photo", "zoom in", "blur {the}",
        "make {the} look to the side", "i like {the}", "is there {new}", "how many {many} are there",
        "what colour is {the}", "a story about {the}", "turn {the} around", "make it better", "fix it", "do something",
        "rotate {the}", "make {the} fly", "the picture is too dark", "give {the} a name", "{odd} {the}", "{odd} {the}",
        "{odd} it", "make {the} {odd}", "make {the} more {odd}", "make it {odd}", "add a {odd}", "add {odd}",
        "replace {the} with a {odd}", "change the background to {odd}", "move {the} {odd}", "change {the} to {odd}",
        "remove the {odd}", "make the {odd} bigger", "turn {the} {odd}", "{odd} {odd} {odd}",
        "how is {the}", "what about {the}", "could {the} sing", "show me something else", "how about lunch",
        "where is {the}", "{the}", "is {the} there", "more {odd}", "have {the} {odd}", "let {the} {odd}",
        "could it be {odd}", "how about {odd}",
    ),
}  # fmt: skip
"""Operation -> wordings. Those of count, move, resize and recolour have a table for each way."""

ADD_MORE: tuple[str, ...] = ("add {new}{spot}", "put {new}{spot}", "draw {new}{spot}", "insert {new}{spot}")
"""Wordings of `add` that bring something new also where its like is there already."""
LISTED: dict[str, tuple[tuple[str, ...], str]] = {
    "recolour": (("make", "paint", "turn", "colour"), "{the} {c}"),
    "remove": (("remove", "delete", "erase", "take away", "get rid of"), "{the}"),
    "add": (("add", "draw", "put in", "i want", "insert"), "{new}{spot}"),
}
"""Operation -> verbs that are said once for several edits, and what is said of each."""

HELD_OUT: dict[str, tuple[str, ...]] = {
    "recolour": (
        "tint {the} {c}", "dye {the} {c}", "could {the} become {c}", "have {the} turn {c}",
        "set the colour of {the} to {c}", "{the} would look good in {c}", "please give {c} as colour to {the}",
    ),
    "natural": ("undo the colour of {the}", "{the} back to its natural colour"),
    "remove": (
        "make {the} disappear", "wipe {the} out", "throw {the} out", "{the} has to go", "eliminate {the}",
        "i would rather not see {the}", "get {the} out of the picture",
    ),
    "replace": (
        "let {new} take the place of {the}", "transform {the} into {new}", "trade {the} for {new}",
        "substitute {new} for {the}", "where {the} stands put {new}",
    ),
    "by": ("nudge {the} {way}", "drag {the} {way}", "let {the} go further {way}", "{the} should move {way}"),
    "up": ("hoist {the} up", "bring {the} higher up"),
    "down": ("drop {the} lower down", "bring {the} down"),
    "to": ("relocate {the} {to}", "carry {the} {to}", "have {the} stand {to}", "could {the} be {to}"),
    "larger": ("blow {the} up", "have {the} grow", "increase {the} in size", "{the} needs to be larger"),
    "smaller": ("minimise {the}", "decrease {the} in size", "{the} needs to be smaller", "have {the} shrink"),
    "large": ("turn {the} into a giant one", "{the} should be very large"),
    "small": ("turn {the} into a tiny one", "{the} should be really small"),
    "swap": ("let {the} trade places with {other}", "switch {the} and {other}"),
    "add": (
        "could there be {new}{spot}", "let {new} appear{spot}", "throw in {new}{spot}", "show {new}{spot}",
        "how about {new}{spot}",
    ),
    "more": ("throw in {more}", "could i have {more}", "let there be {more}"),
    "fewer": ("get rid of {n} of the {many}", "drop {n} {fewer}"),
    "set": ("have {counted}", "only {counted} please", "the number of {many} should be {n}"),
    "background": (
        "transport it {at}", "switch the background to {place}", "how would it look {at}", "take it {at}",
        "the scene should be {at}",
    ),
    "light": ("shine light from {from}", "illuminate it from {from}", "have it {lit}"),
    "text": ("let {quote} stand on {the}", "print {quote} on {the}"),
    "keep": ("preserve {what}", "hands off {what}", "{what} must not change"),
    "unread": ("apply a vintage filter", "can you explain it", "make {the} laugh", "colour grade it", "spin {the}"),
}  # fmt: skip

PREFIXES: tuple[str, ...] = (
    "please ", "now ", "can you ", "could you ", "could you please ", "would you ", "i would like you to ", "then ",
    "also ",
)  # fmt: skip
SUFFIXES: tuple[str, ...] = (
    " please",
    " now",
    ", please",
    " for me",
    "?",
    ".",
    "!",
    " in the picture",
    " in this picture",
)
JOINTS: tuple[str, ...] = (
    " and ",
    " and ",
    ", then ",
    " and then ",
    ", and ",
    ". ",
    ", ",
    " and also ",
    "; ",
    ". then ",
)
KEEP_JOINTS: tuple[str, ...] = (" but ", ", but ", " and ", ", ", ". ")

WAYS: dict[str, tuple[str, ...]] = {
    "left": ("to the left", "to the left", "left", "leftwards"),
    "right": ("to the right", "to the right", "right", "rightwards"),
    "up": ("up", "upwards", "higher", "to the sky"),
    "down": ("down", "downwards", "lower", "to the ground"),
}
TO_PLACES: dict[str, tuple[str, ...]] = {
    "left": ("on the left", "on the left side", "to the left side", "to the left edge"),
    "right": ("on the right", "on the right side", "to the right side", "to the right edge"),
    "top": ("to the top", "at the top", "in the upper part"),
    "bottom": ("to the bottom", "at the bottom", "in the lower part"),
    "centre": ("in the middle", "to the centre", "in the centre", "to the middle", "into the middle", "to the center"),
    "top left": ("in the top left corner", "to the top left", "into the upper left corner", "at the top left"),
    "top right": ("in the top right corner", "to the top right", "into the upper right corner", "at the top right"),
    "bottom left": ("in the bottom left corner", "to the bottom left", "into the lower left corner"),
    "bottom right": ("in the bottom right corner", "to the bottom right", "into the lower right corner"),
}
RELATION_WORDS: dict[str, tuple[str, ...]] = {
    "left of": ("to the left of", "left of", "on the left of", "on the left side of"),
    "right of": ("to the right of", "right of", "on the right of", "on the right side of"),
    "above": ("above", "over", "on top of"),
    "below": ("below", "under", "beneath", "underneath"),
    "in front of": ("in front of", "before"),
    "behind": ("behind", "in the back of"),
    "next to": ("next to", "beside", "near", "by", "close to"),
}
PLACES: dict[str, tuple[str, ...]] = {
    "plain": ("white", "plain", "a plain background", "plain white", "a white one"),
    "meadow": ("a meadow", "grass", "a green meadow", "a grassy field"),
    "beach": ("a beach", "the beach", "the seaside"),
    "night": ("night", "a night sky", "a starry night", "the night", "night time"),
    "snow": ("snow", "winter", "a snowy landscape", "a snowy place"),
    "forest": ("a forest", "the woods", "a wood", "the forest"),
    "desert": ("a desert", "the desert", "a sandy desert"),
    "room": ("a room", "the inside of a room", "a room with a window"),
    "underwater": ("the sea", "the bottom of the sea", "underwater", "an underwater scene"),
    "sunset": ("sunset", "a sunset", "evening", "dusk", "a sunset sky"),
    "street": ("a street", "a city", "the street", "a city street"),
    "mountains": ("mountains", "the mountains"),
    "space": ("space", "outer space", "a strange planet"),
    "farm": ("a farm", "the farm"),
}
"""What a place is called as a thing: "change the background to a beach"."""
SPECIAL: dict[str, tuple[str, ...]] = {
    "night": ("turn day into night", "make it dark", "let night fall", "let it be night", "it should be night",
              "put it under the stars", "turn off the sun"),
    "snow": ("let it snow", "it should snow", "turn it into winter", "let it be winter", "make it snow"),
    "sunset": ("let the evening come", "let the sun go down", "it should be evening"),
    "plain": ("remove the background", "take the background away", "delete the background", "no background"),
    "room": ("take it inside", "bring it indoors", "move it indoors"),
    "underwater": ("put it under water", "sink it", "let it be under water"),
}  # fmt: skip
"""Whole wordings of one place alone."""
FROM: dict[str, tuple[str, ...]] = {
    "left": ("the left", "the left side", "left"),
    "right": ("the right", "the right side", "right"),
    "above": ("above", "the top", "overhead"),
    "behind": ("behind", "the back"),
}
LIT: dict[str, tuple[str, ...]] = {
    "left": ("lit from the left", "with light from the left", "shadows to the right"),
    "right": ("lit from the right", "with light from the right", "shadows to the left"),
    "above": ("lit from above", "with light from above"),
    "behind": ("lit from behind", "with light from behind", "backlit"),
}
SIDE_WORDS: dict[tuple[int, int], tuple[str, ...]] = {
    (0, -1): ("the left {name}", "the {name} on the left", "the leftmost {name}", "the {name} to the left",
              "the {name} on the left side"),
    (0, 1): ("the right {name}", "the {name} on the right", "the rightmost {name}", "the {name} on the right side"),
    (1, -1): ("the upper {name}", "the {name} at the top", "the top {name}", "the highest {name}"),
    (1, 1): ("the lower {name}", "the {name} at the bottom", "the bottom {name}", "the lowest {name}"),
    (2, 1): ("the big {name}", "the biggest {name}", "the larger {name}", "the bigger {name}", "the largest {name}"),
    (2, -1): ("the small {name}", "the smallest {name}", "the smaller {name}", "the little {name}"),
}  # fmt: skip
"""(axis, direction) -> wordings. Axes: 0 across, 1 down, 2 area; direction: which end of it."""
ORDINALS: tuple[str, ...] = ("first", "second", "third", "fourth")
ALL_WORDS: tuple[str, ...] = ("the {many}", "the {many}", "all the {many}", "all {many}", "every {name}", "each {name}",
                              "all of the {many}")  # fmt: skip
BOTH_WORDS: tuple[str, ...] = ("both {many}", "the two {many}", "both the {many}")
ALL_THINGS: tuple[str, ...] = ("everything", "all things", "all of them", "them all", "all objects", "every thing")
THAT_ONE: tuple[str, ...] = ("one", "one", "thing")
KEPT_WHOLE: dict[str, tuple[str, ...]] = {
    "background": ("the background", "the sky", "the place", "the ground", "the scenery", "the landscape"),
    "light": ("the light", "the shadows", "the lighting"),
    "rest": ("the rest", "everything else", "all the rest", "all else", "anything else"),
}
KEPT_OF: dict[str, tuple[str, ...]] = {
    "colour": ("the colour of {the}", "the colours of {the}"),
    "place": ("the place of {the}", "the position of {the}", "{the} where it is"),
    "size": ("the size of {the}",),
}
SIZE_WORDS: dict[str, tuple[str, ...]] = {"large": ("big", "large", "huge"), "small": ("small", "little", "tiny")}
ODD = "xqz"
"""Fills {odd}: no word, as any that is not known is none to the editor."""
FRAME: tuple[str, ...] = ("a", "an", "the", "another", "more", "of", "it", "than", "from", "left", "right")


def words() -> tuple[str, ...]:
    """Every plain word of the wordings to learn from, sorted; nouns, colours and numbers are not among them."""
    texts: list[str] = [*PREFIXES, *SUFFIXES, *JOINTS, *KEEP_JOINTS, *ORDINALS, *ALL_WORDS, *BOTH_WORDS, *ALL_THINGS,
                        *THAT_ONE, *FRAME]  # fmt: skip
    tables = (TRAIN, WAYS, TO_PLACES, RELATION_WORDS, PLACES, SPECIAL, FROM, LIT, KEPT_WHOLE, KEPT_OF, SIZE_WORDS,
              wording.BACKGROUND_PHRASES, wording.RELATION_PHRASES, wording.PLACE_PHRASES)  # fmt: skip
    for table in tables:
        texts += [text for options in table.values() for text in options]
    texts += [text for options in SIDE_WORDS.values() for text in options]
    plain = re.sub(r"\{\w+\}", " ", " ".join(texts)).lower()
    return tuple(sorted(set(re.findall(r"[a-z]+", plain))))
