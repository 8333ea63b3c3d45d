"""The page docs/options.md: what every model makes of every option, asked of the contract itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from triptych.core.asset import Asset, FileAsset
from triptych.core.capabilities import Capabilities
from triptych.core.contract import resolve
from triptych.core.errors import InvalidRequest
from triptych.core.inputs import CONTROL_KINDS, ROLES, Control, Lora, Reference, Region
from triptych.core.plan import Plan, PlanObject
from triptych.core.registry import Registry, builtin_folder
from triptych.core.request import Request

HEAD = """\
# What every model makes of every option

Written by `docs/generate.py`: each option alone is held against each model's capability contract
(`core/contract.py`), and this is what the contract answers. Nothing is ever silently ignored.

**yes**: taken as given. **translated**, **set aside**, **noted**: the result carries a note, here below the table.
**refused**: exit code 2, with the reason.

"""


def examples(capabilities: Capabilities) -> dict[str, dict[str, Any]]:
    """One value for each option, by what a person types; together they cover every field of a request."""
    width, height = capabilities.native_size
    picture = Asset.of(np.zeros((height, width, 3), np.uint8), "fox.png")
    square = np.zeros((height, width), np.uint8)
    square[height // 4 : -height // 4, width // 4 : -width // 4] = 255
    grey = Asset.of(square, "map.png")
    wide = {"width": width + capabilities.size_multiple, "height": height}
    plan = Plan(objects=(PlanObject(noun="fox", box=(0.2, 0.2, 0.8, 0.8)),))
    lora = Lora(file=FileAsset(sha256="0" * 64, name="ink.safetensors"))
    return {
        "--negative": {"negative": "blurry"},
        "--seed": {"seed": 7},
        "--n": {"n": 2},
        "--size": wide,
        "--quality": {"quality": "high"},
        "--steps": {"steps": 4},
        "--sampler": {"sampler": (capabilities.samplers or ("euler",))[0]},
        "--schedule": {"schedule": (capabilities.schedules or ("linear",))[0]},
        "--guidance": {"guidance": 3.0},
        "--guidance-interval": {"guidance_interval": (0.1, 0.8)},
        "--guidance-rescale": {"guidance_rescale": 0.5},
        "--temperature": {"temperature": 0.8},
        "--top-k": {"top_k": 50},
        "--top-p": {"top_p": 0.9},
        "--plan": {"plan": plan},
        "--no-plan": {"use_plan": False},
        "--init": {"init": picture},
        "--strength": {"init": picture, "strength": 0.5},
        "--strength-map": {"init": picture, "strength_map": grey},
        **{f"--reference FILE:{role}": {"references": (Reference(asset=picture, role=role),)} for role in ROLES},  # type: ignore[arg-type]
        **{f"--control {kind}=FILE": {"controls": (Control(kind=kind, map=grey),)} for kind in CONTROL_KINDS},  # type: ignore[arg-type]
        "--lora": {"loras": (lora,)},
        "--region": {"regions": (Region(prompt="a cat", box=(0.0, 0.0, 0.5, 1.0)),)},
    }


def page() -> str:
    """The table of all built-in models, and the notes and reasons in their words."""
    registry = Registry().add_folder(builtin_folder())
    return HEAD + matrix({card.name: card.capabilities for card in registry.models() if card.capabilities})


def matrix(models: dict[str, Capabilities], *, one_voice: bool = False) -> str:
    """The table of some models by name, and the notes and reasons in the contract's words.

    one_voice: reasons that differ only in the model's name are one.
    """
    options = list(examples(next(iter(models.values()))))
    reasons: list[str] = []
    rows = [f"| option | {' | '.join(f'`{name}`' for name in models)} |", "|---|" + "---|" * len(models)]
    for option in options:
        cells: list[str] = []
        for name, capabilities in models.items():
            word, reason = answer(examples(capabilities)[option], capabilities, name)
            if one_voice:
                reason = reason.replace(name, "the model")
            if reason and reason not in reasons:
                reasons.append(reason)
            cells.append(f"{word} [{reasons.index(reason) + 1}]" if reason else word)
        rows.append(f"| `{option}` | {' | '.join(cells)} |")
    told = [f"{number}. {reason}" for number, reason in enumerate(reasons, start=1)]
    return "\n".join([*rows, "", *told, ""])


def answer(fields: dict[str, Any], capabilities: Capabilities, name: str) -> tuple[str, str]:
    """The contract's word on these fields alone, and its reason."""
    try:
        _, notes = resolve(Request.make(prompt="a fox", model=name, **fields), capabilities, name=name)
    except InvalidRequest as error:
        return "refused", str(error)
    words = {"ignored": "set aside", "note": "noted", "translated": "translated"}
    given = {*fields, *(["size"] if "width" in fields else [])}
    about = [note for note in notes if note.parameter.partition(".")[0] in given]
    if not about:
        return "yes", ""
    return words.get(about[0].action, about[0].action), f"{about[0].parameter}: {about[0].text}"
