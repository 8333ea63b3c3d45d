"""What all tests share: a set of tiny models with untrained weights, and the rule about skipped tests.

The tiny models are real in every part (the `tiny` preset: drawn shapes, 64 px) and made in a second; what they paint is
noise, but every code path is the one that the built-in models take.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import torch

from triptych.core.registry import Registry, builtin_folder
from triptych.library import Library
from triptych.training.presets import STAGES, WORLDS, WorldConfig
from triptych.training.stages.run import Workshop

EMOJI_FONT = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
CHROMIUM = Path("/usr/bin/chromium")

# CI tries the same cases every time, so that what lands does not hang on a draw; everywhere else they are new ones.
hypothesis.settings.register_profile("ci", derandomize=True)
if "TRIPTYCH_TESTS_SKIP_NOTHING" in os.environ:
    hypothesis.settings.load_profile("ci")

# Two threads that wait for each other on a busy machine make tiny products a hundred times slower.
torch.set_num_threads(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that need a system program are skipped where it is missing - but fail there under CI, which installs it."""
    strict = "TRIPTYCH_TESTS_SKIP_NOTHING" in os.environ
    for item in items:
        if "font" in item.keywords and not EMOJI_FONT.exists() and not strict:
            item.add_marker(pytest.mark.skip(reason="needs the emoji font: apt install fonts-noto-color-emoji"))
        if "browser" in item.keywords and not CHROMIUM.exists() and not strict:
            item.add_marker(pytest.mark.skip(reason="needs a browser: apt install chromium"))
        if "postgresql" in item.keywords and not _postgresql() and not strict:
            item.add_marker(pytest.mark.skip(reason="needs a PostgreSQL server's programs: apt install postgresql"))
        if "compiler" in item.keywords and not (shutil.which("gcc") or shutil.which("cc")) and not strict:
            item.add_marker(pytest.mark.skip(reason="needs a C compiler: apt install gcc libc6-dev"))
        if "weights" in item.keywords and not (builtin_folder() / "flow" / "card.json").exists() and not strict:
            item.add_marker(pytest.mark.skip(reason="needs the built-in weights, which this checkout lacks"))


def _postgresql() -> bool:
    return shutil.which("initdb") is not None or any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of model folders, one per stage, of the tiny preset, with deterministic untrained weights."""
    out = tmp_path_factory.mktemp("tiny")
    world = WorldConfig(WORLDS["tiny"].level, WORLDS["tiny"].size, pool=8)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        workshop = Workshop("tiny", world, "scenes", out, None, lambda line: None)
        for name in STAGES:
            if name == "planner":
                continue  # the text stage writes it too
            stage = workshop.stage(name)
            _wake(stage.module)
            stage.export(out / "tiny" / name / "model", {})
    root = out / "models"
    root.mkdir()
    for name in STAGES:
        source = out / "tiny" / ("text" if name == "planner" else name) / ("planner" if name == "planner" else "model")
        (root / name).symlink_to(source)
    return root


def _wake(module: torch.nn.Module) -> None:
    """Layers that begin at zero would hide what stands before them: give every parameter something to do."""
    with torch.no_grad():
        for parameter in module.parameters():
            if not parameter.any():
                parameter.normal_(std=0.05)


@pytest.fixture(scope="session")
def tiny_library(tiny_folder: Path) -> Library:
    return Library(Registry().add_folder(tiny_folder))


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser of tests that are marked so."""
    return CHROMIUM


@pytest.fixture
def threads() -> Iterator[None]:
    """Restores the number of threads after a test that changes it."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
