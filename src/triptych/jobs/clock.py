"""Time that never jumps: the wall clock as it was when the process began, plus what has passed since.

Whoever sets the machine's clock while the queue runs makes no job expire and none live for ever. A deadline that
outlives the process is compared with the wall clock of the next one; only there a jump between the two shows.
"""

from __future__ import annotations

import os
import time

# Counts while a laptop sleeps, where the system has such a clock; a deadline passes in sleep too.
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_BEGAN = time.time() - time.clock_gettime(_STEADY)


def now() -> float:
    """Seconds since 1970, steady within the process."""
    return _BEGAN + time.clock_gettime(_STEADY)


def new_id() -> str:
    """A UUID of version 7 (RFC 9562): milliseconds, then 74 random bits. Sorts by time and cannot be guessed."""
    milliseconds = int(now() * 1000) & (2**48 - 1)
    random = int.from_bytes(os.urandom(10), "big")
    value = milliseconds << 80 | 0x7 << 76 | (random >> 64 & 0xFFF) << 64 | 0b10 << 62 | random & (2**62 - 1)
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
