"""Every part of a flow model from scratch, in its tiniest form, and a picture painted with the result.

The `tiny` preset draws shapes at 64 pixels and sees 64 of them: enough to walk the whole way, far too little to learn.
"""

from pathlib import Path

from triptych import Engine, Library, Request
from triptych.core.registry import Card, Registry
from triptych.training import stages

OUT = Path("tiny-run")

for stage in ("autoencoder", "text", "flow"):
    record = stages.run(stage, "tiny", out=OUT)
    print(f"{stage}: loss {record['loss']:.3f} after {record['samples']} pictures")

registry = Registry()
for folder in (path.parent for path in sorted(OUT.rglob("card.json"))):
    registry.register(Card.read(folder), folder)

((picture,),) = Engine(Library(registry)).generate_many([Request(prompt="a red circle", seed=1)])
print("painted", picture.pixels.shape, "with", [card.name for card in registry.models()])
