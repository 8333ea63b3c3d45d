"""LoRAs on a network, for as long as a block lasts: stacked, scaled, kept by content, and gone without a trace.

Where it costs little memory, a layer computes with a second weight, its own plus all terms, made once per set of LoRAs;
its own tensor lies untouched aside. Elsewhere, and in training, the terms are added to the layer's output. Either way a
picture has the same pixels in any company (docs/decisions/0037). Knows requests' LoRAs; knows no family and no door.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from torch import nn

from triptych.adapters.lora.file import read_lora
from triptych.adapters.lora.match import Match, layers_of, match
from triptych.core.errors import FileProblem
from triptych.core.inputs import Lora
from triptych.nn.added import LowRank, hung, merged, swapped

MERGED_BYTES = 256 * 2**20
"""Up to so many bytes of second weights per set of LoRAs; beyond, terms are added to the outputs."""
KEPT_SETS = 4
KEPT_FILES = 16

Terms = dict[nn.Module, tuple[LowRank, ...]]
Weights = dict[nn.Module, nn.Parameter]


class Shelf:
    """What has been read and prepared for one network: files by their hash, sets by their hashes and scales."""

    def __init__(self, network: nn.Module, merged_bytes: int = MERGED_BYTES) -> None:
        self._layers = layers_of(network)  # not the network itself: a shelf must not keep its own owner alive
        self._merged_bytes = merged_bytes
        self._matches: OrderedDict[str, Match] = OrderedDict()
        self._sets: OrderedDict[tuple[tuple[str, float], ...], Terms | Weights] = OrderedDict()

    def match(self, lora: Lora) -> Match:
        """The file's terms for this network at scale 1, and the report.

        `FileProblem` if it is missing, damaged or another kind of adapter; `InvalidRequest` if it is of another model.
        """
        sha256 = lora.file.sha256
        if sha256 not in self._matches:
            file = read_lora(lora.file.path, lora.file.name)
            if file.sha256 != sha256:
                raise FileProblem(f"{lora.file.path} was changed since it was named in the request")
            self._matches[sha256] = match(self._layers, file)
        return _kept(self._matches, sha256, KEPT_FILES)

    def terms(self, loras: Sequence[Lora]) -> Terms:
        """All terms of a set, by layer. The order that the LoRAs were named in makes no difference, to the last bit."""
        found: dict[str, tuple[LowRank, ...]] = {}
        for lora in sorted(loras, key=_key):
            for name, terms in self.match(lora).terms.items():
                scaled = tuple(replace(term, scale=term.scale * lora.scale) for term in terms)
                found[name] = (*found.get(name, ()), *scaled)
        return {self._layers[name]: terms for name, terms in found.items()}

    def weights(self, loras: Sequence[Lora]) -> Weights:
        """The second weights of a set, by layer."""
        return {layer: merged(layer, terms) for layer, terms in self.terms(loras).items()}

    @contextmanager
    def attached(self, loras: Sequence[Lora]) -> Generator[None]:
        """The network with these LoRAs, for as long as the block lasts."""
        key = tuple(sorted(map(_key, loras)))
        if key not in self._sets:
            self._sets[key] = self._prepared(loras)
        prepared: Any = _kept(self._sets, key, KEPT_SETS)
        as_weights = isinstance(next(iter(prepared.values()), None), nn.Parameter)
        with swapped(prepared) if as_weights else hung(prepared):
            yield

    def _prepared(self, loras: Sequence[Lora]) -> Terms | Weights:
        terms = self.terms(loras)
        size = sum(layer.weight.numel() * layer.weight.element_size() for layer in terms)  # type: ignore[operator, union-attr]
        # Weights in eight bits are floats for one product only: terms are added to its outcome.
        if size <= self._merged_bytes and all("weight" in layer._parameters for layer in terms):
            return self.weights(loras)
        return {
            layer: tuple(term.on(layer.weight).padded() for term in own)  # type: ignore[arg-type]
            for layer, own in terms.items()
        }


_SHELVES: WeakKeyDictionary[nn.Module, Shelf] = WeakKeyDictionary()


def shelf_of(network: nn.Module) -> Shelf:
    """The one shelf of this network, which lives as long as the network does."""
    if network not in _SHELVES:
        _SHELVES[network] = Shelf(network)
    return _SHELVES[network]


@contextmanager
def attached(network: nn.Module, loras: Sequence[Lora]) -> Generator[None]:
    """The network with these LoRAs, for as long as the block lasts; with none it is as it is. Errors: `Shelf.match`."""
    if not loras:
        yield
        return
    with shelf_of(network).attached(loras):
        yield


class Fused:
    """A network with LoRAs in its weights, until they are taken out again: to the original tensors, bit for bit."""

    def __init__(self, network: nn.Module, loras: Sequence[Lora]) -> None:
        shelf = shelf_of(network)
        self.reports = tuple(shelf.match(lora).report for lora in loras)
        self._block = swapped(shelf.weights(loras))
        self._block.__enter__()
        self._is_fused = True

    def unfuse(self) -> None:
        """Put every original tensor back. A second time is an error: the weights are the originals already."""
        if not self._is_fused:
            raise ValueError("these weights have been unfused already")
        self._is_fused = False
        self._block.__exit__(None, None, None)


def _key(lora: Lora) -> tuple[str, float]:
    return lora.file.sha256, lora.scale


def _kept(shelf: OrderedDict[Any, Any], key: Any, most: int) -> Any:
    """The entry, now the freshest; the stalest ones beyond `most` are dropped."""
    shelf.move_to_end(key)
    while len(shelf) > most:
        shelf.popitem(last=False)
    return shelf[key]
