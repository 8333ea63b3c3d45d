"""The built-in models: from names to loaded families, and the plan writer that all of them share.

Wires the registry's folders to the families. Everything is loaded when first asked for, and once.
"""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path

import torch

from triptych.core.capabilities import Capabilities
from triptych.core.events import Note
from triptych.core.family import Family
from triptych.core.plan import Plan
from triptych.core.registry import Registry, builtin_folder
from triptych.core.request import Request
from triptych.families import loading
from triptych.families.loading import Parts
from triptych.sampling import noise
from triptych.scenes import synonyms
from triptych.text.synonyms import resolve
from triptych.text.tokenizer import pieces

PLAN_STREAM = 2**31
"""The counter of the plan writer's chance, beyond any sampler's step: plan and noise of a seed are independent."""


class Library:
    """The models of one registry. Satisfies `engine.Models`."""

    def __init__(self, registry: Registry | None = None) -> None:
        self.registry = registry or Registry().add_folder(builtin_folder())
        self.parts = Parts(self._folder_of)
        self._families: dict[str, Family] = {}

    def family(self, name: str) -> Family:
        """The loaded model; its weights are checked against the card first."""
        if name not in self._families:
            entry = self.registry.find(name)
            self.registry.capabilities(name)
            self.registry.check(name)
            self._families[name] = loading.load(name, entry.card, self._folder_of(name), self.parts)
        return self._families[name]

    def plan(self, request: Request, index: int) -> Plan | None:
        """The plan for picture `index`: drawn from (seed, index), so that variants of a request vary in layout.

        None for an empty prompt: there is nothing to plan, the picture is unconditional.
        """
        if not request.prompt.strip():
            return None
        writer, tokens, reader = self.parts.planner()
        chance = noise.uniform(request.seed or 0, index, PLAN_STREAM, (tokens.max_length + 1,)).tolist()
        with torch.inference_mode():
            return writer.write(reader.states(request.prompt), tokens, chance.__getitem__)

    def notes(self, request: Request, capabilities: Capabilities) -> tuple[Note, ...]:
        """What the words of a prompt become: mapped, cut, spelled, or beyond the world that the model learned."""
        reader = self.parts.text()
        _, notes = resolve(request.prompt, frozenset(reader.tokenizer.words))
        if reader.truncated(request.prompt):
            kept = reader.length - 1
            notes.append(Note("prompt", "note", f"only the first {kept} tokens are read; the rest was cut"))
        return (*notes, *self._beyond(reader.resolved(request.prompt), capabilities))

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
