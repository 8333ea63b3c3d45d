"""How a picture begins: its plan, its condition, and its first state, or the one that was saved of it."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import Any, Protocol

from triptych.core.capabilities import Capabilities
from triptych.core.events import Note
from triptych.core.family import Family
from triptych.core.plan import Plan
from triptych.core.request import Request
from triptych.core.state import Condition, State
from triptych.engine.ticket import Ticket

KEPT_CONDITIONS = 64


class Models(Protocol):
    """Where the engine gets its models from."""

    def family(self, name: str) -> Family:
        """The loaded model of that name."""
        ...

    def plan(self, request: Request, index: int) -> Plan | None:
        """The plan for picture `index`, or None where there is nothing to plan."""
        ...

    def notes(self, request: Request, capabilities: Capabilities) -> tuple[Note, ...]:
        """What becomes of the words of a prompt: mapped, cut, or beyond what the model learned."""
        ...


class Starter:
    """Begins pictures; keeps conditions by their content."""

    def __init__(self, models: Models) -> None:
        self.models = models
        self._conditions: OrderedDict[Any, Condition] = OrderedDict()

    def begin(self, ticket: Ticket, index: int) -> State:
        """The state of picture `index`; its plan and the time that it took are noted on the ticket."""
        started = time.perf_counter()
        plan = self._plan(ticket.request, index)
        planned = time.perf_counter()
        condition = self._condition(ticket, plan)
        ticket.seconds[index] = {"plan": planned - started, "encode": time.perf_counter() - planned}
        ticket.plans[index] = plan
        if index in ticket.saved:
            try:
                return ticket.family.resume(ticket.request, condition, index, ticket.saved[index])
            except (ValueError, IndexError, KeyError) as error:
                told = f"picture {index} begins anew: what was kept of it does not fit ({error})"
                ticket.notes += (Note("seed", "note", told),)
        return ticket.family.begin(ticket.request, condition, index)

    def _plan(self, request: Request, index: int) -> Plan | None:
        if request.plan is not None or not request.use_plan:
            return request.plan
        return self.models.plan(request, index)

    def _condition(self, ticket: Ticket, plan: Plan | None) -> Condition:
        """Encoded once per content: the same words and plan are not read twice."""
        request = ticket.request
        key = (id(ticket.family), plan, request.conditioning)
        if key in self._conditions:
            self._conditions.move_to_end(key)
        else:
            self._conditions[key] = ticket.family.encode(request, plan)
            if len(self._conditions) > KEPT_CONDITIONS:
                self._conditions.popitem(last=False)
        return self._conditions[key]
