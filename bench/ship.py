"""Put trained models into the package: what `make weights` does.

    python bench/ship.py WORK_FOLDER [STAGE ...]       (default: every stage that has been trained there)

The larger ones are stored in 8 bits, since all tracked files together stay below 60 MiB (docs/decisions/0027 has what
that costs). A model's quality tiers and scores on its present card are kept: they are measured after training.
"""

from __future__ import annotations

import sys
from pathlib import Path

from triptych.core.inputs import CONTROL_KINDS, PLANNED_ROLES
from triptych.core.registry import Card, builtin_folder, write_card
from triptych.families.loading import read_weights
from triptych.training.export import write_model
from triptych.training.presets import STAGES

INT8 = frozenset(
    {"diffusion", "tokens", "planner", "flow-control", "diffusion-control", "flow-reference", "tokens-reference"}
)


def ship(trained: Path, place: Path, *, int8: bool) -> None:
    """Write the model folder `trained` to `place`."""
    card = Card.read(trained)
    if (place / "card.json").exists() and card.capabilities is not None:
        present = Card.read(place).capabilities
        if present is not None:
            card = card.model_copy(
                update={"capabilities": card.capabilities.model_copy(update={"tiers": present.tiers})}
            )
    write_model(place, read_weights(trained), card, int8=int8)


def announce(adapter: Path, model: Path) -> None:
    """Write on the model's card which maps, or which references, it takes now."""
    config = Card.read(adapter).config
    if "roles" in config:
        more = {"reference_roles": (*config["roles"], *PLANNED_ROLES), "reference_guidance": config.get("guidance")}
    else:
        more = {"controls": tuple(kind for kind in config["kinds"] if kind in CONTROL_KINDS)}
    card = Card.read(model)
    if card.capabilities is not None:
        takes = card.capabilities.model_copy(update=more)
        write_card(model, card.model_copy(update={"capabilities": takes}))


def main(work: Path, stages: list[str]) -> None:
    for stage in stages:
        trained = work / stage / "model"
        if (trained / "card.json").exists():
            ship(trained, builtin_folder() / stage, int8=stage in INT8)
            if stage.endswith(("-control", "-reference")):
                announce(builtin_folder() / stage, builtin_folder() / stage.rpartition("-")[0])
            size = sum(path.stat().st_size for path in (builtin_folder() / stage).iterdir())
            print(f"{stage:<12} {size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:] or list(STAGES))
