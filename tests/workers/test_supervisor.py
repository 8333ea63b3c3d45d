"""Jobs from the store through a real worker process to published pictures."""

from __future__ import annotations

from pathlib import Path

from tests.workers.conftest import Start, alone, ended, submit

from triptych.core.readers import read_recipe
from triptych.jobs.store import Store
from triptych.library import Library


def test_a_job_becomes_pictures(store: Store, start: Start, tiny_library: Library) -> None:
    start()
    job = ended(store, submit(store, seed=5, n=2).id)
    assert job.state == "done"
    assert job.result is not None
    images = job.result["images"]
    assert [image["pixels_sha256"] for image in images] == alone(tiny_library, seed=5, n=2)
    for image in images:
        recipe = read_recipe(Path(image["path"]))
        assert recipe.pixels_sha256 == image["pixels_sha256"]
    assert [event.kind for event in store.events(job.id)] == ["queued", "started", "picture", "picture", "done"]
