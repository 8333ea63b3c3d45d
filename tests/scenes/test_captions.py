"""Captions say what is so, all of it when dense, in words that the tokenizer knows."""

from __future__ import annotations

import re

import pytest

from triptych.core.errors import InvalidRequest
from triptych.scenes import LEVELS, Scene, caption, named_order, sample_scene, synonyms, wording, world_words
from triptych.scenes.colours import COLOUR_SYNONYMS, COLOURS
from triptych.scenes.graph import Group, Relation
from triptych.scenes.nouns import NOUNS


def words_of(text: str) -> list[str]:
    return re.findall(r"[a-z]+|\d+", re.sub(r'"[^"]*"', " ", text).lower())


def says(text: str, options: tuple[str, ...]) -> bool:
    return any(re.search(rf"\b{re.escape(option)}\b", text, re.IGNORECASE) for option in options)


@pytest.mark.parametrize("level", ["shapes", "small", "full"])
def test_every_word_is_in_the_vocabulary(level: str) -> None:
    known = set(world_words(level))
    for i in range(1200):
        text = caption(sample_scene(level, 9, i), seed=i % 3)
        assert set(words_of(text)) <= known, text


def test_the_vocabulary_is_sorted_and_holds_the_world() -> None:
    words = world_words()
    assert list(words) == sorted(set(words))
    assert set(NOUNS) | set(COLOURS) <= set(words)
    assert set(world_words("small")) < set(words)
    assert "zebra" not in world_words("small")
    assert not any("{" in word or word != word.lower() for word in words)


def test_a_dense_caption_states_every_fact() -> None:
    means = synonyms()
    for i in range(600):
        scene = sample_scene("full", 4, i)
        text = caption(scene, style="dense")
        said = {means.get(word, word) for word in words_of(text)}
        assert says(text, wording.BACKGROUND_PHRASES[scene.background]), text
        assert scene.light is None or says(text, wording.LIGHT_PHRASES[scene.light]), text
        for group in scene.groups:
            assert group.noun in said, (text, group)
            if group.colour is not None:
                assert says(text, (group.colour, *COLOUR_SYNONYMS.get(group.colour, ()))), text
            if group.count > 1:
                assert says(text, wording.NUMBERS[group.count]), text
            if group.size != "normal":
                assert says(text, wording.SIZE_WORDS[group.size]), text
            if group.place is not None:
                assert says(text, wording.PLACE_PHRASES[group.place]), text
            if group.text is not None:
                assert f'"{group.text}"' in text
            if group.face is not None:
                traits = group.face.traits()
                assert all(trait in text for trait in ("freckles", "scar", "glasses") if trait in traits), text
                assert f"{traits['eyes']} eyes" in text


def test_a_caption_names_no_colour_that_is_not_there() -> None:
    means = synonyms()
    for i in range(600):
        scene = sample_scene("small", 8, i)
        there = {group.colour for group in scene.groups}
        text = caption(scene, seed=1)
        for phrases in (*wording.BACKGROUND_PHRASES.values(),):
            for phrase in phrases:
                text = text.replace(phrase, "").replace(phrase[0].upper() + phrase[1:], "")
        named = {means.get(word, word) for word in words_of(text)} & set(COLOURS)
        assert named <= there, text


def test_what_is_denied_is_absent_and_not_in_the_background() -> None:
    denial = re.compile(r"(?:without (?:an?|any)|with no|but no|, no) (\w+)")
    means, denied = synonyms(), 0
    for i in range(3000):
        scene = sample_scene("full", 2, i)
        for word in denial.findall(caption(scene, style="dense")):
            noun = means.get(word, word)
            if noun not in NOUNS or word == "hair":
                continue
            denied += 1
            if word in ("clouds", "trees") and scene.detail is not None:
                assert not scene.detail[1]
            else:
                assert noun not in {group.noun for group in scene.groups}
    assert denied > 60


def test_relations_are_worded_the_right_way_round() -> None:
    fox, car = Group("fox"), Group("car")
    scene = Scene("small", 0, 0, "beach", None, 0, (fox, car), (), (Relation(0, "left of", 1),))
    for seed in range(60):
        text = caption(scene, seed, "dense").lower()
        first = min(text.find(word) for word in ("fox", "vixen") if word in text)
        second = min(text.find(word) for word in ("car", "automobile") if word in text)
        assert ("left of" in text) == (first < second), text
        assert ("right of" in text) == (first > second), text


def test_wordings_vary_with_the_seed_and_repeat_with_it() -> None:
    scene = sample_scene("small", 0, 11)
    worded = {caption(scene, seed) for seed in range(30)}
    assert len(worded) > 15
    assert caption(scene, 7) == caption(scene, 7)


def test_about_a_fifth_are_short_and_half_state_the_light() -> None:
    drawn = [sample_scene("small", 1, i) for i in range(1500)]
    lit = sum(scene.light is not None for scene in drawn) / len(drawn)
    assert lit == pytest.approx(0.5, abs=0.05)
    short = sum(len(words_of(caption(scene, style="short"))) for scene in drawn)
    dense = sum(len(words_of(caption(scene, style="dense"))) for scene in drawn)
    assert short < 0.75 * dense


@pytest.mark.parametrize(
    ("group", "text"),
    [
        (Group("owl", "orange", 1, "large"), r"an? (large|big|huge) orange owl"),
        (Group("fox", None, 3), r"(three|3) (foxes|vixens)"),
        (Group("sign", "blue", kind="sign", text="OPEN"), r'an? (blue|azure) sign(board)? .* "OPEN"'),
    ],
)
def test_phrases_read_as_english(group: Group, text: str) -> None:
    scene = Scene("full", 0, 0, "plain", None, 0, (group,))
    for seed in range(20):
        assert re.search(text, caption(scene, seed, "dense"), re.IGNORECASE)


def test_articles_and_verbs_agree() -> None:
    for i in range(1500):
        text = caption(sample_scene("full", 6, i), style="dense").lower()
        assert not re.search(r"\ba (apple|elephant|orange|owl|umbrella|egg|octopus|automobile|oak|azure|arrow)\b", text)
        assert not re.search(r"\ban (unicorn|fox|red|blue|university)\b", text)
        assert not re.search(r"there are an? (?!pair)", text)
        assert not re.search(r"there is (two|three|four|five|six|\d|a pair)", text)
        assert "  " not in text


def test_an_empty_scene_has_a_caption() -> None:
    scene = sample_scene("small", 0, 0).without_objects()
    assert all(caption(scene, seed) for seed in range(20))


def test_synonyms_lead_to_what_they_mean() -> None:
    means = synonyms()
    assert means["kitten"] == means["kittens"] == means["cats"] == "cat"
    assert means["mice"] == "mouse"
    assert means["violet"] == "purple"
    assert means["woods"] == "forest"
    assert not set(means) & (set(NOUNS) | set(COLOURS))
    assert set(means.values()) <= set(NOUNS) | set(COLOURS) | set(LEVELS["full"].backgrounds)


def test_an_unknown_style_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="style"):
        caption(sample_scene("small", 0, 0), style="long")  # type: ignore[arg-type]


def test_groups_come_in_the_order_of_the_words() -> None:
    turned = 0
    for index in range(300):
        scene = sample_scene("full", 5, index)
        text = caption(scene, index)
        order = named_order(scene, text)
        assert sorted(order) == list(range(len(scene.groups)))
        turned += order != tuple(range(len(scene.groups)))
        if len(order) > 1 and all(scene.groups[group].noun in words_of(text) for group in order):
            places = [words_of(text).index(scene.groups[group].noun) for group in order]
            assert places == sorted(places), text
    assert turned > 8  # a relation may be told from its other end


def test_a_plan_in_the_order_of_the_words_holds_the_same_things() -> None:
    for index in range(100):
        scene = sample_scene("small", 5, index)
        order = named_order(scene, caption(scene, 1))
        assert sorted(map(str, scene.plan(order).objects)) == sorted(map(str, scene.plan().objects))
