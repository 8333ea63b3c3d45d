"""A crash at every single write to the ledger, before and after it, for every provider: at most one bill, the state
shown is true, and what can be brought to an end is, without another bill.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.hosted.fakes import Fake
from tests.hosted.test_providers import run

from triptych.core.errors import ProviderError
from triptych.hosted.account import Account
from triptych.hosted.ledger import Entry
from triptych.hosted.unfinished import resolve

MOST_WRITES = 5
"""intended, sending, accepted (where there is a ticket), received, done."""


class Crash(BaseException):
    """The process is gone: nothing may catch it."""


def crash_at(monkeypatch: pytest.MonkeyPatch, number: int, *, after: bool) -> list[str]:
    """Let the `number`-th write to the ledger be the last thing that happens; returns what was written."""
    written: list[str] = []
    note = Entry.note

    def noted(self: Entry, state: str, **more: Any) -> None:
        if len(written) + 1 == number and not after:
            raise Crash
        note(self, state, **more)
        written.append(state)
        if len(written) == number and after:
            raise Crash

    monkeypatch.setattr(Entry, "note", noted)
    return written


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, MOST_WRITES + 1))
def test_crash(
    fake: Fake,
    account_of: Callable[[Fake], Account],
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    after: bool,
) -> None:
    account = account_of(fake)
    with monkeypatch.context() as patch:
        written = crash_at(patch, number, after=after)
        try:
            run(fake, account)
        except Crash:
            pass
        else:
            assert len(written) < number, "it came to its end before"
    assert fake.bills == (1 if len(written) > 2 or (written[-1:] == ["sending"] and not after) else 0)
    jobs = account.ledger.jobs()
    if not written:
        assert [job.state for job in jobs] in ([], ["damaged"])
        return
    (job,) = jobs
    shown = {
        "intended": "not sent",
        "sending": "unknown",
        "accepted": "accepted",
        "received": "received",
        "done": "done",
    }
    assert job.state == shown[written[-1]]
    assert job.is_open == (job.state in ("unknown", "accepted", "received"))
    if job.state in ("accepted", "received"):
        resolution = resolve(job.id, account)
        assert len(resolution.images) == 1
        assert resolution.job.state == "done"
    elif job.state == "unknown" and not (fake.name == "dashscope" and fake.bills):
        with pytest.raises(ProviderError):
            resolve(job.id, account)
    elif job.state == "unknown":
        assert len(resolve(job.id, account).images) == 1
    assert fake.bills <= 1
