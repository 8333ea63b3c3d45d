"""The life of a job in the store, every arrow of the diagram."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from triptych.core.errors import InvalidRequest
from triptych.jobs import AlreadyEnded, Bounds, Job, KeyReused, NewJob, NoSuchJob, QueueFull, StaleAttempt, Store
from triptych.jobs.database import Database
from triptych.jobs.model import MAX_FAILURES

from .conftest import new


def claimed(store: Store, worker: str = "w") -> Job:
    (job,) = store.claim(worker, 1)
    return job


def kinds(store: Store, job: str) -> list[str]:
    return [event.kind for event in store.events(job)]


def test_a_job_from_the_submit_to_its_end(store: Store) -> None:
    submitted = store.submit(new())
    assert not submitted.replayed
    assert submitted.job == store.get(submitted.job.id)
    job = claimed(store)
    assert (job.id, job.state, job.attempts) == (submitted.job.id, "running", 1)
    assert store.picture(job.id, 1, 0, {"path": "a.png"})
    done = store.finish(job.id, 1, {"images": [{"path": "a.png"}]})
    assert (done.state, done.result) == ("done", {"images": [{"path": "a.png"}]})
    assert done == store.get(job.id)
    assert done.finished is not None
    assert done.created < done.finished
    events = store.events(job.id)
    assert [(event.number, event.kind) for event in events] == [
        (1, "queued"), (2, "started"), (3, "picture"), (4, "done"),
    ]  # fmt: skip
    assert store.events(job.id, after=2) == events[2:]
    assert store.pictures(job.id) == {0: {"path": "a.png"}}


def test_higher_priority_first_then_the_oldest(store: Store) -> None:
    for name, priority in (("a", 0), ("b", 5), ("c", 0), ("d", 5)):
        store.submit(new(name, priority=priority))
    assert [job.payload["prompt"] for job in store.claim("w", 3)] == ["b", "d", "a"]
    assert [job.payload["prompt"] for job in store.claim("w", 3)] == ["c"]
    assert store.claim("w", 3) == []


def test_a_worker_claims_only_the_models_that_it_has(store: Store) -> None:
    store.submit(new("a", model="flow"))
    store.submit(new("b", model="tokens"))
    assert [job.model for job in store.claim("w", 9, models=["tokens", "diffusion"])] == ["tokens"]
    assert store.claim("w", 9, models=[]) == []


def test_reports_of_an_older_attempt_change_nothing(store: Store) -> None:
    job = store.submit(new()).job
    claimed(store)
    store.requeue("w")
    assert claimed(store, "other").attempts == 2
    for report in (
        lambda: store.finish(job.id, 1, {}),
        lambda: store.fail(job.id, 1, {"code": "x"}, retry=True),
        lambda: store.picture(job.id, 1, 0, {"path": "a"}),
        lambda: store.stopped(job.id, 1),
    ):
        with pytest.raises(StaleAttempt, match="attempt 1"):
            report()
    assert store.beat("w", [job.id]) == [job.id]
    assert store.beat("other", [job.id]) == []
    store.finish(job.id, 2, {"by": "other"})
    with pytest.raises(StaleAttempt):
        store.finish(job.id, 2, {"by": "again"})
    assert store.get(job.id).result == {"by": "other"}
    assert kinds(store, job.id) == ["queued", "started", "requeued", "started", "done"]


def test_a_picture_is_told_once_whatever_attempt_made_it(store: Store) -> None:
    job = store.submit(new()).job
    claimed(store)
    assert store.picture(job.id, 1, 0, {"path": "a"})
    store.requeue("w")
    claimed(store)
    assert not store.picture(job.id, 2, 0, {"path": "a"})
    assert store.picture(job.id, 2, 1, {"path": "b"})
    assert kinds(store, job.id).count("picture") == 2


def test_cancel_of_what_waits_is_at_once_and_never_runs(store: Store) -> None:
    job = store.submit(new()).job
    assert store.cancel(job.id).state == "cancelled"
    assert store.claim("w", 1) == []
    assert store.cancel(job.id).state == "cancelled"
    assert kinds(store, job.id) == ["queued", "cancelled"]


def test_cancel_of_what_runs_is_heard_at_the_next_beat(store: Store) -> None:
    job = store.submit(new()).job
    claimed(store)
    assert store.beat("w", [job.id]) == []
    marked = store.cancel(job.id)
    assert (marked.state, marked.cancel_requested) == ("running", True)
    assert store.beat("w", [job.id]) == [job.id]
    assert store.stopped(job.id, 1).state == "cancelled"
    assert kinds(store, job.id) == ["queued", "started", "cancelled"]


def test_a_finish_that_overtakes_the_cancel_wins(store: Store) -> None:
    job = store.submit(new()).job
    claimed(store)
    store.cancel(job.id)
    assert store.finish(job.id, 1, {}).state == "done"
    with pytest.raises(AlreadyEnded, match="is done already"):
        store.cancel(job.id)


def test_a_worker_that_dies_with_a_cancelled_job_cancels_it(store: Store) -> None:
    job = store.submit(new()).job
    claimed(store)
    store.cancel(job.id)
    assert [moved.state for moved in store.requeue("w")] == ["cancelled"]


def test_failures_are_tried_again_until_the_third(store: Store) -> None:
    job = store.submit(new()).job
    for attempt in range(1, MAX_FAILURES + 1):
        assert claimed(store).attempts == attempt
        after = store.fail(job.id, attempt, {"code": "out_of_memory", "message": "too large"}, retry=True)
        assert after.state == ("queued" if attempt < MAX_FAILURES else "failed")
    assert store.get(job.id).error == {"code": "out_of_memory", "message": "too large"}
    assert kinds(store, job.id) == ["queued", "started", "requeued", "started", "requeued", "started", "failed"]


def test_a_failure_that_is_for_good_is_not_tried_again(store: Store) -> None:
    job = store.submit(new()).job
    claimed(store)
    assert store.fail(job.id, 1, {"code": "nan", "message": "not a number"}).state == "failed"


def test_a_worker_that_was_told_to_stop_costs_nothing(store: Store) -> None:
    store.submit(new())
    for attempt in range(1, 6):
        assert claimed(store).attempts == attempt
        assert [job.state for job in store.requeue("w", crashed=False)] == ["queued"]
    assert store.list()[0].failures == 0


def test_a_poisonous_job_fails_alone_and_its_companions_are_done(store: Store) -> None:
    poison = store.submit(new("poison")).job.id
    for number in range(5):
        store.submit(new(f"innocent {number}"))
    deaths = 0
    while store.depth().jobs:
        running = store.claim("w", 4)
        if poison in [job.id for job in running]:
            deaths += 1
            store.requeue("w")
            continue
        for job in running:
            store.finish(job.id, job.attempts, {})
    assert deaths == MAX_FAILURES
    assert store.counts() == {"failed": 1, "done": 5}
    assert store.get(poison).error is not None
    assert store.get(poison).error["code"] == "worker_crashed"  # type: ignore[index]


def test_a_suspect_waits_for_the_worker_to_be_empty_and_is_not_overtaken(store: Store) -> None:
    store.submit(new("suspect"))
    for _ in range(MAX_FAILURES - 1):
        claimed(store)
        store.requeue("w")
    store.submit(new("first", priority=1))
    first = claimed(store)
    assert first.payload["prompt"] == "first"
    store.submit(new("later"))
    assert store.claim("w", 4) == []
    store.finish(first.id, 1, {})
    assert [job.payload["prompt"] for job in store.claim("w", 4)] == ["suspect"]
    assert store.claim("w", 4) == []


def test_what_may_run_once_only_becomes_unknown(store: Store) -> None:
    job = store.submit(new(once=True)).job
    claimed(store)
    assert [moved.state for moved in store.requeue("w")] == ["unknown"]
    with pytest.raises(AlreadyEnded):
        store.cancel(job.id)
    assert kinds(store, job.id) == ["queued", "started", "unknown"]


def test_opening_gives_back_what_was_running(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    job = store.submit(new()).job
    claimed(store)
    store.close()
    again = Store.open(tmp_path)
    assert (again.get(job.id).state, again.get(job.id).failures) == ("queued", 1)
    again.close()


def test_the_same_key_gives_the_same_job(store: Store) -> None:
    first = store.submit(new(client="me"), key="k")
    second = store.submit(new(client="me"), key="k")
    assert (second.replayed, second.job) == (True, first.job)
    assert not store.submit(new(client="you"), key="k").replayed
    with pytest.raises(KeyReused):
        store.submit(new("another fox", client="me"), key="k")
    store.finish(claimed(store).id, 1, {"images": []})
    assert store.submit(new(client="me"), key="k").job.result == {"images": []}


def test_a_refused_submit_does_not_use_its_key_up(tmp_path: Path) -> None:
    store = Store.open(tmp_path, bounds=Bounds(jobs=1))
    store.submit(new("first"))
    with pytest.raises(QueueFull):
        store.submit(new(), key="k")
    claimed(store)
    assert not store.submit(new("a third body"), key="k").replayed
    store.close()


@pytest.mark.parametrize("key", ["", "x" * 256, "é", "a\nb"])
def test_a_key_that_no_header_could_hold(store: Store, key: str) -> None:
    with pytest.raises(InvalidRequest, match="Idempotency-Key"):
        store.submit(new(), key=key)


def test_a_thousand_threads_with_one_key_make_one_job(store: Store) -> None:
    answers: list[tuple[str, bool]] = []
    gate = threading.Barrier(50)

    def twenty_times() -> None:
        gate.wait()
        for _ in range(20):
            submitted = store.submit(new(), key="k")
            answers.append((submitted.job.id, submitted.replayed))

    threads = [threading.Thread(target=twenty_times) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({job for job, _ in answers}) == 1
    assert sum(not replayed for _, replayed in answers) == 1
    assert len(answers) == 1000
    assert store.counts() == {"queued": 1}


def test_the_queue_is_bounded_by_count_and_by_bytes(tmp_path: Path) -> None:
    store = Store.open(tmp_path, bounds=Bounds(jobs=3, bytes=100, payload=90))
    store.submit(new("x" * 60))
    with pytest.raises(QueueFull, match="bytes") as caught:
        store.submit(new("x" * 60))
    assert caught.value.retry_after >= 1
    with pytest.raises(InvalidRequest, match="payload"):
        store.submit(new("x" * 100))
    store.claim("w", 1)
    for number in range(3):
        # With a key: a plain submit would be refused for some milliseconds more without asking the disk.
        store.submit(new(""), key=f"small {number}")
    with pytest.raises(QueueFull, match="3 jobs are waiting"):
        store.submit(new(""), key="one more")
    assert store.depth().jobs == 3
    store.close()


def test_a_deadline_fails_what_waits(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    late = store.submit(new("late", timeout=5)).job
    store.submit(new("patient"))
    monkeypatch.setattr(Database, "now", lambda *_: late.deadline + 0.1)  # type: ignore[operator]
    assert [job.payload["prompt"] for job in store.claim("w", 9)] == ["patient"]
    assert store.get(late.id).error["code"] == "deadline_exceeded"  # type: ignore[index]


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf")])
def test_a_timeout_is_a_positive_number(store: Store, timeout: float) -> None:
    with pytest.raises(InvalidRequest, match="timeout"):
        store.submit(new(timeout=timeout))


def test_pages_and_words(store: Store) -> None:
    for prompt in ("a red fox", "two owls", "a fox and an owl"):
        store.submit(new(prompt))
    assert [job.text for job in store.list(query="fox")] == ["a fox and an owl", "a red fox"]
    assert [job.text for job in store.list(query="ow fo")] == ["a fox and an owl"]
    assert store.list(query='"') == store.list(query="* OR") == []
    newest = store.list(limit=1)
    assert [job.text for job in store.list(before=newest[0].seq)] == ["two owls", "a red fox"]
    claimed(store)
    assert [job.text for job in store.list(state="running")] == ["a red fox"]


def test_unknown_ids(store: Store) -> None:
    for call in (store.get, store.cancel):
        with pytest.raises(NoSuchJob, match="no job 'x'"):
            call("x")
    assert store.events("x") == []
    assert store.pictures("x") == {}


def test_listeners_hear_events_after_their_commit(store: Store) -> None:
    heard: list[tuple[str, bool]] = []
    store.listen(lambda events: heard.extend((event.kind, event in store.events(event.job)) for event in events))
    job = store.submit(new()).job
    claimed(store)
    store.finish(job.id, 1, {})
    assert heard == [("queued", True), ("started", True), ("done", True)]


def test_a_listener_that_fails_harms_nobody(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    store.listen(lambda events: 1 / 0)  # type: ignore[arg-type, return-value]
    store.submit(new())
    assert store.depth().jobs == 1
    assert "listener" in caplog.text


def test_characters_that_databases_refuse(store: Store) -> None:
    job = store.submit(NewJob("generate", {"prompt": "\0 \ud800 \U0001f98a"}, text="\0 \ud800 \U0001f98a")).job
    assert store.get(job.id).payload == {"prompt": "\0 \ud800 \U0001f98a"}
    with pytest.raises(InvalidRequest, match="payload"):
        store.submit(NewJob("generate", {"x": float("nan")}))
