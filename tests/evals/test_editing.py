"""Scores of edits: known answers, from readings without a fault."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from triptych.core.plan import Plan, PlanObject
from triptych.editing.instruct.apply import applied
from triptych.editing.instruct.program import Edit, Select
from triptych.evals.editing import (
    OPS,
    TURNS,
    Case,
    as_planned,
    cases,
    conversation,
    drift,
    facts_share,
    fits,
    is_painted,
    pixel_figures,
    score,
    summary,
    to_stay,
)
from triptych.evals.reading import Detection, Reading

FOX = PlanObject(noun="fox", box=(0.1, 0.5, 0.4, 0.8))
CAR = PlanObject(noun="car", colour="blue", box=(0.6, 0.6, 0.9, 0.8))
PLAN = Plan(background="meadow", objects=(FOX, CAR))
EDIT = Edit("recolour", Select("fox", None, (0,)), colour="green")
CASE = Case(0, "recolour", "make the fox green", PLAN, EDIT, applied(PLAN, (EDIT,)).plan)


def seen(*things: PlanObject, background: str = "meadow", natural: str = "orange") -> Reading:
    found = [Detection(t.noun, 0.9, t.box, {t.colour or natural: 1.0}) for t in things]
    return Reading((*found, Detection("owl", 0.1, (0, 0, 0.1, 0.1), {})), {background: 1.0})


GREEN = FOX.model_copy(update={"colour": "green"})
GREY = np.full((64, 64, 3), 90, np.uint8)


@pytest.mark.parametrize(
    ("reading", "done", "kept"),
    [
        (seen(GREEN, CAR), 1, 1),
        (seen(FOX, CAR), 0, 1),  # nothing was done
        (seen(GREEN), 1, 0.5),  # the car is lost
        (seen(GREEN, CAR.model_copy(update={"colour": "red"})), 1, 0.5),
        (seen(GREEN, CAR, FOX.model_copy(update={"box": (0.1, 0.1, 0.2, 0.2)})), 0, 1),  # one fox too many
        (seen(GREEN, CAR, background="night"), 1, 0.5),
        (seen(), 0, 1 / 3),
    ],
)
def test_what_is_done_and_what_is_kept_are_two_things(reading: Reading, done: float, kept: float) -> None:
    if reading == seen():
        kept = 0.5  # of the car and the meadow, the meadow
    figures = score(CASE, GREY, GREY, reading)
    assert (figures["done"], figures["kept"]) == (done, kept)
    assert figures["whole"] == float(done == kept == 1)
    assert (figures["outside_changed"], figures["psnr"]) == (0.0, 99.0)


def test_a_background_counts_as_done_when_it_is_read() -> None:
    edit = Edit("background", background="night")
    case = Case(0, "background", "make it night", PLAN, edit, applied(PLAN, (edit,)).plan)
    assert score(case, GREY, GREY, seen(FOX, CAR, background="night"))["whole"] == 1
    assert score(case, GREY, GREY, seen(FOX, CAR))["done"] == 0


def test_pixels_are_compared_where_the_edit_has_no_reason_to_touch_them() -> None:
    region = to_stay(PLAN, CASE.applied, (64, 64))
    inside = ~region
    assert inside[40, 16]  # the fox
    assert region[45, 48]  # the car
    changed = GREY.copy()
    changed[inside] = 0
    assert pixel_figures(GREY, changed, region) == {"outside_changed": 0.0, "psnr": 99.0}
    changed = GREY + np.uint8(1)
    assert pixel_figures(GREY, changed, region) == {"outside_changed": 1.0, "psnr": pytest.approx(48.13, abs=0.01)}
    night = applied(PLAN, (Edit("background", background="night"),))
    kept = to_stay(PLAN, night, (64, 64))
    assert kept[45, 48]
    assert kept[41, 16]
    assert 0.02 < kept.mean() < 0.12  # the inner of both things


def test_a_picture_is_as_planned_or_not() -> None:
    assert as_planned(seen(FOX, CAR), PLAN) == ([True, True], 0)
    assert is_painted(seen(FOX, CAR), PLAN)
    assert not is_painted(seen(FOX, CAR, GREEN.model_copy(update={"box": (0.5, 0.1, 0.6, 0.2)})), PLAN)
    assert facts_share(seen(FOX, CAR), PLAN) == 1
    assert facts_share(seen(FOX), PLAN) == pytest.approx(2 / 3)


def test_cases_are_the_same_every_time_and_of_every_operation() -> None:
    first = list(cases(2))
    assert first == list(cases(2))
    assert sorted(case.op for case in first) == sorted(2 * OPS)
    assert len({case.number for case in first}) == len(first)
    for case in first:
        assert fits(case.source)
        assert fits(case.target)
        assert applied(case.source, (case.edit,)).plan == case.target != case.source
    assert {case.instruction for case in cases(2, "phrasing")}.isdisjoint(case.instruction for case in first)


def test_a_conversation_has_five_turns_that_follow_each_other() -> None:
    source, turns = conversation(3)
    assert (source, turns) == conversation(3)
    assert len(turns) == TURNS
    plans = [source, *(turn.target for turn in turns)]
    assert all(a != b for a, b in itertools.pairwise(plans))
    assert len({plan.background for plan in plans}) == 1


def test_summaries_have_intervals() -> None:
    lines = [{"done": 1.0, "kept": 1.0, "whole": 1.0, "psnr": 40.0 + k} for k in range(8)]
    found = summary(lines)
    assert (found["whole"].value, found["whole"].high) == (1, 1)
    assert 0.5 < found["whole"].low < 0.7  # eight of eight: Clopper and Pearson
    assert found["psnr"].low < 43.5 < found["psnr"].high
    assert "outside_changed" not in found
    turns = drift([{"turn": t, "facts": 1 - t / 10, "psnr": 50.0} for t in range(TURNS + 1) for _ in range(3)])
    assert [round(turn["facts"].value, 1) for turn in turns] == [1.0, 0.9, 0.8, 0.7, 0.6, 0.5]
