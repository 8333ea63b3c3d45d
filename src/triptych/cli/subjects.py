"""From model folders to what the comparison table takes: opened models, their weights' hash, the reader.

A model folder stands alone; the parts that its card names come from the folders beside it, or else from the package.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from triptych.core.errors import FileProblem
from triptych.core.registry import CARD, Card, Registry, builtin_folder

if TYPE_CHECKING:
    from triptych.core.events import Pixels
    from triptych.evals.readers.load import Readers
    from triptych.evals.reading import Reading
    from triptych.evals.table.subjects import Subject
    from triptych.library import Library


def open_library(folder: Path) -> Library:
    """The models of the package, with the one in `folder`, and the parts beside it that it names, in their place."""
    from triptych.library import Library

    registry = Registry().add_folder(builtin_folder())
    card = Card.read(folder)
    for name in card.parts:
        beside = folder.parent / name
        if (beside / CARD).is_file():
            registry.register(Card.read(beside), beside)
    registry.register(card, folder)
    return Library(registry)


def subject(label: str, folder: Path) -> Subject:
    """The model of a folder under a label. Raises `FileProblem` where it or a part is missing or altered."""
    from triptych.evals.table.painters import round_trip
    from triptych.evals.table.subjects import Subject

    library = open_library(folder)
    card = Card.read(folder)
    library.registry.capabilities(card.name)
    library.registry.check(card.name)
    parts = {"autoencoder": library.parts.autoencoder, "tokenizer": library.parts.tokenizer}
    part = next((name for name in parts if name in card.parts), None)
    if part is None:
        raise FileProblem(f"the card of {label!r} names no part that makes pixels ({' or '.join(parts)})")
    return Subject(
        label=label,
        model=card.name,
        card=card,
        weights=library.registry.weights_sha256(card.name),
        models=library,
        open_models=partial(open_library, folder),
        part=part,
        part_sha256=library.parts.sha(part),
        round_trip=round_trip(parts[part]()),
    )


@dataclass(frozen=True)
class CardReader:
    """The readers, and the hash of their weights as their card has it."""

    readers: Readers
    sha256: str

    @classmethod
    def load(cls, folder: Path | None) -> CardReader:
        """Those of a folder, or of the package; `FileProblem` where they are missing or altered."""
        from triptych.evals.readers.load import Readers

        folder = folder or builtin_folder() / "readers"
        readers = Readers.load(folder)
        files = sorted(Card.read(folder).files.items())
        return cls(readers, hashlib.sha256("".join(file.sha256 for _, file in files).encode()).hexdigest())

    def read(self, pictures: Sequence[Pixels]) -> list[Reading]:
        return self.readers.read(pictures)
