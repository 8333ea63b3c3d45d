"""A picture under way. Frozen: the engine passes a state in and gets the next one back.

Torch is not imported here; tensors appear as `Any`-like attributes of the families' own subclasses.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from triptych.core.plan import Plan
from triptych.core.request import Request


@dataclass(frozen=True)
class Condition:
    """What the network is told, encoded once per request and kept by content.

    positive, negative: what the family needs for the conditional and the unconditional (or negative) pass; their
    type is the family's own. plan: the plan that went in, None where the picture is painted from the words alone.
    init: the picture to start from, in the family's own form. freedom: for each of its positions how far it may change,
    1 = as far as the request's strength says, 0 = not at all; None is 1 everywhere.
    """

    positive: Any
    negative: Any
    plan: Plan | None
    init: Any = None
    freedom: Any = None


@dataclass(frozen=True)
class State:
    """One picture of one request. `step` counts finished steps of `total`; subclasses add the tensors.

    `request` is resolved: every field that the model takes holds a value. `index` is the picture's number in it.
    """

    request: Request
    index: int
    condition: Condition
    step: int
    total: int

    @property
    def done(self) -> bool:
        return self.step >= self.total


@dataclass(frozen=True)
class Saved:
    """What has to be kept of a state, beside its request, to go on from it in another process with the same pixels.

    facts: small values by name. tensors: by name, in the family's own form. step: how many steps were finished.
    """

    step: int
    facts: dict[str, int | str] = field(default_factory=dict[str, "int | str"])
    tensors: dict[str, Any] = field(default_factory=dict[str, Any])
