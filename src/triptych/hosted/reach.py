"""Where a provider may be reached, and which addresses are nobody's business.

Outgoing requests go to the provider's origin, and for pictures to the hosts that its documentation names, by https.
What a name leads to is looked at on the connected socket, so that no trick with names helps: only addresses of the
public internet, but for an origin that a person configured (a gateway in the house, a test). Sends nothing itself.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from triptych.core.errors import InvalidRequest
from triptych.hosted.errors import NotRun

NAT64 = ipaddress.ip_network("64:ff9b::/96")
PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True)
class Origin:
    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Origin:
        """The origin of an absolute http(s) URL; raises `ValueError` for anything else, or with a user in it."""
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname or parts.username is not None or parts.password is not None:
            raise ValueError("not a plain http or https address")
        return cls(parts.scheme, parts.hostname.lower().rstrip("."), parts.port or PORTS[parts.scheme])


@dataclass(frozen=True)
class Reach:
    """base: the API's address. configured: a person named it. key_hosts: further hosts that may see the key, as
    suffixes such as ".bfl.ai"; picture_hosts: those that pictures are fetched from, without it.
    """

    base: str
    configured: bool = False
    key_hosts: tuple[str, ...] = ()
    picture_hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        try:
            origin = Origin.of(self.base)
        except ValueError as error:
            raise InvalidRequest("base_url", f"{self.base[:80]!r} is not allowed: {error}") from None
        if origin.scheme == "http" and not self.is_own(self.base):
            raise InvalidRequest("base_url", f"{self.base[:80]!r} is not allowed: a key only travels by https")

    @property
    def origin(self) -> Origin:
        return Origin.of(self.base)

    def is_own(self, url: str) -> bool:
        """Whether this is the very origin that a person configured: there, and only there, any address may answer."""
        return self.configured and Origin.of(url) == self.origin

    def may_see_key(self, url: str) -> bool:
        """The API's own origin, and the hosts beside it that the provider's polling addresses lie on."""
        return Origin.of(url) == self.origin or self._is_under(url, self.key_hosts)

    def check(self, url: str) -> None:
        """Raise `NotRun` for an address that this provider has no business to send us to."""
        try:
            allowed = Origin.of(url) == self.origin or self._is_under(url, (*self.key_hosts, *self.picture_hosts))
            shown = Origin.of(url).host
        except ValueError as error:
            raise NotRun(f"the provider named an address that is {error}; it was not asked") from None
        if not allowed:
            raise NotRun(f"the provider named an address on {shown}, which is not one of its own; it was not asked")

    def check_peer(self, url: str, address: str) -> None:
        """Raise `NotRun` if the socket is connected to an address that is not of the public internet."""
        if not self.is_own(url) and not is_public(address):
            host = Origin.of(url).host
            raise NotRun(f"{host} leads to {address}, which is not an address of the public internet; nothing was sent")

    def _is_under(self, url: str, suffixes: tuple[str, ...]) -> bool:
        origin = Origin.of(url)
        return origin.scheme == "https" and origin.port == 443 and origin.host.endswith(suffixes)


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet, looking through the forms that carry an IPv4 address."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is None and ip in NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast
