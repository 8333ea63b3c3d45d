"""The command line: a thin caller of `triptych.api`, and the only place that prints, exits or reads the
environment.

`main` turns every outcome into an exit code (see `core.errors`): nothing that a person can type shows a stack
trace, unless they ask for it with --debug. Commands live in one file each and import what they need inside,
so that `triptych --help` answers without torch.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

__all__ = ["main"]

DEBUG = "--debug"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code. `argv` is without the program's name, None for the real one."""
    from triptych.cli.app import app, with_default_command
    from triptych.core.errors import Cancelled, OutOfMemory, TriptychError

    # OpenMP reads this once, when torch is loaded: threads that wait sleep instead of spinning, which on a machine with
    # other work makes a picture three times as fast (docs/decisions/0014).
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    arguments = list(sys.argv[1:] if argv is None else argv)
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    debug = DEBUG in options
    if debug:
        arguments.remove(DEBUG)
    try:
        app(with_default_command(arguments), prog_name="triptych")
    except SystemExit as exit_:
        # typer exits for usage errors, --help and a closed pipe, and makes a silent 130 of Ctrl-C.
        code = exit_.code if isinstance(exit_.code, int) else int(exit_.code is not None)
        return _failed("stopped", code) if code == Cancelled.exit_code else code
    except TriptychError as error:
        if debug:
            raise
        return _failed(str(error), error.exit_code)
    except Exception as error:
        if debug:
            raise
        if _is_out_of_memory(error):
            return _failed("out of memory: try a smaller --size or a smaller --n", OutOfMemory.exit_code)
        first_line = (str(error).splitlines() or [""])[0][:300]
        return _failed(f"unexpected {type(error).__name__}: {first_line} (run again with {DEBUG} to see where)", 1)
    return 0


def _failed(message: str, code: int) -> int:
    print(f"triptych: {message}", file=sys.stderr)  # noqa: T201
    return code


def _is_out_of_memory(error: Exception) -> bool:
    # torch is asked by name only, since it may not even be imported; on a CPU it raises a plain RuntimeError.
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or (isinstance(error, RuntimeError) and "can't allocate memory" in str(error))
    )
