from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from triptych.core.asset import Asset, FileAsset
from triptych.core.capabilities import Capabilities, Tier
from triptych.core.contract import resolve, size_for_aspect
from triptych.core.errors import InvalidRequest
from triptych.core.inputs import Control, Lora, Reference, Region
from triptych.core.plan import Plan
from triptych.core.request import Request

PLAN = Plan.parse({"background": "snow", "objects": [{"noun": "fox", "box": [0.1, 0.1, 0.5, 0.5]}]})

PICTURE = Asset.of(np.zeros((192, 64, 3), np.uint8), "fox.png")
MASK = Asset.of(np.full((192, 64), 255, np.uint8), "mask.png")

FLOW = Capabilities(
    family="flow",
    native_size=(128, 128),
    max_pixels=256 * 256,
    samplers=("euler", "heun", "dpmpp_2m"),
    schedules=("flow", "linear"),
    steps_range=(1, 200),
    tiers={
        "low": Tier(steps=8, guidance=3.0),
        "medium": Tier(steps=16, guidance=4.0, sampler="heun"),
        "high": Tier(steps=40),
    },
    nouns=("fox", "cat"),
    colours=("red",),
    backgrounds=("snow",),
    max_objects=2,
    init=True,
    strength_map=True,
    reference_roles=("identity", "style"),
    max_references=2,
    controls=("edges", "depth"),
    lora=True,
    regions=True,
)
TOKENS = Capabilities(
    family="autoregressive",
    native_size=(128, 128),
    token_sampling=True,
    tiers={"medium": Tier(guidance=3.0)},
    init=True,
)
TURBO = Capabilities(
    family="flow",
    native_size=(64, 64),
    steps_range=(1, 4),
    samplers=("euler",),
    guidance=False,
    negative=False,
    plan=False,
)
HOSTED = Capabilities(
    family="hosted", native_size=(1024, 1024), guidance=False, negative=False, plan=False, seed=False, grade="none"
)
KINDS = {"flow": FLOW, "tokens": TOKENS, "turbo": TURBO, "hosted": HOSTED}

EVERY_FIELD: dict[str, Any] = {
    "prompt": "a cat",
    "negative": "blurry",
    "seed": 7,
    "n": 3,
    "size": (64, 192),
    "quality": "low",
    "steps": 3,
    "sampler": "euler",
    "schedule": "linear",
    "guidance": 2.0,
    "guidance_interval": (0.2, 0.8),
    "guidance_rescale": 0.5,
    "temperature": 0.5,
    "top_k": 40,
    "top_p": 0.9,
    "plan": PLAN,
    "use_plan": False,
    "init": PICTURE,
    "strength": 0.3,
    "strength_map": MASK,
    "references": (Reference(asset=PICTURE, role="style"),),
    "controls": (Control(kind="depth", map=MASK),),
    "loras": (Lora(file=FileAsset(sha256="0" * 64, name="ink.safetensors"), scale=0.5),),
    "regions": (Region(prompt="a cat", box=(0, 0, 0.5, 1)),),
}


def fields_of(parameter: str, value: Any) -> dict[str, Any]:
    if parameter == "size":
        return {"width": value[0], "height": value[1]}
    # How much of a picture is made anew can only be said where there is one; of its own size, to be taken as it is.
    return {"init": PICTURE, parameter: value} if parameter.startswith("strength") else {parameter: value}


def refusal(capabilities: Capabilities, **fields: Any) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        resolve(Request.make(**{"prompt": "a fox"} | fields), capabilities, name="it")
    assert caught.value.exit_code == 2
    return caught.value


def test_the_table_has_every_field_of_a_request() -> None:
    told = {name for parameter, value in EVERY_FIELD.items() for name in fields_of(parameter, value)}
    # `model` is what chooses the capabilities in the first place.
    assert told | {"model"} == set(Request.model_fields)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("parameter", EVERY_FIELD)
def test_every_parameter_has_an_effect_or_a_note_or_is_refused(kind: str, parameter: str) -> None:
    fields = {"prompt": "a fox"} | fields_of(parameter, EVERY_FIELD[parameter])
    default, default_notes = resolve(Request.make(prompt="a fox"), KINDS[kind], name=kind)
    refused, resolved, notes = None, default, default_notes
    try:
        resolved, notes = resolve(Request.make(**fields), KINDS[kind], name=kind)
    except InvalidRequest as error:
        refused = error
    if refused:
        assert refused.parameter == parameter or parameter == "size" or refused.parameter == "init"
        assert kind in str(refused)
        return
    told = any(note.parameter == parameter for note in notes)
    taken = all(getattr(resolved, key) == value for key, value in fields.items())
    assert told or taken, "neither taken as given nor told"
    # Where it was taken as given, it is what makes the difference to a request without it.
    same_anyway = all(getattr(default, key) == value for key, value in fields.items() if key != "prompt")
    assert told or same_anyway or resolved != default
    assert not default_notes


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_model_takes_is_filled_in_and_the_rest_is_none(kind: str) -> None:
    capabilities = KINDS[kind]
    resolved, notes = resolve(Request.make(prompt="a fox", model="x"), capabilities, name=kind)
    assert resolved.model == kind
    assert (resolved.width, resolved.height) == capabilities.native_size
    assert (resolved.steps is not None) == (capabilities.steps_range is not None)
    assert (resolved.sampler is not None) == bool(capabilities.samplers)
    assert (resolved.schedule is not None) == bool(capabilities.schedules)
    assert (resolved.guidance is not None) == capabilities.guidance
    for token_setting in (resolved.temperature, resolved.top_k, resolved.top_p):
        assert (token_setting is not None) == capabilities.token_sampling
    assert resolved.use_plan == capabilities.plan
    assert resolved.seed is None
    assert notes == ()


@pytest.mark.parametrize("kind", KINDS)
def test_resolving_twice_changes_nothing(kind: str) -> None:
    once, _ = resolve(Request.make(prompt="a fox"), KINDS[kind], name=kind)
    twice, notes = resolve(once, KINDS[kind], name=kind)
    assert twice == once
    assert all(note.parameter == "use_plan" for note in notes)


def test_a_tier_may_set_every_knob_of_sampling_and_zero_is_a_value() -> None:
    tier = Tier(guidance=2.0, guidance_interval=(0.1, 0.7), guidance_rescale=0.5, schedule="linear")
    takes = FLOW.model_copy(update={"tiers": {"medium": tier}})
    resolved, _ = resolve(Request(prompt="a fox"), takes, name="m")
    assert resolved.guidance_interval == (0.1, 0.7)
    assert (resolved.guidance_rescale, resolved.schedule) == (0.5, "linear")
    given, _ = resolve(
        Request(prompt="a fox", guidance_rescale=0.0, guidance_interval=(0.0, 1.0), schedule="flow"), takes, name="m"
    )
    assert (given.guidance_interval, given.guidance_rescale, given.schedule) == ((0.0, 1.0), 0.0, "flow")

    drawn = Tier(guidance=2.0, temperature=0.8, top_p=0.9)
    tokens = TOKENS.model_copy(update={"tiers": {"medium": drawn}})
    resolved, _ = resolve(Request(prompt="a fox"), tokens, name="m")
    assert (resolved.temperature, resolved.top_p) == (0.8, 0.9)
    resolved, _ = resolve(Request(prompt="a fox", temperature=0.0), tokens, name="m")
    assert resolved.temperature == 0.0


def test_tiers_set_the_defaults_and_what_is_given_wins() -> None:
    def settings(**fields: Any) -> tuple[Any, ...]:
        resolved, _ = resolve(Request.make(prompt="a fox", **fields), FLOW, name="flow")
        return resolved.steps, resolved.guidance, resolved.sampler

    assert settings(quality="low") == (8, 3.0, "euler")
    assert settings() == (16, 4.0, "heun")
    assert settings(quality="high") == (40, 1.0, "euler")
    assert settings(quality="low", steps=3, guidance=9.0, sampler="heun") == (3, 9.0, "heun")


def test_a_quality_that_the_model_does_not_have_is_told() -> None:
    _, notes = resolve(Request.make(prompt="a fox", quality="high"), TOKENS, name="tokens")
    assert [(note.parameter, note.action) for note in notes] == [("quality", "ignored")]


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ((100, 128), "width: 100 is not allowed for it: multiples of 16 from 64 up; the nearest is 96"),
        ((128, 40), "height: 40 is not allowed for it: multiples of 16 from 64 up; the nearest is 64"),
        ((32, 32), "width: 32 is not allowed for it: multiples of 16 from 64 up; the nearest is 64"),
        ((1024, 1024), "size: 1024x1024 is not allowed for it: at most 65536 pixels, for example 256x256"),
    ],
)
def test_sizes_that_are_refused_name_the_nearest_allowed(size: tuple[int, int], message: str) -> None:
    assert str(refusal(FLOW, width=size[0], height=size[1])) == message


@pytest.mark.parametrize("size", [(4096, 1024), (4096, 64), (64, 4096), (272, 256), (2048, 4096)])
def test_the_size_that_is_offered_is_allowed(size: tuple[int, int]) -> None:
    offered = str(refusal(FLOW, width=size[0], height=size[1])).rsplit(" ", 1)[1]
    width, height = map(int, offered.split("x"))
    resolved, _ = resolve(Request.make(prompt="a fox", width=width, height=height), FLOW, name="it")
    assert (resolved.width, resolved.height) == (width, height)


@pytest.mark.parametrize(
    ("aspect", "size"), [("1:1", (128, 128)), ("16:9", (176, 96)), ("2:3", (112, 160)), ("9:1", (384, 64))]
)
def test_aspects_keep_the_area_as_far_as_the_model_can(aspect: str, size: tuple[int, int]) -> None:
    assert size_for_aspect(aspect, FLOW) == size


@pytest.mark.parametrize("aspect", ["16", "a:b", "1:0", "0:1", "1:-1", "nan:1", "100:1", "inf:1", ""])
def test_bad_aspects_are_refused(aspect: str) -> None:
    with pytest.raises(InvalidRequest, match="16:9"):
        size_for_aspect(aspect, FLOW)


def test_unknown_names_are_refused_with_the_close_ones() -> None:
    assert "did you mean 'euler'" in str(refusal(FLOW, sampler="eular"))
    assert "did you mean 'linear'" in str(refusal(FLOW, schedule="linaer"))


def test_steps_beyond_the_range_are_refused() -> None:
    assert str(refusal(TURBO, steps=5)) == "steps: 5 is not allowed for it: from 1 to 4"


@pytest.mark.parametrize("parameter", ["temperature", "top_k", "top_p"])
def test_token_settings_are_refused_by_models_that_denoise(parameter: str) -> None:
    assert "draws no tokens" in str(refusal(FLOW, **{parameter: EVERY_FIELD[parameter]}))


@pytest.mark.parametrize("parameter", ["steps", "sampler", "schedule", "guidance_interval", "guidance_rescale"])
def test_denoising_settings_are_refused_by_token_models(parameter: str) -> None:
    error = refusal(TOKENS, **{parameter: EVERY_FIELD[parameter]})
    assert error.parameter == parameter
    assert "token" in str(error)


def test_a_model_without_guidance_takes_the_scale_that_means_none() -> None:
    resolved, notes = resolve(Request.make(prompt="a fox", guidance=1.0), TURBO, name="turbo")
    assert resolved.guidance is None
    assert notes == ()
    assert refusal(TURBO, guidance=4.0).parameter == "guidance"


def test_what_guidance_1_switches_off_is_told() -> None:
    request = Request.make(
        prompt="a fox", negative="blurry", guidance=1, guidance_rescale=0.3, guidance_interval=(0, 0.5)
    )
    _, notes = resolve(request, FLOW, name="flow")
    assert {note.parameter for note in notes} == {"negative", "guidance_rescale", "guidance_interval"}


def test_temperature_0_tells_that_the_cuts_do_nothing() -> None:
    _, notes = resolve(Request.make(prompt="a fox", temperature=0, top_k=5, top_p=0.5), TOKENS, name="tokens")
    assert {note.parameter for note in notes} == {"top_k", "top_p"}


@pytest.mark.parametrize("prompt", ["", "  \n "])
def test_an_empty_prompt_is_unconditional_with_a_note(prompt: str) -> None:
    resolved, notes = resolve(Request.make(prompt=prompt), FLOW, name="flow")
    assert resolved.prompt == prompt
    assert "unconditional" in notes[0].text


def test_a_plan_and_no_plan_exclude_each_other() -> None:
    assert refusal(FLOW, plan=PLAN, use_plan=False).parameter == "plan"


def test_a_plan_that_the_model_cannot_take_is_set_aside_and_told() -> None:
    resolved, notes = resolve(Request.make(prompt="a fox", plan=PLAN), TURBO, name="turbo")
    assert resolved.plan is None
    assert [(note.parameter, note.action) for note in notes] == [("plan", "ignored")]


def test_a_plan_beyond_the_world_of_the_model_is_told_object_by_object() -> None:
    box = [0.1, 0.1, 0.5, 0.5]
    objects = [{"noun": "fox", "box": box}, {"noun": "yak", "colour": "puce", "box": box}, {"noun": "cat", "box": box}]
    plan = Plan.parse({"background": "moon", "objects": objects})
    resolved, notes = resolve(Request.make(prompt="a fox", plan=plan), FLOW, name="flow")
    assert resolved.plan == plan
    assert [note.parameter for note in notes] == [
        "plan.background",
        "plan.objects.1.noun",
        "plan.objects.1.colour",
        "plan.objects",
    ]


def test_a_seed_for_a_model_without_seeds_is_told() -> None:
    resolved, notes = resolve(Request.make(prompt="a fox", seed=3), HOSTED, name="hosted")
    assert resolved.seed is None
    assert notes[0].parameter == "seed"


def test_a_picture_to_start_from_gives_the_size_and_is_told_to_be_scaled() -> None:
    resolved, notes = resolve(Request.make(prompt="a fox", init=PICTURE), FLOW, name="flow")
    assert (resolved.width, resolved.height, resolved.strength) == (80, 224, 0.6)
    assert [(note.parameter, note.action) for note in notes] == [("init", "translated")]
    with_map, _ = resolve(Request.make(prompt="a fox", init=PICTURE, strength_map=MASK), FLOW, name="flow")
    assert with_map.strength == 1.0


def test_a_map_of_another_size_is_refused() -> None:
    small = Asset.of(np.zeros((8, 8), np.uint8))
    assert "is 8x8, the picture is 64x192" in str(refusal(FLOW, init=PICTURE, strength_map=small))


def test_strength_without_a_picture_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"init, the picture, is missing"):
        Request.make(prompt="a fox", strength=0.5)


def test_roles_kinds_and_numbers_are_held_to_what_the_model_takes() -> None:
    three = (Reference(asset=PICTURE),) * 3
    assert "3 pictures are not allowed for it: at most 2" in str(refusal(FLOW, references=three))
    assert "allowed: identity, style" in str(refusal(FLOW, references=(Reference(asset=PICTURE, role="pose"),)))
    assert "pose is not allowed for it (allowed: edges, depth)" in str(
        refusal(FLOW, controls=(Control(kind="pose", map=MASK),))
    )
    off = resolve(Request.make(prompt="a fox", controls=(Control(kind="edges", map=MASK, weight=0),)), FLOW, name="it")
    assert off[0].controls == ()
    assert [note.action for note in off[1]] == ["ignored"]


def test_eleven_references_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="references"):
        Request.make(prompt="a fox", references=(Reference(asset=PICTURE),) * 11)
