"""Frames between a process and its child: a JSON header and raw bytes, over a socket pair. Nothing here is pickled.

    4 bytes  length of the header, big-endian
    header   {"kind": str, "fields": {...}, "blobs": [length, ...]}, UTF-8
    blobs    one after another

Both ends hold what comes to the same bounds: a child that was taken over through a picture must not be able to make its
parent allocate without limit. Knows no command and no event.
"""

from __future__ import annotations

import json
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

MAX_HEADER = 4 * 2**20
MAX_BLOBS = 128
MAX_BLOB_BYTES = 512 * 2**20
"""All blobs of a frame together: a picture of 64 million pixels with alpha, and some."""


class WireError(Exception):
    """The other end is gone, or says what no end of ours would say."""


@dataclass(frozen=True)
class Frame:
    kind: str
    fields: dict[str, Any] = field(default_factory=dict[str, Any])
    blobs: tuple[bytes, ...] = ()


class Channel:
    """One end. `send` may be called from any thread; `receive` from one at a time."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._sending = threading.Lock()

    @classmethod
    def pair(cls) -> tuple[Channel, socket.socket]:
        """Our end, and the raw one for a child to inherit."""
        ours, theirs = socket.socketpair()
        return cls(ours), theirs

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, frame: Frame) -> None:
        """Raises `WireError` if the other end is gone or the frame is beyond the bounds."""
        lengths = [len(blob) for blob in frame.blobs]
        head = {"kind": frame.kind, "fields": frame.fields, "blobs": lengths}
        header = json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode()
        _check(len(header), lengths)
        try:
            with self._sending:
                self._socket.sendall(len(header).to_bytes(4, "big") + header)
                for blob in frame.blobs:
                    self._socket.sendall(blob)
        except OSError as error:
            raise WireError(f"the other end is gone: {error}") from None

    def receive(self) -> Frame | None:
        """The next frame; None where the other end has closed between two frames. Raises `WireError`."""
        start = self._read(4, at_border=True)
        if start is None:
            return None
        length = int.from_bytes(start, "big")
        _check(length, [])
        kind, fields, lengths = _parsed(self._rest(length))
        _check(length, lengths)
        return Frame(kind, fields, tuple(self._rest(each) for each in lengths))

    def close(self) -> None:
        """End both directions; a thread that waits in `receive` wakes."""
        with suppress(OSError):  # the other end was faster
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _rest(self, length: int) -> bytes:
        data = self._read(length, at_border=False)
        return data or b""

    def _read(self, length: int, *, at_border: bool) -> bytes | None:
        data = bytearray(length)
        view, filled = memoryview(data), 0
        while filled < length:
            try:
                count = self._socket.recv_into(view[filled:])
            except OSError as error:
                raise WireError(f"the other end is gone: {error}") from None
            if not count:
                if at_border and not filled:
                    return None
                raise WireError(f"the other end is gone: {filled} of {length} bytes came")
            filled += count
        return bytes(data)


def _check(header: int, lengths: list[int]) -> None:
    if header > MAX_HEADER:
        raise WireError(f"a frame's header has {header} bytes; {MAX_HEADER} are allowed")
    if len(lengths) > MAX_BLOBS or sum(lengths) > MAX_BLOB_BYTES or min(lengths, default=0) < 0:
        raise WireError(f"a frame has {len(lengths)} blobs of {sum(lengths)} bytes, which is too much")


def _parsed(header: bytes) -> tuple[str, dict[str, Any], list[int]]:
    try:
        data: Any = json.loads(header)
        kind, fields, lengths = data["kind"], data["fields"], data["blobs"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise WireError(f"a frame's header cannot be read: {error}") from None
    whole = isinstance(lengths, list) and all(type(one) is int for one in cast("list[Any]", lengths))
    if not (isinstance(kind, str) and isinstance(fields, dict) and whole):
        raise WireError("a frame's header is not of the known form")
    return kind, cast("dict[str, Any]", fields), cast("list[int]", lengths)
