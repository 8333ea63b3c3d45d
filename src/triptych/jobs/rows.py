"""Between rows and jobs, and the one statement that moves a job from one state to the next."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import ColumnElement, Row, update

from triptych.jobs.group import Transaction
from triptych.jobs.model import EventKind, Job, iso
from triptych.jobs.schema import jobs


def job_of(row: Row[Any]) -> Job:
    values = row._mapping
    return Job(
        id=values["id"],
        seq=values["seq"],
        kind=values["kind"],
        payload=json.loads(values["payload"]),
        state=values["state"],
        text=values["words"],
        model=values["model"],
        priority=values["priority"],
        attempts=values["attempts"],
        failures=values["failures"],
        error=None if values["error"] is None else json.loads(values["error"]),
        result=None if values["result"] is None else json.loads(values["result"]),
        created=iso(values["created"]),
        started=None if values["started"] is None else iso(values["started"]),
        finished=None if values["finished"] is None else iso(values["finished"]),
        deadline=values["deadline"],
        cancel_requested=bool(values["cancel_requested"]),
        key=values["key"],
        client=values["client"],
        worker=values["worker"],
        once=bool(values["once"]),
        bytes=values["bytes"],
    )


def move(
    transaction: Transaction,
    where: ColumnElement[bool],
    kind: EventKind,
    data: dict[str, Any] | None = None,
    **values: Any,
) -> list[Job]:
    """Change every job that `where` finds, and note an event of this `kind` for each; the jobs as they are then.

    The condition and the change are one statement: of two that want to end a job, one finds it and one does not.
    """
    statement = update(jobs).where(where).values(**values, events=jobs.c.events + 1).returning(jobs)
    rows = transaction.connection.execute(statement).all()
    for row in rows:
        transaction.event(row.id, row.events, kind, data)
    return sorted((job_of(row) for row in rows), key=lambda job: (-job.priority, job.seq))
