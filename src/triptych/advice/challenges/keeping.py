"""What an instruction tells to keep, and what to change: clauses of an edit, read with their targets.

"Keep everything except the mug; replace the mug with a vase" has a keeping clause (everything, except mug) and a changing
one (mug).
"""

from __future__ import annotations

from triptych.advice.grammar import Sentence

TOUCHING = frozenset("change touch alter modify edit affect disturb move adjust ruin lose".split())


def keeps(sentence: Sentence, position: int) -> bool:
    """Whether a negation says that something stays: "don't change", "without altering", "no changes", "nothing changes"."""
    near = sentence.tokens[position + 1 : position + 5]
    for token in near:
        if token.tag in ("MARK", "STOP", "CONJ"):
            break
        if token.lemma in TOUCHING or token.lower in ("changes", "changing", "alterations", "changed", "edits"):
            return True
    return False
