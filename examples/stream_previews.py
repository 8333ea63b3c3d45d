"""Watch a picture come about: every step is an event, with a small picture of where it is going."""

from pathlib import Path

from PIL import Image

import triptych
from triptych.core.events import Failed, Finished, Planned, Started, Stepped

folder = Path("fox-steps")
folder.mkdir(exist_ok=True)

for event in triptych.stream("a fox at night", seed=3, steps=8):
    match event:
        case Started(request=request):
            print(f"{request.steps} steps of {request.sampler}, guidance {request.guidance}")
        case Planned(plan=plan):
            print("planned:", ", ".join(item.noun for item in plan.objects), "| background:", plan.background)
        case Stepped(step=step, total=total, preview=preview):
            if preview is not None:
                Image.fromarray(preview).resize((128, 128)).save(folder / f"{step:02d}-of-{total}.png")
        case Finished(pixels=pixels):
            Image.fromarray(pixels).save(folder / "finished.png")
        case Failed(error=error):
            raise error
print(f"the steps are in {folder}")
