"""The built-in weights: every family paints, again exactly, alike in any company and with any number of threads."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch

from triptych import api
from triptych.core.readers import read_recipe
from triptych.core.recipe import pixels_sha256
from triptych.core.request import Request
from triptych.engine import Engine

REPOSITORY = Path(__file__).parents[2]
MIB = 2**20
MAX_TRACKED, MAX_FILE = 60 * MIB, 16 * MIB
MODELS = ("flow", "diffusion", "tokens")
STEPS = {"flow": {"steps": 3}, "diffusion": {"steps": 3}, "tokens": {}}


def installed(model: str) -> str:
    """The model's name, where its weights are there: they are trained one after the other. CI wants them all."""
    there = {card.name for card in api.library().registry.models()}
    if model not in there and "TRIPTYCH_TESTS_SKIP_NOTHING" not in os.environ:
        pytest.skip(f"the weights of {model!r} are not there yet")
    return model


def mixed(model: str) -> list[Request]:
    """Eight requests that agree in nothing but the model."""
    both: list[dict[str, Any]] = [
        {"prompt": "a red fox in the snow"},
        {"prompt": "three yellow stars at night", "guidance": 1.0},
        {"prompt": "a blue car on a beach", "negative": "a tree"},
        {"prompt": ""},
        {"prompt": "two cats", "use_plan": False},
        {"prompt": "a green apple " * 20},
    ]
    own: list[dict[str, Any]] = (
        [{"prompt": "an owl", "temperature": 0.5, "top_k": 50}, {"prompt": "a dog", "top_p": 0.8, "guidance": 4.0}]
        if model == "tokens"
        else [
            {"prompt": "an owl", "sampler": "heun", "steps": 2, "guidance_interval": (0.0, 0.5)},
            {"prompt": "a dog", "sampler": "euler_ancestral", "steps": 4, "guidance": 5.0, "guidance_rescale": 0.5},
        ]
    )
    return [
        Request(**{"model": model, "seed": seed, **STEPS[model], **fields})
        for seed, fields in enumerate([*both, *own], start=1)
    ]


def hashes(requests: list[Request]) -> list[str]:
    return [pixels_sha256(made[0].pixels) for made in Engine(api.library()).generate_many(requests)]


@pytest.mark.weights
@pytest.mark.parametrize("model", MODELS)
def test_a_picture_holds_its_recipe_and_replays_exactly(tmp_path: Path, model: str) -> None:
    image = api.generate("a red fox in the snow", model=installed(model), seed=7).images[0]
    path = image.save(tmp_path / "fox.png")
    recipe = read_recipe(path)
    assert recipe == image.recipe
    assert recipe.weights_sha256 == api.library().registry.weights_sha256(model)
    report = api.replay(path)
    assert (report.verdict, report.max_difference) == ("exact", 0)
    assert image.pixels.std() > 10, "a flat picture"


@pytest.mark.weights
@pytest.mark.parametrize("model", MODELS)
def test_eight_mixed_requests_are_what_they_are_alone(model: str) -> None:
    requests = mixed(installed(model))
    alone = [hashes([request])[0] for request in requests]
    assert len(set(alone)) == 8
    assert hashes(requests) == alone


@pytest.mark.weights
@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("model", MODELS)
def test_one_and_two_threads_paint_the_same(model: str) -> None:
    requests = mixed(installed(model))[:3]
    torch.set_num_threads(1)
    one = hashes(requests)
    torch.set_num_threads(2)
    assert hashes(requests) == one


@pytest.mark.weights
@pytest.mark.parametrize("model", MODELS)
def test_a_card_says_what_went_into_it(model: str) -> None:
    card = api.library().registry.find(installed(model)).card
    assert card.training.samples > 0
    assert card.training.data
    assert card.capabilities is not None
    assert card.capabilities.nouns


def test_the_repository_stays_small() -> None:
    if shutil.which("git") is None or not (REPOSITORY / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    sizes = {
        name: (REPOSITORY / name).stat().st_size
        for name in listed.stdout.split("\0")
        if name and (REPOSITORY / name).is_file()
    }
    assert [name for name, size in sizes.items() if size >= MAX_FILE] == []
    assert sum(sizes.values()) < MAX_TRACKED
