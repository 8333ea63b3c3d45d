"""What a caller brings to use hosted models: keys, addresses, the ledger and how long to wait. Reads nothing itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from triptych.core.errors import ProviderError
from triptych.hosted.keys import VARIABLES, Secret
from triptych.hosted.ledger import Ledger
from triptych.hosted.messages import MAX_ANSWER
from triptych.hosted.provider import Provider, reach_of

if TYPE_CHECKING:
    from triptych.hosted.http import Client


@dataclass(frozen=True)
class Limits:
    """answer: seconds for one answer. whole: until a job that is polled has to be done. busy: longest wait, all told,
    for a provider that has too many requests. poll: between two questions about one job. fetch: for one picture.
    most_bytes: of an answer.
    """

    answer: float = 300.0
    whole: float = 600.0
    busy: float = 90.0
    poll: float = 1.5
    fetch: float = 120.0
    most_bytes: int = MAX_ANSWER


@dataclass(frozen=True)
class Account:
    """keys: by provider. bases: addresses that a person configured in place of the provider's own."""

    ledger: Ledger
    keys: Mapping[str, Secret] = field(default_factory=dict[str, Secret])
    bases: Mapping[str, str] = field(default_factory=dict[str, str])
    limits: Limits = Limits()

    def base(self, provider: Provider) -> str:
        return reach_of(provider, self.bases.get(provider.name)).base

    def client(self, provider: Provider) -> Client:
        """A client for one provider; `ProviderError` if there is no key, which says where one is looked for."""
        secret = self.keys.get(provider.name)
        if secret is None:
            variable = VARIABLES[provider.name][0]
            raise ProviderError(
                f"there is no key for {provider.title}: set {variable}, or run: triptych keys set {provider.name}"
            )
        try:
            from triptych.hosted.http import Client
        except ImportError:
            raise ProviderError("hosted models need httpx: pip install 'triptych[hosted]'") from None
        reach = reach_of(provider, self.bases.get(provider.name))
        return Client(reach, secret, provider.auth_header, auth_prefix=provider.auth_prefix)
