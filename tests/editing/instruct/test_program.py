"""Programs: symbols and JSON to edits and back, and the words that people are told."""

from __future__ import annotations

import json

import pytest

from triptych.core.errors import FileProblem
from triptych.core.plan import Plan, PlanObject
from triptych.editing.instruct.lexer import tokens_of
from triptych.editing.instruct.pairs import draw_pair
from triptych.editing.instruct.program import Edit, Select, Spot, from_symbols, parse
from triptych.planning.edit_tokens import follows
from triptych.scenes.levels import LEVELS

FOX = Select("fox", None, (0,))


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (Edit("recolour", FOX, colour="blue"), "recolour the fox -> blue"),
        (Edit("recolour", FOX), "recolour the fox -> its natural colour"),
        (Edit("remove", Select("fox", "red", (0, 2))), "remove the red foxes"),
        (Edit("replace", Select(None, None, (1,)), noun="cat", colour="blue"), "replace the thing -> blue cat"),
        (Edit("move", FOX, spot=Spot("by:left")), "move the fox to the left"),
        (Edit("move", FOX, spot=Spot("at:top left")), "move the fox to the top left"),
        (Edit("add", noun="moon", spot=Spot("rel:above", Select("house", None, (1,)))), "add moon above the house"),
        (Edit("add", noun="cat", number=2, size="small", colour="red"), "add two small red cats"),
        (Edit("count", noun="apple", mode="more", number=2), "count of apples -> 2 more"),
        (Edit("count", noun="apple", mode="set", number=3), "count of apples -> 3"),
        (Edit("resize", FOX, size="larger"), "resize the fox -> larger"),
        (Edit("swap", FOX, Select("car", None, (1,))), "swap the fox and the car"),
        (Edit("background", background="night"), "background -> night"),
        (Edit("light", light="left"), "light -> from the left"),
        (Edit("keep", aspect="background"), "keep the background"),
        (Edit("keep", FOX, aspect="colour"), "keep the colour of the fox"),
        (Edit("text", Select("sign", None, (0,)), text="OPEN"), 'text of the sign -> "OPEN"'),
    ],
)
def test_an_edit_says_what_it_is(edit: Edit, words: str) -> None:
    assert edit.words() == words


def test_with_the_plan_at_hand_it_is_told_which_of_several_is_meant() -> None:
    left, right = (PlanObject(noun="fox", box=(x, 0.4, x + 0.2, 0.6)) for x in (0.1, 0.7))
    plan = Plan(objects=(left, right, PlanObject(noun="car", box=(0.4, 0.4, 0.6, 0.6))))
    edit = Edit("move", FOX, spot=Spot("rel:left of", Select(None, None, (1,))))
    assert edit.words(plan) == "move the fox (left) left of the fox (right)"
    assert Edit("remove", Select(None, None, (2,))).words(plan) == "remove the car"


@pytest.mark.parametrize("level", ["small", "full"])
def test_every_edit_of_the_pairs_survives_symbols_and_json(level: str) -> None:
    tokens = tokens_of(LEVELS["full"])  # a bus is white by nature, which small worlds have no name for
    seen = set()
    for index in range(250):
        for turn in draw_pair(level, 3, index).turns:
            symbols, things = turn.edit.symbols(), tokens.seen(turn.plan)
            assert follows(tokens, things, symbols), (turn.edit, symbols)
            assert from_symbols(symbols, things, text=turn.edit.text) == turn.edit
            assert parse(json.loads(json.dumps([turn.edit.as_json()]))) == (turn.edit,)
            seen.add(turn.edit.op)
    assert seen >= {"recolour", "remove", "replace", "move", "resize", "swap", "add", "count", "background", "light",
                    "keep", "unread", "done"}  # fmt: skip


@pytest.mark.parametrize("data", [None, [{"op": "remove", "select": {}}], [{"nothing": 1}], [7]])
def test_a_damaged_program_is_a_file_problem(data: object) -> None:
    with pytest.raises(FileProblem, match="damaged"):
        parse(data)
