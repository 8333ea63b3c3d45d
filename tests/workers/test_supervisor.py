"""Jobs from the store through a real worker process to published pictures, whatever happens on the way."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from tests.workers.conftest import Running, Start, alone, ended, submit, until

from triptych.core.readers import read_recipe
from triptych.jobs import errors
from triptych.jobs.model import NewJob
from triptych.jobs.store import Store
from triptych.library import Library
from triptych.workers import results
from triptych.workers.process import Setup
from triptych.workers.states import States
from triptych.workers.supervisor import Supervisor
from triptych.workers.tasks import seed_of

pytestmark = pytest.mark.timeout(180)


def kinds(store: Store, job: str) -> list[str]:
    return [event.kind for event in store.events(job)]


def hashes(store: Store, job: str) -> list[str]:
    found = ended(store, job)
    assert found.state == "done", found.error
    assert found.result is not None
    return [image["pixels_sha256"] for image in found.result["images"]]


def pid_of(supervisor: Supervisor) -> int:
    found = until(lambda: supervisor.ready and supervisor.workers[0].pid, "no worker")
    assert isinstance(found, int)
    return found


def test_jobs_of_all_families_become_pictures(running: Running, tiny_library: Library) -> None:
    store = running.store
    asked: list[dict[str, Any]] = [
        {"seed": 5, "n": 2},
        {"model": "diffusion", "seed": 6, "sampler": "heun"},
        {"model": "tokens", "seed": 7, "steps": None},
    ]
    jobs = [submit(store, **fields).id for fields in asked]
    for job, fields in zip(jobs, asked, strict=True):
        assert hashes(store, job) == alone(tiny_library, **fields)
    found = store.get(jobs[0])
    assert found.result is not None
    assert {"images", "notes", "model", "family", "seconds", "plan"} <= set(found.result)
    for image in found.result["images"]:
        assert read_recipe(Path(image["path"])).pixels_sha256 == image["pixels_sha256"]
    assert kinds(store, jobs[0]) == ["queued", "started", "picture", "picture", "done"]


def test_a_job_without_a_seed_has_the_same_one_in_every_attempt(running: Running) -> None:
    store = running.store
    first, second = (ended(store, submit(store).id) for _ in range(2))
    for job in (first, second):
        assert job.result is not None
        assert job.result["images"][0]["seed"] == seed_of(job.id)
    assert seed_of(first.id) != seed_of(second.id)


def test_a_refused_request_fails_with_its_parameter(running: Running) -> None:
    store = running.store
    job = ended(store, submit(store, sampler="eulr").id)
    assert job.state == "failed"
    assert job.error is not None
    assert (job.error["code"], job.error["param"]) == ("invalid_request", "sampler")
    assert "did you mean 'euler'" in job.error["message"]


@pytest.mark.parametrize(
    ("kind", "payload", "told"),
    [
        ("generate", {"prompt": "a star", "n": "many"}, "n"),
        ("generate", {"prompt": "a star", "steps": 0}, "steps"),
        ("generate", {"nonsense": 1}, "prompt"),
        ("sing", {}, "kind"),
        ("edit", {"instruction": "x"}, "image"),
        ("edit", {"picture": {"sha256": "0" * 64, "width": 8, "height": 8}, "instruction": "x"}, "not at hand"),
        ("edit", {"picture": "/etc/hostname", "instruction": "x"}, "image"),
    ],
)
def test_a_payload_that_no_server_would_send_fails_alone(
    running: Running, kind: str, payload: dict[str, Any], told: str
) -> None:
    store = running.store
    job = ended(store, store.submit(NewJob(kind, payload)).job.id)
    assert job.state == "failed"
    assert job.error is not None
    assert told in (job.error["param"] or "") + job.error["message"]


def test_after_kill_9_a_job_goes_on_from_its_saved_state(
    store: Store, start: Start, tiny_library: Library, tmp_path: Path
) -> None:
    supervisor = start(slow=0.05, save_every=0.1)
    fields = {"seed": 9, "steps": 40, "sampler": "unipc"}
    job = submit(store, **fields)
    state = tmp_path / "home" / "states" / f"{job.id}-0.safetensors"
    until(lambda: state.exists() and state.stat().st_size, "nothing is saved")
    os.kill(pid_of(supervisor), signal.SIGKILL)
    listener = supervisor.listen(job.id)
    assert hashes(store, job.id) == alone(tiny_library, **fields)
    steps = [event.data["step"] for event in listener.take() if event.kind == "stepped"]
    assert kinds(store, job.id) == ["queued", "started", "requeued", "started", "picture", "done"]
    assert store.get(job.id).failures == 1
    assert min(steps) > 1
    assert not state.exists()


def test_a_damaged_state_costs_its_steps_and_nothing_else(
    store: Store, start: Start, tiny_library: Library, tmp_path: Path
) -> None:
    job = submit(store, seed=3)
    folder = tmp_path / "home" / "states"
    folder.mkdir()
    (folder / f"{job.id}-0.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}      broken")
    start()
    assert hashes(store, job.id) == alone(tiny_library, seed=3)


def test_states_of_jobs_that_are_over_are_swept_at_the_start(store: Store, tmp_path: Path) -> None:
    waiting, over = submit(store), submit(store)
    store.cancel(over.id)
    states = States(tmp_path / "home" / "states")
    for job in (waiting.id, over.id, "unknown"):
        states.put(job, 0, b"x")
    supervisor = Supervisor(store, tmp_path / "home", Setup(("/bin/false",)))
    supervisor.start()
    supervisor.stop(0.0)
    assert states.jobs == {waiting.id}


def test_what_was_published_before_a_crash_is_not_painted_again(
    store: Store, start: Start, tiny_library: Library, tmp_path: Path
) -> None:
    supervisor = start(slow=0.1, most_active=1)
    job = submit(store, seed=4, n=3, steps=2)
    first = tmp_path / "home" / "pictures" / f"{job.id}-0.png"
    until(first.exists, "no first picture")
    os.kill(pid_of(supervisor), signal.SIGKILL)
    made = first.stat().st_mtime_ns
    assert hashes(store, job.id) == alone(tiny_library, seed=4, n=3, steps=2)
    assert first.stat().st_mtime_ns == made
    assert kinds(store, job.id).count("picture") == 3


def test_a_job_that_kills_three_workers_fails_and_its_company_is_done(
    store: Store, start: Start, tiny_library: Library
) -> None:
    poison = submit(store, prompt="crash", seed=1)
    others = [submit(store, seed=seed) for seed in (2, 3)]
    supervisor = start(slow=0.02)
    job = ended(store, poison.id)
    assert (job.state, job.failures) == ("failed", 3)
    for seed, other in zip((2, 3), others, strict=True):
        assert hashes(store, other.id) == alone(tiny_library, seed=seed)
    assert supervisor.workers[0].crashes == 3
    assert hashes(store, submit(store, seed=8).id) == alone(tiny_library, seed=8)


def test_not_a_number_fails_within_a_few_steps_and_takes_nobody_along(running: Running, tiny_library: Library) -> None:
    store, supervisor = running.store, running.supervisor
    bad, good = submit(store, prompt="nan", seed=1, steps=50), submit(store, seed=2)
    listener = supervisor.listen(bad.id)
    job = ended(store, bad.id)
    assert job.state == "failed"
    assert job.error is not None
    assert job.error["code"] == "not_a_number"
    assert max((event.data["step"] for event in listener.take() if event.kind == "stepped"), default=0) < 20
    assert hashes(store, good.id) == alone(tiny_library, seed=2)


def test_cancel_stops_a_running_job_within_a_step(running: Running, tiny_library: Library) -> None:
    store, supervisor = running.store, running.supervisor
    job, other = submit(store, seed=1, steps=200), submit(store, seed=2, steps=4)
    until(lambda: store.get(job.id).state == "running", "not started")
    store.cancel(job.id)
    supervisor.nudge()
    assert ended(store, job.id, 10).state == "cancelled"
    assert hashes(store, other.id) == alone(tiny_library, seed=2, steps=4)
    assert supervisor.workers[0].jobs == ()


def test_a_deadline_ends_a_job_that_is_too_slow(running: Running) -> None:
    store, supervisor = running.store, running.supervisor
    pid_of(supervisor)
    payload = {"prompt": "a star", "model": "flow", "steps": 200}
    job = ended(store, store.submit(NewJob("generate", payload, timeout=0.8)).job.id, 20)
    assert job.state == "failed"
    assert job.error is not None
    assert job.error["code"] == "deadline_exceeded"


def test_stop_lets_short_jobs_finish_and_saves_long_ones(
    store: Store, start: Start, tiny_library: Library, tmp_path: Path
) -> None:
    supervisor = start(slow=0.03, save_every=1000)
    pid_of(supervisor)
    fields = {"seed": 2, "steps": 200}
    short, long = submit(store, seed=1, steps=2), submit(store, **fields)
    until(lambda: store.get(long.id).state == "running", "not started")
    supervisor.stop(1.5)
    assert store.get(short.id).state == "done"
    kept = store.get(long.id)
    assert (kept.state, kept.failures) == ("queued", 0)
    assert (tmp_path / "home" / "states" / f"{long.id}-0.safetensors").exists()
    assert supervisor.workers[0].pid is None
    listener = start().listen(long.id)
    assert hashes(store, long.id) == alone(tiny_library, **fields)
    assert min(event.data["step"] for event in listener.take() if event.kind == "stepped") > 1


def test_previews_come_while_somebody_watches(running: Running) -> None:
    store, supervisor = running.store, running.supervisor
    job = submit(store, seed=1, steps=60)
    listener = supervisor.listen(job.id, partials=3)
    seen = []
    while not store.get(job.id).ended:
        seen += [event for event in listener.take(0.1) if event.kind == "preview"]
    assert len(seen) >= 3
    assert all(event.blob.startswith(b"\x89PNG") for event in seen)
    listener.close()


def test_a_disk_that_is_full_fails_the_job_and_not_the_next_one(
    running: Running, tiny_library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = running.store
    published = results.publish

    def full(path: Path, data: bytes) -> Path:
        raise errors.StorageFull(f"cannot write {path.name}: the disk is full")

    monkeypatch.setattr(results, "publish", full)
    job = ended(store, submit(store, seed=1).id)
    assert job.state == "failed"
    assert job.error is not None
    assert "the disk is full" in job.error["message"]
    monkeypatch.setattr(results, "publish", published)
    assert hashes(store, submit(store, seed=2).id) == alone(tiny_library, seed=2)


def test_an_end_that_the_store_cannot_take_is_told_when_it_can(
    running: Running, tiny_library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = running.store
    finish, refused = store.finish, []

    def full(*arguments: Any) -> Any:
        refused.append(arguments)
        if len(refused) < 4:
            raise errors.StorageFull("the disk is full")
        return finish(*arguments)

    monkeypatch.setattr(store, "finish", full)
    job = submit(store, seed=1)
    assert hashes(store, job.id) == alone(tiny_library, seed=1)
    assert len(refused) == 4
    assert kinds(store, job.id) == ["queued", "started", "picture", "done"]


def test_a_worker_that_cannot_start_keeps_the_jobs_waiting(store: Store, tmp_path: Path) -> None:
    supervisor = Supervisor(store, tmp_path / "home", Setup(("/bin/false",)))
    supervisor.start()
    job = submit(store)
    until(lambda: supervisor.workers[0].crashes > 1, "never started")
    assert not supervisor.ready
    assert store.get(job.id).state == "queued"
    supervisor.stop(0.0)
