"""The capability contract: a request is held against what the model declares, and nothing is ever silently
ignored.

Each parameter is accepted, translated or set aside with a `Note`, or refused with `InvalidRequest`. What
comes out is the resolved request: every field that the model takes holds a value, every other one is None.
Only `seed` may stay None, since the engine draws it. Knows no model by name.
"""

from __future__ import annotations

from collections.abc import Callable
from math import log, sqrt
from typing import Any

from triptych.core import contract_inputs
from triptych.core.capabilities import Capabilities, Tier
from triptych.core.errors import InvalidRequest, one_of
from triptych.core.events import Note
from triptych.core.inputs import PLANNED_ROLES
from triptych.core.plan import Plan
from triptych.core.request import MAX_SIDE, Request

DEFAULT_STEPS = 20
NOT_OFFERED = "its provider offers no such setting"
OFF = 1.0
"""The guidance scale without effect (Ho & Salimans 2022, in the form where 1 is the conditional prediction alone)."""

Resolved = tuple[dict[str, Any], list[Note]]
"""The fields that a rule fills in, and what there is to tell about them."""


def resolve(request: Request, capabilities: Capabilities, *, name: str) -> tuple[Request, tuple[Note, ...]]:
    """The request as the model `name` will carry it out, and what became of each parameter.

    Raises `InvalidRequest` that names the parameter, what was given and what is allowed.
    """
    fields: dict[str, Any] = {"model": name}
    notes: list[Note] = []
    rules: tuple[Callable[[Request, Capabilities, str], Resolved], ...] = (
        _prompt,
        _quality,
        _size,
        _steps,
        _guidance,
        _token_sampling,
        _plan,
        _seed,
        contract_inputs.init,
        contract_inputs.references,
        contract_inputs.controls,
        contract_inputs.loras,
        contract_inputs.regions,
    )
    for rule in rules:
        # A later rule sees what the earlier ones resolved: the size decides how an init picture is scaled.
        found, told = rule(request.model_copy(update=fields), capabilities, name)
        fields |= found
        notes += told
    return request.model_copy(update=fields), tuple(notes)


def size_for_aspect(aspect: str, capabilities: Capabilities) -> tuple[int, int]:
    """The size of the model's native area with the aspect ratio "W:H", both sides rounded to what the model
    takes.
    """
    across, _, down = aspect.partition(":")
    try:
        ratio = float(across) / float(down)
    except (ValueError, ZeroDivisionError):
        ratio = 0.0
    if not 0.1 <= ratio <= 10:
        raise InvalidRequest("aspect", f"{aspect!r} is not allowed: two numbers such as 16:9, at most 10:1 or 1:10")
    width, height = capabilities.native_size
    area = width * height
    if capabilities.sizes:
        found, _ = _one_of_its_sizes(round(sqrt(area * ratio)), round(sqrt(area / ratio)), capabilities, "")
        return found["width"], found["height"]
    wide, high = sqrt(area * ratio), sqrt(area / ratio)
    # A model whose short side is given makes a larger picture of that shape.
    grown = max((capabilities.short_side or 0) / min(wide, high), 1.0)
    return _nearest(wide * grown, capabilities), _nearest(high * grown, capabilities)


def _prompt(request: Request, capabilities: Capabilities, name: str) -> Resolved:
    if request.prompt.strip():
        return {}, []
    if not capabilities.unconditional:
        raise InvalidRequest("prompt", f"is empty, which is not allowed for {name}: say what shall be in the picture")
    return {}, [Note("prompt", "note", "empty, so the picture is unconditional: whatever the model likes to make")]


def _quality(request: Request, capabilities: Capabilities, name: str) -> Resolved:
    if request.quality in capabilities.tiers or request.quality == "medium":
        return {}, []
    instead = "; set steps or guidance instead" if capabilities.steps_range or capabilities.guidance else ""
    return {}, [Note("quality", "ignored", f"{name} has one quality only{instead}")]


def _tier(request: Request, capabilities: Capabilities) -> Tier:
    return capabilities.tiers.get(request.quality) or capabilities.tiers.get("medium") or Tier()


def _size(request: Request, capabilities: Capabilities, name: str) -> Resolved:
    width, height = capabilities.native_size
    if request.width is None or request.height is None:
        if request.init is not None:
            width, height = size_for_aspect(f"{request.init.width}:{request.init.height}", capabilities)
        return {"width": width, "height": height}, []
    if capabilities.sizes:
        return _one_of_its_sizes(request.width, request.height, capabilities, name)
    multiple, low = capabilities.size_multiple, capabilities.min_side
    for parameter, side in (("width", request.width), ("height", request.height)):
        if side % multiple or side < low:
            allowed = f"multiples of {multiple} from {_nearest(low, capabilities)} up"
            raise InvalidRequest(
                parameter,
                f"{side} is not allowed for {name}: {allowed}; the nearest is {_nearest(side, capabilities)}",
            )
    short = capabilities.short_side
    if short is not None and min(request.width, request.height) > short:
        raise InvalidRequest(
            "size",
            f"{request.width}x{request.height} is not allowed for {name}: one of the sides has to be {short}, "
            f"for example {_nearest(short * request.width / request.height, capabilities)}x{short}",
        )
    if request.width * request.height > capabilities.max_pixels:
        fits = _fitting(request.width, request.height, capabilities)
        raise InvalidRequest(
            "size",
            f"{request.width}x{request.height} is not allowed for {name}: "
            f"at most {capabilities.max_pixels} pixels, for example {fits[0]}x{fits[1]}",
        )
    _check_shape(request.width, request.height, capabilities, name)
    return {"width": request.width, "height": request.height}, []


def _one_of_its_sizes(width: int, height: int, capabilities: Capabilities, name: str) -> Resolved:
    """Of a fixed list of sizes the one of the nearest shape, and among those of one shape the nearest in area."""

    def off(size: tuple[int, int]) -> tuple[float, float]:
        shape = abs(log(size[0] / size[1] / (width / height)))
        return round(shape, 2), abs(log(size[0] * size[1] / (width * height)))

    found = min(capabilities.sizes, key=off)
    fields = {"width": found[0], "height": found[1]}
    if found == (width, height):
        return fields, []
    told = f"{width}x{height} is none of the sizes that {name} makes; the nearest is {found[0]}x{found[1]}"
    return fields, [Note("size", "translated", told)]


def _check_shape(width: int, height: int, capabilities: Capabilities, name: str) -> None:
    if width * height < capabilities.min_pixels:
        raise InvalidRequest(
            "size", f"{width}x{height} is not allowed for {name}: at least {capabilities.min_pixels} pixels"
        )
    most = capabilities.max_ratio
    if most is not None and max(width, height) > most * min(width, height):
        raise InvalidRequest("size", f"{width}x{height} is not allowed for {name}: at most {most:g}:1 or 1:{most:g}")


def _nearest(side: float, capabilities: Capabilities) -> int:
    multiple = capabilities.size_multiple
    lowest = -(-capabilities.min_side // multiple) * multiple
    return min(max(round(side / multiple) * multiple, lowest), MAX_SIDE // multiple * multiple)


def _fitting(width: int, height: int, capabilities: Capabilities) -> tuple[int, int]:
    """An allowed size of about this shape: rounded down, and the long side gives way where the short one cannot."""
    multiple, lowest = capabilities.size_multiple, _nearest(0, capabilities)
    scale = sqrt(capabilities.max_pixels / (width * height))
    short = max(lowest, int(min(width, height) * scale) // multiple * multiple)
    long = min(int(max(width, height) * scale), capabilities.max_pixels // short) // multiple * multiple
    return (long, short) if width >= height else (short, long)


def _steps(request: Request, capabilities: Capabilities, name: str) -> Resolved:
    """Steps, sampler and schedule: the walk from noise to picture."""
    tier = _tier(request, capabilities)
    fields: dict[str, Any] = {"steps": None, "sampler": None, "schedule": None}
    reason = _why_no_walk(capabilities)
    if capabilities.steps_range is None:
        _refuse(request, "steps", name, reason)
    else:
        low, high = capabilities.steps_range
        steps = request.steps if request.steps is not None else tier.steps
        if request.steps is not None and not low <= request.steps <= high:
            raise InvalidRequest("steps", f"{request.steps} is not allowed for {name}: from {low} to {high}")
        fields["steps"] = min(max(DEFAULT_STEPS if steps is None else steps, low), high)
    for parameter, known in (("sampler", capabilities.samplers), ("schedule", capabilities.schedules)):
        given: str | None = getattr(request, parameter)
        if not known:
            _refuse(request, parameter, name, reason)
            continue
        usual: str | None = getattr(tier, parameter)
        default = usual if usual in known else known[0]
        fields[parameter] = default if given is None else one_of(parameter, given, known)
    return fields, []


def _why_no_walk(capabilities: Capabilities) -> str:
    if capabilities.family == "hosted":
        return NOT_OFFERED
    if capabilities.token_sampling:
        return "it writes picture tokens one by one; temperature, top_k and top_p are its settings"
    return "it has one fixed way of sampling"


def _guidance(request: Request, capabilities: Capabilities, name: str) -> Resolved:
    """Guidance with its interval and rescale, and the negative prompt, which works through guidance alone."""
    fields: dict[str, Any] = {"guidance": None, "guidance_interval": None, "guidance_rescale": None}
    if not capabilities.guidance:
        without = NOT_OFFERED if capabilities.family == "hosted" else "it was trained to do without, in one pass"
        _refuse(request, "guidance", name, without, unless=OFF)
        _refuse(request, "guidance_interval", name, "it has no guidance")
        _refuse(request, "guidance_rescale", name, "it has no guidance", unless=0.0)
        why = f"{name} has no guidance, through which it would act"
        if capabilities.family == "hosted":
            why = f"{name} takes no negative prompt; say in the prompt what there is instead"
        notes = [_unused("negative", why)] if request.negative else []
        return fields | {"negative": ""}, notes

    tier = _tier(request, capabilities)
    default = OFF if tier.guidance is None else tier.guidance
    if any(one.role not in PLANNED_ROLES for one in request.references):
        default = _first(capabilities.reference_guidance, default)
    fields["guidance"] = scale = default if request.guidance is None else request.guidance
    notes: list[Note] = []
    if capabilities.token_sampling:
        # Both act on the noise of a denoising step; on logits neither has a meaning.
        _refuse(request, "guidance_interval", name, _why_no_walk(capabilities))
        _refuse(request, "guidance_rescale", name, _why_no_walk(capabilities), unless=0.0)
    else:
        fields["guidance_interval"] = request.guidance_interval or tier.guidance_interval or (0.0, 1.0)
        fields["guidance_rescale"] = _first(request.guidance_rescale, tier.guidance_rescale, 0.0)
    if request.negative and not capabilities.negative:
        fields["negative"] = ""
        notes.append(_unused("negative", f"{name} takes no negative prompt; say in the prompt what there is instead"))
    elif request.negative and scale == OFF:
        notes.append(_unused("negative", "guidance 1 switches off the pass that it acts in"))
    if scale == OFF:
        given = [key for key in ("guidance_interval", "guidance_rescale") if getattr(request, key) is not None]
        notes += [_unused(key, "guidance 1 is no guidance") for key in given]
    return fields, notes


def _token_sampling(request: Request, capabilities: Capabilities, name: str) -> Resolved:
    if not capabilities.token_sampling:
        reason = "it draws no tokens; steps, sampler and guidance are its settings"
        for parameter in ("temperature", "top_k", "top_p"):
            _refuse(request, parameter, name, NOT_OFFERED if capabilities.family == "hosted" else reason)
        return {}, []
    tier = _tier(request, capabilities)
    temperature = _first(request.temperature, tier.temperature, 1.0)
    fields: dict[str, Any] = {
        "temperature": temperature,
        "top_k": request.top_k or 0,
        "top_p": _first(request.top_p, tier.top_p, 1.0),
    }
    given = [key for key in ("top_k", "top_p") if getattr(request, key) is not None] if temperature == 0 else []
    return fields, [_unused(key, "temperature 0 always takes the likeliest token") for key in given]


def _plan(request: Request, capabilities: Capabilities, name: str) -> Resolved:
    if request.plan is not None and not request.use_plan:
        raise InvalidRequest("plan", "given together with use_plan=False (--no-plan); only one of the two is allowed")
    if not capabilities.plan:
        notes = [_unused("plan", f"{name} paints from the words alone")] if request.plan else []
        if not request.use_plan:
            notes = [Note("use_plan", "note", f"{name} never takes a plan")]
        return {"plan": None, "use_plan": False}, notes
    return {}, _beyond_the_world(request.plan, capabilities, name) if request.plan else []


def _beyond_the_world(plan: Plan, capabilities: Capabilities, name: str) -> list[Note]:
    """A plan may name what the model never saw: it is painted as far as it goes, and said."""
    notes: list[Note] = []

    def check(parameter: str, given: str | None, known: tuple[str, ...]) -> None:
        if given and known and given not in known:
            notes.append(Note(parameter, "note", f"{name} was not trained on {given!r}; expect a guess"))

    check("plan.background", plan.background, capabilities.backgrounds)
    for number, item in enumerate(plan.objects):
        check(f"plan.objects.{number}.noun", item.noun, capabilities.nouns)
        check(f"plan.objects.{number}.colour", item.colour, capabilities.colours)
    if capabilities.max_objects is not None and len(plan.objects) > capabilities.max_objects:
        learned = f"{name} was trained on up to {capabilities.max_objects} objects; {len(plan.objects)} may blur"
        notes.append(Note("plan.objects", "note", learned))
    return notes


def _seed(request: Request, capabilities: Capabilities, name: str) -> Resolved:
    if capabilities.seed or request.seed is None:
        return {}, []
    return {"seed": None}, [_unused("seed", f"{name} takes no seed; this picture cannot be made again")]


def _first(*values: float | None) -> float:
    """The first that is given: 0 is a value too."""
    return next(value for value in values if value is not None)


def _unused(parameter: str, why: str) -> Note:
    return Note(parameter, "ignored", why)


def _refuse(request: Request, parameter: str, name: str, reason: str, *, unless: float | None = None) -> None:
    """Raise if `parameter` was given; a value equal to `unless` asks for what the model does anyway."""
    given = getattr(request, parameter)
    if given is not None and given != unless:
        raise InvalidRequest(parameter, f"{given!r} is not allowed: {name} does not take it, {reason}")
