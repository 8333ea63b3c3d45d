"""GenEval's rules on readings with known answers."""

from __future__ import annotations

import pytest

from triptych.core.plan import Box
from triptych.evals.judge import judge
from triptych.evals.judge.geneval import relative_position
from triptych.evals.reading import Detection, Reading
from triptych.evals.rows import Prompt
from triptych.scenes import Group, Relation

BOX: Box = (0.2, 0.2, 0.4, 0.4)


def seen(noun: str, score: float = 1.0, colour: str | None = None, box: Box = BOX) -> Detection:
    return Detection(noun, score, box, {colour: 1.0} if colour else {})


def asked(*groups: Group, rule: str = "geneval", relation: str = "", absent: tuple[str, ...] = ()) -> Prompt:
    relations = (Relation(0, relation, 1),) if relation else ()
    return Prompt("row", "report", 0, "words", rule, groups, relations, absent=absent)


@pytest.mark.parametrize(("score", "right"), [(0.31, True), (0.3, False), (0.0, False)])
def test_a_detection_counts_above_three_tenths(score: float, right: bool) -> None:
    assert judge(asked(Group("fox")), Reading((seen("fox", score),))).correct == right


def test_more_than_asked_is_right_except_when_counting() -> None:
    three = Reading((seen("fox"),) * 3)
    assert judge(asked(Group("fox", count=2)), three).correct
    verdict = judge(asked(Group("fox", count=2), rule="counting"), three)
    assert not verdict.correct
    assert verdict.reason == "expected fox x2, found 3"


def test_counting_sees_only_what_is_sure() -> None:
    two = Reading((seen("fox"), seen("fox", 0.91), seen("fox", 0.89)))
    assert judge(asked(Group("fox", count=2), rule="counting"), two).correct
    assert not judge(asked(Group("fox", count=3), rule="counting"), two).correct


def test_the_likeliest_things_have_to_have_the_colour() -> None:
    prompt = asked(Group("car", "red"))
    assert judge(prompt, Reading((seen("car", 0.9, "red"), seen("car", 0.8, "blue")))).correct
    wrong = judge(prompt, Reading((seen("car", 0.8, "red"), seen("car", 0.9, "blue"))))
    assert not wrong.correct
    assert wrong.reason == "expected red car, found blue"
    assert not judge(prompt, Reading((seen("car"),))).correct


def test_colours_may_not_change_places() -> None:
    prompt = asked(Group("car", "red"), Group("apple", "blue"))
    assert judge(prompt, Reading((seen("car", colour="red"), seen("apple", colour="blue")))).correct
    assert not judge(prompt, Reading((seen("car", colour="blue"), seen("apple", colour="red")))).correct


def test_what_is_absent_must_be_absent_and_the_rest_present() -> None:
    prompt = asked(Group("fox"), absent=("car",))
    assert judge(prompt, Reading((seen("fox"),))).correct
    assert judge(prompt, Reading((seen("fox"), seen("car", 0.2)))).correct
    assert not judge(prompt, Reading((seen("fox"), seen("car", 0.4)))).correct
    assert not judge(prompt, Reading()).correct


def test_at_most_sixteen_of_a_class_are_looked_at() -> None:
    many = Reading((seen("fox"),) * 20)
    assert judge(asked(Group("fox", count=16), rule="counting"), many).correct


@pytest.mark.parametrize(
    ("first", "words"),
    [
        ((0.1, 0.4, 0.3, 0.6), {"left of"}),
        ((0.7, 0.4, 0.9, 0.6), {"right of"}),
        ((0.4, 0.1, 0.6, 0.3), {"above"}),
        ((0.4, 0.7, 0.6, 0.9), {"below"}),
        ((0.1, 0.1, 0.3, 0.3), {"left of", "above"}),
        ((0.41, 0.4, 0.61, 0.6), set()),  # within the margin of a tenth of both widths
        ((0.4, 0.4, 0.6, 0.6), set()),
    ],
)
def test_the_position_rule(first: Box, words: set[str]) -> None:
    assert relative_position(first, (0.4, 0.4, 0.6, 0.6)) == words


def test_the_position_rule_divides_by_the_whole_offset() -> None:
    """Offset (-0.3, 0.28), sizes 0.2 each: revised (-0.26, 0.24) over 0.410 is (-0.63, 0.585): both count.

    With offset (-0.3, 0.16) it is (-0.26, 0.12) over 0.34: the vertical one is 0.353 and does not.
    """
    other: Box = (0.4, 0.4, 0.6, 0.6)
    assert relative_position((0.1, 0.68, 0.3, 0.88), other) == {"left of", "below"}
    assert relative_position((0.1, 0.56, 0.3, 0.76), other) == {"left of"}


def test_a_position_needs_both_things_and_the_side() -> None:
    prompt = asked(Group("fox"), Group("car"), relation="left of")
    left, right = (0.1, 0.4, 0.3, 0.6), (0.7, 0.4, 0.9, 0.6)
    assert judge(prompt, Reading((seen("fox", box=left), seen("car", box=right)))).correct
    swapped = judge(prompt, Reading((seen("fox", box=right), seen("car", box=left))))
    assert swapped.reason == "expected fox left of car, found it right of it"
    assert not judge(prompt, Reading((seen("fox", box=left),))).correct


def test_the_exact_rule_counts_only_where_a_number_is_named() -> None:
    two_red = Reading((seen("car", colour="red"),) * 2)
    three_red = Reading((seen("car", colour="red"),) * 3)
    assert judge(asked(Group("car", "red", 2), rule="exact"), two_red).correct
    assert not judge(asked(Group("car", "red", 2), rule="exact"), three_red).correct
    assert judge(asked(Group("car", "red"), rule="exact"), three_red).correct
