"""The app: routes, error forms, the door in front of them, and the OpenAPI page. Is handed a service, builds none."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException

from triptych.core.errors import TriptychError
from triptych.core.recipe import package_version
from triptych.server import errors
from triptych.server.metrics import Metrics
from triptych.server.middleware import Door
from triptych.server.routes import images, jobs, models, operation, pictures
from triptych.server.safety import METRICS, OPEN, Rules
from triptych.server.service import Service
from triptych.server.settings import Settings

ABOUT = "Pictures from diffusion, flow matching and tokens: the OpenAI Images API, and durable jobs of its own."
MULTIPART = frozenset({images.EDITS, pictures.INPUTS})
"""The paths that take a form; every other change of state comes as JSON."""
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(service: Service, settings: Settings, *, stopping: Callable[[], bool] = lambda: False) -> FastAPI:
    """The whole server as an ASGI app. stopping: whether new work is refused, because the process is about to end."""
    app = FastAPI(
        title="Triptych",
        description=ABOUT,
        version=package_version(),
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan(service),
    )
    metrics = Metrics(service.load)
    app.state.service, app.state.settings, app.state.metrics = service, settings, metrics
    app.state.started = int(time.time())
    for routes in (images, models, jobs, pictures, operation):
        # Flat, not as a router within a router: the table of routes is what tests walk through.
        app.router.routes.extend(routes.router.routes)
    app.add_exception_handler(HTTPException, errors.answer_api_error)
    app.add_exception_handler(RequestValidationError, errors.answer_validation)
    app.add_exception_handler(TriptychError, errors.answer_ours)
    app.add_middleware(Door, rules=Rules(settings, MULTIPART), metrics=metrics, stopping=stopping)
    app.openapi = lambda: _openapi(app)
    return app


def _lifespan(service: Service) -> Lifespan:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        await service.start(app.state.metrics.count)
        try:
            yield
        finally:
            await service.stop()

    return lifespan


def _openapi(app: FastAPI) -> dict[str, Any]:
    """FastAPI's page without its own 422, which no route answers, and with the token where one is needed."""
    if app.openapi_schema is not None:
        return app.openapi_schema
    schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    for path, methods in schema["paths"].items():
        for operation_ in methods.values():
            operation_["responses"].pop("422", None)
            if path not in OPEN and path != METRICS:
                operation_["security"] = [{"token": []}]
    parts = schema.setdefault("components", {})
    parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for name in ("HTTPValidationError", "ValidationError"):
        parts.get("schemas", {}).pop(name, None)
    app.openapi_schema = schema
    return schema
