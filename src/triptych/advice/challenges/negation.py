"""Negation: "a room with no windows" gets windows.

Found: words that name what should not be there. Not found: quoted words, idioms ("nothing but", "no longer"), compounds
("windowless"), and what an edit is told to keep. The cure is one word for the state ("windowless", "deserted"), or the
negative prompt, which is another mechanism: a pass of its own that the picture moves away from.
"""

from __future__ import annotations

from collections.abc import Iterator

from triptych.advice.challenges.keeping import keeps
from triptych.advice.challenges.spot import Spot, same_case, with_article
from triptych.advice.challenges.written import written_words
from triptych.advice.grammar import Parse, Phrase, Sentence
from triptych.advice.grammar.tagging import singular

NAMING = frozenset(("no", "without", "sans", "minus", "nor", "neither", "none", "nobody", "nothing", "nowhere"))
LACKING = {
    "devoid": ("of",), "free": ("of", "from"), "lacking": (), "lacks": (), "lack": (), "absent": (),
    "excluding": (), "exclude": (), "omit": (), "omitting": (), "avoid": (), "avoiding": (), "missing": (),
}  # fmt: skip
HAVING = ("wearing", "wear", "having", "have", "use", "include", "show", "add", "any", "draw", "put")
"""Words between "not" and what should not be there."""
CARRIERS = (
    "wear",
    "show",
    "use",
    "include",
    "draw",
    "put",
    "add",
    "avoid",
    "exclude",
    "omit",
    "lack",
    "have",
    "devoid",
)
"""Verbs that only carry a negation; they go with it."""
IDIOMS = (
    ("not", "only"), ("not", "just"), ("nothing", "but"), ("nothing", "beats"), ("nothing", "like"),
    ("no", "longer"), ("no", "matter"), ("no", "more"),
    ("no", "less"), ("no", "bigger"), ("no", "larger"), ("no", "taller"), ("no", "smaller"), ("no", "wider"),
    ("no", "higher"), ("no", "other"), ("without", "doubt"), ("not", "far"), ("never", "ending"), ("if", "not"),
    ("or", "not"), ("no", "nonsense"), ("leaning", "against", "nothing"), ("against", "nothing"),
    ("nothing", "short"), ("no", "stranger"),
)  # fmt: skip

TAILS = (("in", "it"), ("on", "it"), ("in", "them"), ("on", "them"), ("at", "all"), ("in", "sight"), ("in", "frame"))
"""What may follow a negated thing and says nothing more."""
FORBIDDEN = ("entry", "parking", "smoking", "trespassing", "swimming", "loitering", "nonsense")
"""What "no" forbids on signs: their names."""
ONE_WORD = {
    "window": "windowless", "cloud": "cloudless", "tree": "treeless", "leaf": "leafless",
    "sleeve": "sleeveless", "head": "headless", "face": "faceless", "hair": "hairless", "strap": "strapless",
    "wheel": "wheelless", "roof": "roofless", "door": "doorless", "leg": "legless", "wing": "wingless",
    "feature": "featureless", "seam": "seamless", "rim": "rimless", "frame": "frameless",
    "handle": "handleless", "moon": "moonless", "star": "starless", "wind": "windless", "sun": "sunless",
    "water": "dry", "snow": "snow-free", "people": "deserted", "person": "deserted", "human": "deserted",
    "nobody": "deserted", "crowd": "deserted", "car": "car-free", "traffic": "traffic-free",
    "vehicle": "car-free", "furniture": "unfurnished", "beard": "clean-shaven", "moustache": "clean-shaven",
    "hat": "bareheaded", "crown": "bareheaded", "helmet": "bareheaded", "shoe": "barefoot",
    "shirt": "shirtless", "makeup": "bare-faced", "tie": "open-collared", "text": "text-free",
    "word": "wordless", "watermark": "clean", "blur": "sharp", "light": "unlit", "lights": "unlit",
    "smile": "unsmiling", "label": "unlabelled", "sauce": "plain", "topping": "plain", "stripe": "plain",
    "pattern": "plain", "colour": "colourless", "color": "colorless", "ripple": "mirror-smooth",
    "wave": "smooth", "noise": "clean", "grain": "clean", "sugar": "unsweetened", "book": "bookless",
    "railing": "open", "smoke": "smokeless", "wine": "empty", "decoration": "plain", "background": "isolated",
    "shadow": "shadowless", "sound": "silent", "movement": "still", "gradient": "flat-coloured",
    "wrinkle": "smooth-skinned", "border": "borderless", "paint": "unpainted",
}  # fmt: skip
STATES = {
    "smile": "with a neutral expression", "wear": "", "look": "looking away", "move": "standing still",
    "touch": "a hand's breadth apart", "finish": "unfinished", "open": "closed", "close": "open",
    "break": "intact", "burn": "unlit", "light": "unlit", "crowd": "deserted", "sleep": "wide awake",
    "laugh": "serious", "cry": "dry-eyed", "pose": "candid", "centre": "off centre", "center": "off center",
    "symmetrical": "asymmetrical", "blurry": "sharp", "visible": "out of sight", "ripe": "unripe",
    "happy": "solemn", "dark": "light", "cartoonish": "realistic", "realistic": "stylised", "busy": "quiet",
    "full": "half empty", "wet": "dry", "clean": "grimy", "perfect": "imperfect", "straight": "crooked",
    "photorealistic": "stylised", "scary": "friendly", "shine": "dull", "work": "broken", "use": "unused",
    "paint": "unpainted",
}  # fmt: skip


def negation(parse: Parse) -> Iterator[Spot]:
    """Every negation with its scope."""
    written = written_words(parse)
    for sentence in parse.sentences:
        position = 0
        while position < len(sentence.tokens):
            token = sentence.tokens[position]
            spot = None
            if not any(first <= token.start < end for first, end in written) and not keeps(sentence, position):
                spot = _negation(parse.text, sentence, position)
            if spot is None:
                position += 1
                continue
            yield spot
            while position < len(sentence.tokens) and sentence.tokens[position].start < spot.end:
                position += 1


def _negation(text: str, sentence: Sentence, position: int) -> Spot | None:
    token = sentence.tokens[position]
    word = token.lower
    cue = word in NAMING or (token.tag == "NEG" and word not in ("nor",))
    lacking = word in LACKING and (not LACKING[word] or sentence.lower(position + 1) in LACKING[word])
    if word in ("missing", "absent") and sentence.phrase_after(position, within=1) is None:
        lacking = False
    if not cue and not lacking:
        return None
    if any(tuple(sentence.words(position + shift, position + shift + len(idiom))) == idiom
           for idiom in IDIOMS for shift in (0, -1)):  # fmt: skip
        return None
    if word == "no" and sentence.lower(position + 1) in (*FORBIDDEN, ".", ""):
        return None  # "No. 5", "a no entry sign"
    if word in ("nobody", "none", "nothing", "nowhere"):
        return _nobody(text, sentence, position)
    if token.tag == "NEG" and word not in ("no", "without", "sans", "neither", "nor"):
        return _not(text, sentence, position)
    return _thing(text, sentence, position)


def _thing(text: str, sentence: Sentence, position: int) -> Spot | None:
    """ "no windows", "without a crown", "devoid of books", with the things that "or", "and" and "nor" add."""
    reach = 3 if sentence.lower(position) in LACKING else 2
    first = sentence.phrase_at(position + 1) or sentence.phrase_after(position, within=reach)
    if first is None:
        return _verbal(text, sentence, position)
    scope = [first]
    for phrase in sentence.phrases[first.index + 1 :]:
        link = [token.lower for token in phrase.link]
        if (
            not link
            or not all(each in ("or", "nor", "and", ",") for each in link)
            or ("," in link and "or" not in link)
        ):
            break
        if "and" in link and sentence.lower(position) in ("no",):
            break
        scope.append(phrase)
    end = scope[-1].end
    # "in it", "on it at all" say nothing that "deserted" does not
    tail = scope[-1].last + 1
    while tuple(sentence.words(tail, tail + 2)) in TAILS:
        end = sentence.tokens[tail + 1].end
        tail += 2
    if sentence.lower(tail) in ("around", "anywhere", "whatsoever"):
        end = sentence.tokens[tail].end
    named = ", ".join(_bare(text, phrase) for phrase in scope)
    if sentence.lower(position) == "missing" and first.number is not None:
        return _spot(text, sentence.tokens[position].start, end, sentence.tokens[position].start, None, named, scope)
    place = sentence.phrase_after(scope[-1].last, within=2)
    states = list(dict.fromkeys(_state(text, phrase) for phrase in scope))
    start = sentence.tokens[position].start
    owner = _owner(sentence, position)
    if owner is not None:
        start = owner.start
        rewrite = _before_noun(text, owner, states)
    elif sentence.lower(position) in LACKING and place is not None and sentence.lower(scope[-1].last + 1) == "from":
        end = place.end
        rewrite = _before_noun(text, place, states)
    else:
        rewrite = ", ".join(states)
        if position > 1 and sentence.lower(position - 1) in ("and", "but"):
            start, rewrite = sentence.tokens[position - 2].end, f", {rewrite}"
    return _spot(text, start, end, sentence.tokens[position].start, rewrite, named, scope)


def _verbal(text: str, sentence: Sentence, position: int) -> Spot | None:
    """ "without smiling"."""
    following = sentence.tokens[position + 1] if position + 1 < len(sentence.tokens) else None
    if following is None or following.tag not in ("VERB", "ADJ"):
        return None
    state = STATES.get(following.lemma) or f"{following.text}-free"
    start = sentence.tokens[position].start
    return _spot(text, start, following.end, start, state, following.text, [])


def _owner(sentence: Sentence, position: int) -> Phrase | None:
    """The thing that is said to lack something: "a kitchen with no windows", "a king without a crown"."""
    word = sentence.lower(position)
    back = position - 1
    if word in ("no", "neither"):
        if sentence.lower(back) not in ("with", "has", "have", "having"):
            return None
        back -= 1
    elif word in ("free", "devoid", "lacking", "lacks", "without", "sans"):
        if back >= 0 and sentence.tokens[back].tag == "AUX":
            back -= 1
    else:
        return None
    if sentence.lower(back) in ("that", "which", "who"):
        back -= 1
    phrase = sentence.phrase_at(back) if back >= 0 else None
    whole = phrase is not None and phrase.last == back and phrase.head.tag == "NOUN" and phrase.owner is None
    return phrase if whole else None


def _before_noun(text: str, owner: Phrase, states: list[str]) -> str:
    """The owner with what it lacks as adjectives: "a windowless kitchen"."""
    words = [token for token in owner.tokens if token.tag != "DET"]
    first = words[1] if words[0].tag == "NUM" and len(words) > 1 else words[0]
    rest = f"{', '.join(states)} {text[first.start : owner.end]}"
    if owner.determiner in ("a", "an"):
        return same_case(with_article(rest), text[owner.start : owner.end])
    head = text[owner.start : first.start]
    return f"{head}{rest}"


def _state(text: str, phrase: Phrase) -> str:
    """What a thing is called that has none of these."""
    plain = phrase.noun in ONE_WORD or phrase.head.lower in ONE_WORD
    if plain and len([token for token in phrase.tokens if token.tag in ("ADJ", "NOUN")]) == 1:
        return ONE_WORD.get(phrase.head.lower) or ONE_WORD[phrase.noun]
    words = [token.text for token in phrase.tokens if token.tag in ("ADJ", "NOUN")]
    if not words:
        return "plain"
    words[-1] = singular(words[-1])
    return f"{'-'.join(words)}-free"


def _bare(text: str, phrase: Phrase) -> str:
    words = [token for token in phrase.tokens if token.tag != "DET"] or list(phrase.tokens)
    return text[words[0].start : phrase.end]


def _nobody(text: str, sentence: Sentence, position: int) -> Spot | None:
    """ "nobody in frame", "nothing else", "none of the lights on"."""
    token = sentence.tokens[position]
    word, after = token.lower, sentence.lower(position + 1)
    if word == "none" and after == "of":
        phrase = sentence.phrase_after(position, within=2)
        if phrase is None:
            return None
        end = phrase.end
        state = _state(text, phrase)
        if sentence.lower(phrase.last + 1) in ("on", "lit", "visible"):
            end = sentence.tokens[phrase.last + 1].end
        start = sentence.tokens[position - 1].start if sentence.lower(position - 1) == "with" else token.start
        return _spot(text, start, end, token.start, state, _bare(text, phrase), [phrase])
    if word == "nothing":
        end = sentence.tokens[position + 1].end if after in ("else", "more") else token.end
        return _spot(text, token.start, end, token.start, "standing alone", "other things", [])
    verb = sentence.tokens[position + 1] if position + 1 < len(sentence.tokens) else None
    if word == "nobody" and verb is not None and verb.tag in ("VERB", "NOUN") and verb.lemma in ("wear", "wears"):
        phrase = sentence.phrase_after(position + 1)
        if phrase is not None:
            state = f"everyone {_state(text, phrase)}"
            return _spot(text, token.start, phrase.end, token.start, state, _bare(text, phrase), [phrase])
    return _spot(text, token.start, token.end, token.start, "a deserted place", "people", [])


def _not(text: str, sentence: Sentence, position: int) -> Spot | None:
    """ "not smiling", "isn't wearing a hat", "don't use gradients", "there are never any birds"."""
    tokens = sentence.tokens
    start = tokens[position].start
    first = position
    if tokens[position].tag == "NEG" and first > 0 and tokens[first - 1].tag == "AUX" and first > 1:
        first -= 1
    following = tokens[position + 1] if position + 1 < len(tokens) else None
    if following is not None and following.lower in HAVING:
        phrase = sentence.phrase_after(position) or sentence.phrase_at(position + 1)
        if phrase is not None:
            named, state = _bare(text, phrase), _state(text, phrase)
            if sentence.lower(phrase.last + 1) in ("'s", "’s") and phrase.index + 1 < len(sentence.phrases):
                part = sentence.phrases[phrase.index + 1]  # "don't show the woman's face"
                shown = _before_noun(text, phrase, [_state(text, part)])
                return _spot(text, tokens[first].start, part.end, start, shown, _bare(text, part), [part])
            last = first - 1 - (sentence.lower(first - 1) in ("that", "who", "which"))
            owner = sentence.phrase_at(last)
            if owner is not None and owner.head.tag == "NOUN" and owner.last == last and owner.owner is None:
                return _spot(text, owner.start, phrase.end, start, _before_noun(text, owner, [state]), named, [phrase])
            begin = start if following.lower == "any" else tokens[first].start
            return _spot(text, begin, phrase.end, start, state, named, [phrase])
    phrase = sentence.phrase_at(position + 1)
    if following is None:
        return None
    end = phrase.end if phrase is not None and phrase.head.tag != "PRON" else following.end
    lemma = phrase.noun if phrase is not None else following.lemma
    state = STATES.get(following.lemma) or STATES.get(lemma)
    named = text[following.start : end]
    if following.lower.endswith("ed") and following.tag in ("VERB", "ADJ"):
        return _spot(text, start, following.end, start, f"un{following.text}", following.text, [])
    if state:
        return _spot(text, start, end, start, state, named, [])
    if phrase is not None and phrase.head.tag == "NOUN":
        return _spot(text, start, end, start, _state(text, phrase), named, [phrase])
    return _spot(text, start, end, start, f"un{following.text}" if following.tag == "ADJ" else None, named, [])


def _spot(text: str, start: int, end: int, cue: int, rewrite: str | None, named: str, scope: list[Phrase]) -> Spot:
    return Spot(
        start,
        end,
        f"{text[cue:end]!r} names what should not be there, and what is named tends to be painted",
        None if rewrite is None else same_case(rewrite, text[start:end]),
        nouns=tuple(phrase.noun for phrase in scope),
        negative=named,
        free=(*named.replace(",", " ").lower().split(), *CARRIERS),
    )
