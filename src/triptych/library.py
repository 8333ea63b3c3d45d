"""The models: from names to loaded families, and the plan writer that all built-in ones share.

Wires the registry's folders to the families. Everything is loaded when first asked for, and once.
"""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import Any

import torch

from triptych.adapters.control import ControlAdapter, Point
from triptych.adapters.lora import Match, shelf_of
from triptych.adapters.reference import ROLES as LOOKED_AT
from triptych.adapters.reference import ReferenceAdapter
from triptych.core.asset import Asset
from triptych.core.capabilities import Capabilities
from triptych.core.errors import FileProblem, InvalidRequest
from triptych.core.events import Note
from triptych.core.family import Family
from triptych.core.inputs import Lora
from triptych.core.plan import Box, Plan
from triptych.core.registry import Card, Registry, builtin_folder
from triptych.core.request import Request
from triptych.evals import reference_plans
from triptych.evals.map_plans import fitted_plan, telling_map
from triptych.evals.readers.load import NAME as READERS
from triptych.evals.readers.load import Readers
from triptych.evals.reading import Reading
from triptych.families import loading
from triptych.families.loading import Parts
from triptych.families.references import References
from triptych.families.steering import Steers
from triptych.open_weights import installed
from triptych.open_weights import loading as open_loading
from triptych.open_weights.cards import OPEN
from triptych.planning.fit import to_shape
from triptych.planning.regions import extent, merged
from triptych.sampling import noise
from triptych.scenes import synonyms
from triptych.scenes.nouns import NOUNS
from triptych.text.synonyms import resolve
from triptych.text.tokenizer import pieces

KEPT_READINGS = 256
PLAN_STREAM = 2**31
"""The counter of the plan writer's chance, beyond any sampler's step: plan and noise of a seed are independent."""


class Library:
    """The models of one registry. Satisfies `engine.Models`."""

    def __init__(self, registry: Registry | None = None) -> None:
        self.registry = registry or installed.registry()
        self.parts = Parts(self._folder_of)
        self._families: dict[str, Family] = {}
        self._loading = RLock()
        self._seen: dict[str, Reading] = {}

    def family(self, name: str) -> Family:
        """The loaded model; its weights are checked against the card first. Two threads that ask get the same one."""
        with self._loading:
            if name not in self._families:
                self._families[name] = self._loaded(name)
            return self._families[name]

    def _loaded(self, name: str) -> Family:
        entry = self.registry.find(name)
        self.registry.capabilities(name)
        self.registry.check(name)
        if OPEN in entry.card.config:
            return open_loading.load(name, entry)
        family = loading.load(name, entry.card, self._folder_of(name), self.parts)
        if self.registry.has(f"{name}-control"):
            family.steers = Steers(lambda: self._control(name, family.control_points()))
        if self.registry.has(f"{name}-reference"):
            family.references = References(lambda: self._reference(name, family.reference_layers()))
        return family

    def adapters(self, request: Request) -> tuple[str, ...]:
        """The names of the adapters that paint a resolved request, with its plan in it, together with its model."""
        unplanned = request.init and request.strength_map and request.plan is None
        needed = {
            f"{request.model}-control": bool(request.controls or unplanned),
            f"{request.model}-reference": any(one.role in LOOKED_AT for one in request.references),
        }
        return tuple(name for name, is_needed in needed.items() if is_needed and self.registry.has(name))

    def _control(self, name: str, points: tuple[Point, ...]) -> ControlAdapter:
        part, card = self._beside(name, "control")
        return loading.load_control(card, self._folder_of(part), points)

    def _reference(self, name: str, layers: dict[str, tuple[int, int]]) -> ReferenceAdapter:
        part, card = self._beside(name, "reference")
        return loading.load_reference(card, self._folder_of(part), layers)

    def _beside(self, name: str, kind: str) -> tuple[str, Card]:
        """An adapter of a model, checked like the model and against the weights that it was trained beside."""
        part = f"{name}-{kind}"
        self.registry.check(part)
        card = self.parts.card(part)
        if card.config.get("base_sha256") != self.parts.sha(name):
            raise FileProblem(f"{part} was trained beside other weights of {name} than these; train it again")
        return part, card

    def plan(self, request: Request, index: int) -> Plan | None:
        """The plan for picture `index`: drawn from (seed, index), so that variants of a request vary in layout.

        None for an empty prompt: there is nothing to plan, the picture is unconditional. The things of regions are
        part of it.
        """
        across, down = self._unit(request)
        whole = None
        if request.prompt.strip():
            whole = to_shape(self._written(request, index, PLAN_STREAM), down / across)
        if request.regions:
            whole = None if whole is None else self.only_named(whole, request.prompt)
            parts: list[tuple[Plan, Box]] = []
            for number, one in enumerate(request.regions, start=1):
                own = self._written(request.model_copy(update={"prompt": one.prompt}), index, PLAN_STREAM + number)
                parts.append((self.only_named(own, one.prompt), extent(one)))
            whole = merged(whole, parts, (across, down))
        if whole is None:
            return None
        return reference_plans.referred(fitted_plan(whole, request), request, self._read)

    def _written(self, request: Request, index: int, stream: int) -> Plan:
        """What the plan writer makes of the prompt, for a picture of the model's own shape."""
        writer, tokens, reader = self.parts.planner()
        chance = noise.uniform(request.seed or 0, index, stream, (tokens.max_length + 1,)).tolist()
        known = tokens.nouns if any(one.role == "identity" for one in request.references) else tuple(NOUNS)
        stood = reference_plans.stand_ins(self._plain(request), self._things, known)
        with torch.inference_mode():
            return stood.named(writer.write(reader.states(stood.prompt), tokens, chance.__getitem__))

    def _read(self, asset: Asset) -> Reading:
        """What the readers see in a picture that went in."""
        if len(self._seen) >= KEPT_READINGS:
            self._seen.clear()
        if asset.sha256 not in self._seen:
            self._seen[asset.sha256] = self._readers.read([asset.rgb])[0]
        return self._seen[asset.sha256]

    @cached_property
    def _readers(self) -> Readers:
        return Readers.load(self._folder_of(READERS))

    def only_named(self, plan: Plan, prompt: str) -> Plan:
        """The plan without things that the prompt does not name: the writer, who knows no empty place, invents them."""
        said = self.parts.text().resolved(prompt)
        words = [piece.text.lower() for piece in pieces(said) if piece.kind == "word"]
        named = {self._things.get(word, word) for word in words}
        return plan.model_copy(update={"objects": tuple(item for item in plan.objects if item.noun in named)})

    def _unit(self, request: Request) -> tuple[float, float]:
        """Width and height of the model's own picture where it is laid into the request's, in fractions of that."""
        if request.width is None or request.height is None:
            return 1.0, 1.0
        width, height = self.registry.capabilities(request.model).native_size
        across, down = request.width * height, request.height * width
        return min(1.0, down / across), min(1.0, across / down)

    def notes(self, request: Request, capabilities: Capabilities) -> tuple[Note, ...]:
        """What the words of a prompt become (mapped, cut, spelled, or beyond the world that the model learned), and
        what of the LoRAs does not fit. Raises `InvalidRequest` for a LoRA of another model.
        """
        if OPEN in self.registry.find(request.model).card.config:
            family: Any = self.family(request.model)
            return (*family.notes(request), *self._of_loras(request))
        reader = self.parts.text()
        plain = self._plain(request)
        _, notes = resolve(plain, frozenset(reader.tokenizer.words))
        if reader.truncated(request.prompt):
            kept = reader.length - 1
            notes.append(Note("prompt", "note", f"only the first {kept} tokens are read; the rest was cut"))
        if request.use_plan and request.plan is None and (one := telling_map(request)):
            notes.append(Note("plan", "note", f"its things are placed where the {one.kind} map has them, if it tells"))
        notes += self._of_references(request)
        for prompt in (plain, *(one.prompt for one in request.regions)):
            notes += self._beyond(reader.resolved(prompt), capabilities)
        return (*dict.fromkeys(notes), *self._of_loras(request))

    def _of_references(self, request: Request) -> list[Note]:
        """What becomes of references that act through the plan. Raises `InvalidRequest` where they cannot."""
        notes: list[Note] = []
        for one in reference_plans.planned(request):
            if not request.use_plan:
                told = f"{one.role} acts through the plan, and there is none (use_plan=False, --no-plan)"
                raise InvalidRequest("references", told)
            if request.plan is not None:
                told = f"{one.role} acts through the plan that is written, and one was given"
                notes.append(Note("references", "ignored", told))
                continue
            things = ", ".join(thing.noun for thing in reference_plans.seen(one, self._read))
            notes.append(Note("references", "translated", f"{one.role}: the plan follows what is seen: {things}"))
        return notes

    def _plain(self, request: Request) -> str:
        """The prompt as the plan writer can read it: a LoRA's own word stands for a known one, or for none."""
        prompt = request.prompt
        for lora in request.loras:
            prompt = self.lora(request.model, lora).words.plain(prompt)
        return prompt

    def _of_loras(self, request: Request) -> list[Note]:
        notes: list[Note] = []
        for lora in request.loras:
            match = self.lora(request.model, lora)
            if not match.report.whole:
                notes.append(Note("loras", "note", match.report.sentence()))
            files = self.registry.find(request.model).card.files.values()
            if match.words.base_sha256 not in ("", *(file.sha256 for file in files)):
                base = f"other weights of {match.words.base or 'a model'} than these"
                notes.append(Note("loras", "note", f"{lora.file.name} was trained on {base}; expect less of it"))
        return notes

    def lora(self, model: str, lora: Lora) -> Match:
        """What of a LoRA fits a model. Raises `InvalidRequest` if nothing does, `FileProblem` if the file is none."""
        family: Any = self.family(model)
        return shelf_of(family.network).match(lora)

    def _beyond(self, prompt: str, capabilities: Capabilities) -> list[Note]:
        """Known nouns, colours and places of the world that this model has not learned, and unknown words."""
        if not capabilities.nouns:
            return []
        tokenizer = self.parts.text().tokenizer
        learned = {*capabilities.nouns, *capabilities.colours, *capabilities.backgrounds}
        notes: list[Note] = []
        for word in dict.fromkeys(piece.text.lower() for piece in pieces(prompt) if piece.kind == "word"):
            meaning = self._things.get(word)
            if meaning is not None and meaning not in learned:
                text = f"{word!r} is beyond the {len(capabilities.nouns)} nouns and their world that this model knows"
                notes.append(Note("prompt", "note", text))
            elif meaning is None and word not in tokenizer and re.sub("['-].*", "", word) not in tokenizer:
                notes.append(Note("prompt", "note", f"{word!r} is not a word that this model knows; expect a guess"))
        return notes

    @cached_property
    def _things(self) -> dict[str, str]:
        """Every word for a noun, colour or background of the whole world -> its canonical word."""
        known = synonyms()
        return {**known, **{name: name for name in known.values()}}

    def _folder_of(self, name: str) -> Path:
        return self.registry.find(name).folder or builtin_folder() / name
