"""A model folder with LoRAs in its weights, and the unfused model beside them, byte for byte.

The folder paints the same pixels as the model with these LoRAs attached, to the last bit, which is why its weights are
stored as computed and not in half precision. `unfused/` inside it holds the original files: unfusing is exact because
nothing is computed back.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import nn

from triptych.adapters.lora import Fused, Report
from triptych.core.errors import FileProblem, InvalidRequest
from triptych.core.files import write_atomically
from triptych.core.inputs import Lora
from triptych.core.registry import CARD, Card, Registry
from triptych.families import loading
from triptych.families.loading import Parts
from triptych.training.export import write_model

UNFUSED = "unfused"


def write_fused(registry: Registry, model: str, loras: Sequence[Lora], folder: Path, name: str) -> tuple[Report, ...]:
    """Write `folder`: card, fused weights, and `unfused/` with the original files. Return what of each LoRA fits.

    Raises `InvalidRequest` for a LoRA of another model or a name that is none, `FileProblem` for files that do not do.
    """
    if not loras:
        raise InvalidRequest("loras", "none is given; there is nothing to fuse")
    entry = registry.find(model)
    if entry.folder is None:
        raise FileProblem(f"{model!r} has no folder with weights")
    if (folder / CARD).exists():
        raise FileProblem(f"{folder} holds a model already; name another folder")
    registry.check(model)
    told = ", ".join(f"{lora.file.name} at {lora.scale:g}" for lora in loras)
    try:
        fields = entry.card.as_json() | {"name": name, "description": f"{model} fused with {told}", "scores": {}}
        card = Card.model_validate(fields)
    except ValueError:
        raise InvalidRequest("name", f"{name!r} is not allowed: small letters, digits, . _ and -") from None
    family = loading.load(model, entry.card, entry.folder, Parts(lambda part: _folder(registry, part)))
    fused = Fused(family.network, loras)
    for file in (*entry.card.files, CARD):
        write_atomically(folder / UNFUSED / file, (entry.folder / file).read_bytes())
    module = nn.ModuleDict({"network": family.network, "plan_input": family.plan_input})
    write_model(folder, module.state_dict(), card, exact=True)
    return fused.reports


def _folder(registry: Registry, part: str) -> Path:
    folder = registry.find(part).folder
    if folder is None:
        raise FileProblem(f"{part!r} has no folder with weights")
    return folder
