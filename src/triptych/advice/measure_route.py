"""How often the router is right on labelled prompts: the job, the model among made-up cards, the model among real
ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from triptych.advice.jobs import JOBS, recognise
from triptych.advice.route import ROWS, Candidate, route
from triptych.core.capabilities import Capabilities
from triptych.core.errors import FileProblem
from triptych.core.registry import Card

EXPECTED: dict[str, frozenset[str]] = {
    "faithful_face": frozenset(("ark/seedream-4.5",)),
    "infographic": frozenset(("google/gemini-3-pro-image", "google/gemini-3.1-flash-image")),
    "portrait": frozenset(("bfl/flux-2-pro", "bfl/flux-2-max")),
    "rapid_concepts": frozenset(("xai/grok-imagine",)),
    "concept_art": frozenset(("google/imagen-4", "bfl/flux-2-pro")),
    "full_control": frozenset(("flow", "diffusion")),
    "multi_step_edit": frozenset(("google/gemini-3-pro-image", "google/gemini-3.1-flash-image")),
    "combo": frozenset(("google/gemini-3-pro-image", "openai/gpt-image-2")),
    "precise_scene": frozenset(("openai/gpt-image-2", "google/gemini-3-pro-image", "flow")),
}
"""Job -> models that the source texts name for it, with every key at hand; for beauty they name Midjourney, which has
no API, so that the most varied of the others counts. `flow` counts for scenes in its own world, where it is
measured.
"""
BEYOND = ("faithful_face", "infographic", "portrait")
"""Jobs that no built-in model is good at; without keys the router has to say so."""


@dataclass(frozen=True)
class RouteCase:
    prompt: str
    job: str


@dataclass(frozen=True)
class RouteScore:
    """Counts over `cases` prompts. honest: of the `beyond` ones, those where it says that no model is good."""

    cases: int
    jobs: int
    made_up: int
    real: int
    beyond: int
    honest: int


def read_route_cases(path: Path) -> list[RouteCase]:
    """The labelled prompts of a file of two columns, separated by a tab: job, prompt."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FileProblem(f"{path} cannot be read: {error}") from None
    cases: list[RouteCase] = []
    for number, line in enumerate(lines, 1):
        job, tab, prompt = line.partition("\t")
        if not tab or job not in JOBS:
            raise FileProblem(f"{path}, line {number}: two columns are needed: job, prompt")
        cases.append(RouteCase(prompt, job))
    return cases


def experts() -> list[Candidate]:
    """A made-up model for each job, measured to be good at that and middling at the rest."""
    found: list[Candidate] = []
    for job in JOBS:
        scores = {row: 0.5 for rows in ROWS.values() for row in rows}
        scores |= dict.fromkeys(ROWS.get(job, ()), 0.95)
        scores["seconds"] = 1.0 if job == "rapid_concepts" else 20.0
        takes = Capabilities(
            family="flow" if job == "full_control" else "hosted",
            native_size=(1024, 1024),
            lora=job == "full_control",
            controls=("depth",) if job == "full_control" else (),
            reference_roles=("identity",),
            max_references=4,
        )
        found.append(Candidate(Card(name=f"expert.{job}", capabilities=takes, scores=scores), cost=0.05))
    return found


def expected_expert(job: str) -> str:
    """Which made-up model is right; the final of a combination goes to the one that follows a scene best."""
    return "expert.precise_scene" if job == "combo" else f"expert.{job}"


def route_score(
    cases: Sequence[RouteCase], everything: Sequence[Candidate], keyless: Sequence[Candidate]
) -> RouteScore:
    """everything: the real cards with every key at hand; keyless: the same with none."""
    made_up = experts()
    jobs = chosen = real = beyond = honest = 0
    for case in cases:
        edit = case.job == "multi_step_edit"
        jobs += recognise(case.prompt).job == case.job
        chosen += route(case.prompt, made_up).model == expected_expert(case.job)
        real += route(case.prompt, everything).model in EXPECTED[case.job]
        if case.job in BEYOND and not edit:
            beyond += 1
            honest += not route(case.prompt, keyless).good
    return RouteScore(len(cases), jobs, chosen, real, beyond, honest)
