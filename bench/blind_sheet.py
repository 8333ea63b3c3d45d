"""Can a person name what was painted? Thirty single nouns without their words, and the key in a file of its own.

    python bench/blind_sheet.py MODEL SEED [OUT]       (OUT: out/blind)

Nouns and places are drawn from SEED, so choose one that you have not looked at. Name the main thing of each picture
before you open the key; the share that agrees is the figure.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

from triptych.core.request import Request
from triptych.engine import Engine
from triptych.library import Library
from triptych.training.sheet import contact_sheet

PICTURES = 30


def main(model: str, seed: int, out: Path) -> None:
    library = Library()
    world = library.registry.capabilities(model)
    draw = random.Random(seed)
    nouns = [draw.choice(world.nouns) for _ in range(PICTURES)]
    words = [f"a picture of {'an' if noun[0] in 'aeiou' else 'a'} {noun}" for noun in nouns]
    requests = [Request(prompt=text, model=model, seed=draw.getrandbits(31)) for text in words]
    pictures = [made[0].pixels for made in Engine(library).generate_many(requests)]
    out.mkdir(parents=True, exist_ok=True)
    contact_sheet(pictures, [str(number) for number in range(1, PICTURES + 1)], columns=10).save(out / f"{model}.png")
    (out / f"{model}.json").write_text(json.dumps(dict(enumerate(nouns, 1)), indent=1))
    print(out / f"{model}.png", out / f"{model}.json")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else Path("out/blind"))
