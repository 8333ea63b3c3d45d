"""A sampler written by hand over the doors of a family: no engine, nothing hidden.

A picture under way is a frozen state. The family predicts the clean latent that it sees in it (`forward`); a sampler
uses that to take one step. The step below is Euler's on the path x = alpha x0 + sigma eps, in the words of the paper.
"""

from dataclasses import replace

import numpy as np
import torch
from PIL import Image

from triptych import Engine, Library, Request
from triptych.core.contract import resolve

library = Library()
family = library.family("flow")
asked = Request(prompt="a yellow star at night", seed=11, steps=10, sampler="euler", guidance=2.0)
request, notes = resolve(asked, family.capabilities, name="flow")  # every open field gets the model's default

with torch.inference_mode():
    condition = family.encode(request, library.plan(request, 0))
    state = family.begin(request, condition, 0)
    while not state.done:
        (x0,) = family.forward([state])  # guidance is already in it
        under_way = state.sampler
        alpha, sigma = under_way.schedule.level(under_way.i)
        alpha_next, sigma_next = under_way.schedule.level(under_way.i + 1)
        eps = (under_way.x - alpha * x0) / sigma  # the noise that is left, if x0 is right
        x = alpha_next * x0 + sigma_next * eps
        state = replace(state, sampler=under_way.next(x), step=state.step + 1, x0=x0)
    (pixels,) = family.decode([state])

Image.fromarray(pixels).save("star.png")
((engine_made,),) = Engine(library).generate_many([asked])
difference = np.abs(pixels.astype(int) - engine_made.pixels.astype(int)).max()
print(f"largest difference to the built-in euler: {difference} of 255 grey levels")
