"""What signs say, scored as OneIG-Bench does (Chang et al. 2025, arXiv 2506.07977, `text_score.py`).

text score = 1 - min(100, ED) (1 - CR) (1 - WAC) / 100, with ED the mean edit distance, CR the share of exact texts and
WAC the share of words found. The normalised edit distance is 1 - ED / longer length, per text.
"""

from __future__ import annotations

from triptych.evals.judge.verdict import Verdict, found
from triptych.evals.reading import Reading
from triptych.evals.rows.prompt import Prompt

MOST_DISTANCE = 100.0


def text_score(distance: float, exact: float, words: float) -> float:
    """Of means over a set of texts: edit distance, share exact, share of words found."""
    return 1 - min(MOST_DISTANCE, distance) * (1 - exact) * (1 - words) / MOST_DISTANCE


def edit_distance(a: str, b: str) -> int:
    """Levenshtein's: the fewest insertions, deletions and replacements of one letter."""
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (letter != other))
    return row[-1]


def text(prompt: Prompt, reading: Reading) -> Verdict:
    """The likeliest sign says exactly the word; a picture without a sign says nothing."""
    wanted = prompt.groups[0].text or ""
    signs = found(reading, "sign")
    read = (signs[0].text or "") if signs else ""
    distance = edit_distance(read, wanted)
    words = wanted.split()
    left = read.split()
    matched = sum(word in left for word in words)
    atoms = {
        "distance": float(distance),
        "similarity": 1 - distance / max(len(read), len(wanted), 1),
        "matched": float(matched),
        "words": float(len(words)),
    }
    return Verdict(read == wanted, "" if read == wanted else f"it says {read!r}" if signs else "no sign", atoms)
