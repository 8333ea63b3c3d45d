"""The fakes held against the official SDK: what `openai` makes of them is what it makes of the real ones.

OpenAI's own service and Ark speak this SDK's language (Ark's documentation tells people to use it). A fake that the
SDK reads is a fake in the published form, errors and stream included.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator

import openai
import pytest
from PIL import Image
from tests.hosted.fakes import FAKES, Fake
from tests.hosted.fakes.base import KEY

from triptych.core.request import Request
from triptych.hosted import catalogue
from triptych.hosted.orders import order


@pytest.fixture
def fake() -> Iterator[Fake]:
    with FAKES["openai"]() as running:
        yield running


def sdk(fake: Fake) -> openai.OpenAI:
    return openai.OpenAI(api_key=KEY, base_url=fake.base, max_retries=0)


def test_generation(fake: Fake) -> None:
    answer = sdk(fake).images.generate(model="gpt-image-1.5", prompt="a fox", size="1024x1024", quality="low", n=2)
    assert len(answer.data or []) == 2
    assert Image.open(io.BytesIO(base64.b64decode((answer.data or [])[0].b64_json or ""))).format == "PNG"
    assert answer.usage is not None


def test_the_sdk_sends_what_we_send(fake: Fake) -> None:
    sdk(fake).images.generate(
        model="gpt-image-1.5", prompt="a fox", size="1536x1024", quality="high", n=2, output_format="png"
    )
    (theirs,) = [body for _, _, body in fake.asked]
    request = Request.make(prompt="a fox", model="openai/gpt-image-1.5", n=2, quality="high", width=1536, height=1024)
    asked = order(request)
    ours = catalogue.find("openai/gpt-image-1.5")[0].call(asked.tasks[0], fake.base)
    assert ours.json == theirs


def test_an_edit(fake: Fake) -> None:
    buffer = io.BytesIO()
    Image.new("RGBA", (1024, 1024)).save(buffer, "PNG")
    data = buffer.getvalue()
    answer = sdk(fake).images.edit(
        model="gpt-image-1.5",
        prompt="a fox",
        image=[("0.png", data)],
        mask=("mask.png", data),
        size="1024x1024",
        quality="low",
    )
    assert len(answer.data or []) == 1
    assert set(fake.asked[0][2]) >= {"image[]", "mask", "prompt", "model", "size"}


def test_a_stream(fake: Fake) -> None:
    stream = sdk(fake).images.generate(
        model="gpt-image-1.5", prompt="a fox", size="1024x1024", quality="low", stream=True, partial_images=2
    )
    kinds = [event.type for event in stream]
    assert kinds == ["image_generation.partial_image"] * 2 + ["image_generation.completed"]


@pytest.mark.parametrize(
    ("mode", "error"),
    [
        ("moderated", openai.BadRequestError),
        ("out of credit", openai.RateLimitError),
        ("busy for ever", openai.RateLimitError),
        ("bad key", openai.AuthenticationError),
        ("server error", openai.InternalServerError),
    ],
)
def test_errors(fake: Fake, mode: str, error: type[openai.APIStatusError]) -> None:
    fake.mode = mode
    with pytest.raises(error) as caught:
        sdk(fake).images.generate(model="gpt-image-1.5", prompt="a fox", size="1024x1024")
    assert caught.value.code


def test_ark_speaks_it_too() -> None:
    with FAKES["ark"]() as fake:
        answer = sdk(fake).images.generate(
            model="seedream-4-5-251128",
            prompt="a fox",
            size="2048x2048",
            response_format="b64_json",  # type: ignore[arg-type]
        )
        assert (answer.data or [])[0].b64_json
