"""Triptych in Python: `generate`, `stream`, `plan`, `replay`. The command line is a thin caller of these.

One set of models per process keeps what it has loaded. Nothing here prints; progress comes as events.
"""

from triptych.api.generate import generate, paint, plan, stream
from triptych.api.replay import TOLERANCE, ReplayReport, replay
from triptych.api.results import Image, Result, library

__all__ = ["TOLERANCE", "Image", "ReplayReport", "Result", "generate", "library", "paint", "plan", "replay", "stream"]
