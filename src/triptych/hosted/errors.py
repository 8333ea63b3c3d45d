"""What can go wrong with a provider, by the one thing that matters afterwards: may it have cost money?

ProviderError (exit code 4, in `core.errors`)
├── NotRun          the provider did nothing: nothing was sent, or it said no
│   ├── Busy        ... and may be asked again after a while
│   └── Unreached   ... because no byte ever reached it
├── Spoilt          it answered, probably for money, with something that is not a picture
├── Lost            no answer came to a request that was sent
└── Unknown         a job of which nobody knows whether it ran, until the provider or a person says so
ContentRefused (exit code 5, in `core.errors`)
└── Moderated       the provider's content rules
"""

from __future__ import annotations

from triptych.core.errors import ContentRefused, ProviderError


class NotRun(ProviderError):
    pass


class Busy(NotRun):
    """retry_after: seconds, None where the provider does not say."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unreached(NotRun):
    pass


class Spoilt(ProviderError):
    pass


class Lost(ProviderError):
    pass


class Unknown(ProviderError):
    """job: the ledger's name for it."""

    def __init__(self, message: str, job: str) -> None:
        super().__init__(message)
        self.job = job


class Moderated(ContentRefused):
    pass
