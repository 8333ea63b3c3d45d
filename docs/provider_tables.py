"""The tables of the page docs/hosted.md, asked of the program: models, prices, providers, and every option."""

from __future__ import annotations

from datetime import UTC, datetime

from options import matrix

from triptych.cli.accounts import ADDRESSES
from triptych.core.capabilities import Capabilities
from triptych.hosted import catalogue, prices
from triptych.hosted.keys import VARIABLES
from triptych.hosted.provider import Provider

MASKS = {"guided": "guided", "words": "in words", "none": "no edits", "exact": "exact"}


def tables() -> str:
    """All tables, each under its heading."""
    takes = {name: model.capabilities for name, (_, model) in catalogue.models().items()}
    parts = ["## Models", "", _models(), "## Prices", "", _prices(), "## Providers", "", _providers()]
    parts += ["## What every hosted model makes of every option", "", matrix(takes, one_voice=True)]
    return "\n".join(parts)


def _models() -> str:
    head = "| model | what | size by default; allowed | a call makes | references | mask | seed | partial |"
    rows = [head, "|---|---|---|---|---|---|---|---|"]
    for name, (_, model) in catalogue.models().items():
        takes = model.capabilities
        cells = [
            f"`{name}`",
            model.description,
            f"{takes.native_size[0]}x{takes.native_size[1]}; {_sizes(takes)}",
            f"up to {model.per_call}" if model.per_call > 1 else "1",
            str(takes.max_references or "no"),
            MASKS[takes.masks],
            "taken" if takes.seed else "no",
            str(takes.partial_pictures or "no"),
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join([*rows, ""])


def _sizes(takes: Capabilities) -> str:
    if takes.sizes:
        return f"{len(takes.sizes)} sizes"
    least = takes.min_pixels or takes.min_side**2
    ratio = f", to {takes.max_ratio:g}:1" if takes.max_ratio else ""
    return f"multiples of {takes.size_multiple}, {least / 1e6:.2g} to {takes.max_pixels / 1e6:.3g} megapixels{ratio}"


def _prices() -> str:
    rows = ["| model | a picture | read | source |", "|---|---|---|---|"]
    for name in catalogue.models():
        price = prices.PRICES[name]
        rows.append(f"| `{name}` | {price.words.partition(' (')[0]} | {price.read}, {price.kind} | {price.source} |")
    return "\n".join([*rows, ""])


def _providers() -> str:
    rows = ["| provider | address | key | another address | pictures from | asked later |", "|---|---|---|---|---|---|"]
    for provider in catalogue.PROVIDERS:
        cells = [
            provider.title,
            f"`{provider.base}`",
            " or ".join(f"`{name}`" for name in VARIABLES[provider.name]),
            f"`{ADDRESSES[provider.name]}`",
            ", ".join(f"`*{host}`" for host in provider.picture_hosts) or "the answer itself",
            _later(provider),
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join([*rows, ""])


def _later(provider: Provider) -> str:
    """Whether a job whose answer never came can be asked about."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    listed = provider.look_up(provider.models[0].id, now, now, provider.base) is not None
    return {"bfl": "with its ticket"}.get(provider.name, "with its ticket, or by its list" if listed else "no")
