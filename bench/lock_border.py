"""What makes the border of a locked edit: feather, membrane and the words that the painter is given (decision 0039).

    python bench/lock_border.py flow 40

The cases are those of `triptych bench dial` at lock 1, quality low. Each is painted twice, with the instruction alone
and with a caption of the whole window as the prompt; every painting is put in with and without the membrane, with five
feathers. Prints means over the cases with 95 % intervals. Needs the emoji font.
"""

from __future__ import annotations

import sys

import numpy as np

from triptych.api.edit import Picture, plan_patches
from triptych.api.generate import paint
from triptych.api.results import capabilities_of
from triptych.core.events import Pixels
from triptych.core.request import Request
from triptych.editing import lock
from triptych.editing.dial import Dial
from triptych.editing.instruct.describe import caption_of
from triptych.editing.lock import Edit
from triptych.editing.seam import seam
from triptych.evals import dial as dials
from triptych.evals.readers.load import Readers
from triptych.evals.statistics import estimate
from triptych.scenes import Sprites

FEATHERS = (0, 1, 2, 4, 8)
MATCHED = lock.harmonised


def unmatched(source: Pixels, painted: Pixels, mask: np.ndarray) -> Pixels:
    return painted


def main(model: str, pictures: int) -> None:
    takes, readers, sprites = capabilities_of(model), Readers.load(), Sprites.load()
    found: dict[tuple[str, str, int], list[tuple[float, ...]]] = {}
    for number in range(pictures):
        one = dials.case(number, takes.native_size[0], sprites)
        base = Request.make(prompt=one.instruction, model=model, seed=number, quality="low")
        patches, _ = plan_patches(base, Picture(one.pixels), one.mask, Dial(1.0), takes)
        (patch,) = patches
        for words in ("instruction", "caption"):
            told = caption_of(patch.plan) if words == "caption" and patch.plan else one.instruction
            request = base.model_copy(update={"prompt": told})
            edit = Edit(Dial(1.0))
            painted = paint(lock.request_for(request, one.pixels, one.mask, patch, edit)).pixels
            for way in (MATCHED, unmatched):
                lock.harmonised = way
                for feather in FEATHERS:
                    result = lock.composed(one.pixels, one.mask, [patch], [painted], Edit(Dial(1.0), feather))
                    border = seam(result, one.mask, one.pixels)
                    stands = dials.stands(one, readers.read([result])[0])
                    values = (border.seam_error, border.local, border.percentile, float(stands))
                    found.setdefault((words, way.__name__, feather), []).append(values)
            lock.harmonised = MATCHED
        print(f"{number + 1}/{pictures}", file=sys.stderr)
    print(f"{model}, {pictures} pictures: seam_error, local, percentile, success")
    for (words, way, feather), rows in found.items():
        spans = [estimate(np.array([row[k : k + 1] for row in rows])).interval() for k in range(4)]
        cells = "   ".join(f"{span.value:.3f} [{span.low:.3f}, {span.high:.3f}]" for span in spans)
        print(f"{words:<13}{way:<12}{feather:>7}   {cells}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
