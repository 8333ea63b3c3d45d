"""Control adapters in the library: when they are at work, what a recipe's hash covers, and what a wrong one says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from triptych.core.asset import Asset
from triptych.core.errors import FileProblem
from triptych.core.plan import Plan
from triptych.core.registry import Registry
from triptych.core.request import Request
from triptych.library import Library

PIXELS = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
CONTROL = {"kind": "depth", "map": Asset.of(PIXELS)}
MASK = Asset.of(PIXELS[..., 0])


def request(**fields: Any) -> Request:
    return Request.make(prompt="a ring", seed=1, width=64, height=64, **fields)


def test_the_adapter_works_with_maps_and_masks_only(tiny_library: Library) -> None:
    assert tiny_library.adapters(request()) == ()
    assert tiny_library.adapters(request(init=CONTROL["map"])) == ()
    assert tiny_library.adapters(request(controls=[CONTROL])) == ("flow-control",)
    masked = {"init": CONTROL["map"], "strength_map": MASK}
    assert tiny_library.adapters(request(model="diffusion", **masked)) == ("diffusion-control",)
    assert tiny_library.adapters(request(model="tokens", **masked)) == ()
    assert tiny_library.adapters(request(plan=Plan(background="snow"), **masked)) == ()


def test_the_hash_of_what_painted_covers_the_adapter(tiny_library: Library) -> None:
    registry = tiny_library.registry
    plain = registry.weights_sha256("flow")
    assert registry.weights_sha256("flow", ()) == plain
    beside = registry.weights_sha256("flow", ("flow-control",))
    assert beside not in (plain, registry.weights_sha256("flow", ("diffusion-control",)))


@pytest.mark.parametrize("change", ["base", "bytes"])
def test_an_adapter_of_other_weights_or_altered_is_refused(tiny_folder: Path, tmp_path: Path, change: str) -> None:
    folder = Path(shutil.copytree(tiny_folder, tmp_path / "models"))
    adapter = folder / "flow-control"
    if change == "base":
        card = json.loads((adapter / "card.json").read_text())
        card["config"]["base_sha256"] = "0" * 64
        (adapter / "card.json").write_text(json.dumps(card))
        told = "flow-control was trained beside other weights of flow than these"
    else:
        path = adapter / "model.safetensors"
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)
        told = "was altered"
    family: Any = Library(Registry().add_folder(folder)).family("flow")
    assert family.steers.read(request(), planned=True) == ()
    with pytest.raises(FileProblem, match=told):
        family.steers.read(request(controls=[CONTROL]), planned=True)
