"""What kind of word each token is, from lists, endings and the words beside it.

Tags: DET, NUM, ADJ, NOUN, PRON, VERB (any form, participles too), AUX, ADV, PREP, CONJ, NEG, POSS ('s), TO, QUOTE,
STOP (ends a sentence), MARK (comma and the like). An unknown word is a noun, unless its ending or its neighbours say
otherwise.
"""

from __future__ import annotations

import re

from triptych.advice.grammar import words as w
from triptych.advice.grammar.tokens import Token, tokens_of

_ADJECTIVE_ENDING = re.compile(
    r".{3,}(?:ful|ous|less|ish|able|ible|esque|-like|-colou?red|-sized|-style|-free|-shaped)$"
)
_NOT_ADJECTIVE = w.word_set(
    "table vegetable cable stable bible fish radish goldfish jellyfish dish mouthful handful armful finish varnish "
    "starfish clownfish catfish crayfish octopus polish relish"
)
CAUSING = ("make", "let", "have", "makes", "making", "see", "watch")
_NOMINAL = ("DET", "ADJ", "NUM", "POSS")


def tagged(text: str) -> list[Token]:
    """The prompt's tokens, each with its tag and ground form."""
    tokens = tokens_of(text)
    found: list[Token] = []
    for index, token in enumerate(tokens):
        before = found[-1] if found else None
        after = tokens[index + 1] if index + 1 < len(tokens) else None
        tag = _tag(token, before, after)
        found.append(token.tagged(tag, _lemma(token, tag)))
    return found


def _tag(token: Token, before: Token | None, after: Token | None) -> str:
    fixed = {"quote": "QUOTE", "possessive": "POSS", "number": "NUM", "stop": "STOP", "mark": "MARK"}.get(token.kind)
    if fixed:
        return fixed
    word = token.lower
    if word == "to":
        return "TO"
    closed = _closed(word, before, after)
    return closed or _open(word, before, after)


def _closed(word: str, before: Token | None, after: Token | None) -> str:
    if word in w.NEGATIONS:
        return "NEG"
    if word in w.NUMBERS or word in w.GROUPS:
        return _number(word, after)
    if word == "her" and before is not None and before.lower in CAUSING and _is_base(after):
        return "PRON"
    if word in ("another", "her", "that", "this") and not _begins_noun(after):
        return "PRON"
    if word == "like" and before is not None and before.tag in ("PRON", "NEG"):
        return "VERB"
    for tag, group in (
        ("DET", w.DETERMINERS),
        ("PRON", w.PRONOUNS),
        ("AUX", w.AUXILIARIES),
        ("PREP", w.PREPOSITIONS),
        ("CONJ", w.CONJUNCTIONS),
        ("ADV", w.ADVERBS),
    ):
        if word in group:
            return tag
    return ""


def _is_base(after: Token | None) -> bool:
    return after is not None and verb_base(after.lower) == after.lower


def _number(word: str, after: Token | None) -> str:
    if word == "one" and not _begins_noun(after):
        return "PRON"
    return "NOUN" if word in w.GROUPS and word != "dozen" else "NUM"


def _open(word: str, before: Token | None, after: Token | None) -> str:
    nominal = before is not None and before.tag in (*_NOMINAL, "PREP", "NEG", "VERB")
    if word in w.ING_NOUNS and _acts(word, before, after):
        return "VERB"
    if word in w.ING_NOUNS or word in w.PEOPLE or word in w.ANIMALS:
        return _rather_noun(word, before, after)
    if word in w.COLOURS or word in w.PATTERNS or word in w.BUILDS:
        return "ADJ"
    of = after is not None and after.lower == "of"
    if word == "left" and not of and before is not None and before.tag in ("AUX", "PRON") and before.lower != "one":
        return "VERB"
    if word in w.ADJECTIVES:
        return "ADJ"
    if word.endswith("ly") and len(word) > 4:
        return "ADJ" if word in w.LY_ADJECTIVES and not _is_noun_ly(word) else _ly(word)
    base = verb_base(word)
    if base:
        return _verb_or_not(word, base, before, after)
    if _ADJECTIVE_ENDING.match(word) and word not in _NOT_ADJECTIVE:
        return "ADJ"
    if "-" in word and word.endswith(("ed", "ing", "en")):
        return "ADJ"
    if word.endswith("ing") and len(word) > 5:
        attributive = before is not None and before.tag in _NOMINAL and _begins_noun(after)
        return "ADJ" if attributive else "VERB"
    if word.endswith("ed") and len(word) > 4 and not word.endswith(("eed", "seed", "shed", "sled")):
        return (
            "ADJ"
            if _begins_noun(after) and (nominal or before is None or before.tag in ("MARK", "CONJ", "ADJ"))
            else "VERB"
        )
    if word.endswith("en") and len(word) > 5 and before is not None and before.tag in _NOMINAL and _begins_noun(after):
        return "ADJ"
    return "NOUN"


def _rather_noun(word: str, before: Token | None, after: Token | None) -> str:
    """Names of people and animals that are verbs too ("fish", "cook", "duck", "model"): verbs after "to" only."""
    if (
        word in ("cook", "fish", "guard", "duck", "bear", "model", "figure", "man")
        and before is not None
        and before.tag == "TO"
    ):
        return "VERB"
    return "NOUN"


def _acts(word: str, before: Token | None, after: Token | None) -> bool:
    """Whether "carving", "writing" and their like are what someone does: "a man carving a spoon"."""
    if not verb_base(word) or before is None:
        return False
    if before.tag == "CONJ":
        return after is not None and (after.lower in w.DETERMINERS or after.kind == "quote" or after.text.isupper())
    if before.tag not in ("NOUN", "PRON"):
        return False
    who = (
        before.lemma in w.PEOPLE
        or before.lower in w.PEOPLE
        or before.lemma.endswith((*w.PERSON_ENDINGS, "or", "er", "ist", "ian"))
    )
    determined = after is not None and after.lower in w.DETERMINERS
    return determined or ((who or before.tag == "PRON") and _begins_phrase(after))


def _verb_or_not(word: str, base: str, before: Token | None, after: Token | None) -> str:
    """A form of a known verb: participle before or after a noun, finite, imperative, or a noun that looks like it."""
    tag = before.tag if before is not None else "STOP"
    if word.endswith(("ing", "ed", "en")) or word in w.IRREGULAR:
        attributive = tag in _NOMINAL and _begins_noun(after)
        bare = tag in ("MARK", "STOP", "CONJ", "PREP") and _is_plain_noun(after) and not word.endswith("ing")
        return "ADJ" if attributive or bare else "VERB"
    if tag in ("TO", "AUX", "PRON") or (tag == "NEG" and before is not None and before.lower not in ("no", "without")):
        return "VERB"
    if tag in ("STOP", "CONJ", "MARK", "ADV") and _begins_phrase(after) and word == base:
        return "VERB"
    if tag == "NOUN" and word in w.STRICT_VERBS:
        return "VERB"
    if tag == "NOUN" and before is not None and _begins_phrase(after, prepositions=True):
        plural = before.lemma != before.lower
        # "the boy walks", "the boys walk"; but "park lights", "street signs" before a verb or an end
        ends = after is None or after.kind in ("stop", "mark")
        if ends and not (before.lemma in w.PEOPLE or before.lemma in w.ANIMALS):
            return "NOUN"
        agrees = (word != base) != plural or before.lemma in ("person", "sheep", "fish")
        if agrees and (word != base or plural):
            return "VERB"
    return "NOUN"


def _begins_noun(after: Token | None) -> bool:
    """Whether the next word can go on with a noun phrase; it is not tagged yet."""
    if after is None or after.kind != "word":
        return after is not None and after.kind == "number"
    word = after.lower
    if word in w.NEGATIONS or word in w.DETERMINERS or word in w.PRONOUNS or word in w.AUXILIARIES:
        return False
    if word in w.PREPOSITIONS or word in w.CONJUNCTIONS or word == "to" or word in w.ADVERBS:
        return False
    if word.endswith("ing") and word not in w.ING_NOUNS and word not in w.ADJECTIVES:
        return False
    return not (
        word in w.IRREGULAR and word not in ("lit", "left", "hidden", "broken", "frozen", "woven", "worn", "lost")
    )


def _is_plain_noun(after: Token | None) -> bool:
    return _begins_noun(after) and after is not None and (after.lower not in w.ADJECTIVES or after.lower in w.PEOPLE)


def _begins_phrase(after: Token | None, *, prepositions: bool = False) -> bool:
    """Whether the next word can begin the object of a verb."""
    if after is None:
        return prepositions
    if after.kind == "quote":
        return True
    word = after.lower
    if prepositions and (
        word in ("left", "right")
        or word in w.PREPOSITIONS
        or word == "to"
        or after.kind in ("stop", "mark")
        or word in w.CONJUNCTIONS
    ):
        return True
    return word in w.DETERMINERS or word in w.PRONOUNS or word in w.NUMBERS or _begins_noun(after) or word in w.ADVERBS


def _is_noun_ly(word: str) -> bool:
    return word in w.LY_NOUNS


def _ly(word: str) -> str:
    return "NOUN" if _is_noun_ly(word) else "ADV"


def verb_base(word: str) -> str:
    """The ground form of a known verb, "" if it is none: "carries" -> "carry", "hidden" -> "hide"."""
    if word in w.IRREGULAR:
        return w.IRREGULAR[word]
    if word in w.VERBS:
        return word
    for ending in ("ing", "ed", "es", "s", "d"):
        if not word.endswith(ending) or len(word) <= len(ending) + 1:
            continue
        stem = word[: -len(ending)]
        options = [stem, stem + "e"]
        if len(stem) > 2 and stem[-1] == stem[-2]:
            options.append(stem[:-1])
        if stem.endswith("i"):
            options.append(stem[:-1] + "y")
        for option in options:
            if option in w.VERBS:
                return option
    return ""


def singular(word: str) -> str:
    """The ground form of a noun: "mice" -> "mouse", "boxes" -> "box"; one that is no plural stays."""
    if word in w.PLURALS:
        return w.PLURALS[word]
    if word in w.NOT_PLURAL or not word.endswith("s") or word.endswith(("ss", "us", "is")) or len(word) < 4:
        return word
    if (
        word.endswith("ies")
        and len(word) > 4
        and word not in ("cookies", "movies", "selfies", "hoodies", "pixies", "zombies")
    ):
        return word[:-3] + "y"
    if word.endswith("ies"):
        return word[:-1]
    if word.endswith(("ches", "shes", "xes", "sses", "zes")) and word not in (
        "axes",
        "headaches",
        "mustaches",
        "moustaches",
    ):
        return word[:-2]
    if word.endswith("oes") and word not in ("shoes", "toes", "canoes"):
        return word[:-2]
    return word[:-1]


def is_plural(token: Token) -> bool:
    word = token.lower
    return word != singular(word) or word in w.SAME_PLURALS


def _lemma(token: Token, tag: str) -> str:
    word = token.lower
    if tag == "VERB":
        return verb_base(word) or _stem(word)
    if tag == "NOUN":
        return singular(word)
    return word


def _stem(word: str) -> str:
    """An unknown verb without its ending, good enough to compare two forms of it."""
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            return word[: -len(ending)]
    return word
