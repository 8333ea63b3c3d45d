"""What is likely to go wrong with a prompt, for each of the families, and the prompt said better. Loads no model."""

from triptych.advice import Target, advise

PROMPT = "five owls to the left of a clock tower with no windows, a sign saying OPEN"

for family in ("diffusion", "flow", "autoregressive"):
    findings = advise(PROMPT, Target(family)).findings
    print(f"{family}: {', '.join(f'{one.challenge} {one.severity}' for one in findings)}")
print(advise(PROMPT, "flow").rewritten)
