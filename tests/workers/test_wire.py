"""Frames: what goes in comes out, and what is no frame is refused within its bounds."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triptych.workers import wire
from triptych.workers.wire import Channel, Frame, WireError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


def ends() -> tuple[Channel, socket.socket]:
    return Channel.pair()


@given(
    kind=st.text(max_size=20),
    fields=st.dictionaries(st.text(max_size=8), JSON, max_size=5),
    blobs=st.lists(st.binary(max_size=300_000), max_size=4),
)
def test_a_frame_comes_out_as_it_went_in(kind: str, fields: dict[str, Any], blobs: list[bytes]) -> None:
    ours, theirs = ends()
    sent = Frame(kind, fields, tuple(blobs))
    thread = threading.Thread(target=ours.send, args=(sent,))  # more than a socket buffers
    thread.start()
    other = Channel(theirs)
    assert other.receive() == sent
    thread.join()
    ours.close()
    assert other.receive() is None
    other.close()


@given(data=st.binary(max_size=200))
def test_bytes_that_are_no_frame_are_refused(data: bytes) -> None:
    ours, theirs = ends()
    theirs.sendall(data)
    theirs.close()
    try:
        while (frame := ours.receive()) is not None:
            assert isinstance(frame, Frame)
    except WireError:
        pass
    ours.close()


@pytest.mark.parametrize(
    "header",
    [
        b'{"kind": 1, "fields": {}, "blobs": []}',
        b'{"kind": "a", "fields": [], "blobs": []}',
        b'{"kind": "a", "fields": {}, "blobs": [-1]}',
        b'{"kind": "a", "fields": {}, "blobs": [true]}',
        b'{"kind": "a", "fields": {}, "blobs": [999999999999]}',
        b'{"kind": "a", "fields": {}, "blobs": ' + str([0] * 1000).encode() + b"}",
        b'{"kind": "a"}',
        b"[]",
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_a_header_of_another_form_is_refused(header: bytes) -> None:
    ours, theirs = ends()
    threading.Thread(target=theirs.sendall, args=(len(header).to_bytes(4, "big") + header,)).start()
    with pytest.raises(WireError):
        ours.receive()
    ours.close()
    theirs.close()


def test_a_length_beyond_the_bound_allocates_nothing() -> None:
    ours, theirs = ends()
    theirs.sendall((wire.MAX_HEADER + 1).to_bytes(4, "big"))
    with pytest.raises(WireError, match="are allowed"):
        ours.receive()
    ours.close()
    theirs.close()


def test_too_much_is_refused_before_it_is_sent() -> None:
    ours, theirs = ends()
    with pytest.raises(WireError):
        ours.send(Frame("a", {"text": "x" * (wire.MAX_HEADER + 1)}))
    theirs.setblocking(False)
    with pytest.raises(BlockingIOError):
        theirs.recv(1)
    ours.close()
    theirs.close()


def test_an_end_in_the_middle_of_a_frame_is_told() -> None:
    ours, theirs = ends()
    theirs.sendall((100).to_bytes(4, "big") + b'{"kind"')
    theirs.close()
    with pytest.raises(WireError, match="7 of 100"):
        ours.receive()
    ours.close()


def test_sending_to_nobody_is_told() -> None:
    ours, theirs = ends()
    theirs.close()
    with pytest.raises(WireError, match="gone"):
        ours.send(Frame("a"))
