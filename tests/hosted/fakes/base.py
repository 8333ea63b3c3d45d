"""What all fakes share: sockets, the key, bills, pictures that depend on the request, and the ways to fail."""

from __future__ import annotations

import hashlib
import io
import json
import socket
import struct
import threading
import time
from abc import ABC, abstractmethod
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

import numpy as np
from PIL import Image

MODES = (
    "ok",
    "slow",
    "hang",
    "hang after headers",
    "drip",
    "reset",
    "busy once",
    "busy once without Retry-After",
    "busy for ever",
    "out of credit",
    "bad key",
    "moderated",
    "server error",
    "wrong JSON",
    "not JSON",
    "no picture",
    "expired URL",
    "flood",
    "compressed",
    "redirect",
    "picture redirects to a private address",
    "picture is HTML",
)
"""The last line of the suite names what has to come of each."""
KEY = "sk-canary-5d1f6c2e9a7b4830-Zq8"


class Fake(ABC):
    """One provider. mode: how it behaves. bills: jobs that it would charge for. asked: (method, path, body) so far.

    forbidden: keys and requests that came to the neighbour's door, where none should ever come. side: of pictures, the
    longer; 0 for the size that was asked.
    """

    name = ""
    variable = ""
    """The environment variable of its address."""
    key_variable = ""
    prefix = ""
    """What stands before its paths in the base address."""
    auth_header, auth_prefix = "Authorization", "Bearer "

    def __init__(self) -> None:
        self.mode = "ok"
        self.bills = 0
        self.asked: list[tuple[str, str, Any]] = []
        self.forbidden: list[tuple[str, dict[str, str]]] = []
        self.turned_away = 0
        self.sent_bytes = 0
        self.arrived = threading.Event()
        self.answered = threading.Event()
        self.painted: list[np.ndarray] = []
        self.paint = picture_of
        self.side = 96
        self._server = _serve(self._handle)
        self._neighbour = _serve(self._neighbours)

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def base(self) -> str:
        return self.origin + self.prefix

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        for server in (self._server, self._neighbour):
            server.shutdown()
            server.server_close()

    # What a provider's file says.

    @abstractmethod
    def route(self, handler: Handler) -> None:
        """Answer one request; `pay` first for the call that costs money."""

    @abstractmethod
    def error(self, handler: Handler, status: int, kind: str, message: str, headers: dict[str, str]) -> None:
        """Answer in the provider's form. kind: busy, poor, key, moderated or fault."""

    # What they share.

    def pay(self, handler: Handler) -> bool:
        """The mode's part of the call that costs money. True where the provider goes on to answer it properly."""
        self.arrived.set()
        key = handler.headers.get(self.auth_header, "")
        if self.mode == "bad key" or key != self.auth_prefix + KEY:
            self.error(
                handler, 401, "key", f"Incorrect API key provided: {key}. Also known as {KEY[:9]}*****{KEY[-4:]}", {}
            )
            return False
        if self.mode.startswith("busy"):
            self.turned_away += 1
            if self.mode == "busy for ever" or self.turned_away == 1:
                headers = {"Retry-After": "0" if self.mode == "busy once" else "3600"}
                self.error(handler, 429, "busy", "slow down", {} if "without" in self.mode else headers)
                return False
        if self.mode == "out of credit":
            self.error(handler, 429, "poor", "you have no credit left", {})
            return False
        if self.mode == "moderated":
            self.error(handler, 400, "moderated", "your request was rejected by the safety system", {})
            return False
        if self.mode == "redirect":
            handler.reply(307, b"", {"Location": f"http://127.0.0.1:{self._neighbour.server_port}/stolen"})
            return False
        self.bills += 1
        if self.mode == "slow":
            time.sleep(0.3)
        if self.mode == "hang":
            self.answered.wait(20)
            return False
        if self.mode == "hang after headers":
            handler.send_response(200)
            handler.send_header("Content-Type", "application/json")
            handler.send_header("Content-Length", "1000")
            handler.end_headers()
            self.answered.wait(20)
            return False
        if self.mode == "drip":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
            while not self.answered.wait(0.1):
                handler.wfile.write(b"z")
            return False
        if self.mode == "reset":
            handler.reset()
            return False
        if self.mode == "server error":
            self.error(handler, 500, "fault", "something broke", {})
            return False
        if self.mode == "wrong JSON":
            handler.json(200, {"unexpected": [1, {"two": None}]})
            return False
        if self.mode == "not JSON":
            handler.reply(200, b"<html>maintenance</html>", {"Content-Type": "text/html"})
            return False
        if self.mode == "compressed":
            handler.reply(
                200, b"\x1f\x8b" + b"\0" * 64, {"Content-Type": "application/json", "Content-Encoding": "gzip"}
            )
            return False
        if self.mode == "flood":
            handler.flood()
            return False
        return True

    @property
    def by_address(self) -> bool:
        """Whether the mode is about pictures that have to be fetched."""
        return self.mode in ("expired URL", "picture redirects to a private address")

    def file(self, handler: Handler, data: bytes) -> None:
        """Answer the request for a picture's address."""
        if handler.headers.get(self.auth_header):
            self.forbidden.append((handler.path, dict(handler.headers)))
        if self.mode == "expired URL":
            handler.reply(403, b"<Error><Code>AccessDenied</Code></Error>", {"Content-Type": "application/xml"})
        elif self.mode == "picture redirects to a private address":
            handler.reply(302, b"", {"Location": f"http://127.0.0.1:{self._neighbour.server_port}/metadata"})
        else:
            handler.reply(200, data, {"Content-Type": "image/png"})

    def bytes_of(self, prompt: str, size: tuple[int, int], index: int) -> bytes:
        """The file of one picture, or what stands in its place."""
        if self.mode == "picture is HTML":
            return b"<!doctype html><title>Sign in</title>"
        pixels = self.paint(prompt, self.shown(size), index)
        self.painted.append(pixels)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG")
        return buffer.getvalue()

    def shown(self, size: tuple[int, int]) -> tuple[int, int]:
        """The size that a picture comes in: the one that was asked, made small, so that tests are fast."""
        factor = max(size) / self.side if self.side else 1
        return round(size[0] / factor), round(size[1] / factor)

    def _handle(self, handler: Handler) -> None:
        self.asked.append((handler.command, handler.path, handler.content()))
        self.route(handler)

    def _neighbours(self, handler: Handler) -> None:
        """What must never be reached: another service on this machine."""
        self.forbidden.append((handler.path, dict(handler.headers)))
        handler.reply(200, b"secret metadata", {})


def picture_of(prompt: str, size: tuple[int, int], index: int) -> np.ndarray:
    """A picture that depends on all that is asked: smooth, so that it can be aligned."""
    seed = int.from_bytes(hashlib.sha256(f"{prompt}/{index}".encode()).digest()[:4], "big")
    coarse = np.random.default_rng(seed).integers(0, 255, (6, 6, 3), np.uint8)
    return np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC))


class Handler(BaseHTTPRequestHandler):
    """One connection, with the few things that fakes answer with."""

    protocol_version = "HTTP/1.1"
    answer: Any = None
    _content: Any = None

    def content(self) -> Any:
        """The body: JSON decoded, a form as {name: [text or bytes]}, else None. Read once."""
        if self._content is None:
            length = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(length)
            kind = self.headers.get("Content-Type", "")
            if kind.startswith("application/json"):
                self._content = json.loads(raw)
            elif kind.startswith("multipart/form-data"):
                self._content = _form(kind, raw)
            else:
                self._content = {}
        return self._content

    def reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def json(self, status: int, data: Any, headers: dict[str, str] | None = None) -> None:
        self.reply(status, json.dumps(data).encode(), {"Content-Type": "application/json", **(headers or {})})

    def flood(self) -> None:
        """5 GB, as long as anybody reads."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        block = b" " * 2**20
        for _ in range(5 * 1024):
            self.wfile.write(b"100000\r\n" + block + b"\r\n")

    def reset(self) -> None:
        """RST in place of an answer."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def do_GET(self) -> None:
        self.close_connection = True
        self.answer(self)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *arguments: Any) -> None:
        return None

    def finish(self) -> None:
        try:
            super().finish()
        except (OSError, ValueError):
            return

    @property
    def place(self) -> str:
        return urlsplit(self.path).path


def _serve(answer: Any) -> ThreadingHTTPServer:
    kind = type("Bound", (Handler,), {"answer": staticmethod(answer)})
    server = _Quiet(("127.0.0.1", 0), kind)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        return None  # the client went away, as some modes want it to


def _form(kind: str, raw: bytes) -> dict[str, list[Any]]:
    parsed = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + raw)
    fields: dict[str, list[Any]] = {}
    for part in parsed.get_payload():
        name = part.get_param("name", header="content-disposition")
        data = part.get_payload(decode=True)
        is_file = part.get_filename() is not None
        fields.setdefault(str(name), []).append(data if is_file else data.decode())
    return fields
