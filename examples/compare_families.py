"""One prompt, one plan, three families: only the way of painting differs."""

import numpy as np
from PIL import Image

import triptych

PROMPT = "a red car to the left of a tree in a meadow"

plan = triptych.plan(PROMPT, seed=1)
row = []
for model in ("flow", "diffusion", "tokens"):
    result = triptych.generate(PROMPT, model=model, seed=1, plan=plan)
    image = result.images[0]
    asked = result.request
    how = f"{asked.steps} steps of {asked.sampler}" if asked.steps else f"temperature {asked.temperature}"
    print(f"{model:<10} {result.family:<15} {how}, guidance {asked.guidance}: {result.seconds['total']:.1f} s")
    row.append(image.pixels)
Image.fromarray(np.concatenate(row, axis=1)).save("families.png")
