"""The names that others rely on, and what importing them costs."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import triptych

CONSTRAINTS = Path(__file__).parent.parent / "constraints.txt"
NAMES = [
    "Advice",
    "ControlMap",
    "EditResult",
    "Engine",
    "Image",
    "Lettered",
    "Library",
    "OutpaintResult",
    "Plan",
    "PlanObject",
    "Rendered",
    "ReplayReport",
    "Request",
    "Result",
    "TriptychError",
    "Upscaled",
    "Variant",
    "advise",
    "control_map",
    "edit",
    "generate",
    "outpaint",
    "plan",
    "render",
    "replay",
    "stream",
    "typeset",
    "upscale",
    "vary",
]


def imported_by(statement: str) -> set[str]:
    """The modules that a fresh interpreter holds after `statement`."""
    script = f"import json, sys\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_the_public_names_are_these() -> None:
    assert triptych.__all__ == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_name_loads_and_says_what_it_is(name: str) -> None:
    thing = getattr(triptych, name)
    assert thing.__name__ == name
    assert thing.__module__.startswith("triptych.")
    assert thing.__doc__


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="generat"):
        triptych.generat  # noqa: B018


@pytest.mark.parametrize(
    "statement",
    [
        "import triptych; triptych.Request, triptych.Plan, triptych.PlanObject, triptych.TriptychError",
        "import pkgutil, importlib, triptych.core as core\n"
        "for found in pkgutil.iter_modules(core.__path__): importlib.import_module(f'triptych.core.{found.name}')",
        "import pkgutil, importlib, triptych.cli as cli\n"
        "for found in pkgutil.iter_modules(cli.__path__): importlib.import_module(f'triptych.cli.{found.name}')",
    ],
    ids=["triptych", "core", "cli"],
)
def test_no_torch_is_imported(statement: str) -> None:
    modules = imported_by(statement)
    assert "triptych.core" in modules
    assert not modules & {"torch", "diffusers", "transformers", "accelerate"}


def test_torch_is_the_pinned_one_without_torchvision() -> None:
    pins = dict(line.split("==") for line in CONSTRAINTS.read_text().splitlines() if "==" in line)
    assert "torchvision" not in pins
    assert importlib.util.find_spec("torchvision") is None
    assert torch.__version__.split("+")[0] == pins["torch"]
