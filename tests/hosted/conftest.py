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

HASTE = Limits(answer=60.0, whole=90.0, busy=8.0, poll=0.02, fetch=60.0, most_bytes=16 * 2**20)
"""Long enough for a machine that does other things too."""
IMPATIENT = Limits(answer=0.7, whole=0.7, busy=1.0, poll=0.02, fetch=0.7, most_bytes=16 * 2**20)
"""For those that never answer."""


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
