"""A door without models behind it: the command line is tested against a fake of `triptych.api`, so it needs no
weights.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import triptych
from triptych.cli import main
from triptych.core import registry
from triptych.core.capabilities import Capabilities, Tier
from triptych.core.contract import resolve
from triptych.core.events import Finished, Note, Pixels, Planned, Started, Stepped
from triptych.core.metadata import encode_picture, save_picture
from triptych.core.plan import Plan
from triptych.core.readers import read_recipe
from triptych.core.recipe import Recipe, pixels_sha256
from triptych.core.request import Request

PLAN = Plan.parse({"background": "snow", "objects": [{"noun": "fox", "colour": "red", "box": [0.1, 0.2, 0.6, 0.9]}]})
CAPABILITIES = Capabilities(
    family="flow",
    native_size=(64, 64),
    samplers=("euler", "heun"),
    steps_range=(1, 100),
    tiers={"low": Tier(steps=1), "medium": Tier(steps=2, guidance=4.0), "high": Tier(steps=3)},
)


@dataclass
class FakeImage:
    pixels: Pixels
    seed: int
    index: int
    recipe: Recipe
    plan: Plan | None

    def encode(self) -> bytes:
        return encode_picture(self.pixels, self.recipe)

    def save(self, path: Path) -> Path:
        return save_picture(Path(path), self.pixels, self.recipe)


@dataclass
class FakeApi:
    """What the command line asked for, and what it is to be told. `error` is raised by every call."""

    requests: list[Request] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    error: BaseException | None = None
    verdict: str = "exact"

    def generate(
        self,
        prompt: str,
        *,
        model: str = "flow",
        on_event: Callable[[Any], None] = lambda event: None,
        previews: bool = False,
        **fields: Any,
    ) -> SimpleNamespace:
        if self.error:
            raise self.error
        self.calls.append({"prompt": prompt, "model": model, **fields})
        request, notes = resolve(Request.make(prompt=prompt, model=model, **fields), CAPABILITIES, name=model)
        request = request.model_copy(update={"seed": 11 if request.seed is None else request.seed})
        self.requests.append(request)
        on_event(Started(1, request, notes))
        images = []
        for index in range(request.n):
            plan = (request.plan or PLAN) if request.use_plan else None
            if plan:
                on_event(Planned(1, index, plan))
            for step in range(1, request.steps + 1):
                on_event(Stepped(1, index, step, request.steps, np.zeros((8, 8, 3), np.uint8) if previews else None))
            pixels = np.full((request.height, request.width, 3), (request.seed + index) % 256, np.uint8)
            on_event(Finished(1, index, request, pixels, plan, notes))
            recipe = Recipe(
                model=model,
                family="flow",
                weights_sha256="ab" * 32,
                request=request.model_copy(update={"plan": plan}),
                index=index,
                pixels_sha256=pixels_sha256(pixels),
            )
            images.append(FakeImage(pixels, request.seed, index, recipe, plan))
        told = (*notes, Note("prompt", "translated", "kitten is read as cat")) if "kitten" in prompt else notes
        seconds = {"start": 0.1, "plan": 0.1, "encode": 0.1, "denoise": 0.5, "decode": 0.1, "total": 0.9}
        return SimpleNamespace(
            images=images, notes=told, seconds=seconds, request=request, model=model, family="flow", cost=0.0
        )

    def plan(self, prompt: str, *, model: str = "flow", seed: int | None = None) -> Plan:
        if self.error:
            raise self.error
        self.calls.append({"prompt": prompt, "model": model, "seed": seed})
        return PLAN

    def replay(self, path: Path, *, home: Path | None = None) -> SimpleNamespace:
        if self.error:
            raise self.error
        recipe = read_recipe(path)
        if self.verdict == "different":
            recipe = recipe.model_copy(update={"weights_sha256": "cd" * 32})
        difference = 0 if self.verdict == "exact" else 3
        return SimpleNamespace(verdict=self.verdict, max_difference=difference, image=SimpleNamespace(recipe=recipe))


@pytest.fixture
def weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of the built-in models, with two in it."""
    root = tmp_path / "weights"
    training = registry.Training(samples=1000, seconds=7200, compute="2 CPU cores", data="scenes")
    for name in ("flow", "tiny"):
        folder = root / name
        folder.mkdir(parents=True)
        save_file({"a": np.zeros(3, np.float16)}, folder / "model.safetensors")
        card = registry.Card(name=name, description="small", capabilities=CAPABILITIES, training=training)
        registry.write_card(folder, card.model_copy(update={"scores": {"clip": 0.5}}))
    monkeypatch.setattr(registry, "builtin_folder", lambda: root)
    return root


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, weights: Path) -> FakeApi:
    """The fake in the place of `triptych.api`, in an empty folder, with models and a data folder of its own."""
    fake = FakeApi()
    module = ModuleType("triptych.api")
    for name in ("generate", "plan", "replay"):
        setattr(module, name, getattr(fake, name))
    monkeypatch.setitem(sys.modules, "triptych.api", module)
    monkeypatch.setattr(triptych, "api", module, raising=False)
    monkeypatch.setenv("TRIPTYCH_HOME", str(tmp_path / "home"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return fake


@dataclass
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run one command line in this process."""

    def call(*arguments: object) -> Outcome:
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call
