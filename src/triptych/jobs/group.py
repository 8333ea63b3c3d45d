"""Group commit: what many threads want to write goes into one transaction, and each is answered after its commit.

An fsync costs milliseconds and a statement microseconds, so one commit for whatever has gathered during the one before
is what makes hundreds of durable submits a second possible. There is no thread of its own: the first that comes leads
and commits for all who wait; those who find their work done go on.

A piece of work is a function of the `Transaction`. It may raise, and only its own part is undone (a savepoint). If the
database refuses, everybody in the group gets the error and nothing of the group is kept.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import SQLAlchemyError

from triptych.jobs.crash import crash_point
from triptych.jobs.database import Database
from triptych.jobs.errors import StorageError
from triptych.jobs.model import EventKind, JobEvent, iso
from triptych.jobs.schema import events, jobs
from triptych.jobs.storage import Conflict, translated
from triptych.jobs.words import dumps

logger = logging.getLogger(__name__)

T = TypeVar("T")
Listener = Callable[[Sequence[JobEvent]], None]

MAX_GROUP = 256
MAX_CONFLICTS = 10


class Transaction:
    """One write transaction under way, and the events that its commit will make true."""

    def __init__(self, connection: Connection, database: Database) -> None:
        self.connection = connection
        self.shared = database.shared
        self.now = database.now(connection)
        self.events: list[JobEvent] = []

    @cached_property
    def waiting(self) -> list[int]:
        """[jobs, bytes] that are queued, as this transaction began; a submit adds its own."""
        row = self.connection.execute(
            select(func.count(), func.coalesce(func.sum(jobs.c.bytes), 0)).where(jobs.c.state == "queued")
        ).one()
        return [int(row[0]), int(row[1])]

    def event(self, job: str, number: int, kind: EventKind, data: dict[str, Any] | None = None) -> None:
        """Note that something happened; `number` is what the job's counter of events was raised to."""
        made = JobEvent(job, number, kind, iso(self.now), data or {})
        self.connection.execute(
            insert(events).values(job=job, number=number, kind=kind, at=self.now, data=dumps(made.data))
        )
        self.events.append(made)


class _Ticket:
    """One thread's piece of work and what became of it."""

    def __init__(self, work: Callable[[Transaction], Any]) -> None:
        self.work = work
        self.value: Any = None
        self.error: BaseException | None = None
        self.done = False
        self.wake = threading.Semaphore(0)

    def answer(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.value


class GroupCommit:
    """Runs pieces of work in shared transactions; safe to call from any number of threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._gathering = threading.Lock()
        self._tickets: list[_Ticket] = []
        self._led = False
        self._listeners: tuple[Listener, ...] = ()
        self.groups = 0
        self.works = 0

    def listen(self, listener: Listener) -> None:
        """Call `listener` with the events of each commit, in order, on the thread that committed. It must be quick."""
        with self._gathering:
            self._listeners = (*self._listeners, listener)

    def run(self, work: Callable[[Transaction], T]) -> T:
        """Do `work` in a transaction; what it returned, once that is on the disk."""
        ticket = _Ticket(work)
        with self._gathering:
            self._tickets.append(ticket)
            leads, self._led = not self._led, True
        if not leads:
            # Woken when the work is done, or to lead the next group.
            ticket.wake.acquire()
        if not ticket.done:
            with self._gathering:
                group, self._tickets = self._tickets[:MAX_GROUP], self._tickets[MAX_GROUP:]
            try:
                self._lead(group)
            finally:
                self._hand_on([one for one in group if one is not ticket])
        return cast(T, ticket.answer())

    def _hand_on(self, finished: list[_Ticket]) -> None:
        """Wake those whose work is done, and the oldest of those who came meanwhile: it leads the next group."""
        with self._gathering:
            self._led = bool(self._tickets)
            following = self._tickets[:1]
        for ticket in following + finished:
            ticket.wake.release()

    def _lead(self, group: list[_Ticket]) -> None:
        try:
            happened = self._committed(group)
        except BaseException as error:
            for ticket in group:
                ticket.value, ticket.error = None, error
            if not isinstance(error, Exception):
                raise
            return
        finally:
            for ticket in group:
                ticket.done = True
        self.groups += 1
        self.works += len(group)
        for listener in self._listeners if happened else ():
            try:
                listener(happened)
            except Exception:
                logger.exception("a listener of the job queue failed")

    def _committed(self, group: list[_Ticket]) -> list[JobEvent]:
        """Run the group's work in one transaction, anew where another process was in its way."""
        for _ in range(MAX_CONFLICTS):
            try:
                with translated("write to the job queue"):
                    return self._once(group)
            except Conflict:
                continue
        raise StorageError(f"cannot write to the job queue: in conflict with others {MAX_CONFLICTS} times")

    def _once(self, group: list[_Ticket]) -> list[JobEvent]:
        with self._database.writer.begin() as connection:
            crash_point("group.begun")
            transaction = Transaction(connection, self._database)
            for ticket in group:
                _do(ticket, transaction)
            crash_point("group.commit")
        crash_point("group.committed")
        return transaction.events


def _do(ticket: _Ticket, transaction: Transaction) -> None:
    """One piece of work in its savepoint. Its own errors are its own; the database's go up and end the group."""
    before = len(transaction.events)
    ticket.value, ticket.error = None, None
    savepoint = transaction.connection.begin_nested()
    try:
        ticket.value = ticket.work(transaction)
    except Exception as error:
        if isinstance(error, SQLAlchemyError):
            raise
        savepoint.rollback()
        del transaction.events[before:]
        transaction.__dict__.pop("waiting", None)
        ticket.error = error
    else:
        savepoint.commit()
