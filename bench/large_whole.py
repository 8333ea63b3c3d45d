"""What windows and walks are good for: `bench seams --parts sizes` with the network shown every picture whole.

    python bench/large_whole.py [OPTIONS OF bench seams]        (figures go to runs/seams-whole)

This is how larger pictures were painted before docs/decisions/0047: one walk, one look at all of the latent.
"""

from __future__ import annotations

import sys
from typing import Any
from unittest import mock

from triptych.cli import main
from triptych.families import latent
from triptych.families.tiles import Size, Stage


def whole(size: Size, native: Size, unit: int, **grows: Any) -> tuple[Stage, ...]:
    return (Stage(size),)


if __name__ == "__main__":
    with mock.patch.object(latent, "stages", whole):
        sys.exit(main(["bench", "seams", "--parts", "sizes", "--out", "runs/seams-whole", *sys.argv[1:]]))
