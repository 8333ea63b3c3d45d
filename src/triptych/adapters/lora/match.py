"""A LoRA file held against a network: which of its pairs fit which layers, and an exact account of those that do not.

Nothing is left out silently: what has no place, or the wrong shape, stands in the report. A file of which nothing fits
is a LoRA of another model, and refused with an example of both sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from triptych.adapters.lora.file import LoraFile, Words
from triptych.adapters.lora.names import Names, Place, is_of_text_encoder
from triptych.adapters.lora.parse import Pair, pairs
from triptych.core.errors import InvalidRequest
from triptych.nn.added import LowRank, fits

LONGEST = 120
SHOWN = 3
"""So many names of a list are told in a sentence; `triptych lora show` tells all."""


@dataclass(frozen=True)
class Mismatch:
    """A pair whose name is known and whose shape is another: `theirs` is the weight it was made for."""

    name: str
    layer: str
    theirs: tuple[int, ...]
    ours: tuple[int, ...]

    def __str__(self) -> str:
        return f"{printable(self.name)!r} is for a layer of {_shape(self.theirs)}, {self.layer} has {_shape(self.ours)}"


@dataclass(frozen=True)
class Report:
    """What became of every pair. layers: the layers here that take part. rest: tensors that are no part of a pair."""

    file: str
    matched: tuple[str, ...]
    layers: tuple[str, ...]
    unmatched: tuple[str, ...]
    mismatched: tuple[Mismatch, ...]
    of_text_encoder: tuple[str, ...]
    rest: tuple[str, ...]
    of_network: int

    @property
    def whole(self) -> bool:
        return not (self.unmatched or self.mismatched or self.of_text_encoder or self.rest)

    @property
    def total(self) -> int:
        return len(self.matched) + len(self.unmatched) + len(self.mismatched) + len(self.of_text_encoder)

    def sentence(self) -> str:
        """One sentence on all of it, for the notes of a result."""
        told = [f"{self.file}: {len(self.matched)} of its {self.total} layers fit"]
        if self.mismatched:
            told.append(f"left out: {len(self.mismatched)} of another shape ({self.mismatched[0]})")
        if self.of_text_encoder:
            told.append(f"left out: {len(self.of_text_encoder)} for a text encoder, which takes none here")
        if self.unmatched:
            told.append(f"left out: {len(self.unmatched)} by names that this model lacks ({_some(self.unmatched)})")
        if self.rest:
            told.append(f"left out: {len(self.rest)} tensors of no LoRA ({_some(self.rest)})")
        return "; ".join(told)

    def as_json(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "matched": list(self.matched),
            "layers": list(self.layers),
            "unmatched": list(self.unmatched),
            "mismatched": [
                {"name": one.name, "layer": one.layer, "theirs": list(one.theirs), "ours": list(one.ours)}
                for one in self.mismatched
            ],
            "text_encoder": list(self.of_text_encoder),
            "rest": list(self.rest),
            "layers_of_network": self.of_network,
        }


@dataclass(frozen=True)
class Match:
    """terms: by the network's own layer names, at scale 1, of the dtype of the file. words: what its training noted."""

    terms: dict[str, tuple[LowRank, ...]]
    report: Report
    words: Words


Layers = dict[str, nn.Linear | nn.Conv2d]


def layers_of(network: nn.Module) -> Layers:
    """The layers that a low-rank term can be added to, by name, in order."""
    return {name: layer for name, layer in network.named_modules() if fits(layer)}  # type: ignore[misc]


def match(layers: Layers, file: LoraFile) -> Match:
    """Hold every pair of the file against a network's layers.

    `InvalidRequest` if nothing fits; `FileProblem` if the file is damaged or another kind of adapter.
    """
    names = Names(layers)
    found, rest = pairs(file)
    terms: dict[str, tuple[LowRank, ...]] = {}
    matched: list[str] = []
    unmatched: list[str] = []
    mismatched: list[Mismatch] = []
    text: list[str] = []
    for pair in found:
        place = names.find(pair.name)
        if place is None:
            (text if is_of_text_encoder(pair.name) else unmatched).append(pair.name)
            continue
        fitted = _fitted(pair, place, layers)
        if isinstance(fitted, Mismatch):
            mismatched.append(fitted)
            continue
        matched.append(pair.name)
        for layer, term in fitted.items():
            terms[layer] = (*terms.get(layer, ()), term)
    report = Report(
        file.name,
        tuple(matched),
        tuple(terms),
        tuple(unmatched),
        tuple(mismatched),
        tuple(text),
        tuple(rest),
        len(layers),
    )
    if not terms:
        raise InvalidRequest("loras", _of_another_model(report, found, layers))
    return Match(terms, report, Words.of(file.metadata))


def _fitted(pair: Pair, place: Place, layers: Layers) -> dict[str, LowRank] | Mismatch:
    """The pair's term for each layer of the place: one low-rank input side, its output side cut among them."""
    own = [layers[name] for name in place.layers]
    down, up = pair.down, pair.up
    if place.halves_swapped and len(up) % 2 == 0:
        up = torch.cat(tuple(reversed(up.chunk(2))))
    rows = [len(layer.weight) for layer in own]
    needed = tuple(own[0].weight.shape[1:])
    down = _reshaped(down, needed)
    if tuple(down.shape[1:]) != needed or len(up) != sum(rows):
        ours = (sum(rows), *needed)
        return Mismatch(pair.name, " + ".join(place.layers), (len(pair.up), *pair.down.shape[1:]), ours)
    parts = up.split(rows)
    return {name: LowRank(down, part, pair.factor) for name, part in zip(place.layers, parts, strict=True)}


def _reshaped(down: Tensor, needed: tuple[int, ...]) -> Tensor:
    """A 1x1 convolution's half for a linear layer, and the other way round: the same product."""
    if down.ndim == 4 and len(needed) == 1 and down.shape[2:] == (1, 1):
        return down.flatten(1)
    if down.ndim == 2 and needed[1:] == (1, 1):
        return down[:, :, None, None]
    return down


def _of_another_model(report: Report, found: list[Pair], layers: Layers) -> str:
    """Why nothing fits, with a name and a shape of both sides."""
    start = f"{report.file} is a LoRA of another model: none of its {report.total} layers fits"
    if report.mismatched:
        return f"{start}; for example {report.mismatched[0]}"
    theirs = [pair for pair in found if pair.name in report.unmatched]
    if not theirs:
        return f"{start}; it is for a text encoder only ({_some(report.of_text_encoder)})"
    pair, (name, layer) = theirs[len(theirs) // 2], list(layers.items())[len(layers) // 2]
    made_for = f"{printable(pair.name)} ({_shape((len(pair.up), *pair.down.shape[1:]))})"
    ours = f"{name} ({_shape(tuple(layer.weight.shape))})"
    return f"{start}; it is for layers such as {made_for}, this model's are such as {ours}"


def printable(name: str) -> str:
    """A name from a file of anyone, as it may be shown: on one line, without control characters, not too long."""
    plain = "".join(character if character.isprintable() else "?" for character in name)
    return plain if len(plain) <= LONGEST else f"{plain[:LONGEST]}..."


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def _some(names: tuple[str, ...]) -> str:
    shown = ", ".join(map(printable, names[:SHOWN]))
    return shown if len(names) <= SHOWN else f"{shown} and {len(names) - SHOWN} more"
