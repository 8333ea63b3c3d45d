"""The loop that every picture goes through. Knows the doors of a family, never a named model."""

from triptych.engine.run import Engine, Models

__all__ = ["Engine", "Models"]
