"""What a plan says about each cell, and the network that reads it."""

from __future__ import annotations

import json
import time

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.adapters.plan_input import OVERHANG, PlanInput, PlanRaster, rasterise, stack
from triptych.adapters.plan_vocabulary import LETTER_IDS, LETTERS, NATURAL_COLOUR, PlanVocabulary
from triptych.core.errors import FileProblem
from triptych.core.plan import Plan, PlanObject

VOCABULARY = PlanVocabulary(
    nouns=("fox", "cat", "sign"), colours=("red", "blue"), backgrounds=("beach", "forest"), lights=("left", "right")
)
FOX, CAT, SIGN = 1, 2, 3
RED, BLUE = 2, 3

SCENE = Plan(
    background="forest",
    light="left",
    objects=(
        PlanObject(noun="fox", box=(0.0, 0.0, 0.5, 0.5)),
        PlanObject(noun="cat", colour="blue", box=(0.25, 0.25, 0.75, 0.75)),
        PlanObject(noun="sign", box=(0.0, 0.75, 1.0, 1.0), text="No"),
    ),
)


def small(**sizes: int) -> PlanInput:
    net = PlanInput(**VOCABULARY.sizes, **{"width": 12, "hidden": 16, "embedding": 8} | sizes)
    net.init_weights(torch.Generator().manual_seed(0))
    return net


def awake(net: PlanInput) -> PlanInput:
    """With a last layer that is not zero."""
    torch.nn.init.normal_(net.write.weight, generator=torch.Generator().manual_seed(1))
    return net


def same(a: PlanRaster, b: PlanRaster) -> bool:
    return all(torch.equal(getattr(a, name), getattr(b, name)) for name in vars(a))


def test_front_object_hides_the_one_beneath() -> None:
    raster = rasterise(SCENE, VOCABULARY, (4, 4))
    assert raster.noun[0, 0].tolist() == [
        [FOX, FOX, 0, 0],
        [FOX, CAT, CAT, 0],
        [0, CAT, CAT, 0],
        [SIGN, SIGN, SIGN, SIGN],
    ]
    assert raster.noun[0, 1].tolist() == [[0] * 4, [0, FOX, 0, 0], [0] * 4, [0] * 4]
    assert raster.colour[0, 0, 1].tolist() == [NATURAL_COLOUR, BLUE, BLUE, 0]
    assert raster.scene.tolist() == [[2, 1]]


def test_place_is_relative_to_the_covering_box() -> None:
    raster = rasterise(SCENE, VOCABULARY, (4, 4))
    u, v, width, height = raster.place[0, 0, :4]
    assert u[1].tolist() == [0.25, 0.25, 0.75, 0]  # fox's first cell, then both of the cat's
    assert v[:, 1].tolist() == [0.25, 0.25, 0.75, 0.5]
    assert width[1, 1] == height[1, 1] == 0.5
    assert (width[3] == 1).all()
    assert (height[3] == 0.25).all()


def test_partly_covered_cells_count_and_know_that_they_are_outside() -> None:
    plan = Plan(objects=(PlanObject(noun="fox", box=(0.45, 0.4, 0.65, 0.6)),))
    raster = rasterise(plan, VOCABULARY, (4, 4))
    assert raster.noun[0, 0, 1].tolist() == [0, FOX, FOX, 0]
    assert raster.place[0, 0, 0, 1, 1] == pytest.approx((0.375 - 0.45) / 0.2)
    assert raster.place[0, 0, 0].min() >= -OVERHANG
    assert raster.place[0, 0, 0].max() <= 1 + OVERHANG


def test_an_object_smaller_than_a_cell_is_seen() -> None:
    plan = Plan(objects=(PlanObject(noun="fox", box=(0.51, 0.51, 0.52, 0.52)),))
    assert (rasterise(plan, VOCABULARY, (4, 4)).noun == FOX).sum() == 1


def test_letters_stand_where_they_are_drawn() -> None:
    raster = rasterise(SCENE, VOCABULARY, (4, 4))
    n, o = LETTER_IDS["N"], LETTER_IDS["o"]
    assert raster.letters[0, 0, 0, 3].tolist() == [n, n, o, o]
    assert raster.place[0, 0, 4, 3].tolist() == [0.25, 0.75, 0.25, 0.75]
    assert (raster.place[0, 0, 5, 3] == 0.5).all()
    assert raster.letters[0, 0, :, :3].sum() == 0


def test_a_word_with_letters_narrower_than_cells_loses_none() -> None:
    plan = Plan(objects=(PlanObject(noun="sign", box=(0.25, 0.4, 0.75, 0.6), text="HALLOWEEN!"),))
    letters = rasterise(plan, VOCABULARY, (16, 16)).letters[0, 0, :, 7].T.flatten()
    read = [LETTERS[number - 1] for number in letters.tolist() if number]
    collapsed = [letter for i, letter in enumerate(read) if i == 0 or letter != read[i - 1]]
    assert "".join(collapsed) == "HALOWEN!"  # neighbours of one kind cannot be told apart here; `phase` does that


def test_unknown_words_are_nothing_and_do_not_fail() -> None:
    plan = Plan(background="moon", objects=(PlanObject(noun="yak", colour="ochre", box=(0, 0, 1, 1), text="é "),))
    raster = rasterise(plan, VOCABULARY, (2, 2))
    assert raster.noun.sum() == raster.colour.sum() == raster.letters.sum() == raster.scene.sum() == 0
    assert (raster.place[0, 0, 2] == 1).all()  # that something is there, and where, is still told


def test_no_plan_is_all_zeros_and_what_dropping_leaves() -> None:
    nothing = rasterise(None, VOCABULARY, (4, 4))
    assert all(not getattr(nothing, name).any() for name in vars(nothing))
    batch = stack([rasterise(SCENE, VOCABULARY, (4, 4))] * 2)
    dropped = batch.dropped(torch.tensor([True, False]))
    assert same(dropped, stack([nothing, rasterise(SCENE, VOCABULARY, (4, 4))]))
    assert len(dropped) == 2
    assert dropped.grid == (4, 4)


sides = st.floats(-0.5, 1.5, width=32)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    def span() -> tuple[float, float]:
        a, b = sorted((draw(sides), draw(sides)))
        return (a, b) if b > a else (0.0, 1.0)

    def item() -> PlanObject:
        (x0, x1), (y0, y1) = span(), span()
        noun, text = draw(st.sampled_from(["fox", "cat", "sign"])), draw(st.sampled_from([None, "A", "WELCOME"]))
        return PlanObject(noun=noun, box=(x0, y0, x1, y1), text=text)

    return Plan(objects=tuple(item() for _ in range(draw(st.integers(0, 12)))))


@settings(max_examples=60, deadline=None)
@given(plan=plans(), h=st.integers(1, 9), w=st.integers(1, 9))
def test_the_vectorised_raster_is_the_plain_loop(plan: Plan, h: int, w: int) -> None:
    raster = rasterise(plan, VOCABULARY, (h, w))
    assert torch.isfinite(raster.place).all()
    for row in range(h):
        for column in range(w):
            x, y = (column + 0.5) / w, (row + 0.5) / h
            here = [
                item
                for item in reversed(plan.objects)
                if item.box[0] - 0.5 / w < x < item.box[2] + 0.5 / w
                and item.box[1] - 0.5 / h < y < item.box[3] + 0.5 / h
            ]
            expected = [VOCABULARY.noun_ids[item.noun] for item in here[:2]]
            assert raster.noun[0, :, row, column].tolist() == expected + [0] * (2 - len(expected))


def test_rasterises_two_thousand_plans_a_second() -> None:
    start = time.thread_time()
    for _ in range(200):
        rasterise(SCENE, VOCABULARY, (16, 16))
    assert 200 / (time.thread_time() - start) > 2000


def test_a_fresh_input_changes_nothing() -> None:
    batch = stack([rasterise(SCENE, VOCABULARY, (4, 4)), rasterise(None, VOCABULARY, (4, 4))])
    for patch in (1, 2):
        out = small(patch=patch)(batch)
        assert out.shape == (2, 16 // patch**2, 12)
        assert out.abs().max() == 0


def test_tokens_know_their_own_cells_only() -> None:
    net = awake(small(patch=2))
    one = rasterise(SCENE, VOCABULARY, (4, 6))
    other = rasterise(Plan(**{**dict(SCENE), "objects": SCENE.objects[:2]}), VOCABULARY, (4, 6))
    changed = (net(one) != net(other)).any(-1)[0].view(2, 3)
    assert changed.tolist() == [[False] * 3, [True] * 3]  # the sign stands in the lower half


def test_map_has_the_rows_and_columns_of_the_picture() -> None:
    net = awake(small())
    raster = rasterise(SCENE, VOCABULARY, (4, 6))
    assert torch.equal(net.as_map(raster)[0, :, 1, 2], net(raster)[0, 1 * 6 + 2])


@pytest.mark.parametrize(
    "other",
    [
        Plan(**{**dict(SCENE), "background": "beach"}),
        Plan(**{**dict(SCENE), "light": "right"}),
        Plan(**{**dict(SCENE), "objects": (SCENE.objects[0].model_copy(update={"colour": "red"}),)}),
        Plan(**{**dict(SCENE), "objects": (*SCENE.objects[:2], SCENE.objects[2].model_copy(update={"text": "on"}))}),
        None,
    ],
    ids=["background", "light", "colour", "letters", "plan"],
)
def test_every_fact_reaches_the_output(other: Plan | None) -> None:
    net = awake(small())
    assert not torch.equal(net(rasterise(SCENE, VOCABULARY, (4, 4))), net(rasterise(other, VOCABULARY, (4, 4))))


def test_learns_from_a_fresh_start_in_every_part() -> None:
    net = small(patch=2)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    batch = stack([rasterise(SCENE, VOCABULARY, (4, 4)), rasterise(None, VOCABULARY, (4, 4))])
    target = torch.randn(2, 4, 12, generator=torch.Generator().manual_seed(0))
    losses = []
    for _ in range(40):
        optimizer.zero_grad()
        loss = (net(batch) - target).square().mean()
        loss.backward()
        losses.append(loss.item())
        optimizer.step()
    assert losses[-1] < 0.3 * losses[0]
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in net.parameters())


@pytest.mark.parametrize("patch", [1, 2])
def test_same_bits_in_any_company(patch: int) -> None:
    net = awake(small(patch=patch, width=96, hidden=192, embedding=64))
    batch = stack(
        [rasterise(plan, VOCABULARY, (16, 16)) for plan in (SCENE, None, SCENE, Plan(background="beach"))] * 4
    )
    threads = torch.get_num_threads()
    try:
        with torch.no_grad():
            torch.set_num_threads(1)
            everyone = net(batch)
            for count in (1, 3, 8):
                torch.set_num_threads(1)
                first = PlanRaster(**{name: value[:count] for name, value in vars(batch).items()})
                assert torch.equal(net(first), everyone[:count])
                torch.set_num_threads(2)
                assert torch.equal(net(first), everyone[:count])
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("words", range(1, 20))
def test_same_bits_for_any_number_of_words(words: int) -> None:
    """At the built-in sizes: with 5-7 and 9-11 rows the bits of a bare product depend on the number of threads."""
    sizes = {"nouns": 33, "colours": 8, "backgrounds": words, "lights": words}
    net = PlanInput(**sizes, width=192, patch=2, hidden=192, embedding=64)
    net.init_weights(torch.Generator().manual_seed(0))
    numbers = torch.arange(words)
    raster = stack([rasterise(None, VOCABULARY, (4, 4))] * words)
    raster = PlanRaster(**{**vars(raster), "scene": torch.stack((numbers, numbers), dim=1)})
    threads = torch.get_num_threads()
    try:
        with torch.no_grad():
            torch.set_num_threads(1)
            one = awake(net)(raster)
            torch.set_num_threads(2)
            assert torch.equal(net(raster), one)
    finally:
        torch.set_num_threads(threads)


def test_vocabulary_survives_json_and_refuses_what_is_not_one() -> None:
    data = json.loads(json.dumps(VOCABULARY.as_json()))
    assert PlanVocabulary.from_json(data) == VOCABULARY
    assert VOCABULARY.sizes == {"nouns": 4, "colours": 4, "backgrounds": 3, "lights": 3}
    assert VOCABULARY.colour_ids == {"red": RED, "blue": BLUE}
    for broken in (None, {}, data | {"nouns": "fox"}, data | {"nouns": ["fox", "fox"]}, data | {"more": []}):
        with pytest.raises(FileProblem):
            PlanVocabulary.from_json(broken)
