"""The table of routes as the tests walk through it: whatever is added tomorrow is in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import FastAPI
from starlette.routing import Route

SOME_ID = "0190a000-0000-7000-8000-000000000000"
VALUES = {"id": SOME_ID, "name": "flow", "index": "0"}
SAFE = ("GET", "HEAD")


@dataclass(frozen=True)
class Entry:
    method: str
    template: str

    @property
    def path(self) -> str:
        """The template with harmless values."""
        path = self.template
        for name, value in VALUES.items():
            path = path.replace(f"{{{name}}}", "1" if self.template.startswith("/v1/gallery") else value)
        assert "{" not in path, f"{path} has a parameter that VALUES does not know"
        return path

    @property
    def changes(self) -> bool:
        return self.method not in SAFE


def entries(app: FastAPI) -> Iterator[Entry]:
    """Every method of every route. A kind of route that is not known here (a mount, a WebSocket) is an error."""
    for route in app.routes:
        assert isinstance(route, Route), f"{route!r} is of a kind that no test looks at"
        assert route.methods
        for method in sorted(route.methods):
            yield Entry(method, route.path)
