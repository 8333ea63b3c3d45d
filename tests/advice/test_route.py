"""The router: jobs, made-up cards, and what it says where no model is good."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from triptych.advice.jobs import JOBS, recognise
from triptych.advice.measure_route import EXPECTED, expected_expert, experts, read_route_cases, route_score
from triptych.advice.route import Candidate, route
from triptych.core.capabilities import Capabilities
from triptych.core.errors import FileProblem
from triptych.core.registry import Card, Registry, builtin_folder

FOLDER = Path(__file__).parent
HALVES = {name: read_route_cases(FOLDER / f"route_{name}.tsv") for name in ("held_out", "development")}
LOCAL = [Candidate(card) for card in Registry().add_folder(builtin_folder()).models()]


def hosted(name: str, *, cost: float = 0.05, ready: bool = True, **scores: float) -> Candidate:
    takes = Capabilities(family="hosted", native_size=(1024, 1024), reference_roles=("identity",), max_references=3)
    return Candidate(
        Card(name=name, capabilities=takes, scores=scores), cost, ready, "" if ready else "there is no key"
    )


def test_ten_prompts_for_each_of_nine_jobs() -> None:
    every = [case for cases in HALVES.values() for case in cases]
    assert len(JOBS) == 9
    assert len({case.prompt for case in every}) == 90
    assert all(sum(case.job == job for case in every) == 10 for job in JOBS)


@pytest.mark.parametrize("half", HALVES)
def test_nine_of_ten_choices_are_right(half: str) -> None:
    names = sorted(name for allowed in EXPECTED.values() for name in allowed if "/" in name)
    others = [hosted(name) for name in dict.fromkeys(names)]
    score = route_score(HALVES[half], [*LOCAL, *others], [*LOCAL, *(replace(one, ready=False) for one in others)])
    assert score.jobs >= 0.9 * score.cases
    assert score.made_up >= 0.9 * score.cases
    assert score.real >= 0.9 * score.cases
    assert score.honest == score.beyond > 0


@pytest.mark.parametrize("job", JOBS)
def test_every_job_has_a_made_up_model_that_is_best_at_it(job: str) -> None:
    assert expected_expert(job) in {one.card.name for one in experts()}


def test_a_measured_score_goes_before_a_claim() -> None:
    chosen = route("a poster that says JAZZ", [hosted("google/gemini-3-pro-image"), hosted("mine", text=0.99)])
    assert chosen.model == "mine"
    assert "measured here: text 99.0 %" in chosen.reason
    assert "claimed by the source texts, not measured" in chosen.reason


def test_a_score_counts_only_in_the_world_that_it_was_measured_in() -> None:
    inside, outside = route("two apples and a car", LOCAL), route("two otters and a piano", LOCAL)
    assert inside.good
    assert inside.model == "flow"
    assert not outside.good
    assert "No available model is known to be good at it" in outside.reason
    assert "knows no otter" in outside.reason


def test_a_model_without_a_key_is_named_and_not_chosen() -> None:
    chosen = route("a poster that says JAZZ", [*LOCAL, hosted("google/gemini-3-pro-image", ready=False)])
    assert chosen.model in {one.card.name for one in LOCAL}
    assert not chosen.good
    assert "Better would be google/gemini-3-pro-image" in chosen.reason
    assert "there is no key" in chosen.reason


def test_private_asks_nobody_else() -> None:
    chosen = route("a poster that says JAZZ", [*LOCAL, hosted("google/gemini-3-pro-image")], private=True)
    assert all(one.candidate.local for one in chosen.candidates)
    assert route("a poster that says JAZZ", [hosted("x/y", text=1.0)], private=True).model == ""


def test_cost_and_speed_weigh_as_much_as_is_asked() -> None:
    dear, cheap = hosted("dear", cost=0.2, text=0.99), hosted("cheap", cost=0.01, text=0.9)
    assert route("a sign that says HI", [dear, cheap], prefer="quality").model == "dear"
    assert route("a sign that says HI", [dear, cheap], prefer="cost").model == "cheap"
    slow, fast = hosted("slow", text=0.99, seconds=45.0), hosted("fast", text=0.9, seconds=1.0)
    assert route("a sign that says HI", [slow, fast], prefer="speed").model == "fast"


def test_a_combination_names_both_models() -> None:
    chosen = route("draft ten concepts fast, then upscale the best to 4K", experts())
    assert chosen.job == "combo"
    assert chosen.chain == (("concepts", "expert.rapid_concepts"), ("final", "expert.precise_scene"))
    assert chosen.as_json()["chain"][0] == {"step": "concepts", "model": "expert.rapid_concepts"}


def test_no_reference_no_faithful_face() -> None:
    plain = Candidate(Card(name="plain", capabilities=Capabilities(family="hosted", native_size=(64, 64))))
    chosen = route("exactly my face from this selfie", [plain])
    assert chosen.job == "faithful_face"
    assert not chosen.good
    assert "takes no reference pictures" in chosen.reason


def test_evidence_stands_in_the_prompt() -> None:
    prompt = "use my LoRA offline with a depth map"
    found = recognise(prompt)
    assert found.job == "full_control"
    assert {prompt[one.start : one.end].lower() for one in found.evidence} >= {"lora", "offline", "depth"}


def test_an_instruction_is_an_edit() -> None:
    assert recognise("make it blue", edit=True).job == "multi_step_edit"


def test_files_that_are_no_labels_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.tsv"
    path.write_text("juggling\ta cat\n")
    with pytest.raises(FileProblem, match="line 1"):
        read_route_cases(path)


def test_a_public_checkpoint_is_judged_by_what_is_said_of_its_family() -> None:
    takes = Capabilities(family="flow", native_size=(1024, 1024), lora=True)
    chosen = route("photorealistic portrait of a sailor", [*LOCAL, Candidate(Card(name="my-flux", capabilities=takes))])
    assert (chosen.model, chosen.good) == ("my-flux", True)
    assert "claimed by the source texts, not measured: faces from words: most realistic" in chosen.reason
