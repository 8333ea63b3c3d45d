"""Uploads are decoded in a child with limits; whatever is in them, the answer is pixels or one sentence."""

from __future__ import annotations

import contextlib
import io
import os
import socket
import struct
import time
import zlib
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from triptych.core.errors import FileProblem, TriptychError
from triptych.core.pictures import MAX_PIXELS
from triptych.workers import decode_child
from triptych.workers.decode import Decoder, Limits


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    decoder = Decoder()
    yield decoder
    decoder.close()


def encoded(kind: str, mode: str = "RGB", size: tuple[int, int] = (20, 10), **options: object) -> bytes:
    channels = {"RGB": 3, "RGBA": 4, "L": 1}[mode]
    pixels = np.random.default_rng(1).integers(0, 256, (size[1], size[0], channels), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels.squeeze()).save(buffer, kind, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("WEBP", {"lossless": True}), ("JPEG", {})])
def test_the_three_kinds_come_back_as_pixels(decoder: Decoder, kind: str, options: dict[str, object]) -> None:
    data = encoded(kind, **options)
    opened = decoder.decode(data, name="cat.png")
    with Image.open(io.BytesIO(data)) as picture:
        assert np.array_equal(opened.pixels, np.asarray(picture))
    assert (opened.format, opened.lossy, opened.name) == (kind, kind == "JPEG", "cat.png")


def test_alpha_profile_and_notes_come_along(decoder: Decoder) -> None:
    profile = b"\0" * 16 + b"RGB " + b"\0" * 108
    opened = decoder.decode(encoded("PNG", "RGBA", icc_profile=profile))
    assert opened.pixels.shape == (10, 20, 4)
    assert opened.profile == profile
    grey = decoder.decode(encoded("PNG", "L"), parameter="image[]")
    assert [(note.parameter, note.action) for note in grey.notes] == [("image[]", "translated")]


def test_a_map_is_its_transparency(decoder: Decoder) -> None:
    data = encoded("PNG", "RGBA")
    opened = decoder.decode(data, kind="map", parameter="mask")
    with Image.open(io.BytesIO(data)) as picture:
        assert np.array_equal(opened.pixels, 255 - np.asarray(picture)[:, :, 3])


@pytest.mark.parametrize("data", [b"", b"hello", b"GIF89a" + bytes(100), b"<svg/>", b"BM" + bytes(60)])
def test_other_kinds_are_refused(decoder: Decoder, data: bytes) -> None:
    with pytest.raises(FileProblem, match="not a PNG, JPEG or WebP"):
        decoder.decode(data, name="x.gif")


def test_a_name_is_shown_without_its_folders(decoder: Decoder) -> None:
    with pytest.raises(FileProblem, match=r"^passwd is not"):
        decoder.decode(b"x", name="../../etc\\..\\passwd\n")


def test_too_many_bytes_are_refused_before_the_child_sees_them() -> None:
    decoder = Decoder(Limits(bytes=2**20))
    with pytest.raises(FileProblem, match="at most 1 MiB"):
        decoder.decode(bytes(2**20 + 1))


def bomb(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds a few bytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(100_000, 100_000), (2**31 - 1, 1), (8001, 8000)])
def test_a_bomb_is_refused_by_its_header(decoder: Decoder, size: tuple[int, int]) -> None:
    assert size[0] * size[1] > MAX_PIXELS
    with pytest.raises(FileProblem):
        decoder.decode(bomb(*size))


def test_a_decode_beyond_its_memory_is_refused_and_the_next_one_works() -> None:
    decoder = Decoder(Limits(memory=600 * 2**20))
    buffer = io.BytesIO()
    Image.new("RGBA", (8000, 7900)).save(buffer, "PNG", compress_level=1)
    with pytest.raises(TriptychError, match="memory"):
        decoder.decode(buffer.getvalue())
    assert decoder.decode(encoded("PNG")).pixels.shape == (10, 20, 3)
    decoder.close()


def test_a_decode_that_takes_too_long_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    # The fork inherits the patched decoder, so this runs `_in_a_fork` here.
    monkeypatch.setattr(decode_child, "open_picture", lambda *_, **__: time.sleep(60))
    frame = decode_child.Frame("decode", {"name": "x", "parameter": "image", "kind": "picture"}, (b"",))
    began = time.monotonic()
    answer = decode_child._in_a_fork(frame, {"memory": 2**33, "cpu": 10, "wall": 0.3})
    assert answer.kind == "lost"
    assert time.monotonic() - began < 5


def test_nothing_can_be_opened_in_the_fork(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    def escape(*_: object, **__: object) -> None:
        found: list[str] = []
        for name, attempt in {
            "file": lambda: open(f"{tmp_path}/escaped", "w"),  # noqa: SIM115
            "read": lambda: open("/etc/hostname"),  # noqa: SIM115
            "socket": socket.socket,
            "pipe": os.pipe,
        }.items():
            try:
                attempt()
                found.append(name)
            except OSError:
                pass
        raise FileProblem(f"opened {found}")

    monkeypatch.setattr(decode_child, "open_picture", escape)
    frame = decode_child.Frame("decode", {"name": "x", "parameter": "image", "kind": "picture"}, (b"",))
    answer = decode_child._in_a_fork(frame, {"memory": 2**33, "cpu": 10, "wall": 10})
    assert answer.fields["message"] == "opened []"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(["PNG", "JPEG", "WEBP"]), seed=st.integers(0, 2**32), cut=st.booleans())
def test_damaged_pictures_never_do_more_than_fail(decoder: Decoder, kind: str, seed: int, cut: bool) -> None:
    data = bytearray(encoded(kind))
    random = np.random.default_rng(seed)
    for place in random.integers(0, len(data), 1 + seed % 8):
        data[place] = random.integers(0, 256)
    if cut:
        del data[int(random.integers(0, len(data))) :]
    with contextlib.suppress(FileProblem):
        assert decoder.decode(bytes(data)).pixels.ndim == 3


def test_a_killed_child_is_started_again(decoder: Decoder) -> None:
    decoder.decode(encoded("PNG"))
    child = decoder._idle.get()
    assert child._process is not None
    child._process.kill()
    child._process.join(5.0)
    decoder._idle.put(child)
    assert decoder.decode(encoded("PNG")).pixels.shape == (10, 20, 3)
