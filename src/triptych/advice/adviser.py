"""The adviser: a prompt in, findings and a better prompt out. Knows no model by name and paints nothing.

The rewritten prompt is made one challenge after the other, each on what the one before left: a rewrite may move what
the next has to find.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from triptych.advice.challenges import Rule, rules_for
from triptych.advice.challenges.keeping import instructs
from triptych.advice.challenges.spot import Spot
from triptych.advice.finding import CHALLENGES, Advice, Finding
from triptych.advice.grammar import parse
from triptych.advice.missing import missing
from triptych.advice.target import Target


def advise(prompt: str, model: str | Target = "flow", *, edit: bool = False) -> Advice:
    """What is likely to go wrong with a prompt for a model, and the prompt said better.

    model: a built-in or hosted model's name, a family's, or a `Target`; `FileProblem` for an unknown name. edit: the
    prompt is an instruction for a picture that exists; one that says so by its form ("keep this image the same, but
    ...") is taken for one anyway.
    """
    target = Target.named(model) if isinstance(model, str) else model
    edit = edit or instructs(parse(prompt))
    rules = rules_for(edit=edit)
    findings: list[Finding] = []
    for challenge, rule in rules.items():
        for spot in rule(parse(prompt)):
            severity, reason = target.judge(challenge, spot)
            findings.append(
                Finding(
                    challenge,
                    spot.start,
                    spot.end,
                    severity,
                    reason,
                    spot.rewrite,
                    spot.negative if target.negative else "",
                )
            )
    findings.sort(key=lambda finding: (finding.start, CHALLENGES.index(finding.challenge)))
    return Advice(
        prompt,
        tuple(findings),
        rewrite(prompt, rules),
        missing=() if edit else tuple(missing(parse(prompt))),
        negative=", ".join(dict.fromkeys(finding.negative for finding in findings if finding.negative)),
        model=target.name,
        family=target.family,
        edit=edit,
    )


def rewrite(prompt: str, rules: Mapping[str, Rule]) -> str:
    """The prompt with the rewrites of all rules in it."""
    for rule in rules.values():
        prompt = applied(prompt, rule(parse(prompt)))
    return prompt


def applied(prompt: str, spots: Iterable[Spot]) -> str:
    """The prompt with the rewrites of some spots; of two that overlap, the one that begins first."""
    pieces: list[str] = []
    past = 0
    for spot in sorted(spots, key=lambda spot: (spot.start, -spot.end)):
        if spot.rewrite is None or spot.start < past:
            continue
        pieces += [prompt[past : spot.start], spot.rewrite]
        past = spot.end
    return "".join((*pieces, prompt[past:]))
