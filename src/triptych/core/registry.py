"""Models by name: their cards and their weights on the disk, checked without loading any.

A model folder holds `card.json` and `*.safetensors`. A part that several models share (text encoder, autoencoder,
planner) is a folder of the same kind, named in the card's `parts`. Knows no family and no torch: what is missing or
damaged is found before torch is imported.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from triptych.core.capabilities import Capabilities
from triptych.core.errors import FileProblem
from triptych.core.files import read_bytes, write_atomically
from triptych.core.weights import check_safetensors, file_sha256

CARD = "card.json"
MAX_CARD_BYTES = 2**20


class WeightFile(BaseModel):
    """One `*.safetensors` file of the folder, as it was published."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int = Field(gt=0)


class Training(BaseModel):
    """What went into the weights. samples: pictures seen, repeats counted. seconds: wall clock of the training."""

    model_config = ConfigDict(frozen=True, extra="allow")

    samples: int = 0
    seconds: float = 0.0
    compute: str = ""
    data: str = ""


class Card(BaseModel):
    """`card.json`: what the model is, takes, was trained on, and how it scored. A part has no capabilities.

    name: of a hosted model with its provider in front, as in `openai/gpt-image-2`. config: the arguments of the
    network's own configuration class, as its family reads them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^([a-z0-9]{1,20}/)?[a-z0-9][a-z0-9._-]{0,60}$")
    description: str = ""
    capabilities: Capabilities | None = None
    parts: tuple[str, ...] = ()
    preset: str = ""
    config: dict[str, Any] = {}
    training: Training = Training()
    scores: dict[str, float] = {}
    licence: str = "Apache-2.0"
    files: dict[str, WeightFile] = {}

    @property
    def family(self) -> str:
        return self.capabilities.family if self.capabilities else "part"

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The card of a model folder; `FileProblem` if it is missing or not a card."""
        path = folder / CARD
        try:
            return cls.model_validate(json.loads(read_bytes(path, MAX_CARD_BYTES)))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the whole"
            raise FileProblem(f"{path} is not a model card: at {where}: {first['msg']}") from None
        except (ValueError, RecursionError) as error:
            raise FileProblem(f"{path} is not JSON: {error}") from None

    def as_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


@dataclass(frozen=True)
class Entry:
    """A model or part: its card, and the folder with its weights (None where there are none, as in tests)."""

    card: Card
    folder: Path | None = None


class Registry:
    """Names to models and parts. Builds no network: `triptych.library` does, with what stands here."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def register(self, card: Card, folder: Path | None = None) -> None:
        """Add a model or part, or replace the one of that name."""
        self._entries[card.name] = Entry(card, folder)

    def add_folder(self, root: Path) -> Self:
        """Register every model folder beneath `root`; one that is not there has none."""
        for path in sorted(root.glob(f"*/{CARD}")):
            self.register(Card.read(path.parent), path.parent)
        return self

    def models(self) -> list[Card]:
        """The cards of all models, without the parts, by name."""
        cards = [entry.card for entry in self._entries.values() if entry.card.capabilities]
        return sorted(cards, key=lambda card: card.name)

    def has(self, name: str) -> bool:
        """Whether there is a model or part of that name."""
        return name in self._entries

    def find(self, name: str) -> Entry:
        """The entry of a model or part; `FileProblem` names close ones."""
        try:
            return self._entries[name]
        except KeyError:
            names = [card.name for card in self.models()]
            close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
            hint = f"; did you mean {' or '.join(repr(each) for each in close)}?" if close else ""
            known = f"known: {', '.join(names)}" if names else "no model is installed"
            raise FileProblem(f"there is no model {name!r}{hint} ({known})") from None

    def capabilities(self, name: str) -> Capabilities:
        """What the model takes; `FileProblem` for a part or an unknown name."""
        capabilities = self.find(name).card.capabilities
        if capabilities is None:
            raise FileProblem(f"{name!r} is a part of other models, not one that makes pictures")
        return capabilities

    def check(self, name: str, *, hashes: bool = True) -> None:
        """Raise `FileProblem` if a weight file of the model or its parts is missing, truncated or altered."""
        for entry in self._with_parts(name):
            for file, expected in entry.card.files.items() if entry.folder else ():
                path = _inside(entry.folder, file)
                check_safetensors(path, size=expected.bytes)
                if hashes and file_sha256(path) != expected.sha256:
                    raise FileProblem(f"{path} was altered: its SHA-256 is not the one on the model card")

    def weights_sha256(self, name: str, beside: Sequence[str] = ()) -> str:
        """One hash over the published hashes of the model's and its parts' files, in a fixed order.

        beside: adapters that were at work with it.
        """
        digest = hashlib.sha256()
        entries = [*self._with_parts(name), *(self.find(adapter) for adapter in beside)]
        for entry in sorted(entries, key=lambda entry: entry.card.name):
            for file, expected in sorted(entry.card.files.items()):
                digest.update(f"{entry.card.name}/{file} {expected.sha256}\n".encode())
        return digest.hexdigest()

    def _with_parts(self, name: str) -> list[Entry]:
        entry = self.find(name)
        return [entry, *(self.find(part) for part in entry.card.parts)]


def builtin_folder() -> Path:
    """Where the weights that ship inside the package lie."""
    return Path(__file__).parent.parent / "weights"


def write_card(folder: Path, card: Card) -> Path:
    """Write `card.json` with the sizes and hashes of the safetensors files that lie in `folder` now."""
    files = {
        path.name: WeightFile(sha256=file_sha256(path), bytes=path.stat().st_size)
        for path in sorted(folder.glob("*.safetensors"))
    }
    whole = card.model_copy(update={"files": files})
    return write_atomically(folder / CARD, (json.dumps(whole.as_json(), indent=2) + "\n").encode())


def _inside(folder: Path | None, file: str) -> Path:
    """A card is data: the names in it may not lead out of its folder."""
    path = Path(file)
    if folder is None or path.is_absolute() or ".." in path.parts or path.suffix != ".safetensors":
        raise FileProblem(f"{file!r} on a model card is not the name of a safetensors file in its own folder")
    return folder / file
