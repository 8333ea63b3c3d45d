"""Every adapter against its fake: the same suite, all ways to fail, and after each what the ledger says of the bill."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.hosted.conftest import IMPATIENT
from tests.hosted.fakes import MODES, Fake
from tests.hosted.fakes.base import KEY

from triptych.core.errors import ContentRefused, ProviderError, TriptychError
from triptych.hosted import catalogue, http
from triptych.hosted.account import Account
from triptych.hosted.errors import Busy, Moderated, NotRun, Spoilt, Unknown
from triptych.hosted.orders import generate

MODELS = {
    "openai": "openai/gpt-image-1.5",
    "google": "google/gemini-3-pro-image",
    "bfl": "bfl/flux-2-pro",
    "ark": "ark/seedream-4.5",
    "xai": "xai/grok-imagine",
    "dashscope": "dashscope/wan-2.7-image-pro",
}
OUTCOMES: dict[str, tuple[type[TriptychError] | None, str, bool | None]] = {
    "ok": (None, "done", True),
    "slow": (None, "done", True),
    "hang": (Unknown, "unknown", None),
    "hang after headers": (Unknown, "unknown", None),
    "drip": (Unknown, "unknown", None),
    "reset": (Unknown, "unknown", None),
    "busy once": (None, "done", True),
    "busy once without Retry-After": (None, "done", True),
    "busy for ever": (Busy, "failed", False),
    "out of credit": (NotRun, "failed", False),
    "bad key": (NotRun, "failed", False),
    "moderated": (Moderated, "failed", None),
    "server error": (ProviderError, "failed", None),
    "wrong JSON": (Spoilt, "failed", True),
    "not JSON": (Spoilt, "failed", True),
    "no picture": (Spoilt, "failed", True),
    "expired URL": (Spoilt, "failed", True),
    "flood": (Spoilt, "failed", True),
    "compressed": (Spoilt, "failed", True),
    "redirect": (NotRun, "failed", False),
    "picture redirects to a private address": (Spoilt, "failed", True),
    "picture is HTML": (Spoilt, "failed", True),
}
"""What has to come of each mode: the error, the job's state, and whether it was billed (None: nobody knows)."""
SILENT = ("hang", "hang after headers", "drip")
SMALL = {"openai": (1024, 1024), "bfl": (128, 128)}
FETCHES = ("openai", "ark", "xai", "bfl", "dashscope")
"""Google sends pictures inside the answer only; the others have addresses, always or by their word."""


def run(fake: Fake, account: Account, **fields: Any) -> Any:
    size = dict(zip(("width", "height"), SMALL[fake.name], strict=True)) if fake.name in SMALL else {}
    return generate("a fox in the snow", model=MODELS[fake.name], account=account, **size, **fields)


def test_every_mode_has_an_outcome() -> None:
    assert set(OUTCOMES) == set(MODES)


@pytest.mark.parametrize("mode", MODES)
def test_mode(fake: Fake, mode: str, account_of: Callable[..., Account]) -> None:
    if mode in ("expired URL", "picture redirects to a private address") and fake.name not in FETCHES:
        pytest.skip("it sends pictures inside its answer; there is no address to expire")
    fake.mode = mode
    account = account_of(fake, IMPATIENT) if mode in SILENT else account_of(fake)
    error, state, billed = OUTCOMES[mode]
    began = time.monotonic()
    if error is None:
        result = run(fake, account)
        assert np.array_equal(result.images[0].pixels, fake.painted[-1])
        assert result.images[0].recipe.grade == "none"
    else:
        with pytest.raises(error) as caught:
            run(fake, account)
        assert caught.value.exit_code == (5 if issubclass(error, ContentRefused) else 4)
        assert KEY not in str(caught.value)
        assert KEY[:9] not in str(caught.value)
    assert time.monotonic() - began < 30
    assert fake.bills <= 1
    assert not fake.forbidden, "the key, or a request, went where it must not"
    (job,) = account.ledger.jobs()
    assert (job.state, job.billed) == (state, billed), job.told
    assert job.is_open == (state == "unknown")
    for path in account.ledger.folder.rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes()


def test_what_was_paid_for_is_kept_as_it_came(fake: Fake, account_of: Callable[[Fake], Account]) -> None:
    account = account_of(fake)
    run(fake, account)
    (job,) = account.ledger.jobs()
    (path,) = job.pictures
    assert path.suffix == ".png"
    assert path.read_bytes().startswith(b"\x89PNG")


def test_several_pictures_differ_and_are_billed_as_asked(fake: Fake, account_of: Callable[[Fake], Account]) -> None:
    account = account_of(fake)
    result = run(fake, account, n=3)
    assert len(result.images) == 3
    assert len({image.recipe.pixels_sha256 for image in result.images}) == 3
    assert [image.recipe.index for image in result.images] == [0, 1, 2]
    calls = sum(1 for job in account.ledger.jobs() if job.state == "done")
    assert fake.bills == calls
    per_call = catalogue.find(MODELS[fake.name])[1].per_call
    assert calls == -(-3 // per_call)


def test_without_a_key_nothing_is_sent(fake: Fake, account_of: Callable[[Fake], Account]) -> None:
    account = Account(account_of(fake).ledger, {}, {fake.name: fake.base})
    with pytest.raises(ProviderError, match="triptych keys set"):
        run(fake, account)
    assert not fake.asked


def test_a_ceiling_below_the_estimate_sends_nothing(fake: Fake, account_of: Callable[[Fake], Account]) -> None:
    with pytest.raises(TriptychError, match="max_cost"):
        run(fake, account_of(fake), max_cost=0.0001)
    assert not fake.asked


def test_nobody_at_the_address_is_no_bill(fake: Fake, account_of: Callable[[Fake], Account]) -> None:
    account = account_of(fake)
    fake.__exit__()
    with pytest.raises(NotRun):
        run(fake, account)
    (job,) = account.ledger.jobs()
    assert (job.state, job.billed) == ("failed", False)


def test_a_full_disk_sends_nothing(fake: Fake, account_of: Callable[[Fake], Account], tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where the folder should be")
    with pytest.raises(TriptychError, match="nothing was sent"):
        run(fake, account_of(fake))
    assert not fake.asked


def test_the_client_is_the_only_module_that_opens_connections() -> None:
    folder = Path(http.__file__).parent
    users = {path.name for path in folder.glob("*.py") if "import httpx" in path.read_text()}
    assert users == {"http.py"}
