"""Whether the server lives, whether it can work, and what it has done: for machines that watch it."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Response

from triptych.core.recipe import package_version
from triptych.server.errors import ApiError
from triptych.server.metrics import CONTENT_TYPE
from triptych.server.routes.common import REFUSALS, Counted, Used
from triptych.server.schemas import HealthBody

router = APIRouter(tags=["operation"], responses=REFUSALS)


@router.get("/health", summary="Does it live?")
async def health() -> HealthBody:
    """200 as long as the process answers, while it stops too: who restarts it by this probe should not."""
    return HealthBody(status="ok", version=package_version())


@router.get("/ready", summary="Would a job be done now?")
async def ready(service: Used) -> HealthBody:
    """503 with the reason while it starts or stops, or when it has no worker or cannot reach its disk."""
    reason = service.not_ready()
    if reason is not None:
        raise ApiError(503, reason, code="not_ready", headers={"retry-after": "5"})
    return HealthBody(status="ok", version=package_version())


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"description": "Figures.", "content": {"text/plain": {"schema": {"type": "string"}}}}},
    summary="Figures for Prometheus",
)
async def metrics(counted: Counted) -> Response:
    """Without the token on loopback only."""
    return Response(await asyncio.to_thread(counted.text), media_type=CONTENT_TYPE)
