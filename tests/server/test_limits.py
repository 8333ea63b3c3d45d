"""Limits on the wire, with raw sockets where a client library is too polite."""

from __future__ import annotations

import os
import resource
import socket
import time
from contextlib import suppress
from pathlib import Path

import httpx2 as httpx

from triptych.server.settings import Limits

from .conftest import TOKEN, Live, serving


def raw(live: Live, data: bytes, *, pause: float = 0.0, timeout: float = 10) -> bytes:
    """Everything that comes back for these bytes, until the server closes or nothing comes for `timeout` seconds."""
    host, _, port = live.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout) as connection:
        connection.sendall(data)
        if pause:
            time.sleep(pause)
        answer = b""
        try:
            while chunk := connection.recv(65536):
                answer += chunk
                if b"\r\n\r\n" in answer and b'"error"' in answer:
                    break
        except (TimeoutError, ConnectionResetError):
            pass
        return answer


def head(live: Live, *lines: str, path: str = "/v1/jobs", method: str = "POST") -> bytes:
    host = live.url.removeprefix("http://")
    whole = (f"{method} {path} HTTP/1.1", f"Host: {host}", f"Authorization: Bearer {TOKEN}", *lines, "", "")
    return "\r\n".join(whole).encode("latin-1")


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def test_an_announced_length_is_refused_before_the_body(live: Live) -> None:
    json = head(live, "Content-Type: application/json", f"Content-Length: {2**20 + 1}")
    assert status(raw(live, json)) == 413
    form = head(
        live, "Content-Type: multipart/form-data; boundary=x", f"Content-Length: {10**18}", path="/v1/images/edits"
    )
    answer = raw(live, form)
    assert status(answer) == 413
    assert b"connection: close" in answer.lower()
    for wrong in ("-1", "1e3", "0x10", "1, 2", "\u00b2"):
        answer = raw(live, head(live, "Content-Type: application/json", f"Content-Length: {wrong}"))
        assert status(answer) == 400


def test_an_endless_body_costs_no_memory(live: Live) -> None:
    """Chunks without an announced length: the connection ends at the limit, whatever else would come."""
    host, _, port = live.url.removeprefix("http://").partition(":")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    lines = ("Content-Type: multipart/form-data; boundary=x", "Transfer-Encoding: chunked")
    part = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
    block = os.urandom(2**20)
    sent = 0
    with socket.create_connection((host, int(port)), 20) as connection:
        connection.sendall(head(live, *lines, path="/v1/images/edits"))
        connection.sendall(b"%x\r\n%s\r\n" % (len(part), part))
        with suppress(BrokenPipeError, ConnectionResetError):
            while sent < 1000:
                connection.sendall(b"%x\r\n%s\r\n" % (len(block), block))
                sent += 1
    assert sent <= Limits().upload_bytes / 2**20 + 32
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert (after - before) / 1024 < 64


def test_a_body_that_stops_coming_is_given_up(live: Live) -> None:
    started = time.monotonic()
    answer = raw(live, head(live, "Content-Type: application/json", "Content-Length: 100") + b'{"kind"')
    assert status(answer) == 408
    assert time.monotonic() - started < 5


def test_heads(live: Live, client: httpx.Client) -> None:
    assert client.get("/v1/jobs", headers={f"x-{n}": "y" for n in range(120)}).status_code == 431
    assert client.get("/v1/jobs", headers={"x-long": "y" * 40_000}).status_code == 431
    assert client.get("/v1/jobs", params={"q": "y" * 9000}).status_code == 414
    assert status(raw(live, head(live, "X-Long: " + "y" * 200_000, method="GET"))) in (400, 431)
    assert status(raw(live, b"nonsense\r\n\r\n")) == 400


def test_two_of_one_kind(live: Live) -> None:
    """What two programs in a row may read differently."""
    host = live.url.removeprefix("http://")
    for lines in (
        (f"Host: {host}",),
        ("Authorization: Bearer other",),
        ("Origin: http://a", "Origin: http://b"),
        ("Content-Type: application/json", "Content-Type: text/plain"),
    ):
        assert status(raw(live, head(live, *lines, "Content-Length: 2") + b"{}")) in (400, 403), lines
    assert status(raw(live, head(live, "Content-Length: 2", "Transfer-Encoding: chunked") + b"{}")) in (400, 415)


def test_targets_that_are_no_paths(live: Live) -> None:
    for target in (
        "http://evil.com/v1/jobs",
        "evil.com:80",
        "*",
        "//evil.com/v1/jobs",
        "/v1/jobs/../jobs",
        "\\v1\\jobs",
    ):
        answer = raw(live, head(live, method="GET", path=target))
        assert 400 <= status(answer) < 500, target
    assert status(raw(live, head(live, method="CONNECT", path="evil.com:443"))) >= 400


def test_compressed_bodies_are_not_taken(client: httpx.Client, live: Live) -> None:
    before = live.service.changes
    for kind in ("gzip", "deflate", "br", "zstd", "identity, gzip"):
        headers = {"content-type": "application/json", "content-encoding": kind}
        assert client.post("/v1/jobs", content=b"x" * 100, headers=headers).status_code == 415
    assert live.service.changes == before


def test_forms_of_too_many_parts(client: httpx.Client) -> None:
    started = time.monotonic()
    fields = {f"f{n}": "x" for n in range(10_000)}
    assert client.post("/v1/images/edits", data=fields, files={"image": b"x"}).status_code == 413
    files = [("image[]", (f"{n}.png", b"x")) for n in range(1000)]
    assert client.post("/v1/images/edits", data={"prompt": "a"}, files=files).status_code == 413
    long = client.post("/v1/images/edits", data={"prompt": "x" * 2**20}, files={"image": b"x"})
    assert long.status_code == 413
    assert time.monotonic() - started < 10


def test_no_websocket(live: Live) -> None:
    upgrade = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: YWJjZA==")
    assert status(raw(live, head(live, *upgrade, method="GET", path="/v1/events"))) == 404


def test_more_open_requests_than_allowed(tmp_path: Path) -> None:
    with serving(tmp_path, limits=Limits(open_requests=2)) as live, live.client() as client:
        id = client.post("/v1/jobs", json={"kind": "generate", "request": {"prompt": "slow"}}).json()["id"]
        streams = [client.stream("GET", f"/v1/jobs/{id}/events") for _ in range(2)]
        for stream in streams:
            stream.__enter__()
        refused = client.get("/v1/jobs")
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "overloaded")
        assert client.get("/health").status_code == 200
        for stream in streams:
            stream.__exit__(None, None, None)


def test_cors_only_where_configured(tmp_path: Path) -> None:
    with serving(tmp_path, origins=("https://studio.example",)) as live, live.client() as client:
        asked = {"origin": "https://studio.example", "sec-fetch-site": "cross-site"}
        answer = client.get("/v1/jobs", headers=asked)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "https://studio.example"
        assert answer.headers["vary"] == "Origin"
        with live.stranger() as stranger:
            preflight = stranger.options("/v1/jobs", headers={**asked, "access-control-request-method": "POST"})
            assert preflight.status_code == 204
            assert "authorization" in preflight.headers["access-control-allow-headers"]
            refused = stranger.get("/v1/jobs", headers=asked)
            assert refused.status_code == 401
            assert refused.headers["access-control-allow-origin"] == "https://studio.example"
            other = stranger.options("/v1/jobs", headers={"origin": "https://evil.example"})
            assert other.status_code == 403
            assert "access-control-allow-origin" not in other.headers
