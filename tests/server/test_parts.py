"""The small parts that have no socket: errors, logs, streams, answers, translation."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import sys
from collections.abc import AsyncGenerator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from triptych.core.capabilities import Capabilities
from triptych.core.errors import (
    Cancelled,
    ContentRefused,
    FileProblem,
    InvalidRequest,
    OutOfMemory,
    ProviderError,
    TriptychError,
)
from triptych.core.logs import FIELDS, JsonLines
from triptych.core.metadata import encode_picture
from triptych.core.pixels import pixels_sha256
from triptych.core.recipe import Recipe
from triptych.core.request import Request
from triptych.jobs import errors as jobs_errors
from triptych.jobs.model import Job
from triptych.server import answers, translate
from triptych.server.errors import of_ours
from triptych.server.metrics import Load, Metrics
from triptych.server.schemas import GenerationParameters
from triptych.server.stream import ClientGone, EventStream, sse, unless_gone
from triptych.server.translate import Output

from .fakes import png, shade

SQUARE = Capabilities(family="flow", native_size=(128, 128), max_pixels=128 * 128)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InvalidRequest("steps", "too many"), 400, "invalid_value"),
        (FileProblem("x"), 400, "unreadable_file"),
        (ContentRefused("x"), 400, "content_refused"),
        (jobs_errors.KeyReused(), 400, "idempotency_key_reused"),
        (jobs_errors.NoSuchJob("x"), 404, "not_found"),
        (jobs_errors.AlreadyEnded("x", "done"), 409, "job_ended"),
        (Cancelled("x"), 409, "job_cancelled"),
        (jobs_errors.QueueFull("x", 3), 429, "queue_full"),
        (TriptychError("x"), 500, "internal_error"),
        (ProviderError("x"), 502, "provider_error"),
        (jobs_errors.StorageError("x"), 503, "storage_error"),
        (jobs_errors.StorageFull("x"), 507, "storage_full"),
        (OutOfMemory("x"), 507, "out_of_memory"),
    ],
)
def test_every_error_has_its_answer(error: TriptychError, status: int, code: str) -> None:
    answer = of_ours(error)
    assert (answer.status_code, answer.code) == (status, code)
    assert set(answer.body()["error"]) == {"message", "type", "param", "code"}
    if status in (429, 503):
        assert int((answer.headers or {})["retry-after"]) >= 1
    if status in (409, 500, 502):
        assert (answer.headers or {})["x-should-retry"] == "false"


@given(st.text(st.characters(codec=None, categories=None), max_size=50))
def test_a_message_with_any_text_can_be_sent(text: str) -> None:
    assert json.loads(bytes(of_ours(TriptychError(text)).response().body))["error"]["message"] == text


def test_a_line_of_the_log_hides_what_it_must() -> None:
    line = JsonLines(("secret",))
    record = logging.LogRecord("x", logging.INFO, "x", 1, "request", (), None)
    setattr(record, FIELDS, {"route": "/v1/jobs", "token": "a secret thing", "status": 200})
    told = json.loads(line.format(record))
    assert told["event"] == "request"
    assert told["token"] == "a *** thing"
    try:
        raise ValueError("a red fox")
    except ValueError:
        record.exc_info = sys.exc_info()
    told = json.loads(line.format(record))
    assert told["error"] == "ValueError"
    assert told["where"][0].startswith("test_parts.py:")
    assert "fox" not in json.dumps(told)


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.none()), st.integers(1, 10**6))
def test_an_event_is_one_event(data: dict[str, Any], number: int) -> None:
    text = sse(data, name="step", number=number).decode()
    assert text.endswith("\n\n")
    lines = text[:-2].split("\n")
    assert lines[:2] == [f"id: {number}", "event: step"]
    assert len(lines) == 3
    assert json.loads(lines[2].removeprefix("data: ")) == data


def test_work_is_stopped_when_nobody_waits() -> None:
    stopped: list[str] = []

    async def work() -> str:
        try:
            await asyncio.sleep(60)
        finally:
            stopped.append("work")
        return "never"

    async def hang_up() -> dict[str, str]:
        await asyncio.sleep(0.01)
        return {"type": "http.disconnect"}

    async def stay() -> dict[str, str]:
        await asyncio.sleep(60)
        return {}

    async def quick() -> str:
        return "done"

    async def broken() -> str:
        raise ValueError("x")

    async def whole() -> None:
        with pytest.raises(ClientGone):
            await unless_gone(work(), hang_up)  # type: ignore[arg-type]
        assert await unless_gone(quick(), stay) == "done"  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="x"):
            await unless_gone(broken(), stay)  # type: ignore[arg-type]

    asyncio.run(whole())
    assert stopped == ["work"]


def test_a_stream_closes_its_source_and_tells_that_the_client_went() -> None:
    told: list[str] = []

    async def source() -> AsyncGenerator[bytes, None]:
        try:
            while True:
                yield b"data: {}\n\n"
                await asyncio.sleep(0.005)
        finally:
            told.append("closed")

    async def gone() -> None:
        told.append("gone")

    async def receive() -> dict[str, str]:
        await asyncio.sleep(0.03)
        return {"type": "http.disconnect"}

    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    stream = EventStream(source(), on_gone=gone)
    asyncio.run(stream({}, receive, send))  # type: ignore[arg-type]
    assert told == ["closed", "gone"]
    assert sent[0]["type"] == "http.response.start"
    assert len(sent) > 1


def made(width: int = 20, height: int = 10, alpha: bool = False) -> tuple[bytes, Recipe]:
    pixels = shade(width, height, 9)
    if alpha:
        pixels = np.concatenate([pixels, np.zeros((height, width, 1), np.uint8)], axis=2)
    request = Request(prompt="a fox", seed=1)
    recipe = Recipe(model="flow", family="flow", request=request, pixels_sha256=pixels_sha256(pixels))
    profile = bytes(16) + b"RGB " + bytes(108)
    return encode_picture(pixels, recipe, profile=profile), recipe


@pytest.mark.parametrize("format", ["jpeg", "webp"])
@pytest.mark.parametrize("compression", [0, 1, 50, 100])
def test_formats_keep_recipe_and_profile(format: Any, compression: int) -> None:
    data, recipe = made()
    told = answers.in_format(data, Output(format=format, compression=compression))
    with Image.open(io.BytesIO(told)) as picture:
        assert picture.format == format.upper()
        assert len(picture.info["icc_profile"]) == 128
        assert recipe.pixels_sha256 in str(picture.info["xmp"])
        if format == "webp" and compression == 100:
            assert pixels_sha256(np.asarray(picture)) == recipe.pixels_sha256
    assert answers.in_format(data, Output()) is data


def test_transparency_in_a_jpeg_is_white() -> None:
    data, _ = made(alpha=True)
    with Image.open(io.BytesIO(answers.in_format(data, Output(format="jpeg")))) as picture:
        assert min(np.asarray(picture).ravel()) >= 250
    with Image.open(io.BytesIO(answers.in_format(data, Output(format="webp")))) as picture:
        assert picture.mode == "RGBA"


def test_small_pictures_become_as_large_as_the_real_one() -> None:
    told = answers.enlarged(png(8, 8, 3), (96, 160), Output(format="webp", compression=50))
    with Image.open(io.BytesIO(told)) as picture:
        assert picture.size == (96, 160)


@given(st.integers(1, 4096), st.integers(1, 4096), st.text(max_size=60))
def test_usage_adds_up(width: int, height: int, prompt: str) -> None:
    found = answers.usage(prompt, [(width, height)], [(width, height)] * 2)
    patches = -(-width // 16) * -(-height // 16)
    assert found.input_tokens_details.image_tokens == patches
    assert found.output_tokens == 2 * patches
    assert found.total_tokens == found.input_tokens + found.output_tokens
    assert found.input_tokens == found.input_tokens_details.text_tokens + patches


def job(state: Any, **fields: Any) -> Job:
    return Job("id", 1, "generate", {}, state, created="2026-01-01T00:00:00.000+00:00", **fields)


@pytest.mark.parametrize(
    ("ended", "status"),
    [
        (job("cancelled"), 409),
        (job("unknown"), 500),
        (job("failed", error={"code": "invalid_request", "message": "prompt: no", "param": "prompt"}), 400),
        (job("failed", error={"code": "deadline_exceeded", "message": "late", "param": None}), 504),
        (job("failed", error={"code": "out_of_memory", "message": "x", "param": None}), 507),
        (job("failed", error={"code": "storage", "message": "x", "param": None}), 507),
        (job("failed", error={"code": "something new", "message": "x", "param": None}), 500),
    ],
)
def test_how_a_job_failed_is_told_to_who_waited(ended: Job, status: int) -> None:
    answer = answers.failure(ended)
    assert answer.status_code == status
    assert not answer.message.startswith("prompt:")


def test_what_is_counted() -> None:
    metrics = Metrics(lambda: Load(jobs={"queued": 2}, steps={"flow": 3}))
    images = [{"width": 1, "height": 1}] * 3
    metrics.count(
        job("done", model="flow", finished="2026-01-01T00:00:01.500+00:00", result={"family": "flow", "images": images})
    )
    metrics.count(job("failed", model="flow", finished="2026-01-01T00:00:00.000+00:00"))
    text = metrics.text().decode()
    for line in (
        'triptych_requests_total{family="flow",model="flow",status="done"} 1.0',
        'triptych_requests_total{family="none",model="flow",status="failed"} 1.0',
        'triptych_images_total{family="flow",model="flow"} 3.0',
        'triptych_request_seconds_sum{model="flow"} 1.5',
        'triptych_jobs{state="queued"} 2.0',
        'triptych_steps_total{model="flow"} 3.0',
    ):
        assert line in text


@pytest.mark.parametrize("size", sorted(translate.LEGACY_SIZES))
def test_sizes_of_unchanged_clients_keep_their_shape(size: str) -> None:
    fields, notes = translate.size_of(size, SQUARE, "flow")
    width, height = map(int, size.split("x"))
    assert fields["width"] / fields["height"] == pytest.approx(width / height, rel=0.15)
    assert [note.action for note in notes] == ["translated"]
    large = SQUARE.model_copy(update={"max_pixels": 4096 * 4096})
    assert translate.size_of(size, large, "flow") == ({"width": width, "height": height}, [])


@given(st.text(max_size=12))
def test_sizes_that_are_none(size: str) -> None:
    if size == "auto" or translate._SIZE.fullmatch(size):
        return
    with pytest.raises(InvalidRequest) as caught:
        translate.size_of(size, SQUARE, "flow")
    assert caught.value.parameter == "size"


def test_an_answer_that_is_not_streamed_wants_no_partials() -> None:
    output, notes = translate.output_of(GenerationParameters(prompt="a", stream=True, partial_images=3, quality="max"))
    assert (output.stream, output.partials, output.quality) == (True, 3, "high")
    assert [note.parameter for note in notes] == ["quality"]
