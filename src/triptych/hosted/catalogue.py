"""Which hosted models there are, by name, in the form in which all models are listed. A provider is one line here."""

from __future__ import annotations

import difflib
from functools import cache

from triptych.core.errors import FileProblem
from triptych.core.registry import Card, Registry
from triptych.hosted.ark import Ark
from triptych.hosted.bfl import BlackForestLabs
from triptych.hosted.dashscope import DashScope
from triptych.hosted.google import Google
from triptych.hosted.openai import OpenAI
from triptych.hosted.provider import Model, Provider
from triptych.hosted.xai import XAI

PROVIDERS: tuple[Provider, ...] = (OpenAI(), Google(), BlackForestLabs(), Ark(), XAI(), DashScope())


def is_hosted(name: str) -> bool:
    """Whether a model's name is one of a provider's, known or not: "openai/...", never a file that is there."""
    return any(name.startswith(f"{provider.name}/") for provider in PROVIDERS)


@cache
def models() -> dict[str, tuple[Provider, Model]]:
    return {model.name: (provider, model) for provider in PROVIDERS for model in provider.models}


def find(name: str) -> tuple[Provider, Model]:
    """The provider and the model; `FileProblem` names close ones."""
    try:
        return models()[name]
    except KeyError:
        close = difflib.get_close_matches(name, models(), n=3, cutoff=0.5)
        hint = f"; did you mean {' or '.join(repr(each) for each in close)}?" if close else ""
        raise FileProblem(f"there is no hosted model {name!r}{hint} (known: {', '.join(models())})") from None


def provider_of(name: str) -> Provider:
    """By the name of the provider itself or of one of its models."""
    wanted = name.partition("/")[0]
    return next(provider for provider in PROVIDERS if provider.name == wanted)


def register(registry: Registry) -> Registry:
    """Put every hosted model among the others: cards without weights."""
    for _, model in models().values():
        registry.register(
            Card(
                name=model.name,
                description=model.description,
                capabilities=model.capabilities,
                licence="the provider's terms",
            )
        )
    return registry
