"""The pictures of README.md: the three families side by side, and a plan with the picture painted from it.

python bench/readme_pictures.py        writes docs/sheets/families.jpg and docs/sheets/plan.jpg
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import triptych
from triptych.planning.draw import draw
from triptych.training.sheet import contact_sheet

PROMPTS = ("a fox in the snow", "two cats in a room", "a red car in the desert", "three blue balloons on a meadow",
           "a moon above a house", "a fish under water")  # fmt: skip
MODELS = ("flow", "diffusion", "tokens")
SEED = 1
QUALITY = 90
"""Of the JPEG files: tracked files are few and small."""


def main() -> None:
    folder = Path(__file__).parent.parent / "docs" / "sheets"
    folder.mkdir(parents=True, exist_ok=True)
    pictures = [triptych.generate(prompt, model=m, seed=SEED).images[0].pixels for m in MODELS for prompt in PROMPTS]
    labels = [f"{model}: {prompt}" for model in MODELS for prompt in PROMPTS]
    contact_sheet(pictures, labels, columns=len(PROMPTS)).save(folder / "families.jpg", quality=QUALITY)

    made = triptych.generate("a moon above a house", seed=SEED).images[0]
    assert made.plan is not None
    pair = [np.asarray(draw(made.plan, 256)), made.pixels]
    contact_sheet(pair, ["the plan: boxes, nouns, colours", "the picture painted from it"], columns=2, cell=256).save(
        folder / "plan.jpg", quality=QUALITY
    )


if __name__ == "__main__":
    main()
