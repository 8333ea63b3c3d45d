"""The doors of a family. The engine knows these and nothing else of a model.

One network call for many pictures (`forward`), one pure step for each (`advance`): the loop is the engine's, so one
picture alone, or forty at different steps with different settings, run the same code.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Protocol

from triptych.core.capabilities import Capabilities
from triptych.core.events import Pixels
from triptych.core.plan import Plan
from triptych.core.request import Request
from triptych.core.state import Condition, Saved, State


class Family(Protocol):
    """A loaded model. `request` is always the resolved one: no field that the model takes is None."""

    name: str
    capabilities: Capabilities

    def encode(self, request: Request, plan: Plan | None) -> Condition:
        """Prompt, negative prompt and plan to tensors. Pure; the engine keeps the result by content."""
        ...

    def begin(self, request: Request, condition: Condition, index: int) -> State:
        """The start of picture `index`: noise, or an empty token canvas."""
        ...

    def batch_key(self, state: State) -> Hashable:
        """States with equal keys may share one `forward`."""
        ...

    def forward(self, states: Sequence[State]) -> list[Any]:
        """The only batched network call. Guidance rows are laid out, and combined, in here."""
        ...

    def advance(self, state: State, prediction: Any) -> State:
        """One step on. Pure, one picture at a time."""
        ...

    def preview(self, state: State) -> Pixels | None:
        """A small, cheap picture of where this state is going; None where there is nothing to see yet."""
        ...

    def decode(self, states: Sequence[State]) -> list[Pixels]:
        """Finished states to pixels."""
        ...

    def release(self, state: State) -> None:
        """Give back what the state holds outside itself (a KV-cache slot). Called once, finished or cancelled."""
        ...

    def save(self, state: State) -> Saved | None:
        """What `resume` needs to go on from here; None where starting again is as well."""
        ...

    def resume(self, request: Request, condition: Condition, index: int, saved: Saved) -> State:
        """The state that was saved, bit for bit. Raises `ValueError` for one that does not fit the request."""
        ...
