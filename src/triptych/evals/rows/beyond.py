"""What GenEval does not ask: negation, scale, occlusion, shadows, and combinations that training never showed.

Each function draws prompt n of its row's endless series. It knows nothing of how they are judged.
"""

from __future__ import annotations

import itertools

from triptych.evals.rows.prompt import Prompt, visible_on
from triptych.evals.rows.words import absence, cycled, opening, phrase, seen_colours
from triptych.scenes import Group, Level, Relation
from triptych.scenes.draw import Draw
from triptych.scenes.heldout import colour_of_count_is_heldout, colour_of_noun_is_heldout
from triptych.scenes.nouns import NOUNS
from triptych.scenes.wording import BACKGROUND_PHRASES, LIGHT_PHRASES, RELATION_PHRASES


def negation(level: Level, n: int, draw: Draw) -> list[Prompt]:
    """ "a fox in a forest, without a car": one thing, or in every third prompt two, and one that may not be there"""
    there, more, gone = draw.sample(level.sprites, 3)
    there = cycled([noun for noun in level.sprites if noun not in (more, gone)], n, "negation")
    groups = (Group(there), Group(more)) if n % 3 == 2 else (Group(there),)
    background = draw.pick(visible_on(groups, level, (gone,)))
    things = " and ".join(phrase(group) for group in groups)
    text = f"{opening(draw)}{things} {draw.pick(BACKGROUND_PHRASES[background])}, {absence(gone, draw)}"
    return [Prompt("negation", "report", 0, text, "geneval", groups, background=background, absent=(gone,))]


def scale(level: Level, n: int, draw: Draw) -> list[Prompt]:
    """ "a large fox and a small car", the large one first in every second prompt"""
    nouns = (first := cycled(level.sprites, n, "scale")), draw.pick([noun for noun in level.sprites if noun != first])
    sizes = ("large", "small") if n % 2 == 0 else ("small", "large")
    groups = tuple(Group(noun, size=size) for noun, size in zip(nouns, sizes, strict=True))
    return [
        Prompt("scale", "report", 0, f"{opening(draw)}{phrase(groups[0])} and {phrase(groups[1])}", "scale", groups)
    ]


def occlusion(level: Level, n: int, draw: Draw) -> list[Prompt]:
    """ "a fox partly hiding a car", or "a car partly hidden by a fox" """
    kind = ("in front of", "behind")[n % 2]
    first = cycled(level.sprites, n, "occlusion")
    groups = (Group(first), Group(draw.pick([noun for noun in level.sprites if noun != first])))
    text = f"{opening(draw)}{phrase(groups[0])} {RELATION_PHRASES[kind][1]} {phrase(groups[1])}"
    return [Prompt("occlusion", "report", 0, text, "occlusion", groups, (Relation(0, kind, 1),), case=kind)]


def shadows(level: Level, n: int, draw: Draw) -> list[Prompt]:
    """ "a fox in the desert, lit from the left": one thing that stands on the ground"""
    light = level.lights[n % len(level.lights)]
    group = Group(cycled([noun for noun in level.sprites if not NOUNS[noun].flies], n, "shadows"))
    background = draw.pick(visible_on((group,), level))
    place, lit = draw.pick(BACKGROUND_PHRASES[background]), draw.pick(LIGHT_PHRASES[light])
    text = f"{opening(draw)}{phrase(group)} {place}, {lit}"
    return [
        Prompt("shadows", "report", 0, text, "shadow", (group,), background=background, light=light, case=light)
    ]  # fmt: skip


def unseen(level: Level, n: int, draw: Draw) -> list[Prompt]:
    """A combination that no training scene shows, and one that some do, with the same noun and the same count.

    By turns noun x colour ("a green fox") and colour x count ("two red cars"; red ones never come in twos).
    """
    options = _unseen_colours(level) if n % 2 == 0 else _unseen_counts(level)
    options = options or _unseen_colours(level) or _unseen_counts(level)
    strange = cycled(options, n // 2, f"unseen {n % 2}")
    known = draw.pick(seen_colours(strange.noun, level, strange.count))
    start = opening(draw)
    pair = (("unseen", strange), ("seen", Group(strange.noun, known, strange.count)))
    return [Prompt("unseen", "report", 0, start + phrase(group), "exact", (group,), case=case) for case, group in pair]


def _unseen_colours(level: Level) -> list[Group]:
    return [
        Group(noun, colour)
        for noun, colour in itertools.product(level.sprites, level.colours)
        if NOUNS[noun].recolourable and colour_of_noun_is_heldout(noun, colour) and seen_colours(noun, level)
    ]


def _unseen_counts(level: Level) -> list[Group]:
    return [
        Group(noun, colour, count)
        for noun, colour, count in itertools.product(
            level.sprites, level.colours, range(2, min(level.max_things, 4) + 1)
        )
        if NOUNS[noun].recolourable
        and colour_of_count_is_heldout(colour, count)
        and not colour_of_noun_is_heldout(noun, colour)
        and seen_colours(noun, level, count)
    ]
