"""Accepting jobs: the bound on what waits, and idempotency keys by the rules that Stripe made common.

The first use of a key makes a job; a later one with the same body gets that job, whatever has become of it; with
another body it is refused. A submit that was refused leaves no trace of its key. Keys are kept for a day at least.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable

from sqlalchemy import delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from triptych.core.errors import InvalidRequest
from triptych.jobs.clock import new_id
from triptych.jobs.crash import crash_point
from triptych.jobs.errors import KeyReused, QueueFull
from triptych.jobs.group import Transaction
from triptych.jobs.model import Bounds, Job, NewJob, Submitted
from triptych.jobs.rows import job_of
from triptych.jobs.schema import jobs, keys
from triptych.jobs.words import payload_text, searchable

MAX_KEY = 255
KEY_SECONDS = 25 * 3600
"""A day and an hour, so that a client whose clock is off still finds the key that it used yesterday."""


def submission(
    new: NewJob, key: str | None, body_sha: str | None, bounds: Bounds, retry_after: Callable[[], int]
) -> Callable[[Transaction], Submitted]:
    """The work that accepts `new`. `InvalidRequest` at once for what no queue could take."""
    payload = payload_text(new.payload)
    if len(payload) > bounds.payload:
        raise InvalidRequest("payload", f"has {len(payload)} bytes; at most {bounds.payload} are allowed")
    if key is not None and not (0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
        raise InvalidRequest("Idempotency-Key", f"is not 1 to {MAX_KEY} printable ASCII characters")
    if new.timeout is not None and not (math.isfinite(new.timeout) and new.timeout > 0):
        raise InvalidRequest("timeout", f"{new.timeout} is not allowed: a positive number of seconds is needed")
    body = body_sha or hashlib.sha256(f"{new.kind}\n{payload}".encode()).hexdigest()

    def work(transaction: Transaction) -> Submitted:
        job_id = new_id()
        if key is not None:
            first = _use_key(transaction, new.client, key, body, job_id)
            if first is not None:
                return Submitted(first, replayed=True)
        _check_bounds(transaction, len(payload), bounds, retry_after)
        job = _insert(transaction, new, job_id, key, payload)
        return Submitted(job, replayed=False)

    return work


def _use_key(transaction: Transaction, client: str, key: str, body: str, job_id: str) -> Job | None:
    """Take the key for the new job; the job of its first use if there was one."""
    dialect = sqlite if transaction.connection.dialect.name == "sqlite" else postgresql
    taken = transaction.connection.execute(
        dialect.insert(keys)
        .values(client=client, key=key, body=body, job=job_id, created=transaction.now)
        .on_conflict_do_nothing()
        .returning(keys.c.key)
    ).first()
    crash_point("submit.key")
    if taken is not None:
        return None
    mine = (keys.c.client == client) & (keys.c.key == key)
    used = transaction.connection.execute(select(keys.c.body, keys.c.job).where(mine)).one()
    if used.body != body:
        raise KeyReused
    return job_of(transaction.connection.execute(select(jobs).where(jobs.c.id == used.job)).one())


def _check_bounds(transaction: Transaction, size: int, bounds: Bounds, retry_after: Callable[[], int]) -> None:
    count, waiting = transaction.waiting
    if count + 1 > bounds.jobs:
        raise QueueFull(f"the queue is full: {count} jobs are waiting, {bounds.jobs} may", retry_after())
    if waiting + size > bounds.bytes:
        raise QueueFull(
            f"the queue is full: its requests take {waiting} bytes, {bounds.bytes} are allowed", retry_after()
        )
    transaction.waiting[0] += 1
    transaction.waiting[1] += size


def _insert(transaction: Transaction, new: NewJob, job_id: str, key: str | None, payload: str) -> Job:
    row = transaction.connection.execute(
        insert(jobs)
        .values(
            id=job_id,
            kind=new.kind,
            payload=payload,
            words=searchable(new.text),
            model=new.model,
            client=new.client,
            key=key,
            priority=new.priority,
            state="queued",
            attempts=0,
            failures=0,
            once=new.once,
            cancel_requested=False,
            deadline=None if new.timeout is None else transaction.now + new.timeout,
            bytes=len(payload),
            events=1,
            created=transaction.now,
        )
        .returning(jobs)
    ).one()
    crash_point("submit.row")
    transaction.event(job_id, 1, "queued")
    return job_of(row)


def forget_keys(transaction: Transaction) -> int:
    """Drop the keys whose day is over; how many they were."""
    return transaction.connection.execute(delete(keys).where(keys.c.created < transaction.now - KEY_SECONDS)).rowcount
