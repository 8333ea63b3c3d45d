"""Triptych: pictures from diffusion, flow matching and autoregressive tokens, behind one interface.

The public names are listed here and loaded when first used, so that `import triptych` does not import torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from triptych.advice import Advice, advise
    from triptych.api import Image, ReplayReport, Result, generate, plan, replay, stream
    from triptych.api.change import edit
    from triptych.api.control import ControlMap, control_map
    from triptych.api.edit import EditResult
    from triptych.api.outpaint import OutpaintResult, outpaint
    from triptych.api.render import Rendered, render
    from triptych.api.typeset import Lettered, typeset
    from triptych.api.upscale import Upscaled, upscale
    from triptych.api.vary import Variant, vary
    from triptych.core.errors import TriptychError
    from triptych.core.plan import Plan, PlanObject
    from triptych.core.request import Request
    from triptych.engine import Engine
    from triptych.library import Library

_HOMES = {
    "Advice": "triptych.advice",
    "ControlMap": "triptych.api.control",
    "EditResult": "triptych.api.edit",
    "Engine": "triptych.engine",
    "Image": "triptych.api",
    "Lettered": "triptych.api.typeset",
    "Library": "triptych.library",
    "OutpaintResult": "triptych.api.outpaint",
    "Plan": "triptych.core.plan",
    "PlanObject": "triptych.core.plan",
    "Rendered": "triptych.api.render",
    "ReplayReport": "triptych.api",
    "Request": "triptych.core.request",
    "Result": "triptych.api",
    "TriptychError": "triptych.core.errors",
    "Upscaled": "triptych.api.upscale",
    "Variant": "triptych.api.vary",
    "advise": "triptych.advice",
    "control_map": "triptych.api.control",
    "edit": "triptych.api.change",
    "generate": "triptych.api",
    "outpaint": "triptych.api.outpaint",
    "plan": "triptych.api",
    "render": "triptych.api.render",
    "replay": "triptych.api",
    "stream": "triptych.api",
    "typeset": "triptych.api.typeset",
    "upscale": "triptych.api.upscale",
    "vary": "triptych.api.vary",
}

__all__ = [
    "Advice",
    "ControlMap",
    "EditResult",
    "Engine",
    "Image",
    "Lettered",
    "Library",
    "OutpaintResult",
    "Plan",
    "PlanObject",
    "Rendered",
    "ReplayReport",
    "Request",
    "Result",
    "TriptychError",
    "Upscaled",
    "Variant",
    "advise",
    "control_map",
    "edit",
    "generate",
    "outpaint",
    "plan",
    "render",
    "replay",
    "stream",
    "typeset",
    "upscale",
    "vary",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'triptych' has no attribute {name!r}")
