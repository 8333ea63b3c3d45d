from __future__ import annotations

import json
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.core.errors import FileProblem, InvalidRequest
from triptych.core.plan import Plan, PlanObject
from triptych.planning.tokens import END, END_TEXT, LETTERS, PAD, START, TEXT, Grammar, PlanTokens

NOUNS, COLOURS, BACKGROUNDS, LIGHTS = (
    ("fox", "house", "sign"),
    ("red", "blue"),
    ("beach", "night"),
    ("left", "above"),
)
TOKENS = PlanTokens(NOUNS, COLOURS, BACKGROUNDS, LIGHTS)
STEP = 1 / (TOKENS.bins - 1)

sides = st.floats(0.0, 0.9).flatmap(lambda low: st.tuples(st.just(low), st.floats(low + 0.05, 1.0)))


@st.composite
def objects(draw: st.DrawFn) -> PlanObject:
    (x0, x1), (y0, y1) = draw(sides), draw(sides)
    noun = draw(st.sampled_from(NOUNS))
    text = draw(st.none() | st.text(LETTERS, min_size=1, max_size=10)) if noun == "sign" else None
    return PlanObject(noun=noun, colour=draw(st.sampled_from((None, *COLOURS))), box=(x0, y0, x1, y1), text=text)


plans = st.builds(
    Plan,
    background=st.sampled_from(("", *BACKGROUNDS)),
    light=st.sampled_from((None, *LIGHTS)),
    objects=st.lists(objects(), max_size=12).map(tuple),
)


@settings(deadline=None)
@given(plans)
def test_round_trip_up_to_the_lattice(plan: Plan) -> None:
    ids = TOKENS.encode(plan)
    again = TOKENS.decode(ids)
    assert len(ids) <= TOKENS.max_length
    assert TOKENS.encode(again) == ids
    assert (again.background, again.light, len(again.objects)) == (
        plan.background,
        plan.light,
        len(plan.objects),
    )
    for ours, theirs in zip(again.objects, plan.objects, strict=True):
        assert (ours.noun, ours.colour, ours.text) == (theirs.noun, theirs.colour, theirs.text)
        assert all(abs(a - b) <= STEP / 2 + 1e-9 for a, b in zip(ours.box, theirs.box, strict=True))


def test_edges_of_the_picture_are_exact_and_slivers_keep_a_width() -> None:
    plan = Plan(
        objects=(
            PlanObject(noun="fox", box=(0, 0, 1, 1)),
            PlanObject(noun="fox", box=(-0.4, 1.2, -0.39, 1.21)),
        )
    )
    whole, sliver = TOKENS.decode(TOKENS.encode(plan)).objects
    assert whole.box == (0.0, 0.0, 1.0, 1.0)
    assert sliver.box == pytest.approx((0.0, 1 - STEP, STEP, 1.0))


def test_letters_are_upper_case() -> None:
    plan = Plan(objects=(PlanObject(noun="sign", box=(0, 0, 1, 1), text="Open"),))
    assert TOKENS.decode(TOKENS.encode(plan)).objects[0].text == "OPEN"


@pytest.mark.parametrize(
    ("plan", "named"),
    [
        (Plan(background="mars"), "background 'mars'"),
        (Plan(light="below"), "light 'below'"),
        (Plan(objects=(PlanObject(noun="yak", box=(0, 0, 1, 1)),)), "noun 'yak'"),
        (Plan(objects=(PlanObject(noun="fox", colour="teal", box=(0, 0, 1, 1)),)), "colour 'teal'"),
        (Plan(objects=(PlanObject(noun="sign", box=(0, 0, 1, 1), text="§"),)), "letter '§'"),
        (Plan(objects=(PlanObject(noun="fox", box=(0, 0, 1, 1), text="HI"),)), "'fox' bears no text"),
    ],
)
def test_what_the_world_does_not_know_is_refused(plan: Plan, named: str) -> None:
    with pytest.raises(InvalidRequest, match=named):
        TOKENS.encode(plan)


def test_padding() -> None:
    plan = Plan(background="beach")
    assert TOKENS.padded(plan, 6) == [*TOKENS.encode(plan), PAD, PAD, PAD]
    assert TOKENS.decode([START, *TOKENS.padded(plan, 6)]) == plan
    with pytest.raises(InvalidRequest, match="3 tokens"):
        TOKENS.padded(plan, 2)


def test_too_many_objects() -> None:
    few = PlanTokens(NOUNS, COLOURS, BACKGROUNDS, LIGHTS, max_objects=1)
    fox = PlanObject(noun="fox", box=(0, 0, 1, 1))
    with pytest.raises(InvalidRequest, match="2 objects"):
        few.encode(Plan(objects=(fox, fox)))


@pytest.mark.parametrize("cut", [0, 1, 2, 5, 8])
def test_what_breaks_the_grammar_is_refused(cut: int) -> None:
    ids = TOKENS.encode(Plan(objects=(PlanObject(noun="fox", box=(0, 0, 1, 1)),)))
    with pytest.raises(ValueError, match=r"stop before END|cannot be"):
        TOKENS.decode(ids[:cut])
    with pytest.raises(ValueError, match=r"stop before END|cannot be"):
        TOKENS.decode([*ids[:cut], TEXT, END_TEXT, END])


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False))
def test_any_walk_through_the_grammar_is_a_plan(random: Random) -> None:
    walk, ids = Grammar(TOKENS), []
    while not walk.done:
        choice = walk.choice()
        assert choice.allowed
        assert list(choice.allowed) == sorted(choice.allowed)
        ids.append(random.choice(choice.allowed))
        walk.take(ids[-1])
    assert len(ids) <= TOKENS.max_length
    assert TOKENS.decode(ids) == walk.plan()
    assert TOKENS.encode(walk.plan()) == ids


def test_json_round_trip() -> None:
    again = PlanTokens.from_json(json.loads(json.dumps(TOKENS.as_json())))
    assert again.as_json() == TOKENS.as_json()
    assert len(again) == len(TOKENS)
    with pytest.raises(FileProblem):
        PlanTokens.from_json({"kind": "other"})
