"""Errors as the job store and the API's answers have them: {"code", "message", "param"}."""

from __future__ import annotations

from typing import Any

from triptych.core.errors import (
    Cancelled,
    ContentRefused,
    DeadlineMissed,
    FileProblem,
    InvalidRequest,
    NotANumber,
    OutOfMemory,
    ProviderError,
    TriptychError,
)

_CODES: dict[type[TriptychError], str] = {
    InvalidRequest: "invalid_request",
    FileProblem: "file_problem",
    ProviderError: "provider_error",
    ContentRefused: "content_refused",
    OutOfMemory: "out_of_memory",
    Cancelled: "cancelled",
    DeadlineMissed: "deadline_exceeded",
    NotANumber: "not_a_number",
}

RETRIED = frozenset({"out_of_memory", "worker_lost"})
"""What another attempt, with less company, may not meet again; everything else would."""


def fault(code: str, message: str, param: str | None = None) -> dict[str, Any]:
    return {"code": code, "message": message, "param": param}


def fault_of(error: BaseException) -> dict[str, Any]:
    """An error that was not raised on purpose is told without its text, which may hold anything; the log has it."""
    if not isinstance(error, TriptychError):
        return fault("internal_error", f"an unexpected {type(error).__name__} in the worker; its log has the details")
    code = next((_CODES[kind] for kind in type(error).__mro__ if kind in _CODES), "failed")
    return fault(code, str(error), error.parameter if isinstance(error, InvalidRequest) else None)
