"""The decoding child: forks for every picture, and decodes it under hard limits (see `decode`).

    python -m triptych.workers.decode_child FD

In the fork nothing can be opened, neither a file nor a connection (RLIMIT_NOFILE 0), nothing can be written but the
answer (RLIMIT_FSIZE 0), memory and processor time are bounded, and where the system allows it there is no network at
all. All that is needed is loaded before the fork. The answer is raw pixels, or one sentence.
"""

from __future__ import annotations

import ctypes
import gc
import io
import os
import resource
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from typing import Any

import numpy as np
from PIL import Image

from triptych.core.errors import TriptychError
from triptych.core.pictures import Opened, Upload, open_map, open_picture
from triptych.workers.wire import Channel, Frame, WireError

_NEW_NETWORK = 0x10000000 | 0x40000000  # CLONE_NEWUSER | CLONE_NEWNET


def main(arguments: list[str]) -> int:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    channel = Channel(socket.socket(fileno=int(arguments[0])))
    config = channel.receive()
    if config is None:
        return 1
    _load_codecs()
    gc.freeze()  # a collection in a fork would copy every page that it looks at
    with suppress(WireError):
        while (frame := channel.receive()) is not None:
            channel.send(_in_a_fork(frame, config.fields))
    return 0


def _in_a_fork(frame: Frame, limits: dict[str, Any]) -> Frame:
    """The answer of a fork; "lost" where it died or took too long."""
    ours, theirs = Channel.pair()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            _confine(limits)
            Channel(theirs).send(_answer(frame))
            status = 0
        finally:
            os._exit(status)
    theirs.close()
    try:
        return _received(ours, float(limits["wall"]))
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        ours.close()


def _received(ours: Channel, wall: float) -> Frame:
    """What the fork says within `wall` seconds. It sends in one go, so the time is that until the first byte."""
    until = time.monotonic() + wall
    with suppress(WireError):
        while (left := until - time.monotonic()) > 0:
            if select.select([ours], [], [], left)[0]:
                return ours.receive() or Frame("lost")
    return Frame("lost")


def _answer(frame: Frame) -> Frame:
    upload = Upload(frame.blobs[0], frame.fields["name"])
    opener = open_map if frame.fields["kind"] == "map" else open_picture
    try:
        return _said(opener(upload, parameter=frame.fields["parameter"]))
    except TriptychError as error:
        return Frame("refused", {"message": str(error)})
    except MemoryError:
        return Frame("refused", {"message": f"{upload.name} needs more memory than a picture may", "memory": True})
    except Exception as error:
        # Whatever a codec makes of hostile bytes is the bytes' fault.
        return Frame("refused", {"message": f"{upload.name} is damaged: its decoder failed ({type(error).__name__})"})


def _said(opened: Opened) -> Frame:
    fields = {
        "shape": list(opened.pixels.shape),
        "notes": [note.as_json() for note in opened.notes],
        "format": opened.format,
        "lossy": opened.lossy,
    }
    return Frame("opened", fields, (np.ascontiguousarray(opened.pixels).tobytes(), opened.profile or b""))


def _confine(limits: dict[str, Any]) -> None:
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).unshare(_NEW_NETWORK)  # where the system does not let us, the limit on files stands
    for what, most in (
        (resource.RLIMIT_AS, int(limits["memory"])),
        (resource.RLIMIT_CPU, int(limits["cpu"])),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 0),
    ):
        resource.setrlimit(what, (most, most))


def _load_codecs() -> None:
    """Decode one small picture of each kind: nothing may have to be imported once nothing can be opened."""
    for kind in ("PNG", "JPEG", "WEBP"):
        buffer = io.BytesIO()
        Image.new("RGB", (8, 8)).save(buffer, kind)
        open_picture(Upload(buffer.getvalue(), kind))
        open_map(Upload(buffer.getvalue(), kind))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
