"""A plan is data: have one written, change it, and paint what you changed."""

import triptych
from triptych import PlanObject

PROMPT = "a penguin in the snow"

plan = triptych.plan(PROMPT, seed=5)
before = triptych.generate(PROMPT, seed=5, plan=plan).images[0]

# Objects are listed from back to front; a box is x0, y0, x1, y1 in fractions of the picture.
balloon = PlanObject(noun="balloon", colour="red", box=(0.62, 0.08, 0.88, 0.46))
edited = plan.model_copy(update={"background": "night", "objects": (*plan.objects, balloon)})
after = triptych.generate(PROMPT + " with a red balloon, at night", seed=5, plan=edited).images[0]

for name, image in (("before", before), ("after", after)):
    print(image.save(f"penguin-{name}.png"), [item.noun for item in image.plan.objects] if image.plan else "")
