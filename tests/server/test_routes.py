"""Every route against every way to get in: generated from the table of routes, so that a new one is covered at once."""

from __future__ import annotations

from pathlib import Path

import httpx2 as httpx
import pytest

from triptych.server.app import MULTIPART, create_app
from triptych.server.safety import SECURITY_HEADERS

from .conftest import TOKEN, Live, serving, settings_for
from .fakes import FakeService
from .table import SAFE, Entry, entries

TABLE = list(entries(create_app(FakeService(Path("unused")), settings_for(Path("unused")))))
every_route = pytest.mark.parametrize("entry", TABLE, ids=lambda entry: f"{entry.method} {entry.template}")
CHANGES = [entry for entry in TABLE if entry.changes]
every_change = pytest.mark.parametrize("entry", CHANGES, ids=lambda entry: f"{entry.method} {entry.template}")

NO_TOKEN_NEEDED = {"/health", "/ready", "/openapi.json", "/metrics"}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "GETX")
HOSTS = (
    "evil.com",
    "127.0.0.1.nip.io",
    "localhost.",
    "localhost.evil.com",
    "evil.com:80",
    "127.0.0.1:80@evil.com",
    "0.0.0.0",
    "127.0.0.2",
    "127.1",
    "[::]",
    "[::1",
    "[::1].evil.com",
    "::1",
    "localhost:99999",
    "localhost:x",
    "localhost:",
    "localhost:80:80",
    "localhost evil.com",
    "local\u00adhost",
    "",
)
ORIGINS = (
    "null",
    "http://evil.com",
    "http://127.0.0.1",
    "http://127.0.0.1:1",
    "https://{host}",
    "http://{host}.evil.com",
    "http://user@{host}",
    "HTTP://{host}",
    "http://{host}/",
    "http://{host}:99999",
    "file://",
    "chrome-extension://abcdef",
    "",
)
REAL = {entry.path for entry in TABLE if entry.method == "GET"}
FORMS = (
    "application/x-www-form-urlencoded",
    "text/plain",
    "text/plain; charset=application/json",
    "",
    "application/xml",
)


@every_route
def test_nobody_without_the_token(entry: Entry, live: Live) -> None:
    before = live.service.changes
    wrong = (
        "",
        "Bearer",
        "Bearer x",
        f"Basic {TOKEN}",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"bearer{TOKEN}",
        "Bearer é",
    )
    with live.stranger() as client:
        answers = [client.request(entry.method, entry.path)]
        answers += [
            client.request(entry.method, entry.path, headers={"authorization": one.encode("latin-1")}) for one in wrong
        ]
    statuses = {answer.status_code for answer in answers}
    if entry.template in NO_TOKEN_NEEDED:
        assert statuses == {200}
    else:
        assert statuses == {401}
        assert all(answer.headers["www-authenticate"] == "Bearer" for answer in answers)
    assert live.service.changes == before


@every_route
def test_no_other_host(entry: Entry, live: Live, client: httpx.Client) -> None:
    before = live.service.changes
    for host in HOSTS:
        answer = client.request(entry.method, entry.path, headers={"host": host.encode("latin-1")})
        assert answer.status_code in (400, 403), host
    spoofed = {"x-forwarded-host": "evil.com", "forwarded": "host=evil.com"}
    assert client.request("GET", "/health", headers=spoofed).status_code == 200
    assert live.service.changes == before


@every_route
def test_no_other_origin(entry: Entry, live: Live, client: httpx.Client) -> None:
    before = live.service.changes
    host = live.url.removeprefix("http://")
    for origin in ORIGINS:
        answer = client.request(entry.method, entry.path, headers={"origin": origin.format(host=host)})
        assert answer.status_code == 403, origin
        assert not [name for name in answer.headers if name.startswith("access-control")]
    for site in ("cross-site", "same-site", "", "CROSS-SITE", "nonsense"):
        assert client.request(entry.method, entry.path, headers={"sec-fetch-site": site}).status_code == 403, site
    assert live.service.changes == before


def test_our_own_origin_may_ask(live: Live, client: httpx.Client) -> None:
    for site in ("same-origin", "none"):
        assert client.get("/v1/jobs", headers={"origin": live.url, "sec-fetch-site": site}).status_code == 200


@every_change
def test_no_change_by_what_a_form_can_send(entry: Entry, live: Live, client: httpx.Client) -> None:
    before = live.service.changes
    for kind in FORMS if entry.path in MULTIPART else (*FORMS, "multipart/form-data; boundary=x"):
        answer = client.request(entry.method, entry.path, content=b'{"prompt":"a fox"}', headers={"content-type": kind})
        assert answer.status_code == 415, kind
    if entry.path in MULTIPART:
        answer = client.request(entry.method, entry.path, json={"prompt": "a fox"})
        assert answer.status_code == 415
    assert live.service.changes == before


def test_only_the_methods_of_the_table(live: Live, client: httpx.Client) -> None:
    """By template, since two routes may share an address. No method in a deny-list, and none forgotten."""
    allowed: dict[str, set[str]] = {}
    for entry in TABLE:
        allowed.setdefault(entry.path, set()).add(entry.method)
    before = live.service.changes
    for path, methods in allowed.items():
        for method in set(METHODS) - methods:
            kind = "multipart/form-data; boundary=x" if path in MULTIPART else "application/json"
            answer = client.request(method, path, headers={} if method in SAFE else {"content-type": kind})
            assert answer.status_code == 405, (method, path)
            assert set(answer.headers["allow"].split(", ")) == methods
    assert live.service.changes == before


@every_route
def test_headers_of_every_answer(entry: Entry, live: Live, client: httpx.Client) -> None:
    with live.stranger() as stranger:
        found = [stranger.request(entry.method, entry.path)]
    if not entry.template.endswith("/events"):
        found.append(client.request(entry.method, entry.path))
    for answer in found:
        for name, value in SECURITY_HEADERS:
            assert answer.headers[name.decode()] == value.decode()
        assert answer.headers["x-request-id"].startswith("req_")
        assert "server" not in answer.headers
        if answer.status_code >= 400 and entry.method != "HEAD":
            assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


def hostile_names() -> list[str]:
    """A thousand names that lead out of a folder in one reader or another."""
    steps = ("..", "%2e%2e", "%252e%252e", "..%c0%af", "..%00", "....", ".%2e", "..;", "..\\", "%5c..", "%ff..")
    targets = (
        "canary",
        "etc/passwd",
        "keys.json",
        "triptych.db",
        "windows/win.ini",
        "C:canary",
        "con",
        "canary.png%00.jpg",
    )
    joints = ("/", "%2f", "%252f", "\\", "%5c", "%u2215", "//", "/./")
    tails = ("", "/", "%00", "::$DATA", ".", "%20", "?x", "#y")
    names = [
        joint.join([step] * depth + [target]) + tails[(depth + len(target)) % len(tails)]
        for step in steps
        for target in targets
        for joint in joints
        for depth in (1, 3)
    ]
    return names[:1000]


def test_a_thousand_hostile_names(tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    canary = tmp_path / "canary"
    canary.write_text("CANARY")
    with serving(root) as live, live.client() as client:
        named = [entry for entry in TABLE if "{" in entry.template]
        assert {entry.template for entry in named} >= {"/v1/jobs/{id}", "/v1/pictures/{id}/{index}"}
        names = hostile_names()
        assert len(set(names)) == 1000
        for entry in named:
            start, rest = entry.template.partition("{")[0], entry.template.rpartition("}")[2]
            headers = {"content-type": "application/json"} if entry.changes else {}
            for name in names:
                answer = client.request(entry.method, f"{start}{name}{rest}", headers=headers)
                # Some of them lead, by the rules of addresses, to another route that is really there.
                assert 400 <= answer.status_code < 500 or answer.url.path in REAL, (entry, name)
                assert "CANARY" not in answer.text
        assert live.service.changes == 0
    assert canary.read_text() == "CANARY"
