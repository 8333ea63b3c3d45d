"""The contact sheets of docs/: twenty single nouns and twenty counts and relations, painted by each built-in model.

    python bench/contact_sheets.py [MODEL ...]      (default: flow diffusion tokens)

Each picture is the first one of seed 1: nothing is chosen. Writes docs/sheets/MODEL-{singles,scenes}.jpg.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import triptych
from triptych.training.sheet import contact_sheet

SEED = 1
SINGLES = (
    "a fox in the snow", "a cat in a room", "a dog on a meadow", "a fish under water", "an owl at night",
    "a frog on a meadow", "a butterfly on a meadow", "a turtle on the beach", "a red car in the desert",
    "a bus in a room", "a rocket at night", "a boat on the beach", "a house on a meadow", "a tree in the desert",
    "an apple on a plain background", "a banana on the beach", "a strawberry on a plain background",
    "a mushroom in a forest", "a pumpkin at sunset", "a snowman in the snow",
)  # fmt: skip
SCENES = (
    "two cats in a room", "three apples on a plain background", "four fish under water", "two red cars in the desert",
    "three blue balloons on a meadow", "four stars at night", "two pumpkins at sunset", "three mushrooms in a forest",
    "a fox to the left of a tree", "a cat to the right of a dog", "a moon above a house", "a boat below the sun",
    "a red apple to the left of a green apple", "a blue umbrella to the right of a turtle", "a bird above a bus",
    "two owls and a moon at night", "a purple crown to the left of a rose", "three bananas on the beach",
    "a guitar to the right of a cake in a room", "four hearts on a plain background",
)  # fmt: skip


def main(models: list[str]) -> None:
    folder = Path(__file__).parent.parent / "docs" / "sheets"
    folder.mkdir(parents=True, exist_ok=True)
    for model in models:
        for name, prompts in (("singles", SINGLES), ("scenes", SCENES)):
            started = time.perf_counter()
            pictures = [triptych.generate(prompt, model=model, seed=SEED).images[0].pixels for prompt in prompts]
            path = folder / f"{model}-{name}.jpg"
            contact_sheet(pictures, prompts, columns=5).save(path, quality=90)
            print(f"{path}  {(time.perf_counter() - started) / len(prompts):.2f} s a picture")


if __name__ == "__main__":
    main(sys.argv[1:] or ["flow", "diffusion", "tokens"])
