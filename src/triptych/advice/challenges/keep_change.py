"""Keep versus change: "keep this image the same but change the t-shirt" freezes and changes the same pixels.

Found: what is kept is all of the picture, without an exception, and something changes; or the very thing that is kept
changes. The cure names the exception: keep everything except the t-shirt.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from triptych.advice.challenges.keeping import REST, WHOLE, Clause, clauses, targets
from triptych.advice.challenges.regenerate import POSES
from triptych.advice.challenges.spot import Spot
from triptych.advice.grammar import Parse
from triptych.advice.grammar.words import CLOTHES, PLACES, word_set

LIGHT = word_set("light lighting mood night day dusk dawn sunset sunrise daylight dark bright evening morning time")
OUTFIT = CLOTHES | word_set("outfit clothes clothing wardrobe look")
SCENE = PLACES | word_set("background setting scene backdrop")
POSTURE = word_set("pose posture position stance")
FIELDS = (LIGHT, OUTFIT, SCENE)
ADDING = word_set("add put draw place")


def keep_change(parse: Parse) -> Iterator[Spot]:
    """The conflict of an instruction, at most one."""
    found = clauses(parse)
    kept = [clause for clause in found if clause.keeps]
    changed = [clause for clause in found if clause.changes]
    if not kept or not changed:
        return
    hit = [keep for keep in kept if _conflicts(keep, changed)]
    if not hit:
        return
    start, end = min(clause.start for clause in (*hit, *changed)), max(clause.end for clause in (*hit, *changed))
    keep, change = (parse.text[clause.start : clause.end] for clause in (hit[0], changed[0]))
    others = [keep for keep in kept if keep not in hit]
    yield Spot(
        start,
        end,
        f"{keep!r} freezes what {change!r} is to change, and no exception is named",
        _rewrite(parse.text, changed, others),
        nouns=tuple(phrase.noun for clause in changed for phrase in clause.phrases),
        free=tuple(phrase.noun for keep in hit for phrase in keep.phrases),
    )


def _conflicts(keep: Clause, changed: Sequence[Clause]) -> bool:
    if keep.excepts or keep.has(REST):
        return False
    held = [phrase for phrase in keep.phrases if phrase.head.lower not in ("is", "way")]
    specific = [phrase for phrase in held if phrase.noun not in WHOLE and phrase.head.lower not in WHOLE]
    specific = [phrase for phrase in specific if phrase.head.tag == "NOUN"]
    if not specific:
        return True
    nouns = {phrase.noun for phrase in specific}
    for change in changed:
        for target in targets(change):
            if target.noun in nouns or target.head.lower in ("it", "them"):
                return True
        if any(nouns & field and change.has(field) for field in FIELDS):
            return True
        if nouns & POSTURE and any(token.lemma in POSES for token in change.tokens):
            return True
    return False


def _rewrite(text: str, changed: Sequence[Clause], others: Sequence[Clause]) -> str:
    named: list[str] = []
    for change in changed:
        found = targets(change)
        bodily = bool(found) and (found[0].is_animate or found[0].head.tag == "PRON") and found[0].determiner != "a"
        if (change.tokens[0].lemma in ADDING and not bodily) or not found:
            thing = (
                _definite(text, change.phrases[0].start, change.phrases[0].end) if change.phrases else "what changes"
            )
            named.append(f"the place of {thing}" if change.phrases else thing)
        elif found[0].noun in LIGHT:
            named.append("the light")
        else:
            named.append(_definite(text, found[0].start, found[0].end))
    said = [f"Keep everything in this image except {' and '.join(dict.fromkeys(named))}."]
    said += [_sentence(text[clause.start : clause.end]) for clause in (*changed, *others)]
    dressed = any(phrase.is_clothes for change in changed for phrase in change.phrases)
    if dressed:
        said.append("It follows the body naturally, in the light of the scene.")
    return " ".join(said).removesuffix(".")


def _definite(text: str, start: int, end: int) -> str:
    words = text[start:end]
    first, _, rest = words.partition(" ")
    if first.lower() in ("a", "an") and rest:
        return f"the {rest}"
    return (
        words
        if first.lower() in ("the", "his", "her", "its", "their", "him", "he", "she", "it", "my")
        else f"the {words}"
    )


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."
