"""What is said of instructions that cannot be carried out; the network is replaced by what it would write."""

from __future__ import annotations

import pytest

from triptych.core.capabilities import Capabilities
from triptych.core.errors import InvalidRequest
from triptych.core.plan import Plan, PlanObject
from triptych.editing.instruct import read as reads
from triptych.editing.instruct.lexer import tokens_of
from triptych.editing.instruct.problems import check, check_world, conflicts
from triptych.editing.instruct.program import Edit, Select
from triptych.editing.instruct.read import Read, read
from triptych.planning.editor import EditorConfig, Situation, Written
from triptych.scenes.levels import LEVELS

TOKENS = tokens_of(LEVELS["full"])
LEFT, RIGHT = (0.05, 0.4, 0.35, 0.7), (0.6, 0.4, 0.9, 0.7)
PLAN = Plan(
    background="snow", objects=(PlanObject(noun="fox", box=LEFT), PlanObject(noun="fox", colour="blue", box=RIGHT))
)
LEFT_FOX = Select("fox", "orange", (0,))


class Scripted:
    """An editor that writes what it is told to."""

    config = EditorConfig(len(TOKENS))

    def __init__(self, *edits: Edit, sure: float = 1.0) -> None:
        self.edits, self.sure, self.seen = [*edits, Edit("done")], sure, list[Situation]()

    def write(self, situation: Situation, tokens: object) -> Written:
        self.seen.append(situation)
        return Written(self.edits[situation.done].symbols(), self.sure)


def reading(*edits: Edit, sure: float = 1.0, words: str = "some words", plan: Plan = PLAN) -> Read:
    return read(Scripted(*edits, sure=sure), TOKENS, words, plan)  # type: ignore[arg-type]


def refused(found: Read, words: str = "some words") -> str:
    with pytest.raises(InvalidRequest) as error:
        check(found, PLAN, words)
    assert error.value.parameter == "instruction"
    return str(error.value)


def test_edits_are_read_one_by_one_each_beside_the_plan_as_it_is_by_then() -> None:
    script = Scripted(Edit("remove", LEFT_FOX), Edit("recolour", Select("fox", None, (0,)), colour="red"))
    found = read(script, TOKENS, "remove the left fox and make the other red", PLAN)  # type: ignore[arg-type]
    assert [len(situation.plan.objects) for situation in script.seen] == [2, 1, 1]
    assert [situation.touched for situation in script.seen] == [(), (), (0,)]
    assert [thing.colour for thing in found.plan.objects] == ["red"]
    assert found.stopped == ""
    check(found, PLAN, "")


def test_nothing_understood_says_what_can_be_asked_and_what_is_there() -> None:
    told = refused(reading(Edit("unread"), words="make the fox flurbish"), "make the fox flurbish")
    assert "'flurbish'" in told
    assert "recolour" in told
    assert "an orange fox (left) and a blue fox (right), background snow" in told


def test_a_guess_is_told_but_not_done() -> None:
    told = refused(reading(Edit("background", background="night"), sure=0.3))
    assert "'background -> night', with 30% certainty" in told


def test_what_is_not_there_and_what_is_not_told_apart_is_named() -> None:
    assert "'the car' is not in the picture; what is: an orange fox" in refused(reading(Edit("remove", Select("car"))))
    told = refused(reading(Edit("remove", Select("fox", None, (), unclear=True))))
    assert "may be any of an orange fox (left) and a blue fox (right); say which" in told
    later = reading(Edit("remove", Select("fox", None, (0, 1))), Edit("recolour", Select("fox"), colour="red"))
    assert "any more after the edits before; what is: nothing that is known" in refused(later)


def test_an_edit_that_cannot_be_done_and_one_that_does_nothing_are_told() -> None:
    from triptych.editing.instruct.program import Spot

    far_left = Plan(objects=(PlanObject(noun="fox", box=(0.0, 0.2, 0.5, 0.7)),))
    found = reading(Edit("move", Select("fox", None, (0,)), spot=Spot("by:left")), plan=far_left)
    with pytest.raises(InvalidRequest, match="there is no room for the fox to the left"):
        check(found, far_left, "")
    assert "changes nothing" in refused(reading(Edit("recolour", LEFT_FOX, colour="orange")))


@pytest.mark.parametrize(
    ("edits", "what"),
    [
        ((Edit("keep", aspect="background"), Edit("background", background="night")), "the background"),
        ((Edit("light", light="left"), Edit("keep", aspect="light")), "the light"),
        ((Edit("keep", LEFT_FOX, aspect="thing"), Edit("recolour", LEFT_FOX, colour="red")), "the orange fox"),
        ((Edit("remove", LEFT_FOX), Edit("keep", Select("fox", None, (0,)), aspect="thing")), None),
        ((Edit("keep", LEFT_FOX, aspect="thing"), Edit("remove", LEFT_FOX)), "the orange fox"),
        ((Edit("keep", LEFT_FOX, aspect="place"), Edit("recolour", LEFT_FOX, colour="red")), None),
        (
            (Edit("keep", LEFT_FOX, aspect="size"), Edit("resize", LEFT_FOX, size="larger")),
            "the size of the orange fox",
        ),
        ((Edit("keep", aspect="rest"), Edit("background", background="night")), None),
    ],
)
def test_asking_to_keep_what_is_changed_is_a_conflict(edits: tuple[Edit, ...], what: str | None) -> None:
    found = reading(*edits)
    clashes = conflicts(found.program, (*found.plans, found.plan))
    assert [clash.what for clash in clashes] == ([what] if what else [])
    if what:
        assert f"asks to keep {what} and to change it" in refused(found)


def test_more_words_than_are_read_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="has 52 words; at most 49 are read"):
        reading(Edit("remove", LEFT_FOX), words="remove the left fox " * 13)


def test_more_edits_than_are_read_are_refused() -> None:
    endless = [Edit("recolour", Select("fox", None, (0,)), colour=c) for c in ("red", "blue") * 5]
    found = reading(*[Edit("recolour", Select("fox", None, (0,)), colour=edit.colour) for edit in endless])
    assert "asks for more than 6 edits" in found.stopped
    assert reads.read is read


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (Plan(objects=(PlanObject(noun="zebra", box=LEFT),)), "tiny cannot paint a zebra"),
        (Plan(objects=(PlanObject(noun="sign", box=LEFT),)), "triptych typeset"),
        (Plan(objects=(PlanObject(noun="fox", colour="pink", box=LEFT),)), "a fox pink"),
        (Plan(background="space"), "the background space"),
    ],
)
def test_what_a_painter_has_not_learned_is_refused(plan: Plan, message: str) -> None:
    knows = Capabilities(family="flow", native_size=(64, 64), nouns=("fox",), colours=("red",), backgrounds=("snow",))
    with pytest.raises(InvalidRequest, match=message):
        check_world(plan, knows, "tiny")
    check_world(Plan(background="snow", objects=(PlanObject(noun="fox", box=LEFT),)), knows, "tiny")
