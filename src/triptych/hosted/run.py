"""One job from its intent to its pictures, and an unfinished one from wherever it stands.

The order is the promise: the intent is on the disk before anything is sent; the pictures are on the disk before
anything looks into them. A request that may have arrived is never sent again. What is safe is tried again: a connection
that was never made, a provider that says that it is busy, a question about a job, a picture's address.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triptych.core.asset import Asset
from triptych.core.errors import ContentRefused, FileProblem, ProviderError, TriptychError
from triptych.core.events import Note, Pixels
from triptych.core.pictures import open_picture
from triptych.hosted.account import Account
from triptych.hosted.errors import Busy, Lost, NotRun, Spoilt, Unknown, Unreached
from triptych.hosted.ledger import Entry
from triptych.hosted.messages import MAX_PICTURE, Answer, Call
from triptych.hosted.provider import Pictures, Provider, Reply, Task, Url, Waiting

if TYPE_CHECKING:
    from triptych.hosted.http import Client

FEW = 3
"""So often is a thing that is safe to repeat tried at most, one after the other without success."""
ADDRESSES = "addresses"
"""A ticket with these is pictures that only have to be fetched."""
OnPartial = Callable[[bytes], None]
OnWait = Callable[[float | None], None]
Sleep = Callable[[float], None]


@dataclass(frozen=True)
class Delivery:
    """pictures: uint8 (H, W, 3), in the size they came in. cost: US dollars, told by the provider or estimated."""

    pictures: tuple[Pixels, ...]
    files: tuple[Path, ...]
    cost: float | None
    told: bool
    notes: tuple[Note, ...]
    job: str


@dataclass(frozen=True)
class Line:
    """One provider, spoken to over one client, for one account."""

    provider: Provider
    client: Client
    account: Account
    sleep: Sleep = time.sleep
    on_wait: OnWait | None = None

    @property
    def base(self) -> str:
        return self.account.base(self.provider)


def carry_out(
    line: Line, task: Task, what: dict[str, Any], estimate: float | None, *, on_partial: OnPartial | None = None
) -> Delivery:
    """Send one task and bring its pictures home.

    what: JSON about the job for the ledger. Raises `Moderated`, `NotRun`, `Spoilt`, `Unknown` or another
    `ProviderError`; the ledger says the same.
    """
    with line.account.ledger.open({**what, "estimate": estimate}) as entry:
        try:
            reply = _sent(line, task, entry, on_partial)
            return finish(line, reply, entry, estimate)
        except TriptychError as error:
            raise _closed(line, entry, error) from None


def finish(line: Line, reply: Reply, entry: Entry, estimate: float | None) -> Delivery:
    """From the provider's first reply, or from a ticket, to the pictures on the disk."""
    cost = reply.cost
    if isinstance(reply, Waiting):
        entry.note("accepted", ticket=reply.ticket, **_known(cost))
        reply = _awaited(line, reply)
        cost = reply.cost if reply.cost is not None else cost
    elif addresses := [one.address for one in reply.pictures if isinstance(one, Url)]:
        # Paid for and not here yet: whoever goes on after a crash fetches them, as long as they are there.
        entry.note("accepted", ticket={ADDRESSES: addresses}, **_known(cost))
    data = tuple(_fetched(line, one) if isinstance(one, Url) else one for one in reply.pictures)
    files = entry.keep(data)
    entry.note("received", pictures=[path.name for path in files], **_known(cost))
    delivery = delivered(entry.id, files, cost if cost is not None else estimate, told=cost is not None)
    entry.note("done", billed=True, cost=delivery.cost, told="")
    notes = reply.notes
    if reply.refused:
        kept_back = f"{reply.refused} of the pictures were kept back by the provider's content rules"
        notes = (*notes, Note("n", "note", kept_back))
    return replace(delivery, notes=notes)


def delivered(job: str, files: tuple[Path, ...], cost: float | None, *, told: bool) -> Delivery:
    """The pictures of files as they came. `Spoilt` for what is none, such as a page of HTML."""
    try:
        pictures = tuple(Asset.of(open_picture(path).pixels).rgb for path in files)
    except FileProblem as error:
        raise Spoilt(f"the provider sent something that is no picture: {error}") from None
    return Delivery(pictures, files, cost, told, (), job)


def resume(line: Line, entry: Entry, ticket: dict[str, Any], estimate: float | None) -> Delivery:
    """Ask about a job that the provider took, and bring its pictures home."""
    try:
        if ADDRESSES in ticket:
            reply: Reply = Pictures(tuple(Url(str(address)) for address in ticket[ADDRESSES]))
        else:
            reply = line.provider.told(_asked(line, line.provider.ask(ticket, line.base)))
            if isinstance(reply, Waiting):
                reply = replace(reply, ticket=ticket)
        return finish(line, reply, entry, estimate)
    except TriptychError as error:
        raise _closed(line, entry, error) from None


def ask_list(line: Line, call: Call) -> Answer:
    """The answer to a question about jobs, which costs nothing."""
    return _asked(line, call)


def _sent(line: Line, task: Task, entry: Entry, on_partial: OnPartial | None) -> Reply:
    """The reply to the one request that costs money. Sent again only after word that nothing ran."""
    limits = line.account.limits
    call = replace(line.provider.call(task, line.base), seconds=limits.answer, limit=limits.most_bytes)
    waited, unreached = 0.0, 0

    def on_data(data: dict[str, Any]) -> None:
        picture = line.provider.partial(data)
        if picture is not None and on_partial is not None:
            on_partial(picture)

    while True:
        entry.note("sending")
        try:
            answer = line.client.send(call, on_data=on_data if task.partial else None)
            return line.provider.understand(answer, task)
        except Busy as error:
            entry.note("turned away", told=line.client.said(error))
            pause = _pause(error.retry_after, waited)
            if waited + pause > limits.busy:
                raise
            waited += pause
        except Unreached as error:
            entry.note("not sent", told=line.client.said(error))
            unreached += 1
            if unreached >= FEW:
                raise
            pause = _pause(None, waited)
            waited += pause
        line.sleep(pause)


def _pause(asked: float | None, waited: float) -> float:
    """As long as the provider says; else twice as long each time, with chance in it so that clients do not march in
    step (the only chance here, and it touches no picture).
    """
    if asked is not None:
        return max(asked, 0.05)
    return min(max(waited, 0.5) * (1 + random.random()), 20.0)


def _awaited(line: Line, reply: Waiting) -> Pictures:
    """Ask until it is done, or until patience ends: then the job stays accepted and can be asked about later."""
    deadline = time.monotonic() + line.account.limits.whole
    while time.monotonic() < deadline:
        line.sleep(line.account.limits.poll)
        if line.on_wait:
            line.on_wait(reply.done)
        told = line.provider.told(_asked(line, line.provider.ask(reply.ticket, line.base)))
        if isinstance(told, Pictures):
            return told
        reply = replace(told, ticket=reply.ticket)
    seconds = line.account.limits.whole
    raise Lost(f"{line.provider.title} has not finished in {seconds:g} seconds; the job goes on there")


def _asked(line: Line, call: Call) -> Answer:
    """The answer to a question that costs nothing: asked again if the line breaks or the provider is busy."""
    limits = line.account.limits
    call = replace(call, seconds=min(call.seconds, limits.answer), limit=min(call.limit, limits.most_bytes))
    for left in reversed(range(FEW)):
        try:
            answer = line.client.send(call)
        except (Unreached, Lost):
            if not left:
                raise
            line.sleep(_pause(None, 0.0))
            continue
        if answer.status not in (429, 500, 502, 503, 504) or not left:
            return answer
        line.sleep(min(_pause(answer.retry_after, 0.0), limits.busy))
    raise AssertionError("the last turn returns or raises")


def _fetched(line: Line, url: Url) -> bytes:
    """A picture from where the provider put it, without the key."""
    call = Call("GET", url.address, auth=False, seconds=line.account.limits.fetch, limit=MAX_PICTURE)
    try:
        answer = _asked(line, call)
    except Unreached:
        raise
    except NotRun as error:
        raise Spoilt(f"the picture cannot be fetched: {error}") from None
    if answer.status in (401, 403, 404, 410):
        raise Spoilt(f"the picture's address at {answer.host} has expired ({answer.status})")
    if answer.status != 200:
        raise Spoilt(f"{answer.host} answered {answer.status} in place of the picture")
    return answer.body


def _closed(line: Line, entry: Entry, error: TriptychError) -> TriptychError:
    """Write the last line of a job that went wrong, by what that means for the bill.

    Returns the error to raise, without the key in it, whatever the provider put into its words.
    """
    said = line.client.said(error)
    if isinstance(error, Lost) and entry.state == "sending":
        entry.note("unknown", told=said)
        return Unknown(
            f"{said}. It may have been billed, so it is not sent again; see {line.provider.usage_page}, "
            f"and then: triptych hosted resolve {entry.id}",
            entry.id,
        )
    if entry.state == "accepted" and isinstance(error, Lost | Unreached):
        return Unknown(f"{said}; bring it home with: triptych hosted resolve {entry.id}", entry.id)
    entry.note("failed", billed=_billed(error, entry.state), told=said)
    error.args = (said,)
    return error


def _billed(error: TriptychError, state: str) -> bool | None:
    """False where nothing ran, True where pictures were made, None where nobody says."""
    if state in ("accepted", "received"):
        return True if isinstance(error, Spoilt | NotRun) else None
    if isinstance(error, NotRun):
        return False
    if isinstance(error, Spoilt):
        return True
    return None if isinstance(error, ProviderError | ContentRefused) else False


def _known(cost: float | None) -> dict[str, float]:
    return {} if cost is None else {"cost": cost}
