"""Triptych: pictures from diffusion, flow matching and autoregressive tokens, behind one interface.

The public names are listed here and loaded when first used, so that `import triptych` does not import torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from triptych.api import Image, ReplayReport, Result, generate, plan, replay, stream
    from triptych.api.change import edit
    from triptych.api.edit import EditResult
    from triptych.api.outpaint import OutpaintResult, outpaint
    from triptych.core.errors import TriptychError
    from triptych.core.plan import Plan, PlanObject
    from triptych.core.request import Request
    from triptych.engine import Engine
    from triptych.library import Library

_HOMES = {
    "EditResult": "triptych.api.edit",
    "Engine": "triptych.engine",
    "Image": "triptych.api",
    "Library": "triptych.library",
    "OutpaintResult": "triptych.api.outpaint",
    "Plan": "triptych.core.plan",
    "PlanObject": "triptych.core.plan",
    "ReplayReport": "triptych.api",
    "Request": "triptych.core.request",
    "Result": "triptych.api",
    "TriptychError": "triptych.core.errors",
    "edit": "triptych.api.change",
    "generate": "triptych.api",
    "outpaint": "triptych.api.outpaint",
    "plan": "triptych.api",
    "replay": "triptych.api",
    "stream": "triptych.api",
}

__all__ = [
    "EditResult",
    "Engine",
    "Image",
    "Library",
    "OutpaintResult",
    "Plan",
    "PlanObject",
    "ReplayReport",
    "Request",
    "Result",
    "TriptychError",
    "edit",
    "generate",
    "outpaint",
    "plan",
    "replay",
    "stream",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'triptych' has no attribute {name!r}")
