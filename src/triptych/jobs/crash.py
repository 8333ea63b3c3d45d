"""Named places where a crash is worth testing. Inert: nothing in the package ever arms them.

A test hands `arm` a function that, say, kills the process at the third pass of one name. `POINTS` is the whole list, so
that a test can go through all of them; a name that is not in it is refused even when nothing is armed.
"""

from __future__ import annotations

from collections.abc import Callable

POINTS = frozenset(
    {
        "migration.statement",
        "migration.commit",
        "backup.written",
        "corrupt.aside",
        "rebuild.row",
        "group.begun",
        "group.commit",
        "group.committed",
        "publish.written",
        "publish.renamed",
        "publish.synced",
        "submit.key",
        "submit.row",
        "claim.row",
        "picture.row",
        "finish.row",
        "fail.row",
        "cancel.row",
        "requeue.row",
    }
)

_armed: Callable[[str], None] | None = None


def arm(action: Callable[[str], None] | None) -> None:
    """Call `action` with the name of every point that is passed from now on; None disarms."""
    global _armed
    _armed = action


def crash_point(name: str) -> None:
    if name not in POINTS:
        raise ValueError(f"{name!r} is no crash point")
    if _armed is not None:
        _armed(name)
