"""A job without an end, brought to one: by asking the provider, or by a person's word.

| state    | what can be done                                                                                   |
|----------|----------------------------------------------------------------------------------------------------|
| accepted | the provider is asked with the ticket; the pictures come home                                      |
| received | the pictures lie here already                                                                      |
| unknown  | a provider that keeps a list is asked what it took at that time; another's usage page tells a person |

Nothing here ever sends a job again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from triptych.core.errors import InvalidRequest, ProviderError
from triptych.core.request import Request
from triptych.core.results import Image
from triptych.hosted import catalogue
from triptych.hosted.account import Account
from triptych.hosted.ledger import Job
from triptych.hosted.orders import image_of
from triptych.hosted.run import Delivery, Line, ask_list, delivered, resume

BEFORE, AFTER = timedelta(seconds=5), timedelta(minutes=2)
"""The provider's clock is not ours, and it may note a job a while after it was sent."""


@dataclass(frozen=True)
class Resolution:
    """What became of a job. images: what came home, with recipes; of an edit they are as the provider made them."""

    job: Job
    images: tuple[Image, ...]
    told: str


def resolve(name: str, account: Account) -> Resolution:
    """Bring one job to an end. Raises `InvalidRequest` for one that has an end, `ProviderError` where nobody knows."""
    job = account.ledger.job(name)
    if not job.is_open:
        raise InvalidRequest("job", f"{job.id} is {job.state}; there is nothing to resolve")
    provider = catalogue.provider_of(job.model)
    estimate = job.what.get("estimate")
    if job.state == "received":
        with account.ledger.take(job.id) as entry:
            delivery = delivered(job.id, job.pictures, job.cost, told=False)
            entry.note("done", billed=True, cost=job.cost if job.cost is not None else estimate, told="")
        return _resolution(job, account, delivery, "its pictures had arrived before it was cut off")
    client = account.client(provider)
    try:
        line = Line(provider, client, account)
        ticket = job.ticket if job.state == "accepted" else _found(line, job)
        with account.ledger.take(job.id) as entry:
            if ticket is None:
                told = f"{provider.title} took no such job at that time"
                entry.note("failed", billed=False, told=told)
                return Resolution(account.ledger.job(job.id), (), told)
            if job.state == "unknown":
                entry.note("accepted", ticket=ticket)
            delivery = resume(line, entry, ticket, estimate)
    finally:
        client.close()
    return _resolution(job, account, delivery, f"{provider.title} had finished it; its pictures came home")


def settle(name: str, account: Account, *, billed: bool) -> Resolution:
    """Close an unknown job by a person's word, who looked at the provider's usage page."""
    job = account.ledger.job(name)
    if not job.is_open:
        raise InvalidRequest("job", f"{job.id} is {job.state}; there is nothing to resolve")
    with account.ledger.take(job.id) as entry:
        told = f"by a person's word it was {'' if billed else 'not '}billed"
        entry.note("failed", billed=billed, told=told)
    return Resolution(account.ledger.job(job.id), (), told)


def _found(line: Line, job: Job) -> dict[str, Any] | None:
    """An unknown job's ticket from the provider's list, None if it took none. `ProviderError` if that is unclear."""
    provider, model = catalogue.find(job.model)
    sent = datetime.fromisoformat(str(job.what.get("sent") or job.at))
    since, until = sent - BEFORE, min(sent + AFTER, datetime.now(UTC))
    call = provider.look_up(model.id, since, until, line.base)
    if call is None:
        raise ProviderError(
            f"{provider.title} keeps no list that could be asked; look at {provider.usage_page} for "
            f"{sent:%Y-%m-%d %H:%M:%S} UTC, and then say: triptych hosted resolve {job.id} --billed (or --not-billed)"
        )
    known = [one.ticket for one in line.account.ledger.jobs() if one.ticket is not None and one.id != job.id]
    open_now = [one for one in line.account.ledger.jobs() if one.state == "unknown" and _near(one, job)]
    tickets = [ticket for ticket in provider.found(ask_list(line, call), since, until).tickets if ticket not in known]
    if not tickets:
        left = (sent + AFTER - datetime.now(UTC)).total_seconds()
        if left > 0:  # a list may be behind
            raise ProviderError(f"{provider.title} has not listed it yet; ask again in {left:.0f} seconds")
        return None
    if len(tickets) > 1 or len(open_now) > 1:
        raise ProviderError(
            f"{provider.title} took {len(tickets)} jobs at that time that this machine does not know, and "
            f"{len(open_now)} here are unknown; look at {provider.usage_page} and say --billed or --not-billed"
        )
    return tickets[0]


def _near(one: Job, job: Job) -> bool:
    """Whether two jobs could be taken for each other: the same model, sent within the time that is asked about."""
    if one.model != job.model:
        return False
    first, second = (datetime.fromisoformat(str(each.what.get("sent") or each.at)) for each in (one, job))
    return abs(first - second) <= BEFORE + AFTER


def _resolution(job: Job, account: Account, delivery: Delivery, told: str) -> Resolution:
    request = Request.model_validate(job.what["request"])
    first = int(job.what.get("first", 0))
    images = tuple(image_of(request, pixels, first + index) for index, pixels in enumerate(delivery.pictures))
    if job.what.get("edit"):
        told += " as the provider made them: the lock was not applied, since the edit was cut off"
    return Resolution(account.ledger.job(job.id), images, told)
