"""Which models a person has: those that ship inside, those that were added, and checkpoints by their path. No torch.

Added models lie as cards in the folder `models` beneath the data folder; the weights stay where they are. The command
line says once where that is (`look_in`). A worker of the server follows no paths: its clients know names alone.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from triptych.core import registry as models
from triptych.core.errors import FileProblem, InvalidRequest
from triptych.core.files import write_atomically
from triptych.core.registry import CARD, Card, Entry, Registry
from triptych.open_weights.cards import LICENCE, OPEN, entry_of, root_of, slug
from triptych.open_weights.jsonfile import read_object

FOLDER, TREES = "models", "trees.json"
PLACES = ("models/checkpoints", "models/Stable-diffusion", "models/diffusers")
"""Where ComfyUI (first and last) and A1111 keep whole checkpoints, beneath their own folder."""
MOST = 1000


@dataclass(frozen=True)
class _Places:
    """home: the data folder, None where nobody said. paths: whether a model may be named by its path."""

    home: Path | None = None
    paths: bool = True


_places = _Places()


def look_in(home: Path | None, *, paths: bool) -> None:
    """Where this process finds a person's models from now on; said once, at its start."""
    global _places
    _places = _Places(home, paths)


class Installed(Registry):
    """A registry that also knows a person's own models. paths: whether one may be named by its path.

    trees: names of checkpoints in other programs' folders, whose headers are read when they are asked for.
    """

    def __init__(self, *, paths: bool = False) -> None:
        super().__init__()
        self.paths = paths
        self.trees: dict[str, Path] = {}
        self.broken: dict[str, FileProblem] = {}

    def add_own(self, home: Path) -> None:
        """Added models, and what lies in the trees; a damaged card is told when its model is asked for."""
        for path in sorted((home / FOLDER).glob(f"*/{CARD}")):
            try:
                card = Card.read(path.parent)
                self.register(card, root_of(Path(str(card.config[OPEN]))))
            except (FileProblem, KeyError) as error:
                self.broken[path.parent.name] = FileProblem(f"{path} is not the card of an added model: {error}")
        for tree in read_trees(home):
            for path in checkpoints_in(tree):
                name = slug(path.stem if path.suffix == ".safetensors" else path.name)
                if not self.has(name):
                    self.trees[name] = path

    def has(self, name: str) -> bool:
        return super().has(name) or name in self.trees or (self.paths and is_path(name))

    def find(self, name: str) -> Entry:
        if name in self.broken:
            raise self.broken[name]
        if not super().has(name) and self.has(name):
            self._entries[name] = entry_of(self.trees.get(name) or Path(name), name="" if is_path(name) else name)
        return super().find(name)

    def models(self) -> list[Card]:
        """With those in trees, as far as they can be painted with; their hashes are taken when one is used."""
        known = super().models()
        names = {card.name for card in known}
        for name, path in self.trees.items():
            if name not in names:
                with suppress(FileProblem):
                    known.append(entry_of(path, name=name, hashes=False).card)
        return sorted(known, key=lambda card: card.name)


def is_path(name: str) -> bool:
    """Whether a model's name is the path of a checkpoint, as it is where it begins or ends like one."""
    return name.startswith(("/", "./", "../", "~")) or name.endswith(".safetensors")


def registry() -> Registry:
    """All models that are there."""
    found = Installed(paths=_places.paths)
    found.add_folder(models.builtin_folder())
    if _places.home is not None:
        found.add_own(_places.home)
    return found


def add(home: Path, path: Path, *, name: str = "", licence: str = LICENCE) -> Card:
    """Keep a checkpoint under a name. Its weights stay where they are. `FileProblem` for one that cannot be loaded."""
    card = entry_of(path, name=name, licence=licence).card
    if (models.builtin_folder() / card.name).exists():
        raise InvalidRequest("name", f"{card.name!r} is the name of a built-in model; give another")
    write_atomically(home / FOLDER / card.name / CARD, (json.dumps(card.as_json(), indent=2) + "\n").encode())
    return card


def read_trees(home: Path) -> list[Path]:
    """The folders of other programs that were added."""
    path = home / FOLDER / TREES
    if not path.is_file():
        return []
    found = read_object(path).get("folders")
    return [Path(one) for one in found if isinstance(one, str)] if isinstance(found, list) else []


def add_tree(home: Path, tree: Path) -> list[Path]:
    """Remember a folder of ComfyUI or A1111; the checkpoints in it now."""
    tree = tree.expanduser().absolute()
    found = checkpoints_in(tree)
    if not found:
        raise FileProblem(f"{tree} holds no checkpoint where ComfyUI or A1111 keep them ({', '.join(PLACES)})")
    known = dict.fromkeys([*map(str, read_trees(home)), str(tree)])
    text = json.dumps({"folders": list(known)}, indent=2) + "\n"
    write_atomically(home / FOLDER / TREES, text.encode())
    return found


def checkpoints_in(tree: Path) -> list[Path]:
    """Files and diffusers folders at the places where ComfyUI and A1111 look; no link is followed out of the tree."""
    found: list[Path] = []
    for place in PLACES:
        for folder in (tree / place, tree / Path(place).name):
            found += sorted(folder.glob("**/*.safetensors")) if folder.name != "diffusers" else []
            found += sorted(path.parent for path in folder.glob("*/model_index.json"))
    inside = tree.resolve()
    return [path for path in dict.fromkeys(found) if path.resolve().is_relative_to(inside)][:MOST]
