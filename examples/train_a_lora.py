"""A LoRA from five pictures: the model's own, as negatives. Then one prompt without it and with it."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageOps

import triptych
from triptych.core.asset import FileAsset
from triptych.core.inputs import Lora
from triptych.core.request import Request
from triptych.training.lora import LoraRun, train_lora

PROMPTS = ("a fox in the snow", "a red car on a beach", "two apples at night", "a house in a forest", "a cat in a room")
OUT = Path("negative")

library = triptych.Library()
engine = triptych.Engine(library)
OUT.mkdir(exist_ok=True)
for number, made in enumerate(engine.generate_many([Request(prompt=prompt, seed=1) for prompt in PROMPTS])):
    ImageOps.invert(Image.fromarray(made[0].pixels)).save(OUT / f"{number}.png")
    (OUT / f"{number}.txt").write_text(PROMPTS[number])

# Half a minute on a free core. A usual run is 2,400 samples; this one shows the way.
run = LoraRun(OUT, Path("negative.safetensors"), "flow", samples=320, trigger="negative")
record = train_lora(run, library.registry, report=print)

lora = Lora(file=FileAsset.of(run.out), scale=0.9)
print(library.lora("flow", lora).report.sentence())
plain = Request(prompt="an owl in the forest, negative", seed=7)
with_it = plain.model_copy(update={"loras": (lora,)})
for name, pictures in zip(("without", "with"), engine.generate_many([plain, with_it]), strict=True):
    Image.fromarray(pictures[0].pixels).save(f"{name}.png")
    print(f"{name}.png")
