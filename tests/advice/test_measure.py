"""The labelled prompts: enough of each, no prompt twice, and the targets of both halves."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from triptych.advice.challenges import rules_for
from triptych.advice.challenges.spot import Spot
from triptych.advice.facts import facts, lost
from triptych.advice.finding import CHALLENGES
from triptych.advice.grammar import parse
from triptych.advice.measure import Score, clean_share, read_cases, read_others, rewrites, scores
from triptych.core.errors import FileProblem

FOLDER = Path(__file__).parent
HALVES = {name: read_cases(FOLDER / f"{name}.tsv") for name in ("held_out", "development")}


def test_there_are_enough_prompts_of_each_and_none_twice() -> None:
    every = [case for cases in HALVES.values() for case in cases]
    assert len(every) >= 600
    assert len({case.prompt for case in every}) == len(every)
    assert sum(not case.labels for case in every) >= 150
    for challenge in CHALLENGES:
        assert sum(challenge in case.labels for case in every) >= 40, challenge
        assert all(sum(challenge in case.labels for case in cases) >= 20 for cases in HALVES.values()), challenge


@pytest.mark.parametrize("half", HALVES)
def test_both_halves_meet_the_targets(half: str) -> None:
    """The figures only: which held-out prompts are missed is never shown."""
    found, _ = scores(HALVES[half])
    low = {
        name: (score.precision, score.recall)
        for name, score in found.items()
        if score.precision < 0.95 or score.recall < 0.85
    }
    assert low == {}
    quiet, clean = clean_share(HALVES[half])
    assert quiet >= 0.95 * clean


@pytest.mark.parametrize("half", HALVES)
def test_rewrites_keep_the_other_facts(half: str) -> None:
    counts, _ = rewrites(HALVES[half])
    made = sum(one.made for one in counts.values())
    assert made > 250
    assert sum(one.losing for one in counts.values()) <= 0.02 * made
    assert sum(one.unmended for one in counts.values()) <= 0.03 * made


def test_shares_of_nothing_are_whole() -> None:
    assert (Score().precision, Score().recall) == (1.0, 1.0)
    assert (Score(right=3, wrong=1, missed=2).precision, Score(right=3, wrong=1, missed=2).recall) == (0.75, 0.6)


@pytest.mark.parametrize(
    ("rewritten", "missing"),
    [
        ("a brown dog and a windowless house", set()),
        ("a dog and a windowless house", {("trait", "brown", "dog")}),
        ("a windowless house", {("trait", "brown", "dog"), ("thing", "dog")}),
    ],
)
def test_what_a_rewrite_loses_is_seen(rewritten: str, missing: set[tuple[str, ...]]) -> None:
    spot = Spot(0, 0, "", None, free=("windows",))
    assert lost("a brown dog and a house with no windows", rewritten, "negation", spot) == missing


def test_traits_may_move_into_a_sentence_of_their_own() -> None:
    assert ("trait", "red", "car") in facts(parse("a car beside a bus. The car is red."))


def test_files_that_are_no_labels_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.tsv"
    path.write_text("paint\tno_such_challenge\ta cat\n")
    with pytest.raises(FileProblem, match="line 1"):
        read_cases(path)
    with pytest.raises(FileProblem, match="cannot be read"):
        read_cases(tmp_path / "none.tsv")


def test_prompts_of_others_are_found_by_their_hash(tmp_path: Path) -> None:
    prompt, edit = "a bench without cats", "Make the person kneel."
    digits = [hashlib.sha256(text.encode()).hexdigest()[:16] for text in (prompt, edit)]
    labels = tmp_path / "labels.tsv"
    labels.write_text(f"one\t{digits[0]}\tpaint\tnegation\ntwo\t{digits[1]}\tedit\tedit_vs_regenerate\n")
    table, listed = tmp_path / "table.tsv", tmp_path / "listed.json"
    table.write_text(f"Prompt\tCategory\n{prompt}\tx\n")
    listed.write_text(json.dumps({"7": {"prompt": edit, "id": 3}}))
    found = read_others([table, listed], labels)
    assert [(name, cases[0].prompt, cases[0].edit) for name, cases in found.items()] == [
        ("one", prompt, False),
        ("two", edit, True),
    ]
    with pytest.raises(FileProblem, match="none of the prompts"):
        read_others([labels], labels)


def test_every_rule_is_a_known_challenge() -> None:
    assert set(rules_for(edit=False)) | set(rules_for(edit=True)) == set(CHALLENGES)
