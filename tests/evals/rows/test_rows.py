"""The rows: deterministic, of GenEval's counts, and each prompt satisfied by its own scenes."""

from __future__ import annotations

import collections
import re

import pytest

from triptych.core.capabilities import Capabilities
from triptych.core.errors import InvalidRequest
from triptych.evals.judge import judge
from triptych.evals.rows import GENEVAL, ROWS, level_of_models, prompts, truth
from triptych.scenes import LEVELS, is_heldout, synonyms, world_words

from ..oracle import oracle

SMALL = LEVELS["small"]
ASKED = [name for name, row in ROWS.items() if not row.lacks(SMALL)]


def test_the_small_world_is_asked_every_row_but_signs_and_faces() -> None:
    assert set(ROWS) - set(ASKED) == {"text", "face"}
    assert [ROWS[name].count for name in GENEVAL] == [80, 99, 80, 94, 100, 100]


@pytest.mark.parametrize("row", ASKED)
def test_a_row_has_its_count_in_both_splits_and_shares_no_text(row: str) -> None:
    report, development = prompts(row, SMALL, "report"), prompts(row, SMALL, "development")
    assert len(report) == len(development) == ROWS[row].count
    texts = [prompt.text for prompt in (*report, *development)]
    assert len(set(texts)) == len(texts)
    assert [prompt.index for prompt in report] == list(range(len(report)))


@pytest.mark.parametrize("row", ASKED)
def test_prompts_hold_only_words_of_the_level_s_captions(row: str) -> None:
    known = set(world_words("small"))
    for prompt in prompts(row, SMALL):
        assert set(re.findall(r"[a-z]+|\d+", prompt.text.lower())) <= known, prompt.text


@pytest.mark.parametrize(("row", "level"), [(row, "full") for row in ROWS] + [(row, "small") for row in ASKED])
def test_a_faultless_reader_finds_every_true_scene_right(row: str, level: str) -> None:
    world = LEVELS[level]
    for prompt in prompts(row, world)[:40]:
        for k in (0, 3):
            verdict = judge(prompt, oracle(truth(prompt, world, k)))
            assert verdict.correct, (prompt.text, verdict.reason)


@pytest.mark.parametrize("row", [row for row in ASKED if row != "diversity"])
def test_the_scene_of_another_prompt_is_mostly_wrong(row: str) -> None:
    """A rule that lets everything pass would be found here."""
    asked = prompts(row, SMALL)
    wrong = sum(not judge(one, oracle(truth(two, SMALL))).correct for one, two in zip(asked, asked[2:], strict=False))
    assert wrong > 0.7 * len(asked)


def test_only_the_unseen_half_of_the_unseen_row_holds_what_training_never_showed() -> None:
    for row in ASKED:
        for prompt in prompts(row, SMALL):
            heldout = any(is_heldout(group.noun, group.colour, group.count) for group in prompt.groups)
            assert heldout == (prompt.case == "unseen"), prompt.text


def test_pairs_stand_together() -> None:
    for row in ("left_right", "unseen"):
        asked = prompts(row, SMALL)
        assert collections.Counter(prompt.pair for prompt in asked) == dict.fromkeys(range(50), 2)
    first, second = prompts("left_right", SMALL)[:2]
    assert [group.noun for group in first.groups] == [group.noun for group in second.groups][::-1]
    assert first.relations == second.relations


def test_complex_prompts_have_3_to_10_facts_in_equal_shares() -> None:
    shares = collections.Counter(prompt.case for prompt in prompts("complex", SMALL))
    assert set(shares) == {f"{number} facts" for number in range(3, 11)}
    assert max(shares.values()) - min(shares.values()) <= 1


def test_no_picture_of_the_report_shares_a_seed_with_development() -> None:
    seeds = {
        split: {prompt.seed(k) for row in ASKED for prompt in prompts(row, SMALL, split) for k in range(4)}
        for split in ("report", "development")
    }
    assert not seeds["report"] & seeds["development"]
    assert all(0 <= seed < 2**31 for each in seeds.values() for seed in each)


def test_half_of_the_signs_were_never_in_a_training_scene() -> None:
    asked = prompts("text", LEVELS["full"])
    assert sum(prompt.case.startswith("never") for prompt in asked) == 50


def test_a_small_world_gets_half_of_its_prompts_in_each_split() -> None:
    shapes = LEVELS["shapes"]
    report, development = prompts("single", shapes, "report"), prompts("single", shapes, "development")
    assert 0 < len(report) == len(development) < 80


def test_words_are_the_nouns_of_the_groups() -> None:
    meaning = synonyms()
    for prompt in prompts("two_objects", SMALL):
        named = {meaning.get(word, word) for word in re.findall("[a-z]+", prompt.text)} & set(SMALL.nouns)
        assert named == {group.noun for group in prompt.groups}


def takes(level: str) -> Capabilities:
    chosen = LEVELS[level]
    return Capabilities(
        family="flow", native_size=(64, 64), nouns=chosen.nouns, colours=chosen.colours, backgrounds=chosen.backgrounds
    )


def test_models_of_several_worlds_are_asked_what_all_know() -> None:
    assert level_of_models([takes("small")]).name == "small"
    assert level_of_models([takes("full")]).name == "full"
    assert level_of_models([takes("full"), takes("small")]).name == "small"
    with pytest.raises(InvalidRequest, match="no level of the world"):
        level_of_models([takes("shapes"), takes("small")])
