"""A store in a folder of its own, and pictures that carry a recipe and take no model to make."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from triptych.core.metadata import encode_picture
from triptych.core.recipe import Recipe, pixels_sha256
from triptych.core.request import Request
from triptych.jobs import NewJob, Store

from .postgresql import Cluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL server; only tests that are marked so may ask for it."""
    cluster = Cluster()
    try:
        yield cluster.start()
    finally:
        cluster.remove()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where a store may be opened: an empty folder, or an empty database."""
    if request.param == "sqlite":
        return tmp_path / "data"
    cluster: Cluster = request.getfixturevalue("cluster")
    return cluster.emptied("place")


@pytest.fixture
def store(place: Path | str) -> Iterator[Store]:
    """An empty store of either engine."""
    store = Store.open(place)
    yield store
    store.close()


def new(prompt: str = "a fox", **fields: object) -> NewJob:
    return NewJob("generate", {"prompt": prompt}, text=prompt, **fields)  # type: ignore[arg-type]


def made(prompt: str, seed: int = 0) -> tuple[Recipe, bytes]:
    """A recipe and the PNG of a picture that goes with it."""
    pixels = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    request = Request.make(prompt=prompt, seed=seed)
    recipe = Recipe(model="flow", family="flow", request=request, pixels_sha256=pixels_sha256(pixels))
    return recipe, encode_picture(pixels, recipe)
