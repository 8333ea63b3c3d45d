"""What the editor of the package reads: plain instructions, each as it is meant."""

from __future__ import annotations

from functools import cache

import pytest

from triptych.core.errors import InvalidRequest
from triptych.core.plan import Plan, PlanObject
from triptych.editing.instruct.pairs import draw_pair
from triptych.editing.instruct.problems import check, readable
from triptych.editing.instruct.read import Read, read
from triptych.library import Library

pytestmark = pytest.mark.weights

PLAN = Plan(
    background="meadow",
    objects=(
        PlanObject(noun="fox", box=(0.1, 0.55, 0.35, 0.8)),
        PlanObject(noun="car", colour="blue", box=(0.6, 0.65, 0.9, 0.84)),
        PlanObject(noun="car", box=(0.05, 0.2, 0.25, 0.33)),
        PlanObject(noun="house", box=(0.55, 0.2, 0.85, 0.5)),
    ),
)


@cache
def reader():
    return Library().parts.editor()


def understood(instruction: str, plan: Plan = PLAN) -> Read:
    return read(*reader(), instruction, plan)


@pytest.mark.parametrize(
    ("instruction", "program"),
    [
        ("make the fox blue", "recolour the fox -> blue"),
        ("turn the left car green", "recolour the car (top left) -> green"),
        ("add a moon above the house", "add moon above the house"),
        ("remove the blue car", "remove the blue car"),
        ("move the house to the left", "move the house to the left"),
        ("make it night", "background -> night"),
        ("replace the fox with a cat", "replace the fox -> cat"),
        ("Please make the house bigger.", "resize the house -> larger"),
        ("two more foxes", "count of foxes -> 2 more"),
        ("light from the right", "light -> from the right"),
        ("remove both cars", "remove the cars"),
        ("paint the fox purple and add a red balloon", "recolour the fox -> purple, then add red balloon"),
    ],
)
def test_plain_instructions_are_read_as_meant(instruction: str, program: str) -> None:
    found = understood(instruction)
    assert readable(found.program, found.plans) == program
    check(found, PLAN, instruction)


def test_the_left_car_is_the_left_one() -> None:
    for word, number in (("left", 2), ("right", 1)):
        select = understood(f"remove the {word} car").program[0].select
        assert select is not None
        assert select.things == (number,)


@pytest.mark.parametrize(
    ("instruction", "message"),
    [
        ("make the car red", "may be any of a blue car .* and a red car"),
        ("remove the dog", "'the dog' is not in the picture"),
        ("keep the sky but make it night", "asks to keep the background and to change it"),
        ("make it more beautiful", "is not understood"),
        ("what is this?", "is not understood"),
        ("flurbish the fox", "not known: 'flurbish'"),
    ],
)
def test_what_cannot_be_done_is_refused(instruction: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        check(understood(instruction), PLAN, instruction)


def test_nine_in_ten_fresh_instructions_are_read_exactly() -> None:
    editor, tokens = reader()
    right = 0
    for index in range(80):
        pair = draw_pair("small", 5_000_000, index)
        found = read(editor, tokens, pair.instruction, pair.turns[0].plan)
        wanted = pair.program if pair.readable else (pair.turns[-1].edit,)
        right += [edit.symbols() for edit in found.program] == [edit.symbols() for edit in wanted]
    assert right >= 72
