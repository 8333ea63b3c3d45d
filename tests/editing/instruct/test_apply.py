"""What edits do to a plan: what they name changes as told, and everything else is the same to the last bit."""

from __future__ import annotations

import pytest

from triptych.core.errors import InvalidRequest
from triptych.core.plan import Box, Plan, PlanObject
from triptych.editing.instruct.apply import applied, apply, difference, plainly
from triptych.editing.instruct.pairs import draw_pair
from triptych.editing.instruct.program import Edit, Select, Spot
from triptych.editing.instruct.room import area, common, middle

FOX = PlanObject(noun="fox", box=(0.1, 0.5, 0.4, 0.8))
CAR = PlanObject(noun="car", colour="blue", box=(0.6, 0.6, 0.9, 0.8))
BIRD = PlanObject(noun="bird", box=(0.55, 0.05, 0.75, 0.22))
PLAN = Plan(background="meadow", objects=(FOX, CAR, BIRD))
ONE, TWO, THREE = (Select(thing.noun, None, (i,)) for i, thing in enumerate(PLAN.objects))


def after(edit: Edit, plan: Plan = PLAN) -> tuple[PlanObject, ...]:
    return apply(plan, edit)[0].objects


def test_colours_are_as_plans_have_them() -> None:
    assert after(Edit("recolour", ONE, colour="blue"))[0] == FOX.model_copy(update={"colour": "blue"})
    assert after(Edit("recolour", TWO, colour="red"))[1].colour is None  # a car is red by nature
    assert after(Edit("recolour", TWO))[1].colour is None
    zebra = Plan(objects=(PlanObject(noun="zebra", box=FOX.box),))
    with pytest.raises(InvalidRequest, match="keeps its own colours"):
        apply(zebra, Edit("recolour", Select("zebra", None, (0,)), colour="red"))
    assert plainly(Plan(objects=(CAR.model_copy(update={"colour": "red"}),))).objects[0].colour is None


def test_what_is_removed_is_gone_and_the_rest_untouched() -> None:
    assert after(Edit("remove", ONE)) == (CAR, BIRD)
    assert after(Edit("remove", Select(None, None, (0, 2)))) == (CAR,)


def test_another_noun_stands_on_the_same_foot_in_its_own_shape() -> None:
    new = after(Edit("replace", TWO, noun="tree", colour="red"))[1]
    assert (new.noun, new.colour) == ("tree", "red")
    assert new.box[3] == pytest.approx(CAR.box[3])
    assert middle(new.box)[0] == pytest.approx(middle(CAR.box)[0])
    width, height = new.box[2] - new.box[0], new.box[3] - new.box[1]
    assert width / height == pytest.approx(0.89)
    assert max(width, height) == pytest.approx(0.3)


@pytest.mark.parametrize(("size", "grows"), [("larger", True), ("smaller", False), ("large", True), ("small", False)])
def test_sizes_change_as_told(size: str, grows: bool) -> None:
    new = after(Edit("resize", ONE, size=size))[0]
    assert (area(new.box) > area(FOX.box)) is grows
    assert (new.box[2] - new.box[0]) / (new.box[3] - new.box[1]) == pytest.approx(1.0)
    assert all(0 <= side <= 1 for side in new.box)


@pytest.mark.parametrize(("way", "axis", "sign"), [("left", 0, -1), ("right", 0, 1), ("up", 1, -1), ("down", 1, 1)])
def test_a_step_goes_where_it_is_told(way: str, axis: int, sign: int) -> None:
    thing = PlanObject(noun="star", box=(0.4, 0.4, 0.6, 0.6))
    plan = Plan(background="meadow", objects=(thing,))
    new = after(Edit("move", Select("star", None, (0,)), spot=Spot(f"by:{way}")), plan)[0]
    off = [b - a for a, b in zip(middle(thing.box), middle(new.box), strict=True)]
    assert off[axis] * sign > 0.1
    assert abs(off[1 - axis]) < 0.02
    assert area(new.box) == pytest.approx(area(thing.box))


def test_a_step_out_of_the_picture_is_refused() -> None:
    plan = Plan(objects=(PlanObject(noun="fox", box=(0.02, 0.3, 0.4, 0.7)),))
    with pytest.raises(InvalidRequest, match="no room for the fox to the left"):
        apply(plan, Edit("move", Select("fox", None, (0,)), spot=Spot("by:left")))


@pytest.mark.parametrize(
    "place", ["left", "right", "top", "bottom", "centre", "top left", "top right", "bottom left", "bottom right"]
)
def test_a_place_is_where_it_is_called(place: str) -> None:
    x, y = middle(after(Edit("add", noun="star", spot=Spot(f"at:{place}")))[-1].box)
    sides = {"left": x < 0.5, "right": x > 0.5, "top": y < 0.5, "bottom": y > 0.5}
    assert all(sides[word] for word in place.split() if word in sides)
    assert place != "centre" or max(abs(x - 0.5), abs(y - 0.5)) < 0.2


@pytest.mark.parametrize("relation", ["left of", "right of", "above", "below", "next to", "in front of", "behind"])
@pytest.mark.parametrize("moving", [True, False])
def test_a_relation_holds_afterwards(relation: str, moving: bool) -> None:
    anchor = PlanObject(noun="house", box=(0.38, 0.4, 0.64, 0.66))
    plan = Plan(background="meadow", objects=(FOX.model_copy(update={"box": (0.05, 0.05, 0.25, 0.25)}), anchor))
    spot = Spot(f"rel:{relation}", Select("house", None, (1,)))
    edit = Edit("move", ONE, spot=spot) if moving else Edit("add", noun="cat", spot=spot)
    new, touched = apply(plan, edit)
    box, other = new.objects[touched[0]].box, anchor.box
    assert anchor in new.objects
    (x, y), (a, b) = middle(box), middle(other)
    holds = {
        "left of": x < a and common(box, other) < 0.1 * area(box),
        "right of": x > a and common(box, other) < 0.1 * area(box),
        "above": y < b and common(box, other) < 0.1 * area(box),
        "below": y > b and common(box, other) < 0.1 * area(box),
        "next to": abs(x - a) > 0.1 and common(box, other) < 0.1 * area(box),
        "in front of": common(box, other) > 0 and touched[0] > new.objects.index(anchor),
        "behind": common(box, other) > 0 and touched[0] < new.objects.index(anchor),
    }
    assert holds[relation]


def test_new_things_stand_apart_from_others_and_on_the_ground() -> None:
    plan = PLAN
    for noun in ("cat", "tree", "apple"):
        plan, touched = apply(plan, Edit("add", noun=noun))
        box = plan.objects[touched[0]].box
        assert all(common(box, t.box) < 0.1 * area(box) for i, t in enumerate(plan.objects) if i not in touched)
        assert box[3] > 0.55  # the meadow's horizon is at 0.58
    assert plan.objects[:3] == PLAN.objects


@pytest.mark.parametrize(("mode", "number", "left"), [("more", 2, 4), ("fewer", 1, 1), ("set", 3, 3), ("set", 1, 1)])
def test_counts_are_what_they_are_told_to_be(mode: str, number: int, left: int) -> None:
    other = FOX.model_copy(update={"box": (0.45, 0.3, 0.58, 0.43)})
    plan = PLAN.model_copy(update={"objects": (*PLAN.objects, other)})
    new = after(Edit("count", noun="fox", mode=mode, number=number), plan)
    assert sum(thing.noun == "fox" for thing in new) == left
    assert {CAR, BIRD} <= set(new)
    with pytest.raises(InvalidRequest, match="2 foxes already"):
        apply(plan, Edit("count", noun="fox", mode="set", number=2))
    with pytest.raises(InvalidRequest, match="5 fewer cannot be"):
        apply(plan, Edit("count", noun="fox", mode="fewer", number=5))


def test_places_are_swapped() -> None:
    new = after(Edit("swap", ONE, TWO))
    assert middle(new[0].box)[0] == pytest.approx(middle(CAR.box)[0])
    assert middle(new[1].box)[0] == pytest.approx(middle(FOX.box)[0])
    with pytest.raises(InvalidRequest, match="two single things"):
        apply(PLAN, Edit("swap", ONE, ONE))


def test_only_signs_say_something() -> None:
    sign = Plan(objects=(PlanObject(noun="sign", box=FOX.box, text="OPEN"),))
    pointer = Select("sign", None, (0,))
    assert after(Edit("text", pointer, text="shut"), sign)[0].text == "SHUT"
    with pytest.raises(InvalidRequest, match="in quotes"):
        apply(sign, Edit("text", pointer))
    with pytest.raises(InvalidRequest, match="bears no words"):
        apply(PLAN, Edit("text", ONE, text="A"))


def test_a_pointer_at_nothing_is_refused() -> None:
    for select in (Select("fox"), Select("fox", None, (9,))):
        with pytest.raises(InvalidRequest, match="the fox is not in the picture"):
            apply(PLAN, Edit("remove", select))


def test_the_difference_names_what_changed_and_nothing_else() -> None:
    program = (Edit("recolour", ONE, colour="blue"), Edit("remove", THREE), Edit("keep", TWO, aspect="thing"))
    found = applied(PLAN, program)
    assert found.before == (FOX, BIRD)
    assert found.after == (FOX.model_copy(update={"colour": "blue"}),)
    assert not found.everywhere
    assert applied(PLAN, (Edit("background", background="night"),)).everywhere
    turned = PLAN.model_copy(update={"objects": (CAR, FOX, BIRD)})
    assert {thing.noun for thing in difference(PLAN, turned).after} == {"fox", "car"}


def test_untouched_things_are_the_same_to_the_last_bit_in_every_pair() -> None:
    for index in range(150):
        pair = draw_pair("small", 8, index)
        plan = pair.turns[0].plan
        for thing in plan.objects:
            assert thing in pair.applied.plan.objects or thing in pair.applied.before


def boxes_inside(plan: Plan) -> list[Box]:
    return [thing.box for thing in plan.objects if min(thing.box) < -1e-9 or max(thing.box) > 1 + 1e-9]


def test_no_edit_leads_out_of_the_picture() -> None:
    for index in range(150):
        pair = draw_pair("small", 9, index)
        if not boxes_inside(pair.turns[0].plan):
            assert not boxes_inside(pair.applied.plan)
