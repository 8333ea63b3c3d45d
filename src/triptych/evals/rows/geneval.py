"""GenEval's six tasks (Ghosh et al. 2023) in the built-in world: its shapes, counts and order, our nouns and colours.

Each function draws prompt n of its row's endless series. Only combinations that training scenes may hold occur.
"""

from __future__ import annotations

from triptych.evals.rows.prompt import Prompt
from triptych.evals.rows.words import coloured, cycled, opening, phrase, seen_colours
from triptych.scenes import Group, Level, Relation
from triptych.scenes.draw import Draw
from triptych.scenes.wording import RELATION_PHRASES

POSITIONS = ("left of", "right of", "above", "below")


def single(level: Level, n: int, draw: Draw) -> list[Prompt]:
    """ "a picture of a fox" """
    group = Group(cycled(level.sprites, n, "single"))
    return [_prompt("single", opening(draw) + phrase(group), (group,))]


def two_objects(level: Level, n: int, draw: Draw) -> list[Prompt]:
    """ "a picture of a fox and a car" """
    groups = (Group(first := cycled(level.sprites, n, "two objects")), Group(_other(level.sprites, first, draw)))
    return [_prompt("two_objects", f"{opening(draw)}{phrase(groups[0])} and {phrase(groups[1])}", groups)]


def counting(level: Level, n: int, draw: Draw) -> list[Prompt]:
    """ "a picture of three foxes" """
    counts = range(2, min(level.max_things, 4) + 1)
    group = Group(cycled(level.sprites, n, "counting"), count=counts[n % len(counts)])
    return [_prompt("counting", opening(draw) + phrase(group), (group,), rule="counting", case=str(group.count))]


def colours(level: Level, n: int, draw: Draw) -> list[Prompt]:
    """ "a picture of a red car" """
    noun = cycled(coloured(level), n, "colours")
    group = Group(noun, draw.pick(seen_colours(noun, level)))
    return [_prompt("colours", opening(draw) + phrase(group), (group,))]


def position(level: Level, n: int, draw: Draw) -> list[Prompt]:
    """ "a picture of a fox left of a car" """
    kind = POSITIONS[n % 4]
    groups = (Group(first := cycled(level.sprites, n, "position")), Group(_other(level.sprites, first, draw)))
    text = f"{opening(draw)}{phrase(groups[0])} {draw.pick(RELATION_PHRASES[kind])} {phrase(groups[1])}"
    return [_prompt("position", text, groups, (Relation(0, kind, 1),), case=kind)]


def binding(level: Level, n: int, draw: Draw) -> list[Prompt]:
    """ "a picture of a red car and a blue apple": two nouns, two colours"""
    nouns = coloured(level)
    first = cycled(nouns, n, "binding")
    second = _other(nouns, first, draw)
    colour = draw.pick(seen_colours(first, level))
    other = draw.pick([each for each in seen_colours(second, level) if each != colour])
    groups = (Group(first, colour), Group(second, other))
    return [_prompt("binding", f"{opening(draw)}{phrase(groups[0])} and {phrase(groups[1])}", groups)]


def left_right(level: Level, n: int, draw: Draw) -> list[Prompt]:
    """ "a fox left of a car" and "a car left of a fox": no fixed layout can satisfy both"""
    kind = POSITIONS[n % 2]
    nouns = (first := cycled(level.sprites, n, "left right")), _other(level.sprites, first, draw)
    start, words = opening(draw), draw.pick(RELATION_PHRASES[kind])
    prompts: list[Prompt] = []
    for pair in (nouns, nouns[::-1]):
        groups = (Group(pair[0]), Group(pair[1]))
        text = f"{start}{phrase(groups[0])} {words} {phrase(groups[1])}"
        prompts.append(_prompt("left_right", text, groups, (Relation(0, kind, 1),), case=kind))
    return prompts


def _other(nouns: tuple[str, ...], noun: str, draw: Draw) -> str:
    return draw.pick([each for each in nouns if each != noun])


def _prompt(
    row: str,
    text: str,
    groups: tuple[Group, ...],
    relations: tuple[Relation, ...] = (),
    *,
    rule: str = "geneval",
    case: str = "",
) -> Prompt:
    return Prompt(row, "report", 0, text, rule, groups, relations, case=case)
