"""A process that buys pictures one after the other until it is killed."""

from __future__ import annotations

from pathlib import Path

from triptych.hosted.account import Account, Limits
from triptych.hosted.keys import Secret
from triptych.hosted.ledger import Ledger
from triptych.hosted.orders import generate


def buy(provider: str, model: str, base: str, key: str, home: str, last: int) -> None:
    """Jobs from the number that the ledger holds on up to `last`, each known by its prompt."""
    limits = Limits(answer=30.0, poll=0.001)
    account = Account(Ledger(Path(home)), {provider: Secret(key, "the test")}, {provider: base}, limits)
    for number in range(len(account.ledger.jobs()), last):
        generate(f"job {number}", model=model, account=account)
