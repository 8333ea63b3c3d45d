"""Edits and other steps of a chain as jobs: their windows share the engine; their pixels are those of the command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.workers.conftest import Running, alone, ended, submit, until

from triptych.api.change import edit
from triptych.api.outpaint import outpaint
from triptych.core.asset import Asset, AssetStore
from triptych.core.readers import read_recipe
from triptych.jobs.model import Job, NewJob
from triptych.library import Library

pytestmark = pytest.mark.timeout(180)
PIXELS = np.random.default_rng(7).integers(0, 256, (64, 64, 3), np.uint8)
MASK = np.zeros((64, 64), np.uint8)
MASK[16:40, 16:48] = 255


def put(running: Running, pixels: np.ndarray[Any, Any]) -> dict[str, Any]:
    asset = Asset.of(pixels, "upload")
    AssetStore(running.folder / "inputs").put(asset)
    return asset.model_dump(mode="json")


def made(running: Running, kind: str, **payload: Any) -> Job:
    return running.store.submit(NewJob(kind, {"model": "flow", "seed": 3, "steps": 4, **payload})).job


def sha_of(job: Job) -> str:
    assert job.state == "done", job.error
    assert job.result is not None
    (image,) = job.result["images"]
    assert read_recipe(Path(image["path"])).pixels_sha256 == image["pixels_sha256"]
    return image["pixels_sha256"]


def test_an_edit_beside_other_jobs_has_the_pixels_of_an_edit_alone(
    running: Running, tiny_library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("triptych.api.results.library", lambda: tiny_library)
    picture, mask = put(running, PIXELS), put(running, MASK)
    edits = [
        made(running, "edit", picture=picture, instruction="a heart", mask=what, lock=lock)
        for what, lock in ((mask, 1.0), ("16,16,32,24", 0.5))
    ]
    beside = submit(running.store, seed=11, steps=6)
    expected = [
        edit(PIXELS, "a heart", mask=what, lock=lock, model="flow", seed=3, steps=4)
        for what, lock in ((MASK, 1.0), ("16,16,32,24", 0.5))
    ]
    for job, result in zip(edits, expected, strict=True):
        found = ended(running.store, job.id)
        assert sha_of(found) == result.image.recipe.pixels_sha256
        assert found.result is not None
        assert found.result["report"]["outside_total_pixels"] == result.report.outside_total_pixels
    other = ended(running.store, beside.id)
    assert other.result is not None
    assert [image["pixels_sha256"] for image in other.result["images"]] == alone(tiny_library, seed=11, steps=6)


def test_outpainting_is_a_job(running: Running, tiny_library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triptych.api.results.library", lambda: tiny_library)
    job = made(running, "outpaint", picture=put(running, PIXELS), extend="right=32", prompt="a star")
    expected = outpaint(PIXELS, "right=32", "a star", model="flow", seed=3, steps=4)
    assert sha_of(ended(running.store, job.id)) == expected.image.recipe.pixels_sha256


def test_an_edit_is_cancelled_between_two_steps(running: Running) -> None:
    job = made(running, "edit", picture=put(running, PIXELS), instruction="a heart", mask="8,8,32,32", steps=200)
    listener = running.supervisor.listen(job.id)
    until(lambda: any(event.kind == "stepped" for event in listener.take(0.1)), "no step")
    running.store.cancel(job.id)
    running.supervisor.nudge()
    assert ended(running.store, job.id, 10).state == "cancelled"


@pytest.mark.parametrize("mask", ["/etc/passwd", "-", "../x.png", "mask.png"])
def test_a_mask_never_names_a_file(running: Running, mask: str) -> None:
    job = ended(running.store, made(running, "edit", picture=put(running, PIXELS), instruction="x", mask=mask).id)
    assert job.error is not None
    assert (job.error["code"], job.error["param"]) == ("invalid_request", "mask")
