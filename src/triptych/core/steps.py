"""What was done to a source picture: one step of a chain, as its recipe keeps it."""

from __future__ import annotations

from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict

from triptych.core.asset import Asset, FileAsset

Op = Literal["edit", "outpaint", "upscale", "typeset", "vary", "render"]
OPS: tuple[str, ...] = get_args(Op)


class Step(BaseModel):
    """op: what was done. source: the picture that it was done to. inputs: further pictures, such as the mask.

    files: weights that a person named, such as an upscaler's.
    settings: all that is needed to do it again, apart from the request that paints. report: what was measured of the
    result; `replay` does not depend on it. Both are JSON.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    op: Op
    source: Asset
    inputs: tuple[Asset, ...] = ()
    files: tuple[FileAsset, ...] = ()
    settings: dict[str, Any] = {}
    report: dict[str, Any] = {}
