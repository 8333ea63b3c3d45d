"""Pairs: a function of their number, true to the scenes behind them, and split as told."""

from __future__ import annotations

import contextlib

import pytest

from triptych.core.errors import InvalidRequest
from triptych.editing.instruct import phrases
from triptych.editing.instruct.apply import applied
from triptych.editing.instruct.pairs import draw_edit, draw_pair, scene_of
from triptych.scenes.heldout import is_heldout

OPS = ("recolour", "remove", "replace", "move", "resize", "swap", "add", "count", "background", "light")


def test_a_pair_depends_on_its_number_alone() -> None:
    assert draw_pair("small", 3, 5) == draw_pair("small", 3, 5)
    assert draw_pair("small", 3, 5) != draw_pair("small", 3, 6)
    assert draw_pair("small", 3, 5, "phrasing").instruction != draw_pair("small", 3, 5).instruction


def test_turns_lead_from_one_plan_to_the_next_and_to_the_end() -> None:
    for index in range(120):
        pair = draw_pair("small", 11, index)
        assert pair.turns[-1].edit.op in ("done", "unread")
        assert [turn.done for turn in pair.turns] == list(range(len(pair.turns)))
        if not pair.readable or any(not s.things for turn in pair.turns for s in turn.edit.selects):
            continue
        assert applied(pair.turns[0].plan, pair.program).plan == pair.applied.plan


@pytest.mark.parametrize("op", OPS)
def test_a_pair_of_one_operation_can_be_asked_for(op: str) -> None:
    ops = set()
    for index in range(20):
        with contextlib.suppress(InvalidRequest):  # a scene of one thing has nothing to swap
            ops |= {edit.op for edit in draw_pair("small", 2, index, only=op).program}
    assert op in ops
    assert ops <= {op, "keep"}


def test_held_out_combinations_are_asked_for_in_their_own_split_only() -> None:
    def asked(split: str) -> list[bool]:
        found = []
        for index in range(150):
            for turn in draw_pair("small", 4, index, split).turns:  # type: ignore[arg-type]
                edit = turn.edit
                nouns = (
                    [edit.noun] if edit.noun else [turn.plan.objects[i].noun for s in edit.selects for i in s.things]
                )
                if not nouns:
                    continue
                if edit.op in ("recolour", "add", "replace") and edit.colour:
                    found.append(any(is_heldout(noun, edit.colour, 1) for noun in nouns))
        return found

    assert not any(asked("train"))
    assert all(asked("combination"))


def test_held_out_wordings_stay_out_of_training() -> None:
    words = {word for table in phrases.HELD_OUT.values() for text in table for word in text.split() if "{" not in word}
    only_there = words - set(phrases.words())
    texts = " ".join(draw_pair("small", 5, index).instruction.lower() for index in range(400)).split()
    assert only_there
    assert not only_there & set(texts)
    other = " ".join(draw_pair("small", 5, index, "phrasing").instruction.lower() for index in range(200)).split()
    assert only_there & set(other)


def test_an_edit_of_a_given_plan_fits_it() -> None:
    plan = draw_pair("small", 6, 1).turns[0].plan
    text, edit, after = draw_edit(plan, "small", 1, 2, ("recolour", "move"), most=4)
    assert text
    assert edit.op in ("recolour", "move")
    assert applied(plan, (edit,)).plan == after != plan
    with pytest.raises(InvalidRequest, match="none of"):
        draw_edit(plan.model_copy(update={"objects": ()}), "small", 1, 2, ("remove",))


def test_a_scene_is_made_of_a_plan() -> None:
    pair = draw_pair("small", 7, 3)
    scene = scene_of(pair.applied.plan, pair.source)
    assert scene.plan().background == pair.applied.plan.background
    assert {(t.noun, t.colour, t.box) for t in scene.objects} == {
        (t.noun, t.colour, t.box) for t in pair.applied.plan.objects
    }
