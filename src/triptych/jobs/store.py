"""The queue as the server and the workers use it. Every method that changes something has it on the disk when it
returns; every method may be called from any thread.

    submit          claim            finish
    ───────▶ queued ─────▶ running ─────────▶ done
               ▲  │          │ │ └──────────▶ failed      (for good, or after three failures)
               │  └─ cancel ─┼─┴────────────▶ cancelled
               └── requeue ──┘ └────────────▶ unknown     (may not be run twice, and its worker died)

Every arrow is an event of the job, numbered within it. Events and states are written in one transaction.
"""

from __future__ import annotations

import json
import logging
import time
from collections import deque
from collections.abc import Collection
from pathlib import Path
from typing import Any, Self

from sqlalchemy import func, select, true

from triptych.core.gallery import DATABASE, Gallery, Row
from triptych.core.recipe import Recipe
from triptych.jobs import corrupt, gallery, rebuild, running, submitting
from triptych.jobs.backup import back_up
from triptych.jobs.database import Database, open_postgresql, open_sqlite
from triptych.jobs.errors import NoSuchJob, QueueFull
from triptych.jobs.group import GroupCommit, Listener, Transaction
from triptych.jobs.migrations import MIGRATIONS, current, migrate
from triptych.jobs.model import Bounds, Depth, Job, JobEvent, NewJob, State, Submitted, iso
from triptych.jobs.owner import Owner
from triptych.jobs.rows import job_of
from triptych.jobs.schema import events, jobs, outputs
from triptych.jobs.storage import translated

MAX_LISTED = 1000
FULL_FOR = 0.05
"""Seconds for which a queue that was full is taken to be so still: refusals need no disk, and 429 stays quick."""
FORGET_EVERY = 600.0
RATE_OVER = 64
"""Ends of jobs over which the rate for `retry_after` is taken."""

logger = logging.getLogger(__name__)


class Store:
    """A queue in a data folder (SQLite, owned by this process) or at a `postgresql://` address (shared)."""

    def __init__(self, database: Database, bounds: Bounds, owner: Owner | None) -> None:
        self.database = database
        self.bounds = bounds
        self._owner = owner
        self._group = GroupCommit(database)
        self._ends: deque[float] = deque(maxlen=RATE_OVER)
        self._full_until = 0.0
        self._forget_at = time.monotonic() + FORGET_EVERY

    @classmethod
    def open(cls, where: Path | str, *, bounds: Bounds | None = None) -> Self:
        """Open the queue, bring its schema up, and give back what was running when its last owner died.

        `FolderInUse` if another process owns the folder, `StorageError` if the database cannot be used.
        """
        if isinstance(where, str) and "://" in where:
            store = cls(open_postgresql(where), bounds or Bounds(), None)
            store._migrate()
            return store
        folder = Path(where)
        owner = Owner.take(folder)
        try:
            _heal(folder / DATABASE)
            Gallery(folder).prepare()
            store = cls(open_sqlite(folder / DATABASE), bounds or Bounds(), owner)
            store._migrate()
            for aside in corrupt.unread(folder):
                store._recover(aside, folder / rebuild.PICTURES)
            # Nobody else could have run them: their workers were this folder's, and are gone.
            store._group.run(lambda transaction: running.requeue(transaction, true(), crashed=True))
        except BaseException:
            owner.release()
            raise
        return store

    def close(self) -> None:
        try:
            self.database.close()
        finally:
            if self._owner is not None:
                self._owner.release()

    def listen(self, listener: Listener) -> None:
        """Hear of every event of this process after its commit, in order, on the committing thread. Must be quick; an
        event that another process of a shared queue made is not heard, only read."""
        self._group.listen(listener)

    # What clients ask for

    def submit(self, new: NewJob, *, key: str | None = None, body_sha: str | None = None) -> Submitted:
        """Accept a job. Raises `QueueFull`, `KeyReused`, `InvalidRequest`, `StorageError`; then nothing was kept."""
        work = submitting.submission(new, key, body_sha, self.bounds, self.retry_after)
        if key is None and time.monotonic() < self._full_until:
            raise QueueFull("the queue is full", self.retry_after())
        try:
            submitted = self._group.run(work)
        except QueueFull:
            self._full_until = time.monotonic() + FULL_FOR
            raise
        if time.monotonic() > self._forget_at:
            self._forget_at = time.monotonic() + FORGET_EVERY
            self._group.run(submitting.forget_keys)
        return submitted

    def cancel(self, job: str) -> Job:
        """Cancel: at once if it waits; a running one is told at its worker's next beat. `AlreadyEnded`, `NoSuchJob`."""
        return self._group.run(lambda transaction: running.cancel(transaction, job))

    def retry_after(self) -> int:
        """Whole seconds until some of the queue is likely worked off, by the rate of the latest ends."""
        if len(self._ends) < 2:
            return 5
        rate = (len(self._ends) - 1) / max(time.monotonic() - self._ends[0], 1e-3)
        return min(max(round(len(self._ends) / 4 / rate), 1), 60)

    # What workers report

    def claim(self, worker: str, limit: int, *, models: Collection[str] | None = None) -> list[Job]:
        """Up to `limit` waiting jobs (of these models), which are running from now on; their `attempts` is the number
        to report with. Those whose deadline has passed fail, here and at every beat."""
        return self._group.run(lambda transaction: running.claim(transaction, worker, limit, models))

    def beat(self, worker: str, ids: Collection[str]) -> list[str]:
        """Say that these jobs are being worked on; those that must be stopped. Every few seconds, or, at a shared
        queue, they go to others after `running.LEASE_SECONDS`."""
        return self._group.run(lambda transaction: running.beat(transaction, worker, ids))

    def picture(self, job: str, attempt: int, index: int, image: dict[str, Any], recipe: Recipe | None = None) -> bool:
        """A picture of the job was published at `image["path"]`; with its recipe it enters the gallery. False if an
        earlier attempt had told of it already. `StaleAttempt` as below."""
        return self._group.run(lambda transaction: running.picture(transaction, job, attempt, index, image, recipe))

    def finish(self, job: str, attempt: int, result: dict[str, Any]) -> Job:
        """The job is done. `StaleAttempt` if this attempt does not hold it any more, here and below."""
        return self._ended(self._group.run(lambda transaction: running.finish(transaction, job, attempt, result)))

    def fail(self, job: str, attempt: int, error: dict[str, Any], *, retry: bool = False) -> Job:
        """The attempt failed; with `retry` the job waits again, unless this was its third failure."""
        return self._ended(
            self._group.run(lambda transaction: running.fail(transaction, job, attempt, error, retry=retry))
        )

    def stopped(self, job: str, attempt: int) -> Job:
        """The worker has stopped the job because it was to be cancelled."""
        return self._ended(self._group.run(lambda transaction: running.stopped(transaction, job, attempt)))

    def requeue(self, worker: str, *, crashed: bool = True) -> list[Job]:
        """Give back what this worker was running, because it died (`crashed`) or was told to stop; each job as it is
        then: waiting, failed after its third crash, cancelled if it was to be, unknown if it may run once only."""
        return self._group.run(
            lambda transaction: running.requeue(transaction, running.of_worker(worker), crashed=crashed)
        )

    # What everybody may read

    def get(self, job: str) -> Job:
        """The job; `NoSuchJob` if there is none."""
        with translated("read the job queue"), self.database.reader.connect() as connection:
            row = connection.execute(select(jobs).where(jobs.c.id == job)).first()
        if row is None:
            raise NoSuchJob(job)
        return job_of(row)

    def list(
        self,
        *,
        state: State | None = None,
        query: str = "",
        client: str | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[Job]:
        """The newest jobs first; those whose text has words that begin with each of `query`; older than `before`, the
        `seq` of the last one of the page before."""
        statement = select(jobs).order_by(jobs.c.seq.desc()).limit(min(max(limit, 1), MAX_LISTED))
        if state is not None:
            statement = statement.where(jobs.c.state == state)
        if client is not None:
            statement = statement.where(jobs.c.client == client)
        if before is not None:
            statement = statement.where(jobs.c.seq < before)
        with translated("read the job queue"), self.database.reader.connect() as connection:
            if query.strip():
                statement = statement.where(gallery.matching(connection, query, "jobs"))
            return [job_of(row) for row in connection.execute(statement)]

    def events(self, job: str, after: int = 0) -> list[JobEvent]:
        """What happened to the job since event number `after`, in order."""
        statement = select(events).where(events.c.job == job, events.c.number > after).order_by(events.c.number)
        with translated("read the job queue"), self.database.reader.connect() as connection:
            rows = connection.execute(statement).all()
        return [JobEvent(row.job, row.number, row.kind, iso(row.at), json.loads(row.data)) for row in rows]

    def pictures(self, job: str) -> dict[int, dict[str, Any]]:
        """The pictures of the job that lie on the disk, by their index, whatever attempt made them."""
        statement = select(outputs).where(outputs.c.job == job).order_by(outputs.c.number)
        with translated("read the job queue"), self.database.reader.connect() as connection:
            return {row.number: json.loads(row.picture) for row in connection.execute(statement)}

    def counts(self) -> dict[State, int]:
        """How many jobs there are in each state that has any."""
        statement = select(jobs.c.state, func.count()).group_by(jobs.c.state)
        with translated("read the job queue"), self.database.reader.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(statement)}

    def depth(self) -> Depth:
        """What waits and what runs."""
        waiting = select(func.count(), func.coalesce(func.sum(jobs.c.bytes), 0)).where(jobs.c.state == "queued")
        busy = select(func.count()).where(jobs.c.state == "running")
        with translated("read the job queue"), self.database.reader.connect() as connection:
            count, size = connection.execute(waiting).one()
            return Depth(int(count), int(size), connection.execute(busy).scalar_one())

    def gallery(self, words: str = "", *, limit: int = 20, before: int | None = None) -> list[Row]:
        """The newest pictures first, of this server and of the command line; `before` is the `id` to go on from."""
        with translated("read the gallery"), self.database.reader.connect() as connection:
            return gallery.search(connection, words, limit, before)

    # Within

    def _migrate(self) -> None:
        with translated("prepare the job queue"), self.database.writer.connect() as connection:
            found = current(connection)
            connection.rollback()
            path = self.database.path
            if path is not None and found < MIGRATIONS[-1].number and (found or _holds_pictures(path)):
                back_up(path, found)
            migrate(connection)

    def _recover(self, aside: Path, pictures: Path) -> None:
        """Bring over what can be read of a database that was set aside, and note the pictures that it had not."""

        def work(transaction: Transaction) -> dict[str, int]:
            counts = corrupt.salvage(transaction.connection, aside / DATABASE)
            return counts | {"rebuilt": rebuild.rebuild(transaction.connection, pictures)}

        counts = self._group.run(work)
        corrupt.report(aside, counts)
        logger.warning("the database was damaged and is now in %s; brought over: %s", aside, counts)

    def _ended(self, job: Job) -> Job:
        if job.ended:
            self._ends.append(time.monotonic())
        return job


def _heal(database: Path) -> None:
    """Set a damaged database aside; and what a kill in the middle of that left behind."""
    trouble = corrupt.damage(database)
    if trouble is not None:
        logger.error("the database %s is damaged (%s)", database, trouble)
        corrupt.set_aside(database)
    elif not database.exists():
        for aside in corrupt.unread(database.parent)[-1:]:
            corrupt.take_orphans(database, aside)


def _holds_pictures(database: Path) -> bool:
    """The file was a log of pictures before it became a queue."""
    return bool(Gallery(database.parent).search(limit=1))
