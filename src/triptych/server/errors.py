"""Every error as OpenAI's clients expect it: `{"error": {"message", "type", "param", "code"}}` with a status.

| status | what | code |
|---|---|---|
| 400 | a parameter that is out of range, unknown, or refused by the model's contract | invalid_value and others |
| 401, 403 | no token; a host or page that may not ask | invalid_api_key, host_not_allowed, origin_not_allowed |
| 404, 405, 409 | no such thing; no such method; too late for that | not_found, model_not_found, ..., job_ended |
| 413, 415, 431 | more than is taken; another type than is taken | too_large, unsupported_media_type |
| 429 | the queue is full: try again after `Retry-After` seconds | queue_full |
| 500, 503, 507 | a failure here; the server is stopping; the disk is full | internal_error, stopping, storage_full |

A message may quote what a stranger wrote, so the body is written as ASCII, which no encoding can break.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match, Route

from triptych.core.errors import (
    Cancelled,
    ContentRefused,
    FileProblem,
    InvalidRequest,
    OutOfMemory,
    ProviderError,
    TriptychError,
)
from triptych.jobs.errors import AlreadyEnded, KeyReused, NoSuchJob, QueueFull, StorageError, StorageFull

MAX_SHOWN = 60
TYPES = {400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
CODES = {
    400: "invalid_value",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
}
KINDS = ("generate", "edit")
NOT_AGAIN = {"x-should-retry": "false"}
"""Tells the official SDK that the server has already tried as often as makes sense."""
AGAIN = {"retry-after": "5"}


class ApiError(HTTPException):
    """An answer that is an error. A subclass of Starlette's, which its body readers let through."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        type: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, message, dict(headers or {}))
        self.message, self.param = message, param
        self.code = code or CODES.get(status, "internal_error" if status >= 500 else "invalid_value")
        self.type = type or TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")

    def body(self) -> dict[str, Any]:
        """The JSON that is sent."""
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}

    def response(self) -> Response:
        """The answer itself. ASCII: a lone surrogate in what was given could not be written as UTF-8."""
        content = json.dumps(self.body(), ensure_ascii=True)
        return Response(content, self.status_code, dict(self.headers or {}), "application/json")


def of_ours(error: TriptychError) -> ApiError:
    """An error of the package as an answer."""
    message = str(error)
    match error:
        case QueueFull(retry_after=seconds):
            return ApiError(429, message, code="queue_full", headers={"retry-after": str(seconds)})
        case AlreadyEnded():
            return ApiError(409, message, code="job_ended", headers=NOT_AGAIN)
        case NoSuchJob():
            return ApiError(404, message)
        case StorageFull():
            return ApiError(507, message, code="storage_full", headers=AGAIN)
        case StorageError():
            return ApiError(503, message, code="storage_error", headers=AGAIN)
        case KeyReused():
            return ApiError(400, message, code="idempotency_key_reused", type="idempotency_error")
        case InvalidRequest(parameter=parameter):
            return ApiError(400, message.removeprefix(f"{parameter}: "), param=parameter)
        case ContentRefused():
            return ApiError(400, message, code="content_refused", headers=NOT_AGAIN)
        case FileProblem():
            return ApiError(400, message, code="unreadable_file")
        case OutOfMemory():
            return ApiError(507, message, code="out_of_memory", headers=NOT_AGAIN)
        case Cancelled():
            return ApiError(409, message, code="job_cancelled", headers=NOT_AGAIN)
        case ProviderError():
            return ApiError(502, message, code="provider_error", headers=NOT_AGAIN)
        case _:
            return ApiError(500, message, code="internal_error", headers=NOT_AGAIN)


def of_validation(errors: list[Any], *, where: str = "body") -> ApiError:
    """The first complaint of pydantic as one sentence that names the parameter and what was given.

    where: the first part of a complaint's place, which names the body and says nothing to a person.
    """
    first = errors[0]
    place = [str(part) for part in first["loc"] if part not in (where, "query", "path", "header")]
    if len(place) > 1 and place[0] in KINDS:
        place = place[1:]  # pydantic names the member of the union first, which is no part of the body
    if str(first["type"]).startswith("union_tag"):
        place = ["kind"]
    param = ".".join(place) or None
    message = str(first["msg"]).removeprefix("Value error, ")
    given = first.get("input")
    if first["type"] == "json_invalid":
        why = (first.get("ctx") or {}).get("error", "it cannot be read")
        return ApiError(400, f"the body is not JSON: {str(why)[:MAX_SHOWN]}", code="invalid_json")
    if first["type"] == "missing":
        message = "is required"
    elif first["type"] == "extra_forbidden":
        return ApiError(400, f"unknown parameter: {param!r}", code="unknown_parameter", param=param)
    elif first["type"] != "value_error" and isinstance(given, str | int | float):
        shown = repr(given)
        shown = shown if len(shown) <= MAX_SHOWN else shown[: MAX_SHOWN - 3] + "..."
        message = f"{shown} is not allowed: {message[0].lower()}{message[1:]}"
    return ApiError(400, f"{param}: {message}" if param else message, param=param)


async def answer_api_error(request: Request, error: Exception) -> Response:
    """Handler for `ApiError` and for what the framework raises itself (404, 405, a body that is not JSON)."""
    if isinstance(error, ApiError):
        return error.response()
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["allow"] = ", ".join(_methods(request))
    known = {404: f"there is no {request.url.path[:200]!r} here", 405: f"{request.method} is not taken here"}
    message = known.get(error.status_code, str(error.detail))
    return ApiError(error.status_code, message, headers=headers).response()


def _methods(request: Request) -> list[str]:
    """What is taken at this address: the framework looks at the first route of it only."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    found = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    return sorted({method for route in found for method in route.methods or ()})


async def answer_validation(request: Request, error: Exception) -> Response:
    """Handler for bodies, queries and paths that do not fit their schema: 400 and our form, not FastAPI's 422."""
    assert isinstance(error, RequestValidationError)
    return of_validation(list(error.errors())).response()


async def answer_ours(request: Request, error: Exception) -> Response:
    """Handler for errors of the package."""
    assert isinstance(error, TriptychError)
    return of_ours(error).response()
