"""A written plan fitted to the control maps of its request, so that plan and map do not ask for things twice.

Knows which map says most of places, and what its colours mean; how places are found is `control.blobs`' business.
"""

from __future__ import annotations

from triptych.control.blobs import blobs, moved_to
from triptych.core.inputs import Control
from triptych.core.plan import Plan
from triptych.core.request import Request
from triptych.evals.scene_maps import world_legend
from triptych.families.steering import fitted

MOST_TELLING = ("segmentation", "pose", "depth", "edges")
STRONG = 0.5
"""A map with less weight than this shades the plan and does not overrule it."""


def telling_map(request: Request) -> Control | None:
    """The map whose places count: the most telling one of those that act strongly from the first step on."""
    acting = [one for one in request.controls if one.weight >= STRONG and one.start == 0]
    return min(acting, key=lambda one: MOST_TELLING.index(one.kind), default=None)


def fitted_plan(plan: Plan, request: Request) -> Plan:
    """The plan with its things where the map has them, or as it is where that cannot be told.

    The request is resolved: its size is known.
    """
    one = telling_map(request)
    if one is None or request.width is None or request.height is None:
        return plan
    pixels = fitted(one.kind, one.map, (request.width, request.height))
    found = blobs(one.kind, pixels, world_legend())
    return moved_to(plan, found, whole=one.kind != "edges") or plan
