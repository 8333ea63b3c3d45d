"""Which models are there, as OpenAI lists them, with what each takes under an own key."""

from __future__ import annotations

from fastapi import APIRouter, Request

from triptych.server.answers import model_body
from triptych.server.routes.common import NOT_FOUND, REFUSALS, Used, model_card
from triptych.server.schemas import ModelBody, ModelsBody

router = APIRouter(prefix="/v1/models", tags=["models"], responses=REFUSALS)


@router.get("", summary="All models")
async def models(request: Request, service: Used) -> ModelsBody:
    """`created` is when this server was started: the models came with it."""
    created: int = request.app.state.started
    return ModelsBody(data=[model_body(card, created) for card in service.models() if card.capabilities])


@router.get("/{name}", responses=NOT_FOUND, summary="One model")
async def model(request: Request, name: str, service: Used) -> ModelBody:
    """Its capabilities are what requests are held against."""
    return model_body(model_card(service, name), request.app.state.started)
