"""Every error that Triptych raises on purpose, with the exit code that the command line gives it.

TriptychError                1  a failure while working
├── InvalidRequest           2  a parameter that is out of range, unknown, or refused by the model's contract
├── FileProblem              3  a file or model that is missing, unreadable, truncated or of the wrong kind
├── ProviderError            4  a hosted model or its key
├── ContentRefused           5  a provider's content rules
├── OutOfMemory              6  the machine's memory
├── NotANumber               1  a picture whose numbers left the range of floats
├── DeadlineMissed           1  a picture that would come too late
└── Cancelled              130  stopped by the person who asked

Each message is one clear sentence: the parameter, what was given, what is allowed.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class TriptychError(Exception):
    """A failure with a sentence for the user; `exit_code` is what the command line exits with."""

    exit_code = 1


class InvalidRequest(TriptychError):
    """A bad parameter. `parameter` names it, so that a server can point at the field."""

    exit_code = 2

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(f"{parameter}: {message}")
        self.parameter = parameter


class FileProblem(TriptychError):
    exit_code = 3


class ProviderError(TriptychError):
    exit_code = 4


class ContentRefused(TriptychError):
    exit_code = 5


class OutOfMemory(TriptychError):
    exit_code = 6


class NotANumber(TriptychError):
    pass


class DeadlineMissed(TriptychError):
    pass


class Cancelled(TriptychError):
    exit_code = 130


def one_of(parameter: str, given: str, allowed: Iterable[str]) -> str:
    """Return `given` if it is allowed, else raise `InvalidRequest` that names the close matches."""
    names = sorted(allowed)
    if given in names:
        return given
    close = difflib.get_close_matches(given, names, n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(repr(name) for name in close)}?" if close else ""
    raise InvalidRequest(parameter, f"{given!r} is not known{hint} (allowed: {', '.join(names)})")
