"""How a server is set up: frozen, checked once, and shown by `triptych serve --print-config` without the secret.

Knows no environment: `cli.serve` reads that. Loopback is the default; another address needs a token that somebody has
put there on purpose.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triptych.core.errors import InvalidRequest
from triptych.server.keys import Token

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
LOG_LEVELS = ("debug", "info", "warning", "error")
MIB = 2**20
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]+\]")
_ORIGIN = re.compile(r"https?://([a-z0-9][a-z0-9.-]{0,251}|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")


@dataclass(frozen=True)
class Limits:
    """What is taken at most, checked before it is read. bytes of a body, parts of a form, headers of a request.

    open_requests: answers under way at once, event streams included. body_seconds: how long a client may pause while
    it sends a body.
    """

    json_bytes: int = MIB
    upload_bytes: int = 64 * MIB
    files: int = 17
    fields: int = 40
    field_bytes: int = 64 * 1024
    headers: int = 100
    header_bytes: int = 32 * 1024
    open_requests: int = 2048
    body_seconds: float = 30.0


@dataclass(frozen=True)
class Settings:
    """host, port: where to listen. allowed_hosts: names that a request's Host may have, beside the loopback's.

    origins: web pages of other origins that may call (CORS); none by default. database: a `postgresql+psycopg://`
    address instead of SQLite in the folder. workers: processes that hold the models. grace: seconds that running jobs
    get to finish after SIGTERM. heartbeat: seconds between comments that keep an event stream open.
    """

    folder: Path
    token: Token
    host: str = "127.0.0.1"
    port: int = 8765
    allowed_hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    database: str | None = None
    workers: int = 1
    log_level: str = "info"
    grace: float = 30.0
    heartbeat: float = 15.0
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise InvalidRequest("port", f"{self.port} is not allowed: 0 to 65535")
        if self.log_level not in LOG_LEVELS:
            raise InvalidRequest("log-level", f"{self.log_level!r} is not known (allowed: {', '.join(LOG_LEVELS)})")
        if not 1 <= self.workers <= 64:
            raise InvalidRequest("workers", f"{self.workers} is not allowed: 1 to 64")
        if not 0 <= self.grace <= 3600:
            raise InvalidRequest("grace", f"{self.grace:g} is not allowed: 0 to 3600 seconds")
        for name in self.allowed_hosts:
            if not _NAME.fullmatch(name):
                raise InvalidRequest("allow-host", f"{name!r} is not a host's name: write it without port, lower case")
        for origin in self.origins:
            if not _ORIGIN.fullmatch(origin):
                raise InvalidRequest("origin", f"{origin!r} is not an origin: for example https://studio.example.org")

    @property
    def loopback(self) -> bool:
        return is_loopback(self.host)

    @property
    def hosts(self) -> frozenset[str]:
        """Every name that a Host header may have. A wildcard address is no name that anybody should call."""
        own = () if _is_wildcard(self.host) else (_bracketed(self.host.lower()),)
        return frozenset((*LOOPBACK_NAMES, *own, *self.allowed_hosts))

    def as_json(self) -> dict[str, Any]:
        """What `--print-config` shows: where the token comes from, never the token."""
        shown = {name: value for name, value in vars(self).items() if name not in ("token", "limits", "folder")}
        return {
            "folder": str(self.folder),
            "token": self.token.source,
            **shown,
            "database": _without_password(self.database) if self.database else f"sqlite in {self.folder}",
            "hosts": sorted(self.hosts),
            "limits": vars(self.limits),
        }


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address. A name counts only if it is `localhost`: others may move."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_wildcard(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _without_password(url: str) -> str:
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", url)
