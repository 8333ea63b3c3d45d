"""Pictures that somebody sends, decoded where a flaw of the decoder does no harm: in a child with hard limits.

    decoder = Decoder()
    opened = decoder.decode(data, name="cat.png", parameter="image")

What comes back is raw pixels, held against their own size; the server never runs a picture codec on foreign bytes. The
child (`decode_child`) is started once and forks for every picture, so a decode costs milliseconds, and whatever it did
to itself ends with it.
"""

from __future__ import annotations

import queue
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal

import numpy as np

from triptych.core.errors import FileProblem, OutOfMemory, TriptychError
from triptych.core.events import Note
from triptych.core.pictures import MAX_PIXELS, MAX_PROFILE_BYTES, Opened
from triptych.core.pixels import Pixels
from triptych.workers.process import Process, Setup
from triptych.workers.wire import Frame

COMMAND = (sys.executable, "-m", "triptych.workers.decode_child")
Kind = Literal["picture", "map"]
MAX_NAME = 80


@dataclass(frozen=True)
class Limits:
    """Of one decode. memory: address space, in bytes. cpu, wall: seconds."""

    bytes: int = 64 * 2**20
    memory: int = 3 * 2**30
    cpu: int = 20
    wall: float = 30.0


class Decoder:
    """children: decodes that run at once; a further one waits for its turn."""

    def __init__(self, limits: Limits | None = None, *, children: int = 1) -> None:
        self.limits = limits or Limits()
        self._idle: queue.SimpleQueue[_Child] = queue.SimpleQueue()
        for _ in range(children):
            self._idle.put(_Child(self.limits))

    def decode(self, data: bytes, *, name: str = "", parameter: str = "image", kind: Kind = "picture") -> Opened:
        """The picture upright in 8-bit sRGB, or, of a map, uint8 (H, W); see `core.pictures`.

        `FileProblem` says what is wrong with it; nothing in it can do more than that.
        """
        shown = _shown(name, parameter)
        if len(data) > self.limits.bytes:
            size = f"{len(data) / 2**20:.0f} MiB"
            raise FileProblem(f"{shown} has {size}; at most {self.limits.bytes // 2**20} MiB are taken")
        with self._child() as child:
            answer = child.ask(Frame("decode", {"name": shown, "parameter": parameter, "kind": kind}, (data,)))
        return _opened(answer, shown)

    def close(self) -> None:
        while not self._idle.empty():
            self._idle.get().end()

    @contextmanager
    def _child(self) -> Generator[_Child]:
        child = self._idle.get()
        try:
            yield child
        finally:
            self._idle.put(child)


class _Child:
    """Started when first needed, and again after it died."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._process: Process | None = None
        self._answers: queue.SimpleQueue[Frame | None] = queue.SimpleQueue()

    def ask(self, frame: Frame) -> Frame | None:
        """Its answer; None where there is none within the limit."""
        if self._process is not None and not self._process.alive:
            self.end()
        if self._process is None:
            # One that died leaves words behind that are no answer to this question.
            self._answers = answers = queue.SimpleQueue()
            config = {"memory": self._limits.memory, "cpu": self._limits.cpu, "wall": self._limits.wall}
            self._process = Process(
                Setup(COMMAND, config), lambda _, said: answers.put(said), lambda _, status: answers.put(None)
            )
            self._process.listen()
        self._process.send(frame)
        try:
            answer = self._answers.get(timeout=self._limits.wall + 10)
        except queue.Empty:
            answer = None
        if answer is None:
            self.end()
        return answer

    def end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.join(5.0)


def _opened(answer: Frame | None, shown: str) -> Opened:
    """What the child said, believed as far as it fits together."""
    if answer is None or answer.kind == "lost":
        raise FileProblem(f"{shown} cannot be decoded: its decoder was stopped by a limit of time or memory")
    fields: dict[str, Any] = answer.fields
    if answer.kind == "refused":
        kind = OutOfMemory if fields.get("memory") else FileProblem
        raise kind(str(fields["message"])[:1000])
    try:
        shape = tuple(int(side) for side in fields["shape"])
        notes = tuple(Note(str(one["parameter"]), one["action"], str(one["text"])) for one in fields["notes"])
        pixels, profile = _pixels(answer.blobs[0], shape), answer.blobs[1] or None
        if profile is not None and len(profile) > MAX_PROFILE_BYTES:
            raise ValueError("the colour profile is too large")
        return Opened(pixels, notes, str(fields["format"]), bool(fields["lossy"]), shown, profile)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise TriptychError(f"the decoder of {shown} said what does not fit together: {error}") from None


def _pixels(data: bytes, shape: tuple[int, ...]) -> Pixels:
    if (
        len(shape) not in (2, 3)
        or min(shape) < 1
        or shape[0] * shape[1] > MAX_PIXELS
        or shape[2:] not in ((), (3,), (4,))
    ):
        raise ValueError(f"{shape} is not the shape of a picture")
    return np.frombuffer(data, np.uint8).reshape(shape)


def _shown(name: str, parameter: str) -> str:
    """The name in messages: without folders, and short; what the sender called it may be anything."""
    plain = "".join(char for char in PurePosixPath(name.replace("\\", "/")).name if char.isprintable())
    return plain[-MAX_NAME:] or parameter
