"""How well the plan writer keeps what the words state.

    python bench/plans.py [CAPTIONS] [MODELS_FOLDER] [SPLIT]      (default: 300, the weights of the package, report)

First on fresh dense captions of the small world, whose truth is known: the share of plans with the right nouns, counts,
colours, background and light, with all of them, and of two single things on the stated sides of each other. Then on the
rows of the comparison table, each plan judged as if a picture showed exactly what it says: no painter that follows its
plans can score above this.
"""

from __future__ import annotations

import sys
from pathlib import Path

from triptych.core.plan import Plan
from triptych.core.registry import Registry, builtin_folder
from triptych.core.request import Request
from triptych.evals.judge import judge
from triptych.evals.reading import Detection, Reading
from triptych.evals.rows import GENEVAL, prompts
from triptych.library import Library
from triptych.planning.metrics import facts_match, mean_facts, sides_match
from triptych.scenes import LEVELS, caption, sample_scene
from triptych.scenes.nouns import NOUNS

SEED = 777
SIDES = {"left of", "right of", "above", "below"}
ROWS = (*GENEVAL, "left_right", "negation", "scale", "complex", "unseen")


def main(count: int, folder: Path, split: str) -> None:
    library = Library(Registry().add_folder(folder))
    matches: list[dict[str, bool]] = []
    sides: list[bool] = []
    wrong: list[str] = []
    for index in range(count):
        scene = sample_scene("small", SEED, index)
        words = caption(scene, 0, style="dense")
        plan = library.plan(Request(prompt=words, seed=index), 0) or Plan()
        match = facts_match(plan, scene.plan())
        matches.append(match)
        if not match["all"]:
            wrong.append(f"{words}\n    {[(item.noun, item.colour) for item in plan.objects]}")
        side = sides_match(plan, scene.plan())
        if side is not None and any(relation.kind in SIDES for relation in scene.relations):
            sides.append(side)
    print("  ".join(f"{name} {share:.3f}" for name, share in mean_facts(matches).items()))
    print(f"sides {sum(sides) / max(1, len(sides)):.3f} of {len(sides)}")
    print("\n".join(wrong[:10]))
    for row in ROWS:
        asked = prompts(row, LEVELS["small"], "development" if split == "development" else "report")
        right = 0
        for prompt in asked:
            plan = library.plan(Request(prompt=prompt.text, seed=prompt.seed(0)), 0) or Plan()
            right += judge(prompt, as_read(plan)).correct
        print(f"{row:<12} {right / len(asked):.3f} of {len(asked)}")


def as_read(plan: Plan) -> Reading:
    """What a reader without faults would say of a picture that shows the plan."""
    things: list[Detection] = []
    for item in plan.objects:
        colour = item.colour or (NOUNS[item.noun].natural if item.noun in NOUNS else None)
        things.append(Detection(item.noun, 1.0, item.box, {colour: 1.0} if colour else {}))
    return Reading(tuple(things), {plan.background: 1.0})


if __name__ == "__main__":
    arguments = sys.argv[1:] + ["300", str(builtin_folder()), "report"][len(sys.argv) - 1 :]
    main(int(arguments[0]), Path(arguments[1]), arguments[2])
