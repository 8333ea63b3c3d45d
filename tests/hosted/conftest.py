"""A fake of each provider, and an account that points to it with the patience of a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.hosted.fakes import FAKES, Fake
from tests.hosted.fakes.base import KEY

from triptych.hosted.account import Account, Limits
from triptych.hosted.keys import Secret
from triptych.hosted.ledger import Ledger

HASTE = Limits(answer=1.5, whole=5.0, busy=3.0, poll=0.02, fetch=2.0, most_bytes=16 * 2**20)


@pytest.fixture(params=sorted(FAKES))
def fake(request: pytest.FixtureRequest) -> Iterator[Fake]:
    """Every provider in turn."""
    with FAKES[request.param]() as running:
        yield running
        running.answered.set()


@pytest.fixture
def account_of(tmp_path: Path) -> Callable[[Fake], Account]:
    def make(fake: Fake, limits: Limits = HASTE) -> Account:
        keys = {fake.name: Secret(KEY, "the test")}
        return Account(Ledger(tmp_path / "home" / "hosted"), keys, {fake.name: fake.base}, limits)

    return make
