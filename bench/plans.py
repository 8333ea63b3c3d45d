"""How well the plan writer keeps what a caption states: fresh dense captions of the small world, whose truth is known.

    python bench/plans.py [CAPTIONS] [MODELS_FOLDER]      (default: 300, the weights of the package)

Prints the share of plans with the right nouns, counts, colours, background and light, with all of them, and the share
of two single things that stand on the stated sides of each other. Then ten captions that went wrong.
"""

from __future__ import annotations

import sys
from pathlib import Path

from triptych.core.plan import Plan
from triptych.core.registry import Registry, builtin_folder
from triptych.core.request import Request
from triptych.library import Library
from triptych.planning.metrics import facts_match, mean_facts, sides_match
from triptych.scenes import caption, sample_scene

SEED = 777
SIDES = {"left of", "right of", "above", "below"}


def main(count: int, folder: Path) -> None:
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


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else 300,
        Path(sys.argv[2]) if len(sys.argv) > 2 else builtin_folder(),
    )
