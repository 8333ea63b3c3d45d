"""The router: which model for a prompt, argued from measured scores where there are any, and from claims where there
are none.

A candidate is what a door knows of a model: its card, what a picture costs, whether it could paint now. The choice is
the highest quality for the job, less what cost and waiting weigh. Whoever has no figure for the job is not called good
at it. A model with a small world is measured in that world only: a prompt that leaves it makes its scores say nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from triptych.advice.claims import BATCH, WORDS, claim_of
from triptych.advice.grammar import parse
from triptych.advice.grammar.words import word_set
from triptych.advice.jobs import JOBS, Evidence, recognise
from triptych.core.registry import Card

GOOD = 0.75
"""Qualities from here up count as good at a job."""
COST_WEIGHT, TIME_WEIGHT, GENERAL_WEIGHT = 0.06, 0.04, 0.02
DEAR, LONG = 0.15, 45.0
"""US dollars and seconds of a picture that weigh in full."""

ROWS: dict[str, tuple[str, ...]] = {
    "faithful_face": ("face",),
    "infographic": ("text",),
    "portrait": ("faces",),
    "rapid_concepts": ("single",),
    "concept_art": ("aesthetic",),
    "multi_step_edit": ("edit",),
    "precise_scene": ("geneval", "complex"),
}
"""Job -> rows of the comparison table that measure it."""
COLUMNS: dict[str, tuple[str, ...]] = {
    "faithful_face": ("face from a reference",),
    "infographic": ("text in pictures",),
    "portrait": ("faces from words",),
    "rapid_concepts": ("variety",),
    "concept_art": ("variety",),
    "multi_step_edit": ("editing",),
    "precise_scene": ("complex instructions",),
}
"""Job -> columns of the texts' comparison that speak of it."""
PREFERENCES = ("balance", "quality", "speed", "cost")
WEIGHTS = {"balance": (1.0, 1.0), "quality": (0.1, 0.1), "speed": (1.0, 8.0), "cost": (8.0, 1.0)}
"""Preference -> factors of the weights of cost and time."""


@dataclass(frozen=True)
class Candidate:
    """A model that could be asked. cost: US dollars of one picture. ready: it could paint now. lacks: why not."""

    card: Card
    cost: float = 0.0
    ready: bool = True
    lacks: str = ""

    @property
    def local(self) -> bool:
        return self.card.family != "hosted"


@dataclass(frozen=True)
class Judged:
    """A candidate held against the job. quality: 0 to 1, None where nothing is known. basis: on what it rests."""

    candidate: Candidate
    quality: float | None
    basis: str
    seconds: float
    worth: float

    @property
    def name(self) -> str:
        return self.candidate.card.name

    def as_json(self) -> dict[str, Any]:
        return {
            "model": self.name,
            "quality": None if self.quality is None else round(self.quality, 4),
            "basis": self.basis,
            "seconds": self.seconds,
            "cost": self.candidate.cost,
            "local": self.candidate.local,
            "ready": self.candidate.ready,
            "lacks": self.candidate.lacks,
        }


@dataclass(frozen=True)
class Route:
    """The choice. model: "" where nothing may be asked. good: whether the model is good at the job. better: models that
    would be good and are not ready. chain: the models of a combination, in order.
    """

    prompt: str
    job: str
    model: str
    good: bool
    reason: str
    evidence: tuple[Evidence, ...]
    candidates: tuple[Judged, ...]
    better: tuple[Judged, ...] = ()
    chain: tuple[tuple[str, str], ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "job": self.job,
            "good": self.good,
            "reason": self.reason,
            "evidence": [[one.start, one.end] for one in self.evidence],
            "candidates": [one.as_json() for one in self.candidates],
            "better": [one.name for one in self.better],
            "chain": [{"step": step, "model": model} for step, model in self.chain],
        }


def route(
    prompt: str,
    candidates: Sequence[Candidate],
    *,
    edit: bool = False,
    references: bool = False,
    private: bool = False,
    prefer: str = "balance",
) -> Route:
    """Choose a model. private: nothing may leave this machine. prefer: one of `PREFERENCES`."""
    found = recognise(prompt, edit=edit, references=references)
    job = found.job
    asked = [one for one in candidates if one.local or not private]
    judged = sorted((_judge(job, one, prompt, prefer) for one in asked), key=lambda one: (-one.worth, one.name))
    ready = [one for one in judged if one.candidate.ready]
    able = [one for one in ready if _is_good(one)]
    chosen = (able or ready or [None])[0]
    better = tuple(one for one in judged if _is_good(one) and not one.candidate.ready)
    chain = _chain(ready, prompt, prefer) if job == "combo" else ()
    if chain:
        chosen = next(one for one in ready if one.name == chain[-1][1])
    good = chosen is not None and (_is_good(chosen) or (bool(chain) and _all_good(chain, ready, prompt, prefer)))
    return Route(
        prompt,
        job,
        chosen.name if chosen else "",
        good,
        _reason(job, chosen, good, ready, better, chain),
        found.evidence,
        tuple(judged),
        better,
        chain,
    )


def _is_good(one: Judged) -> bool:
    return one.quality is not None and one.quality >= GOOD


def _judge(job: str, candidate: Candidate, prompt: str, prefer: str) -> Judged:
    card = candidate.card
    claim = claim_of(card)
    seconds = card.scores.get("seconds") or (claim.seconds if claim else 20.0)
    quality, basis = _quality(job, candidate, prompt)
    if job == "rapid_concepts" and quality is not None:
        # Many pictures: what counts is how many come in a minute, and whether they differ.
        batch = card.name in BATCH
        quality = quality * (0.5 + 0.5 * (1.0 if batch else max(0.0, 1 - seconds / LONG)))
        basis += "; the texts praise it for many pictures in one go" if batch else ""
    cost_factor, time_factor = WEIGHTS[prefer]
    burden = COST_WEIGHT * cost_factor * min(candidate.cost / DEAR, 1.0) + TIME_WEIGHT * time_factor * min(
        seconds / LONG, 1.0
    )
    worth = (quality if quality is not None else -1.0) - burden + GENERAL_WEIGHT * _general(candidate)
    return Judged(candidate, quality, basis, seconds, worth)


def _general(candidate: Candidate) -> float:
    """How good a model is altogether, to choose among those of whom nothing is known for the job."""
    scores = [candidate.card.scores[row] for row in ROWS["precise_scene"] if row in candidate.card.scores]
    return sum(scores) / len(scores) if scores else 0.0


def _quality(job: str, candidate: Candidate, prompt: str) -> tuple[float | None, str]:
    """How good a model is at a job, and how that is known."""
    card = candidate.card
    takes = card.capabilities
    if takes is None:
        return None, "it is a part"
    if job == "full_control":
        return _control(candidate)
    if job == "combo":
        return _overall(candidate, prompt)
    claim = claim_of(card)
    if job == "faithful_face" and takes.max_references and "identity" not in takes.reference_roles:
        return 0.0, "it takes no face from a reference"
    if job == "faithful_face" and not takes.max_references:
        return 0.0, "it takes no reference pictures"
    scores = {**(claim.measured if claim else {}), **card.scores}
    measured = [scores[row] for row in ROWS.get(job, ()) if row in scores]
    strange = _strange(card, prompt, job)
    if measured and not strange:
        rows = ", ".join(f"{row} {100 * scores[row]:.1f} %" for row in ROWS[job] if row in scores)
        return sum(measured) / len(measured), f"measured here: {rows}"
    if takes.nouns and strange:
        known = f"its world of {len(takes.nouns)} nouns knows no {strange[0]}"
        return None, f"{known}{'; what was measured does not hold there' if measured else ''}"
    words = [claim.ratings[column] for column in COLUMNS.get(job, ()) if claim and column in claim.ratings]
    if words and claim:
        columns = ", ".join(f"{column}: {word}" for column, word in zip(COLUMNS[job], words, strict=True))
        return sum(WORDS[word] for word in words) / len(words), f"claimed by {claim.source}, not measured: {columns}"
    return None, "nothing is known of it for this"


def _control(candidate: Candidate) -> tuple[float, str]:
    """What of full control a model gives, by its own contract."""
    takes = candidate.card.capabilities
    assert takes is not None
    has = {
        "runs here, so nothing leaves the machine": (0.4, candidate.local),
        "takes LoRAs": (0.2, takes.lora),
        f"takes maps ({', '.join(takes.controls)})": (0.2, bool(takes.controls)),
        f"repeats a seed ({takes.grade})": (0.15, takes.seed),
        "costs nothing": (0.05, candidate.cost == 0),
    }
    given = [name for name, (_, there) in has.items() if there]
    return sum(share for share, there in has.values() if there), f"by its contract: {', '.join(given) or 'none of it'}"


def _overall(candidate: Candidate, prompt: str) -> tuple[float | None, str]:
    """For the last model of a chain: its ratings for text and instructions, or its measured scene."""
    quality, basis = _quality("precise_scene", candidate, prompt)
    return quality, basis


def _strange(card: Card, prompt: str, job: str) -> list[str]:
    """Things of the prompt that the model's world does not know; a face or a poster is none of a picture book's."""
    takes = card.capabilities
    if takes is None or not takes.nouns:
        return []
    known = {*takes.nouns, *takes.colours, *takes.backgrounds} | _COMMON
    return [
        phrase.noun
        for phrase in parse(prompt).phrases
        if phrase.head.tag == "NOUN" and phrase.noun not in known and phrase.head.lower not in known
    ]


_COMMON = word_set(
    "top left right front back middle side picture image photo light night day morning evening edge frame row shadow "
    "sun colour color scene background portrait headshot close-up poster infographic diagram thumbnail sketch concept "
    "drawing illustration painting art variation idea draft"
)
"""Words of places and pictures that name no thing."""


def _chain(ready: Sequence[Judged], prompt: str, prefer: str) -> tuple[tuple[str, str], ...]:
    """Concepts with the one that is quickest for its quality, the final with the best: the texts' combination."""
    drafts = sorted(
        (_judge("rapid_concepts", one.candidate, prompt, prefer) for one in ready),
        key=lambda one: (-one.worth, one.name),
    )
    finals = [one for one in ready if one.quality is not None] or list(ready)
    if not drafts or not finals:
        return ()
    return (("concepts", drafts[0].name), ("final", finals[0].name))


def _all_good(chain: Sequence[tuple[str, str]], ready: Sequence[Judged], prompt: str, prefer: str) -> bool:
    last = next(one for one in ready if one.name == chain[-1][1])
    first = next(one for one in ready if one.name == chain[0][1])
    return _is_good(last) and _is_good(_judge("rapid_concepts", first.candidate, prompt, prefer))


def _reason(
    job: str,
    chosen: Judged | None,
    good: bool,
    ready: Sequence[Judged],
    better: Sequence[Judged],
    chain: Sequence[tuple[str, str]],
) -> str:
    """The choice in sentences, with its figures."""
    what = JOBS[job]
    if chosen is None:
        return f"The job is {what}, and no model may be asked."
    said = [f"The job is {what}."]
    if chain:
        said.append("Chain: " + ", then ".join(f"{step} with {model}" for step, model in chain) + ".")
    if good:
        said.append(f"{chosen.name} for it ({chosen.basis}; {_burden(chosen)}).")
    else:
        said.append(
            f"No available model is known to be good at it; {chosen.name} is the nearest "
            f"({chosen.basis}; {_burden(chosen)})."
        )
    second = next((one for one in ready if one is not chosen and one.quality is not None), None)
    if second is not None and second.quality is not None:
        said.append(f"Next: {second.name} ({second.basis}; {_burden(second)}).")
    if better and not good:
        first = better[0]
        said.append(f"Better would be {first.name} ({first.basis}; {_burden(first)}), but {first.candidate.lacks}.")
    return " ".join(said)


def _burden(one: Judged) -> str:
    cost = f"about ${one.candidate.cost:g} a picture" if one.candidate.cost else "free"
    place = "nothing leaves this machine" if one.candidate.local else "the prompt goes to its provider"
    return f"{cost}, about {one.seconds:g} s, {place}"
