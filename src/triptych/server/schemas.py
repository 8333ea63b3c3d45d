"""The bodies of requests and answers, as `/openapi.json` shows them. Unknown fields are refused, never ignored.

The first half is OpenAI's Images API (every parameter that the official SDK can send, see tests/server/test_openai.py),
the second is our own. What a parameter becomes is `translate`'s business.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from triptych.core.asset import Asset
from triptych.core.capabilities import Capabilities
from triptych.core.inputs import MAX_REFERENCES, Reference
from triptych.core.plan import Plan
from triptych.core.request import MAX_PROMPT, MAX_SEED, MAX_STEPS, Quality, Request

MAX_N = 10
"""As OpenAI's; the own API takes as many as a request may have."""
Prompt = Annotated[str, Field(min_length=1, max_length=MAX_PROMPT)]
Words = Annotated[str, Field(max_length=MAX_PROMPT)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class _Out(BaseModel):
    model_config = ConfigDict(frozen=True)


class ErrorDetail(_Out):
    message: str
    type: str
    param: str | None = None
    code: str | None = None


class ErrorBody(_Out):
    """Every error of every route."""

    error: ErrorDetail


class ImageParameters(_In):
    """What generations and edits share. `None` is the default everywhere, as for OpenAI."""

    prompt: Prompt = Field(description="What to paint; for an edit what to do, or what shall stand in the mask.")
    model: str | None = Field(default=None, max_length=200, description="See /v1/models. Default: flow.")
    n: int | None = Field(default=None, ge=1, le=MAX_N)
    size: str | None = Field(
        default=None,
        max_length=20,
        description="WIDTHxHEIGHT or auto. OpenAI's own sizes become the model's nearest, with a note.",
    )
    quality: Literal["low", "medium", "high", "xhigh", "max", "auto", "standard", "hd"] | None = None
    background: Literal["transparent", "opaque", "auto"] | None = None
    output_format: Literal["png", "jpeg", "webp", "gif", "svg"] | None = None
    output_compression: int | None = Field(default=None, ge=0, le=100)
    response_format: Literal["url", "b64_json"] | None = None
    stream: bool | None = None
    partial_images: int | None = Field(default=None, ge=0, le=3)
    user: str | None = Field(default=None, max_length=512)
    safety_identifier: str | None = Field(default=None, max_length=512)
    complexity: Literal["low", "medium", "high"] | None = None
    frame_count: int | None = Field(default=None, ge=2, le=16)
    frame_duration_ms: int | None = Field(default=None, ge=10, le=655_350)
    svg: dict[str, Any] | None = None
    seed: int | None = Field(default=None, ge=0, le=MAX_SEED, description="Ours: the same seed, the same picture.")
    negative_prompt: Words | None = Field(default=None, description="Ours: what to keep away from.")
    num_inference_steps: int | None = Field(default=None, ge=1, le=MAX_STEPS, description="Ours.")
    guidance_scale: float | None = Field(default=None, ge=0, le=50, description="Ours.")


class GenerationParameters(ImageParameters):
    """`POST /v1/images/generations`."""

    moderation: Literal["low", "auto"] | None = None
    style: Literal["vivid", "natural"] | None = None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"prompt": "three red apples on a beach", "model": "flow", "seed": 7, "quality": "low"}]
        }
    )


class EditParameters(ImageParameters):
    """`POST /v1/images/edits`, the fields of the form beside `image`, `image[]` and `mask`."""

    input_fidelity: Literal["high", "low"] | None = None
    lock: float | None = Field(
        default=None, ge=0, le=1, description="Ours: 1 keeps every pixel outside the mask, 0 makes a fresh scene."
    )
    strength: float | None = Field(default=None, gt=0, le=1, description="Ours: how much of the mask is made anew.")


class NoteBody(_Out):
    """What became of a parameter."""

    parameter: str
    action: Literal["accepted", "translated", "ignored", "refused", "note"]
    text: str


class ImageBody(_Out):
    """One picture of an answer: its bytes as base64, or a link that works for an hour without a token."""

    b64_json: str | None = None
    url: str | None = None


class TokenDetails(_Out):
    image_tokens: int
    text_tokens: int


class Usage(_Out):
    """text tokens: the words and signs of the prompt. image tokens: squares of 16 x 16 pixels."""

    input_tokens: int
    input_tokens_details: TokenDetails
    output_tokens: int
    output_tokens_details: TokenDetails
    total_tokens: int


class Made(_Out):
    """Where a picture of ours is and how it came about. `url` needs the token."""

    url: str
    index: int
    seed: int | None = None
    width: int
    height: int
    pixels_sha256: str


class Extras(_Out):
    """What OpenAI's answer has no place for."""

    jobs: list[str]
    model: str
    family: str
    images: list[Made]
    notes: list[NoteBody]
    seconds: dict[str, float]


class ImagesBody(_Out):
    """The answer of generations and edits. `triptych` is ours; clients of OpenAI ignore it."""

    created: int
    data: list[ImageBody]
    background: Literal["transparent", "opaque"]
    output_format: Literal["png", "jpeg", "webp"]
    quality: Quality
    size: str
    usage: Usage
    safety_identifier: str | None = None
    triptych: Extras


class ModelBody(_Out):
    """A model, as OpenAI lists it; `capabilities` is ours."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str
    description: str
    family: str
    licence: str
    capabilities: Capabilities


class ModelsBody(_Out):
    object: Literal["list"] = "list"
    data: list[ModelBody]


class EditRequest(_In):
    """An edit of the own API: pictures by hash (see `/v1/inputs`), settings as `triptych.edit` takes them."""

    picture: Asset
    instruction: Prompt
    mask: Asset | Annotated[str, Field(max_length=200)] | None = Field(
        default=None, description="A picture by hash (255 = edit), a box x,y,w,h, or words such as: the left fox."
    )
    lock: float | None = Field(default=None, ge=0, le=1)
    model: str = Field(default="flow", max_length=200)
    seed: int | None = Field(default=None, ge=0, le=MAX_SEED)
    feather: int | None = Field(default=None, ge=0, le=512)
    grow: int | None = Field(default=None, ge=-512, le=512)
    invert: bool | None = None
    strength: float | None = Field(default=None, gt=0, le=1)
    fresh: bool | None = None
    quality: Quality | None = None
    steps: int | None = Field(default=None, ge=1, le=MAX_STEPS)
    guidance: float | None = Field(default=None, ge=0, le=50)
    negative: Words | None = None
    plan: Plan | None = None
    use_plan: bool | None = None
    references: tuple[Reference, ...] | None = Field(default=None, max_length=MAX_REFERENCES)


class _Submit(_In):
    priority: int = Field(default=0, ge=-100, le=100, description="Higher goes first.")
    timeout: float | None = Field(
        default=None, gt=0, le=604_800, description="Seconds after which nobody wants the result any more."
    )


class SubmitGenerate(_Submit):
    """Pictures from a prompt: every field of `triptych.Request`."""

    kind: Literal["generate"]
    request: Request

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"kind": "generate", "request": {"prompt": "a fox at night", "seed": 3}}]}
    )


class SubmitEdit(_Submit):
    """A change of a picture."""

    kind: Literal["edit"]
    edit: EditRequest


Submit = Annotated[SubmitGenerate | SubmitEdit, Field(discriminator="kind")]

JobState = Literal["queued", "running", "done", "failed", "cancelled", "unknown"]


class JobError(_Out):
    code: str | None = None
    message: str
    param: str | None = None


class JobResult(_Out):
    """The pictures of a job that is done."""

    images: list[Made]
    notes: list[NoteBody]
    model: str
    family: str
    seconds: dict[str, float]
    plan: dict[str, Any] | None = None


class JobBody(_Out):
    """A job. Times are UTC in ISO 8601. `seq` pages the list; `events` is where to follow it."""

    id: str
    object: Literal["job"] = "job"
    seq: int
    kind: str
    state: JobState
    model: str
    priority: int
    attempts: int
    cancel_requested: bool
    created: str
    started: str | None
    finished: str | None
    request: dict[str, Any]
    error: JobError | None
    result: JobResult | None
    events: str


class JobsBody(_Out):
    """One page. `next`: the `before` of the page after it, None on the last."""

    object: Literal["list"] = "list"
    data: list[JobBody]
    next: int | None


class InputBody(_Out):
    """An upload that may now be named by its hash in jobs."""

    asset: Asset
    notes: list[NoteBody]


class PictureBody(_Out):
    """A row of the gallery. `url` is None where the file lies outside of the server's folder."""

    id: int
    made: str
    prompt: str
    model: str
    seed: int | None
    pixels_sha256: str
    recipe: dict[str, Any]
    url: str | None


class GalleryBody(_Out):
    object: Literal["list"] = "list"
    data: list[PictureBody]
    next: int | None


class HealthBody(_Out):
    """status: ok, or why not."""

    status: str
    version: str
