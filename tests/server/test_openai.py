"""OpenAI's official SDK against the server, unchanged: sync, async and streaming."""

from __future__ import annotations

import asyncio
import base64
import inspect
import io
from collections.abc import Iterator
from typing import Any, get_args

import httpx2 as httpx
import openai
import pytest
from openai.resources.images import Images
from openai.types.image_edit_params import ImageEditParamsBase
from openai.types.image_generate_params import ImageGenerateParamsBase
from PIL import Image

from triptych.core.recipe import Recipe
from triptych.server.schemas import EditParameters, GenerationParameters

from .conftest import TOKEN, Live, serving
from .fakes import png

UNKNOWN_FILES = {"image", "mask", "markup"}
"""Files of the form, which are no fields of it; `markup` is refused by name."""


@pytest.fixture(scope="module")
def sdk(live: Live) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{live.url}/v1", api_key=TOKEN, max_retries=0) as client:
        yield client


def picture(data: Any) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(data.b64_json)))


def mask(width: int, height: int) -> bytes:
    whole = Image.new("RGBA", (width, height), (0, 0, 0, 255))
    whole.paste((0, 0, 0, 0), (0, 0, width // 2, height // 2))
    buffer = io.BytesIO()
    whole.save(buffer, "PNG")
    return buffer.getvalue()


def test_every_parameter_of_the_sdk_is_known() -> None:
    """What a newer SDK can send turns up here first."""
    for known, sent in ((GenerationParameters, ImageGenerateParamsBase), (EditParameters, ImageEditParamsBase)):
        assert set(sent.__annotations__) - UNKNOWN_FILES - {"style", "moderation"} <= set(known.model_fields)
    assert {"style", "moderation"} <= set(GenerationParameters.model_fields)
    own = {"extra_headers", "extra_query", "extra_body", "timeout", "self"}
    assert set(inspect.signature(Images.generate).parameters) - own <= set(GenerationParameters.model_fields)


def test_generate(sdk: openai.OpenAI) -> None:
    answer = sdk.images.generate(prompt="a red fox", model="flow", n=2, size="auto", quality="low")
    assert answer.data is not None
    assert [picture(one).size for one in answer.data] == [(128, 128)] * 2
    assert answer.size == "128x128"
    assert (answer.quality, answer.background, answer.output_format) == ("low", "opaque", "png")
    assert answer.usage is not None
    assert answer.usage.input_tokens == answer.usage.input_tokens_details.text_tokens == 3
    assert answer.usage.output_tokens == 2 * 8 * 8
    assert answer.usage.total_tokens == 3 + 2 * 8 * 8
    assert abs(answer.created - 1_800_000_000) < 200_000_000
    assert Recipe.parse(picture(answer.data[0]).text["triptych"]).request is not None  # type: ignore[attr-defined]


@pytest.mark.parametrize(("format", "compression"), [("png", None), ("jpeg", 40), ("webp", 40), ("webp", 100)])
def test_formats_keep_the_recipe(sdk: openai.OpenAI, live: Live, format: Any, compression: Any) -> None:
    given = {} if compression is None else {"output_compression": compression}
    answer = sdk.images.generate(prompt="a red fox", size="64x96", output_format=format, **given)
    assert answer.data is not None
    shown = picture(answer.data[0])
    assert shown.format == format.upper()
    assert shown.size == (64, 96)
    assert answer.output_format == format
    raw = base64.b64decode(answer.data[0].b64_json or "")
    assert b"pixels_sha256" in raw


def test_a_link_works_without_the_token_for_this_picture_only(sdk: openai.OpenAI, live: Live) -> None:
    answer = sdk.images.generate(prompt="a red fox", response_format="url", output_format="webp")
    assert answer.data is not None
    url = answer.data[0].url or ""
    assert answer.data[0].b64_json is None
    with live.stranger() as stranger:
        found = stranger.get(url)
        assert found.status_code == 200
        assert found.headers["content-type"] == "image/webp"
        assert found.headers["content-disposition"].startswith("inline")
        assert Image.open(io.BytesIO(found.content)).format == "WEBP"
        other = sdk.images.generate(prompt="a blue fox", response_format="url").data[0].url or ""
        swapped = url.partition("?")[0] + "?" + other.partition("?")[2]
        later = url.replace("expires=", "expires=9")
        for wrong in (
            url.partition("?")[0],
            swapped,
            later,
            url.replace("signature=", "signature=0"),
            f"{url}&expires=1",
        ):
            assert stranger.get(wrong).status_code == 401
        assert stranger.delete(url).status_code == 401
        assert url.startswith(f"{live.url}/v1/pictures/")


def test_own_parameters_go_in_as_extra_body(sdk: openai.OpenAI, live: Live) -> None:
    own = {"seed": 11, "negative_prompt": "snow", "num_inference_steps": 4, "guidance_scale": 2.5}
    answer = sdk.images.generate(prompt="a red fox", extra_body=own)
    job = live.service.all[answer.triptych["jobs"][0]]  # type: ignore[attr-defined]
    wanted = {"seed": 11, "negative": "snow", "steps": 4, "guidance": 2.5}
    assert wanted.items() <= job.payload.items()
    assert answer.triptych["images"][0]["seed"] == 11  # type: ignore[attr-defined]


def test_what_is_translated_or_set_aside_is_noted(sdk: openai.OpenAI) -> None:
    answer = sdk.images.generate(
        prompt="a red fox", size="1792x1024", quality="hd", style="vivid", moderation="low", complexity="high"
    )
    notes = {note["parameter"]: note["action"] for note in answer.triptych["notes"]}  # type: ignore[attr-defined]
    assert notes == {
        "size": "translated",
        "quality": "translated",
        "style": "ignored",
        "moderation": "ignored",
        "complexity": "ignored",
        "prompt": "note",
    }
    width, height = map(int, (answer.size or "").split("x"))
    assert width / height == pytest.approx(1792 / 1024, rel=0.1)
    assert answer.quality == "high"


def test_who_asked_is_told_back(sdk: openai.OpenAI) -> None:
    assert sdk.images.generate(prompt="a red fox", user="u-1").safety_identifier == "u-1"
    answer = sdk.images.generate(prompt="a red fox", user="u-1", safety_identifier="s-1")
    assert answer.safety_identifier == "s-1"


@pytest.mark.parametrize(
    ("parameter", "given"),
    [
        ("prompt", {"prompt": ""}),
        ("prompt", {"prompt": "x" * 4001}),
        ("prompt", {"prompt": "a\x00b"}),
        ("n", {"n": 11}),
        ("n", {"n": 0}),
        ("size", {"size": "100x100"}),
        ("size", {"size": "huge"}),
        ("size", {"size": "4096x4096"}),
        ("quality", {"quality": "best"}),
        ("background", {"background": "transparent"}),
        ("output_format", {"output_format": "gif"}),
        ("output_format", {"output_format": "svg"}),
        ("frame_count", {"frame_count": 3}),
        ("svg", {"svg": {"model": "x"}}),
        ("output_compression", {"output_compression": 50}),
        ("output_compression", {"output_compression": 101, "output_format": "jpeg"}),
        ("response_format", {"response_format": "bytes"}),
        ("response_format", {"response_format": "url", "stream": True}),
        ("partial_images", {"partial_images": 4, "stream": True}),
        ("partial_images", {"partial_images": 2}),
        ("seed", {"extra_body": {"seed": -1}}),
        ("num_inference_steps", {"extra_body": {"num_inference_steps": 1000}}),
        ("guidance_scale", {"extra_body": {"guidance_scale": "much"}}),
        ("colour", {"extra_body": {"colour": "red"}}),
    ],
)
def test_what_is_refused_names_the_parameter(sdk: openai.OpenAI, parameter: str, given: dict[str, Any]) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.images.generate(**{"prompt": "a red fox", **given})
    assert caught.value.param == parameter
    assert caught.value.type == "invalid_request_error"
    assert caught.value.body["message"]  # type: ignore[index]
    assert caught.value.request_id


def test_unknown_models_and_wrong_tokens(sdk: openai.OpenAI, live: Live) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        sdk.images.generate(prompt="a fox", model="gpt-image-2")
    assert missing.value.code == "model_not_found"
    stranger = openai.OpenAI(base_url=f"{live.url}/v1", api_key="wrong", max_retries=0)
    with stranger, pytest.raises(openai.AuthenticationError) as wrong:
        stranger.models.list()
    assert wrong.value.code == "invalid_api_key"


def test_models(sdk: openai.OpenAI) -> None:
    found = {model.id: model for model in sdk.models.list()}
    assert {"flow", "diffusion", "tokens"} <= set(found)
    one = sdk.models.retrieve("flow")
    assert one.object == "model"
    assert one.capabilities["native_size"] == [128, 128]  # type: ignore[attr-defined]
    with pytest.raises(openai.NotFoundError):
        sdk.models.retrieve("no-such-model")


def test_a_full_queue_and_a_job_that_fails(sdk: openai.OpenAI) -> None:
    with pytest.raises(openai.RateLimitError) as full:
        sdk.images.generate(prompt="full")
    assert full.value.response.headers["retry-after"] == "7"
    assert full.value.code == "queue_full"
    with pytest.raises(openai.BadRequestError) as failed:
        sdk.images.generate(prompt="please fail")
    assert failed.value.param == "prompt"
    with pytest.raises(openai.InternalServerError) as lost:
        sdk.images.generate(prompt="please crash")
    assert lost.value.code == "worker_crashed"
    assert lost.value.response.headers["x-should-retry"] == "false"


def test_edit_with_a_mask(sdk: openai.OpenAI, live: Live) -> None:
    answer = sdk.images.edit(
        image=("fox.png", png(64, 48, 5)), mask=("mask.png", mask(64, 48)), prompt="a sun", n=2, extra_body={"seed": 4}
    )
    assert answer.data is not None
    assert [picture(one).size for one in answer.data] == [(64, 48)] * 2
    jobs = [live.service.all[id] for id in answer.triptych["jobs"]]  # type: ignore[attr-defined]
    assert [job.kind for job in jobs] == ["edit", "edit"]
    assert [job.payload["seed"] for job in jobs] == [4, 5]
    kept = live.service.inputs[jobs[0].payload["mask"]["sha256"]]
    assert kept.pixels[0, 0] == 255  # what is transparent is edited
    assert kept.pixels[-1, -1] == 0
    assert answer.usage is not None
    assert answer.usage.input_tokens_details.image_tokens == 4 * 3


def test_edits_in_words_and_references(sdk: openai.OpenAI, live: Live) -> None:
    def kind_of(**given: Any) -> Any:
        answer = sdk.images.edit(prompt="make the fox blue", **given)
        (id,) = answer.triptych["jobs"]  # type: ignore[attr-defined]
        return live.service.all[id]

    told = kind_of(image=png(64, 64, 5))
    assert told.kind == "edit"
    assert "mask" not in told.payload
    several = kind_of(image=[png(64, 64, 5), png(64, 64, 6)])
    assert several.kind == "generate"
    assert len(several.payload["references"]) == 2
    with_mask = kind_of(image=[png(64, 64, 5), png(64, 64, 6)], mask=mask(64, 64))
    assert with_mask.kind == "edit"
    assert len(with_mask.payload["references"]) == 1
    fresh = kind_of(image=png(64, 64, 5), extra_body={"lock": 0})
    assert fresh.payload["lock"] == 0


@pytest.mark.parametrize(
    ("parameter", "given"),
    [
        ("image", {"image": b"this is no picture"}),
        ("image", {"image": b""}),
        ("mask", {"mask": mask(32, 32)}),
        ("mask", {"mask": b"nothing"}),
        ("size", {"size": "128x128"}),
        ("image", {"image": [png(64, 64, 1), png(64, 64, 2)], "model": "diffusion"}),
        ("markup", {"markup": png(64, 64, 1)}),
        ("lock", {"extra_body": {"lock": 2}}),
    ],
)
def test_edits_that_are_refused(sdk: openai.OpenAI, parameter: str, given: dict[str, Any]) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.images.edit(**{"image": png(64, 64, 5), "prompt": "a sun", **given})
    assert caught.value.param == parameter


def test_a_form_that_is_none(client: httpx.Client) -> None:
    url = "/v1/images/edits"
    assert client.post(url, data={"prompt": "a"}, files={"image": ""}).status_code == 400
    twice = [("prompt", (None, "a")), ("prompt", (None, "b")), ("image", ("x.png", png(8, 8, 1)))]
    answer = client.post(url, files=twice)
    assert answer.json()["error"]["param"] == "prompt"
    text = client.post(url, files={"prompt": (None, "a"), "image": (None, "text")})
    assert text.json()["error"]["param"] == "image"
    many = [("image[]", (f"{n}.png", png(8, 8, 1))) for n in range(17)]
    assert client.post(url, files=[("prompt", (None, "a")), *many]).status_code == 400  # one more than may be
    broken = {"content-type": "multipart/form-data; boundary=x"}
    for body in (b"", b"--x", b"--x\r\nnonsense\r\n\r\n--x--", b"\x00" * 1000):
        assert client.post(url, content=body, headers=broken).status_code == 400
    assert client.post(url, content=b"", headers={"content-type": "multipart/form-data"}).status_code == 400


@pytest.mark.parametrize("partials", [0, 1, 2, 3])
def test_streaming(sdk: openai.OpenAI, partials: int) -> None:
    stream = sdk.images.generate(prompt="a red fox", stream=True, partial_images=partials, output_format="webp")
    events = list(stream)
    small, last = events[:-1], events[-1]
    assert [event.type for event in small] == ["image_generation.partial_image"] * partials
    assert [event.partial_image_index for event in small] == list(range(partials))  # type: ignore[union-attr]
    assert last.type == "image_generation.completed"
    assert last.usage.total_tokens == 3 + 64  # type: ignore[union-attr]
    for event in events:
        assert picture(event).size == (128, 128)
        assert picture(event).format == "WEBP"
        assert event.size == "128x128"


def test_streaming_edits_and_several_pictures(sdk: openai.OpenAI) -> None:
    edit = sdk.images.edit(image=png(64, 64, 5), mask=mask(64, 64), prompt="a sun", n=2, stream=True, partial_images=1)
    types = [event.type for event in edit]
    assert types.count("image_edit.completed") == 2
    assert types.count("image_edit.partial_image") >= 1
    events = list(sdk.images.generate(prompt="a red fox", n=3, stream=True))
    assert [event.type for event in events] == ["image_generation.completed"] * 3
    assert [event.triptych["index"] for event in events] == [0, 1, 2]  # type: ignore[attr-defined]


def test_a_stream_that_fails_raises(sdk: openai.OpenAI) -> None:
    with pytest.raises(openai.APIError, match="not possible") as caught:
        list(sdk.images.generate(prompt="please fail", stream=True))
    assert caught.value.param == "prompt"
    with pytest.raises(openai.RateLimitError):
        sdk.images.generate(prompt="full", stream=True)


def test_async(live: Live) -> None:
    async def many() -> None:
        async with openai.AsyncOpenAI(base_url=f"{live.url}/v1", api_key=TOKEN, max_retries=0) as client:
            answers = await asyncio.gather(*(client.images.generate(prompt="a fox", n=1) for _ in range(8)))
            assert len({answer.triptych["jobs"][0] for answer in answers}) == 8  # type: ignore[attr-defined]
            stream = await client.images.generate(prompt="a fox", stream=True, partial_images=2)
            types = [event.type async for event in stream]
            assert types == ["image_generation.partial_image"] * 2 + ["image_generation.completed"]
            edited = await client.images.edit(image=png(32, 32, 1), prompt="make it blue")
            assert edited.size == "32x32"

    asyncio.run(many())


def test_an_idempotency_key_gives_the_same_answer(sdk: openai.OpenAI, live: Live) -> None:
    before = live.service.changes
    key = {"Idempotency-Key": "one"}
    raw = [
        sdk.images.with_raw_response.generate(prompt="a fox", user="me", extra_headers=key).http_response
        for _ in range(3)
    ]
    assert len({answer.content for answer in raw}) == 1
    assert ["idempotent-replayed" in answer.headers for answer in raw] == [False, True, True]
    assert live.service.changes == before + 1
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.images.generate(prompt="another fox", extra_headers=key)
    assert caught.value.code == "idempotency_key_reused"
    edits = [
        sdk.images.edit(
            image=png(32, 32, 1), prompt="a", n=2, extra_body={"lock": 0}, extra_headers={"Idempotency-Key": "two"}
        )
        for _ in range(2)
    ]
    assert edits[0].triptych["jobs"] == edits[1].triptych["jobs"]  # type: ignore[attr-defined]


def test_hanging_up_cancels_what_has_no_key(live: Live) -> None:
    def hang_up(**given: Any) -> Any:
        seen = set(live.service.all)
        with live.client(timeout=0.5) as client, pytest.raises(httpx.TimeoutException):
            client.post("/v1/images/generations", json={"prompt": "slow", **given.pop("body", {})}, **given)
        (id,) = set(live.service.all) - seen
        for _ in range(100):
            if live.service.all[id].ended:
                break
            asyncio.run(asyncio.sleep(0.02))
        return live.service.all[id]

    assert hang_up().state == "cancelled"
    assert hang_up(headers={"Idempotency-Key": "stay"}).state == "running"
    seen = set(live.service.all)
    with (
        live.client() as client,
        client.stream("POST", "/v1/images/generations", json={"prompt": "slow", "stream": True}),
    ):
        pass
    (id,) = set(live.service.all) - seen
    for _ in range(100):
        if live.service.all[id].ended:
            break
        asyncio.run(asyncio.sleep(0.02))
    assert live.service.all[id].state == "cancelled"


def test_a_server_that_stops(tmp_path: Any) -> None:
    """What waits is told so; new work is refused; reading goes on."""
    with serving(tmp_path) as live, live.client() as client:
        found: list[int] = []

        async def ask_and_stop() -> None:
            async with openai.AsyncOpenAI(base_url=f"{live.url}/v1", api_key=TOKEN, max_retries=0) as sdk:
                waiting = asyncio.ensure_future(sdk.images.generate(prompt="slow"))
                await asyncio.sleep(0.3)
                live.flags["stopping"] = True
                live.loop.call_soon_threadsafe(lambda: asyncio.ensure_future(live.service.drain(0)))
                with pytest.raises(openai.InternalServerError) as caught:
                    await waiting
                found.append(caught.value.status_code)
                assert caught.value.code == "stopping"
                # It would be asked for again, so nobody is left who wants this one.
                assert [job.state for job in live.service.all.values()] == ["cancelled"]

        asyncio.run(ask_and_stop())
        assert found == [503]
        refused = client.post("/v1/images/generations", json={"prompt": "a fox"})
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "5"
        assert client.get("/v1/jobs").status_code == 200
        assert client.get("/health").status_code == 200


def test_a_call_that_fails_in_a_part_leaves_nothing_running(sdk: openai.OpenAI, live: Live) -> None:
    seen = set(live.service.all)
    for stream in (False, True):
        # The first of the two fails, the second is slow.
        given: Any = {"prompt": "halves", "n": 2, "stream": stream, "extra_body": {"seed": 4}}
        with pytest.raises(openai.APIError, match="not possible"):
            list(sdk.images.edit(image=png(32, 32, 1), **given))
    states = [job.state for id, job in live.service.all.items() if id not in seen]
    assert states == ["failed", "cancelled"] * 2


def test_all_literals_of_the_sdk_are_understood() -> None:
    """A new quality or format of the SDK is a decision to be made, not a surprise."""
    for name in ("quality", "output_format", "background", "response_format", "moderation", "style", "complexity"):
        ours = set(get_args(get_args(GenerationParameters.model_fields[name].annotation)[0]))
        theirs = _literals(ImageGenerateParamsBase.__annotations__[name])
        assert theirs <= ours, name


def _literals(annotation: Any) -> set[str]:
    import typing

    namespace = dict(vars(typing))
    evaluated = eval(annotation.__forward_arg__, namespace) if hasattr(annotation, "__forward_arg__") else annotation
    inner = get_args(evaluated)[0]
    return set(get_args(inner))
