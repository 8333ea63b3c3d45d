"""The stages in their order, and what one command does for each: gather its parts, train, export.

A work folder (`runs/` unless told otherwise) holds one folder per stage and preset: checkpoint, log, sheets, model. A
stage takes the parts that it builds on from there, or else from the weights that ship with the package.
"""

from __future__ import annotations

from triptych.training.stages.run import STAGES, run

__all__ = ["STAGES", "run"]
