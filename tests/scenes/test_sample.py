"""What a sampled scene promises: the same for the same key, facts true of its boxes, nothing held out in training."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter

import pytest

from triptych.core.errors import InvalidRequest
from triptych.scenes import LEVELS, Level, Scene, SceneObject, is_heldout, sample_scene
from triptych.scenes.nouns import NOUNS


def scenes(level: str, count: int = 400, split: str = "train") -> list[Scene]:
    return [sample_scene(level, 3, i, split) for i in range(count)]  # type: ignore[arg-type]


def middle(thing: SceneObject) -> tuple[float, float]:
    x0, y0, x1, y1 = thing.box
    return (x0 + x1) / 2, (y0 + y1) / 2


def overlap(a: SceneObject, b: SceneObject) -> float:
    width = min(a.box[2], b.box[2]) - max(a.box[0], b.box[0])
    height = min(a.box[3], b.box[3]) - max(a.box[1], b.box[1])
    return max(width, 0) * max(height, 0)


def test_a_scene_depends_on_its_key_alone() -> None:
    forwards = [sample_scene("full", 5, i) for i in range(50)]
    backwards = [sample_scene("full", 5, i) for i in reversed(range(50))]
    assert forwards == backwards[::-1]
    assert sample_scene("full", 6, 0) != forwards[0]
    assert sample_scene("full", -1, 0) == sample_scene("full", -1, 0)


def test_neighbouring_keys_give_unrelated_scenes() -> None:
    drawn = {
        repr(dataclasses.replace(sample_scene("small", s, i), seed=0, index=0)) for s in range(20) for i in range(20)
    }
    assert len(drawn) == 400


def test_the_series_stays_the_same_over_versions() -> None:
    """A change here voids comparisons with models trained before: make it on purpose only."""
    told = "".join(repr(sample_scene(level, 0, i)) for level in ("shapes", "small") for i in range(50))
    assert hashlib.sha256(told.encode()).hexdigest()[:16] == "74de49e11391f43a"


@pytest.mark.parametrize("level", ["shapes", "small", "full"])
def test_scenes_keep_to_their_level(level: str) -> None:
    world = LEVELS[level]
    for scene in scenes(level):
        assert scene.background in world.backgrounds
        assert scene.light is None or scene.light in world.lights
        assert 1 <= len(scene.groups) <= world.max_kinds
        assert len(scene.objects) == sum(group.count for group in scene.groups) <= world.max_things
        assert len({group.noun for group in scene.groups}) == len(scene.groups)
        for group in scene.groups:
            assert group.noun in world.nouns
            assert group.colour is None or group.colour in world.colours
            assert group.size in world.sizes
            assert group.text is None or 1 <= len(group.text) <= 10


@pytest.mark.parametrize("level", ["small", "full"])
def test_boxes_lie_inside_keep_apart_and_have_the_shape_of_their_noun(level: str) -> None:
    for scene in scenes(level):
        hiding = any(relation.kind in ("in front of", "behind") for relation in scene.relations)
        for i, thing in enumerate(scene.objects):
            x0, y0, x1, y1 = thing.box
            assert 0 <= x0 < x1 <= 1
            assert 0 <= y0 < y1 <= 1
            if thing.kind == "sprite":
                assert (x1 - x0) / (y1 - y0) == pytest.approx(NOUNS[thing.noun].aspect, rel=1e-6)
            if not hiding:
                assert all(overlap(thing, other) < 1e-9 for other in scene.objects[:i]), scene


@pytest.mark.parametrize("level", ["small", "full"])
def test_relations_are_true_of_the_boxes(level: str) -> None:
    seen: Counter[str] = Counter()
    for scene in scenes(level, 1200):
        for relation in scene.relations:
            seen[relation.kind] += 1
            for a in (thing for thing in scene.objects if thing.group == relation.subject):
                for b in (thing for thing in scene.objects if thing.group == relation.object):
                    (ax, ay), (bx, by) = middle(a), middle(b)
                    order = scene.objects.index(a) - scene.objects.index(b)
                    assert {
                        "left of": ax < bx,
                        "right of": ax > bx,
                        "above": ay < by,
                        "below": ay > by,
                        "in front of": order > 0 and overlap(a, b) > 0,
                        "behind": order < 0 and overlap(a, b) > 0,
                    }[relation.kind], (relation.kind, a.box, b.box)
    assert set(seen) == {"left of", "right of", "above", "below", "in front of", "behind"}


def test_places_are_true_of_the_boxes() -> None:
    seen: Counter[str] = Counter()
    for scene in scenes("small", 2000):
        for thing in scene.objects:
            place = scene.groups[thing.group].place
            if place is None:
                continue
            seen[place] += 1
            x, y = middle(thing)
            if "left" in place:
                assert x < 0.5
            if "right" in place:
                assert x > 0.5
            if "top" in place:
                assert y < 0.5
            if "bottom" in place:
                assert y > 0.5
            if place == "centre":
                assert 0.35 < x < 0.65
                assert 0.35 < y < 0.65
    assert set(seen) == set(LEVELS["small"].places)


def test_the_mix_of_the_small_level() -> None:
    drawn = scenes("small", 3000)
    alone = sum(len(scene.objects) == 1 for scene in drawn) / len(drawn)
    several = sum(len(scene.groups) == 1 and len(scene.objects) > 1 for scene in drawn) / len(drawn)
    assert alone == pytest.approx(0.45, abs=0.03)
    assert several == pytest.approx(0.25, abs=0.03)
    nouns = Counter(group.noun for scene in drawn for group in scene.groups)
    assert set(nouns) == set(LEVELS["small"].nouns)
    assert max(nouns.values()) < 2.2 * min(nouns.values())
    sides = [max(t.box[2] - t.box[0], t.box[3] - t.box[1]) for s in drawn if len(s.objects) == 1 for t in s.objects]
    assert sum(side >= 0.44 for side in sides) / len(sides) > 0.8


@pytest.mark.parametrize("level", ["shapes", "small", "full"])
def test_training_never_shows_what_is_held_out(level: str) -> None:
    for scene in scenes(level, 1500):
        for group in scene.groups:
            assert not is_heldout(group.noun, group.colour, group.count, group.text)


@pytest.mark.parametrize("level", ["shapes", "small", "full"])
def test_the_heldout_split_shows_it_in_every_scene(level: str) -> None:
    for scene in scenes(level, 200, "heldout"):
        first = scene.groups[0]
        assert is_heldout(first.noun, first.colour, first.count, first.text)


def test_plans_and_facts_tell_the_same_truth() -> None:
    for scene in scenes("full", 200):
        plan = scene.plan()
        assert plan.background == scene.background
        assert plan.light == scene.light
        assert sorted(item.noun for item in plan.objects) == sorted(thing.noun for thing in scene.objects)
        told = {fact.about: fact.value for fact in scene.facts() if fact.kind == "count"}
        assert told == Counter(item.noun for item in plan.objects)
        colours = {(fact.about, fact.value) for fact in scene.facts() if fact.kind == "colour"}
        assert colours == {(item.noun, item.colour) for item in plan.objects if item.colour}
        texts = {fact.value for fact in scene.facts() if fact.kind == "text"}
        assert texts == {item.text for item in plan.objects if item.text}
    assert scene.without_objects().plan().objects == ()


def test_a_level_of_ones_own_can_be_tiny() -> None:
    world = Level("mine", nouns=("fox",), colours=("red",), backgrounds=("plain",), max_kinds=1, max_things=1)
    drawn = [sample_scene(world, 0, i) for i in range(20)]
    assert all(len(scene.objects) == 1 and scene.objects[0].noun == "fox" for scene in drawn)


def test_bad_input_is_refused_by_name() -> None:
    with pytest.raises(InvalidRequest, match=r"'smal'.*'small'"):
        sample_scene("smal", 0, 0)
    with pytest.raises(InvalidRequest, match="split"):
        sample_scene("small", 0, 0, "test")  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest, match="max_things"):
        Level("mine", nouns=("fox",), colours=(), backgrounds=("plain",), max_kinds=1, max_things=7)
    with pytest.raises(InvalidRequest, match="wolf"):
        Level("mine", nouns=("wolf",), colours=(), backgrounds=("plain",), max_kinds=1, max_things=1)


def test_plans_follow_the_words_unless_things_hide_one_another() -> None:
    hidden = ordered = 0
    for index in range(400):
        scene = sample_scene("small", 5, index)
        boxes = [thing.box for thing in scene.objects]
        overlap = any(
            max(a[0], b[0]) < min(a[2], b[2]) and max(a[1], b[1]) < min(a[3], b[3])
            for place, a in enumerate(boxes)
            for b in boxes[:place]
        )
        plan = scene.plan()
        if overlap:
            hidden += 1
            assert [item.box for item in plan.objects] == boxes  # back to front, as it is painted
            continue
        ordered += len(boxes) > 1
        nouns = [item.noun for item in plan.objects]
        assert nouns == [group.noun for group in scene.groups for _ in range(group.count)]
    assert hidden > 10
    assert ordered > 100
