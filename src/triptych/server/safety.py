"""Who may ask, and how: every check that can be made before a body is read, as functions of a request's head.

The order is that of `WHO` and `WHAT`: size of the head, Host, Origin, token, content type, announced length. A route
that is added tomorrow is behind all of them; what may be reached without a token is the short list `OPEN`. Incidents of
others that each check answers are in the table of docs/server.md. Knows no route's meaning and no job.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import parse_qs

from triptych.server.errors import ApiError
from triptych.server.settings import Settings

OPEN = frozenset({"/health", "/ready", "/openapi.json"})
"""Reached without a token. They say nothing about anybody; `/metrics` joins them on loopback."""
METRICS = "/metrics"
PICTURES = "/v1/pictures/"
SAFE_METHODS = frozenset({"GET", "HEAD"})
SIGNED_SECONDS = 3600
"""How long the link of a picture works without a token: as long as OpenAI's."""
MAX_URL = 8192


@dataclass(frozen=True)
class Head:
    """What stands before the body. path: decoded; query: raw; headers: names in lower case, in order."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    scheme: str = "http"

    @classmethod
    def of(cls, scope: dict) -> Head:
        """The head in an ASGI scope."""
        headers = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"])
        query = scope["query_string"].decode("latin-1")
        return cls(scope["method"], scope["path"], query, headers, scope.get("scheme", "http"))

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    def one(self, name: str) -> str | None:
        """The header's value, None if it is not there. Two of one kind are read differently by two programs."""
        values = self.all(name)
        if len(values) > 1:
            raise ApiError(400, f"the header {name} is there {len(values)} times", code="invalid_header")
        return values[0] if values else None


@dataclass(frozen=True)
class Rules:
    """The settings that the checks need. multipart: the paths that take a form with pictures."""

    settings: Settings
    multipart: frozenset[str] = frozenset()


Check = Callable[[Head, Rules], None]


def check_size(head: Head, rules: Rules) -> None:
    """Few and short headers, and a path that is a path."""
    limits = rules.settings.limits
    size = sum(len(name) + len(value) for name, value in head.headers)
    if len(head.headers) > limits.headers or size > limits.header_bytes:
        message = f"{len(head.headers)} headers with {size} bytes; at most {limits.headers} and {limits.header_bytes}"
        raise ApiError(431, message, code="headers_too_large")
    if len(head.path) + len(head.query) > MAX_URL:
        raise ApiError(414, f"the address is longer than {MAX_URL} characters", code="url_too_long")
    if not head.path.startswith("/"):
        raise ApiError(400, "the request's target has to be a path", code="invalid_url")


def check_host(head: Head, rules: Rules) -> None:
    """Against DNS rebinding: a page's own name that resolves to this machine is still not one of our names."""
    host = head.one("host")
    name, port = _split_host(host or "")
    if name not in rules.settings.hosts or not _is_port(port):
        message = f"the host {(host or '')[:80]!r} is not one of this server's names; see --allow-host"
        raise ApiError(403, message, code="host_not_allowed")


def check_origin(head: Head, rules: Rules) -> None:
    """Against other web pages in the user's browser: only our own origin and the configured ones, never `null`."""
    origin, site = head.one("origin"), head.one("sec-fetch-site")
    if origin is not None:
        if origin in rules.settings.origins:
            return
        if origin != f"{head.scheme}://{head.one('host')}":
            raise ApiError(403, f"pages of {origin[:80]!r} may not ask here; see --origin", code="origin_not_allowed")
    if site is not None and site not in ("same-origin", "none"):
        raise ApiError(403, f"a {site[:20]!r} request is not taken; see --origin", code="origin_not_allowed")


def check_token(head: Head, rules: Rules) -> None:
    """The token as `Authorization: Bearer`. No cookie is ever looked at, so no page can borrow somebody's rights."""
    given = head.one("authorization")
    if needs_no_token(head.path, rules.settings):
        return
    is_picture = head.method in SAFE_METHODS and head.path.startswith(PICTURES)
    if given is None and is_picture and is_signed(head.path, head.query, rules.settings.token.value, time.time()):
        return
    scheme, _, token = (given or "").partition(" ")
    if scheme.lower() != "bearer" or not _equal(token.strip(), rules.settings.token.value):
        what = "the token is not the server's" if given else "a token is needed: Authorization: Bearer TOKEN"
        raise ApiError(401, what, code="invalid_api_key", headers={"www-authenticate": "Bearer"})


def check_content(head: Head, rules: Rules) -> None:
    """State changes by JSON, or by a form where pictures come in; never by what a plain HTML form can send.

    With the Authorization header, which no form can send either, a browser has to ask first (CORS preflight).
    """
    if head.one("content-encoding") not in (None, "identity"):
        raise ApiError(415, "compressed bodies are not taken")
    given = head.one("content-type")
    length = head.one("content-length")
    has_body = length not in (None, "0") or head.one("transfer-encoding") is not None
    if head.method in SAFE_METHODS or head.method == "OPTIONS":
        return
    kind = (given or "").partition(";")[0].strip().lower()
    wanted = "multipart/form-data" if head.path in rules.multipart else "application/json"
    if kind != wanted and (has_body or given is not None):
        raise ApiError(415, f"{kind[:80]!r} is not taken here: {wanted} is needed")


def check_length(head: Head, rules: Rules) -> None:
    """An announced length is refused before the first byte; what comes unannounced is counted by `middleware`."""
    given = head.one("content-length")
    if given is None:
        return
    if not (given.isascii() and given.isdigit()):
        raise ApiError(400, "content-length is not a number", code="invalid_header")
    if int(given[:20]) > body_limit(head, rules):
        raise too_large(body_limit(head, rules))


WHO: tuple[Check, ...] = (check_size, check_host, check_origin)
"""Before a browser's question whether it may ask (preflight), which never carries a token."""
WHAT: tuple[Check, ...] = (check_token, check_content, check_length)


def check(head: Head, rules: Rules, checks: tuple[Check, ...]) -> None:
    """In order; raises the first refusal as an `ApiError`."""
    for one in checks:
        one(head, rules)


def body_limit(head: Head, rules: Rules) -> int:
    """How many bytes the body may have."""
    limits = rules.settings.limits
    return limits.upload_bytes if head.path in rules.multipart else limits.json_bytes


def too_large(limit: int) -> ApiError:
    """The refusal of a body; the connection is closed, since nobody will read the rest."""
    message = f"the body is larger than the {limit} bytes that are taken here"
    return ApiError(413, message, headers={"connection": "close"})


def needs_no_token(path: str, settings: Settings) -> bool:
    return path in OPEN or (path == METRICS and settings.loopback)


def signed(path: str, token: str, now: float) -> str:
    """The path of a picture with a signature in its query, good for an hour: for `response_format: url`."""
    expires = int(now) + SIGNED_SECONDS
    return f"{path}?expires={expires}&signature={_signature(path, expires, token)}"


def is_signed(path: str, query: str, token: str, now: float) -> bool:
    """Whether the query holds a signature of this very path that has not run out."""
    try:
        fields = parse_qs(query, max_num_fields=8)
        (expires,), (signature,) = fields["expires"], fields["signature"]
    except (KeyError, ValueError):
        return False
    if not (expires.isascii() and expires.isdigit() and len(expires) <= 12) or int(expires) < now:
        return False
    return _equal(signature, _signature(path, int(expires), token))


def cors_headers(head: Head, settings: Settings) -> list[tuple[bytes, bytes]]:
    """Headers for a page of a configured origin; none for anybody else, and none at all unless configured."""
    origins = head.all("origin")
    if len(origins) != 1 or origins[0] not in settings.origins:
        return []
    return [
        (b"access-control-allow-origin", origins[0].encode("latin-1")),
        (b"access-control-expose-headers", b"x-request-id, retry-after, idempotent-replayed"),
        (b"vary", b"Origin"),
    ]


PREFLIGHT: tuple[tuple[bytes, bytes], ...] = (
    (b"access-control-allow-methods", b"GET, POST, DELETE"),
    (b"access-control-allow-headers", b"authorization, content-type, idempotency-key, last-event-id"),
    (b"access-control-max-age", b"600"),
)

SECURITY_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; sandbox"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)
"""On every answer, errors included. A page of our own sets its own content-security-policy, which then is kept."""


def with_security(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers of an answer with every security header that it does not set itself."""
    own = list(headers)
    names = {name.lower() for name, _ in own}
    extra = [(name, value) for name, value in SECURITY_HEADERS if name not in names]
    if b"cache-control" not in names:
        extra.append((b"cache-control", b"no-store"))
    return own + extra


def _split_host(host: str) -> tuple[str, str]:
    """Name and port of a Host header, the name in lower case; an IPv6 address keeps its brackets."""
    text = host.lower()
    if text.startswith("["):
        name, bracket, rest = text.partition("]")
        return name + bracket, rest
    name, colon, port = text.partition(":")
    return name, colon + port


def _is_port(text: str) -> bool:
    """Nothing, or a colon and a number that is a port."""
    digits = text[1:]
    return text == "" or (text[0] == ":" and digits.isascii() and digits.isdigit() and 0 < int(digits[:6]) <= 65535)


def _signature(path: str, expires: int, token: str) -> str:
    return hmac.new(token.encode(), f"picture {path} {expires}".encode(), hashlib.sha256).hexdigest()


def _equal(one: str, other: str) -> bool:
    """Compared in constant time; as bytes, since the comparison of text takes ASCII only."""
    return hmac.compare_digest(one.encode("utf-8", "surrogateescape"), other.encode())
