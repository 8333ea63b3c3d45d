"""Requests of many clients that agree in nothing: steps, guidance, samplers, sizes, families. A function of a seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from triptych.core.capabilities import Capabilities
from triptych.core.request import Request
from triptych.scenes.draw import Draw

SHORT = 4
STEPS = (SHORT, SHORT, 8, 12, 20, 50)
"""A third is short: previews, drafts, distilled models. The others are what people ask of samplers."""
GUIDANCE = (1.0, 2.0, 2.0, 4.0)
SAMPLERS = {"flow": ("euler", "heun"), "diffusion": ("euler", "dpmpp_2m", "ddim", "unipc")}
"""Of each family those that diffusers has too."""
SHAPES = ((1.0, 1.0), (1.0, 1.0), (1.0, 0.75), (0.5, 0.5))
"""Sides in shares of the model's own."""
_STREAM = 0x5E7E


@dataclass(frozen=True)
class Ask:
    """One request of one client. short: one of the few-step requests whose waiting is looked at by itself."""

    client: int
    number: int
    request: Request

    @property
    def short(self) -> bool:
        return self.request.steps == SHORT


def workload(
    models: Mapping[str, Capabilities], clients: int, each: int, prompts: Sequence[str], *, seed: int, planned: bool
) -> list[list[Ask]]:
    """The requests of each client, in the order in which it makes them. planned: with plans, as people mostly ask."""
    names = sorted(models)
    return [
        [Ask(client, number, _request(names, models, prompts, seed, client, number, planned)) for number in range(each)]
        for client in range(clients)
    ]


def _request(
    names: Sequence[str],
    models: Mapping[str, Capabilities],
    prompts: Sequence[str],
    seed: int,
    client: int,
    number: int,
    planned: bool,
) -> Request:
    draw = Draw(seed, client * 1000 + number, _STREAM)
    name = draw.pick(names)
    takes = models[name]
    across, down = draw.pick(SHAPES)
    fields: dict[str, object] = {"guidance": draw.pick(GUIDANCE)}
    if takes.steps_range is not None:
        fields |= {"steps": draw.pick(STEPS), "sampler": draw.pick(SAMPLERS[takes.family])}
        fields |= {
            "width": _side(takes.native_size[0] * across, takes),
            "height": _side(takes.native_size[1] * down, takes),
        }
    return Request.make(
        prompt=draw.pick(prompts),
        model=name,
        seed=seed * 100_000 + client * 1000 + number,
        use_plan=planned,
        **fields,
    )


def _side(wanted: float, takes: Capabilities) -> int:
    unit = takes.size_multiple
    return max(round(wanted / unit) * unit, takes.min_side)
