"""From waiting to an end: claims, reports of workers, cancels, and what happens to the jobs of a worker that died.

A report names the attempt it is about. Attempts only count up, so a worker that was thought dead and comes back finds
its number outdated and is refused: no job ends twice.

A job that was running when its worker died goes back into the queue, and has a failure to its name. Several jobs may
have run together, and one of them may be what killed the worker; so a job with one failure left is claimed alone. If
it kills again, it fails by itself, and those that merely stood beside it are done.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import ColumnElement, and_, select, true, update
from sqlalchemy.dialects import postgresql, sqlite

from triptych.core.recipe import Recipe
from triptych.jobs.crash import crash_point
from triptych.jobs.errors import AlreadyEnded, NoSuchJob, StaleAttempt
from triptych.jobs.gallery import note
from triptych.jobs.group import Transaction
from triptych.jobs.model import MAX_FAILURES, Job
from triptych.jobs.rows import job_of, move
from triptych.jobs.schema import jobs, outputs
from triptych.jobs.words import dumps

LEASE_SECONDS = 15.0
CRASHED = {"code": "worker_crashed", "message": f"the worker died {MAX_FAILURES} times while it ran this job"}
LOST = {"code": "lost", "message": "the worker died while it ran this job, and it may not be run again"}
LATE = {"code": "deadline_exceeded", "message": "the job waited longer than it was allowed to"}


def claim(transaction: Transaction, worker: str, limit: int, models: Collection[str] | None) -> list[Job]:
    """Up to `limit` jobs, by priority, then by age; they are running from now on."""
    look_after(transaction)
    wanted = true() if models is None else jobs.c.model.in_(list(models))
    if _alone(transaction, worker):
        return []
    heads = transaction.connection.execute(
        select(jobs.c.seq, jobs.c.failures)
        .where(jobs.c.state == "queued", wanted)
        .order_by(jobs.c.priority.desc(), jobs.c.seq)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    chosen: list[int] = []
    for seq, failures in heads:
        if failures >= MAX_FAILURES - 1:
            if not chosen and not _busy(transaction, worker):
                chosen = [seq]
            break
        chosen.append(seq)
    if not chosen:
        return []
    claimed = move(
        transaction,
        and_(jobs.c.seq.in_(chosen), jobs.c.state == "queued"),
        "started",
        {"worker": worker},
        state="running",
        worker=worker,
        attempts=jobs.c.attempts + 1,
        started=transaction.now,
        lease=_lease(transaction),
    )
    crash_point("claim.row")
    return claimed


def beat(transaction: Transaction, worker: str, ids: Collection[str]) -> list[str]:
    """Hold the worker's jobs for another while; those of `ids` that it must stop, because they were cancelled or are
    not its own any more."""
    mine = and_(jobs.c.state == "running", jobs.c.worker == worker, jobs.c.id.in_(list(ids)))
    if transaction.shared:
        transaction.connection.execute(update(jobs).where(mine).values(lease=_lease(transaction)))
    look_after(transaction)
    going = select(jobs.c.id).where(mine, jobs.c.cancel_requested.is_(False))
    kept = set(transaction.connection.execute(going).scalars())
    return [job for job in ids if job not in kept]


def picture(
    transaction: Transaction, job: str, attempt: int, index: int, image: dict[str, Any], recipe: Recipe | None
) -> bool:
    """Note that picture `index` lies on the disk. False if an earlier attempt had it already: nothing is told twice."""
    row = _current(transaction, job, attempt)
    dialect = sqlite if transaction.connection.dialect.name == "sqlite" else postgresql
    added = transaction.connection.execute(
        dialect.insert(outputs)
        .values(job=job, number=index, picture=dumps(image))
        .on_conflict_do_nothing()
        .returning(outputs.c.number)
    ).first()
    if added is None:
        return False
    crash_point("picture.row")
    if recipe is not None:
        note(transaction.connection, image["path"], recipe)
    transaction.connection.execute(update(jobs).where(jobs.c.id == job).values(events=jobs.c.events + 1))
    transaction.event(job, row.events + 1, "picture", {"index": index, **image})
    return True


def finish(transaction: Transaction, job: str, attempt: int, result: dict[str, Any]) -> Job:
    """The job is done. A cancel that came too late to stop it does not undo it."""
    ended = move(
        transaction,
        _attempt(job, attempt),
        "done",
        state="done",
        result=dumps(result),
        finished=transaction.now,
        worker=None,
        lease=None,
    )
    crash_point("finish.row")
    return _only(ended, job, attempt)


def fail(transaction: Transaction, job: str, attempt: int, error: dict[str, Any], *, retry: bool) -> Job:
    """The attempt ended badly. With `retry`, and failures left, the job waits again; else it has failed."""
    row = _current(transaction, job, attempt)
    failures = row.failures + 1
    if retry and row.cancel_requested:
        return stopped(transaction, job, attempt)
    if retry and failures < MAX_FAILURES:
        moved = _again(transaction, _attempt(job, attempt), failures, {"error": error})
    else:
        moved = _failed(transaction, _attempt(job, attempt), error, failures)
    crash_point("fail.row")
    return _only(moved, job, attempt)


def stopped(transaction: Transaction, job: str, attempt: int) -> Job:
    """The worker has stopped a job that was to be cancelled."""
    return _only(_cancelled(transaction, _attempt(job, attempt)), job, attempt)


def cancel(transaction: Transaction, job: str) -> Job:
    """A waiting job is cancelled at once; a running one is marked, and its worker will hear of it."""
    for moved in (
        _cancelled(transaction, and_(jobs.c.id == job, jobs.c.state == "queued")),
        _marked(transaction, job),
    ):
        if moved:
            crash_point("cancel.row")
            return moved[0]
    row = transaction.connection.execute(select(jobs).where(jobs.c.id == job)).first()
    if row is None:
        raise NoSuchJob(job)
    found = job_of(row)
    if found.state != "cancelled":
        raise AlreadyEnded(job, found.state)
    return found


def requeue(transaction: Transaction, which: ColumnElement[bool], *, crashed: bool) -> list[Job]:
    """Give the running jobs that `which` finds back to the queue; each as it is then.

    crashed: their worker died, which counts against them; a worker that was told to stop gives them back unharmed.
    """
    held = and_(jobs.c.state == "running", which)
    rows = transaction.connection.execute(select(jobs).where(held).with_for_update(skip_locked=True)).all()
    moved: list[Job] = []
    for row in rows:
        mine = _attempt(row.id, row.attempts)
        failures = row.failures + crashed
        if row.cancel_requested:
            moved += _cancelled(transaction, mine)
        elif row.once and crashed:
            moved += _unknown(transaction, mine)
        elif failures >= MAX_FAILURES:
            moved += _failed(transaction, mine, CRASHED, failures)
        else:
            moved += _again(transaction, mine, failures, {"crashed": crashed})
        crash_point("requeue.row")
    return moved


def of_worker(worker: str) -> ColumnElement[bool]:
    return jobs.c.worker == worker


def look_after(transaction: Transaction) -> None:
    """What time alone does to jobs. Whoever asks for work or reports does it, so no clock of its own is needed."""
    expire(transaction)
    if transaction.shared:
        reap(transaction)


def reap(transaction: Transaction) -> list[Job]:
    """Give back what ran on machines that the database has not heard of for `LEASE_SECONDS`."""
    return requeue(transaction, jobs.c.lease < transaction.now, crashed=True)


def expire(transaction: Transaction) -> list[Job]:
    """Fail the waiting jobs whose deadline has passed."""
    late = and_(jobs.c.state == "queued", jobs.c.deadline.is_not(None), jobs.c.deadline < transaction.now)
    return _failed(transaction, late, LATE, jobs.c.failures)


def _cancelled(transaction: Transaction, where: ColumnElement[bool]) -> list[Job]:
    return move(
        transaction,
        where,
        "cancelled",
        state="cancelled",
        cancel_requested=True,
        finished=transaction.now,
        worker=None,
        lease=None,
    )


def _marked(transaction: Transaction, job: str) -> list[Job]:
    statement = (
        update(jobs).where(jobs.c.id == job, jobs.c.state == "running").values(cancel_requested=True).returning(jobs)
    )
    return [job_of(row) for row in transaction.connection.execute(statement)]


def _failed(transaction: Transaction, where: ColumnElement[bool], error: dict[str, Any], failures: Any) -> list[Job]:
    return move(
        transaction,
        where,
        "failed",
        {"error": error},
        state="failed",
        error=dumps(error),
        failures=failures,
        finished=transaction.now,
        worker=None,
        lease=None,
    )


def _unknown(transaction: Transaction, where: ColumnElement[bool]) -> list[Job]:
    return move(
        transaction,
        where,
        "unknown",
        {"error": LOST},
        state="unknown",
        error=dumps(LOST),
        finished=transaction.now,
        worker=None,
        lease=None,
    )


def _again(transaction: Transaction, where: ColumnElement[bool], failures: int, data: dict[str, Any]) -> list[Job]:
    return move(transaction, where, "requeued", data, state="queued", failures=failures, worker=None, lease=None)


def _attempt(job: str, attempt: int) -> ColumnElement[bool]:
    return and_(jobs.c.id == job, jobs.c.state == "running", jobs.c.attempts == attempt)


def _current(transaction: Transaction, job: str, attempt: int) -> Any:
    """The row of a job that this attempt still holds."""
    row = transaction.connection.execute(select(jobs).where(_attempt(job, attempt)).with_for_update()).first()
    if row is None:
        raise _stale(job, attempt)
    return row


def _only(moved: Iterable[Job], job: str, attempt: int) -> Job:
    for one in moved:
        return one
    raise _stale(job, attempt)


def _stale(job: str, attempt: int) -> StaleAttempt:
    return StaleAttempt(f"attempt {attempt} of job {job} is not running any more; its report changes nothing")


def _alone(transaction: Transaction, worker: str) -> bool:
    """The worker runs a job that must be alone."""
    mine = and_(jobs.c.state == "running", jobs.c.worker == worker, jobs.c.failures >= MAX_FAILURES - 1)
    return transaction.connection.execute(select(jobs.c.seq).where(mine).limit(1)).first() is not None


def _busy(transaction: Transaction, worker: str) -> bool:
    mine = and_(jobs.c.state == "running", jobs.c.worker == worker)
    return transaction.connection.execute(select(jobs.c.seq).where(mine).limit(1)).first() is not None


def _lease(transaction: Transaction) -> float | None:
    return transaction.now + LEASE_SECONDS if transaction.shared else None
