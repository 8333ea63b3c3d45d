"""The history of edits: trees of pictures, each with what made it from its parent.

A tree is one JSON file; its pictures lie beside it under the hash of their pixels, so a picture that stands in several
places is kept once. A picture is written before the tree that names it, both whole or not at all: after a crash the
tree is the old one or the new one. Undo and redo move a mark; nothing is ever deleted, so an edit after an undo makes a
branch. A picture may begin a tree of its own: such a turn knows nothing of what was before.

Files are those of one data folder and may be changed by anyone: what is read is checked.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import re
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from triptych.core.asset import Asset, AssetStore
from triptych.core.errors import FileProblem, InvalidRequest
from triptych.core.files import read_bytes, reason, write_atomically
from triptych.core.pictures import MAX_PROFILE_BYTES
from triptych.core.recipe import Recipe

VERSION = 1
MAX_TREE_BYTES = 32 * 2**20
MAX_NOTE = 500
TREES, PICTURES, PROFILES, LOCK = "trees", "pictures", "profiles", "lock"
_ID = re.compile(r"[0-9a-f]{10}")


class Node(BaseModel):
    """One picture of a tree. parent: id of the node that it was made from, None for the root. note: the words of the
    step, or where the picture came from. recipe: as in the picture's file, None for one that came from elsewhere.
    profile: SHA-256 of the ICC profile that its pixels are meant in, None for sRGB.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[0-9a-f]{10}$")
    parent: str | None = Field(default=None, pattern=r"^[0-9a-f]{10}$")
    picture: Asset
    note: str = Field(default="", max_length=MAX_NOTE)
    made: str = Field(max_length=40)
    recipe: Recipe | None = None
    profile: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")

    @property
    def op(self) -> str:
        """What made it: a step such as "edit", "generate", or "" for a picture from elsewhere."""
        if self.recipe is None:
            return ""
        return self.recipe.step.op if self.recipe.step else "generate"


class Tree(BaseModel):
    """nodes: parents before children, in the order in which they were made. current: where an undo or edit goes on.

    forward: for a node, the child that a redo leads to.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = Field(default=VERSION, ge=1, le=VERSION)
    nodes: tuple[Node, ...] = Field(min_length=1)
    current: str
    forward: dict[str, str] = {}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        known: set[str] = set()
        for place, node in enumerate(self.nodes):
            if (node.parent is None) != (place == 0) or (node.parent is not None and node.parent not in known):
                raise ValueError(f"the node {node.id} has no parent before it")
            if node.id in known:
                raise ValueError(f"the node {node.id} is there twice")
            known.add(node.id)
        if self.current not in known or not known.issuperset({*self.forward, *self.forward.values()}):
            raise ValueError("it points to a node that is not there")
        return self

    @property
    def id(self) -> str:
        """That of its root."""
        return self.nodes[0].id

    @property
    def changed(self) -> str:
        return max(node.made for node in self.nodes)

    def node(self, id: str) -> Node:
        """The node of an id, or of the beginning of one; `InvalidRequest` if none or several fit."""
        fitting = [node for node in self.nodes if node.id.startswith(id)] if id else []
        if len(fitting) != 1:
            known = ", ".join(node.id for node in self.nodes[-8:])
            what = "fits several" if fitting else "is not there"
            raise InvalidRequest("node", f"{id!r} {what} in this tree (its latest: {known})")
        return fitting[0]

    def children(self, id: str) -> list[Node]:
        return [node for node in self.nodes if node.parent == id]

    def path(self, id: str) -> list[Node]:
        """From the root to a node."""
        found: list[Node] = []
        step: str | None = id
        while step is not None:
            found.append(self.node(step))
            step = found[-1].parent
        return found[::-1]

    def at(self, id: str) -> Tree:
        """The same tree with the mark on that node, and redo leading there from all that stand before it."""
        path = [node.id for node in self.path(id)]
        forward = {**self.forward, **dict(itertools.pairwise(path))}
        return self.model_copy(update={"current": path[-1], "forward": forward})

    def undone(self) -> Tree:
        """The mark one step towards the root; `InvalidRequest` at the root."""
        parent = self.node(self.current).parent
        if parent is None:
            raise InvalidRequest("history", "there is nothing to undo: this is the picture that the tree began with")
        return self.model_copy(update={"current": parent, "forward": {**self.forward, parent: self.current}})

    def redone(self) -> Tree:
        """The mark one step back to where an undo came from; `InvalidRequest` at the end of a branch."""
        children = self.children(self.current)
        if not children:
            raise InvalidRequest("history", "there is nothing to redo: no picture was made from this one")
        return self.model_copy(update={"current": self.forward.get(self.current, children[-1].id)})

    def with_node(self, node: Node) -> Tree:
        return self.model_copy(update={"nodes": (*self.nodes, node)}).at(node.id)


class History:
    """The trees of one folder. Programs that change them take turns; each call reads what is on the disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pictures = AssetStore(folder / PICTURES)

    def trees(self) -> list[Tree]:
        """All trees, the latest changed first. One that is damaged is left out; asking for it says why."""
        found: list[Tree] = []
        for path in self._paths():
            with contextlib.suppress(FileProblem):
                found.append(self._read(path))
        return sorted(found, key=lambda tree: tree.changed, reverse=True)

    def tree(self, name: str) -> Tree:
        """The tree of an id or its beginning. Raises `InvalidRequest` for none or several, `FileProblem` if damaged."""
        paths = [path for path in self._paths() if name and path.stem.startswith(name)]
        if len(paths) != 1:
            raise InvalidRequest("history", f"{name!r} {'fits several trees' if paths else 'is no tree that is kept'}")
        return self._read(paths[0])

    def find(self, picture: Asset) -> tuple[Tree, Node] | None:
        """The latest tree that holds the picture, and the latest such node in it."""
        for tree in self.trees():
            for node in reversed(tree.nodes):
                if node.picture == picture:
                    return tree, node
        return None

    def profile(self, node: Node) -> bytes | None:
        """The ICC profile of a node's picture; `FileProblem` if it is gone or another."""
        if node.profile is None:
            return None
        path = self._profile_path(node.profile)
        data = read_bytes(path, MAX_PROFILE_BYTES)
        if hashlib.sha256(data).hexdigest() != node.profile:
            raise FileProblem(f"the colour profile {path} is damaged")
        return data

    def begin(
        self, picture: Asset, note: str = "", recipe: Recipe | None = None, *, profile: bytes | None = None
    ) -> Tree:
        """A new tree with this picture alone."""
        with self._turn():
            node = self._kept(None, picture, note, recipe, profile)
            return self._write(Tree(nodes=(node,), current=node.id))

    def record(
        self,
        source: Asset,
        result: Asset,
        note: str,
        recipe: Recipe | None = None,
        *,
        source_recipe: Recipe | None = None,
        profile: bytes | None = None,
        fresh: bool = False,
    ) -> tuple[Tree, Node]:
        """Note that `result` was made from `source`: where that stands already, else in a new tree.

        fresh: in a new tree in any case. source_recipe: how the source was made, for the root of a new tree. profile:
        the colour profile of both. Returns the tree and the result's node.
        """
        with self._turn():
            known = None if fresh else self.find(source)
            if known is None:
                root = self._kept(None, source, source.name, source_recipe, profile)
                tree, parent = Tree(nodes=(root,), current=root.id), root
            else:
                tree, parent = known
                if tree.node(tree.current).picture == source:  # of several alike, the marked one is meant
                    parent = tree.node(tree.current)
            node = self._kept(parent.id, result, note, recipe, profile)
            return self._write(tree.with_node(node)), node

    def save(self, tree: Tree) -> Tree:
        """Keep a tree whose mark was moved."""
        with self._turn():
            return self._write(tree)

    def _kept(
        self, parent: str | None, picture: Asset, note: str, recipe: Recipe | None, profile: bytes | None
    ) -> Node:
        self.pictures.put(picture)
        made = datetime.now(UTC).isoformat(timespec="microseconds")
        digest = hashlib.sha256(f"{parent} {picture.sha256} {made}".encode()).hexdigest()
        node = Node(id=digest[:10], parent=parent, picture=picture, note=note[:MAX_NOTE], made=made, recipe=recipe)
        if profile is None:
            return node
        name = hashlib.sha256(profile).hexdigest()
        write_atomically(self._profile_path(name), profile)
        return node.model_copy(update={"profile": name})

    def _profile_path(self, name: str) -> Path:
        return self.folder / PROFILES / f"{name}.icc"

    def _write(self, tree: Tree) -> Tree:
        data = tree.model_dump_json(exclude_defaults=True).encode()
        write_atomically(self.folder / TREES / f"{tree.id}.json", data)
        return tree

    def _read(self, path: Path) -> Tree:
        try:
            tree = Tree.model_validate_json(read_bytes(path, MAX_TREE_BYTES))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the whole"
            raise FileProblem(f"the history {path} is damaged at {where}: {first['msg']}") from None
        if tree.id != path.stem:
            raise FileProblem(f"the history {path} is damaged: it is the tree {tree.id}")
        return tree

    def _paths(self) -> list[Path]:
        folder = self.folder / TREES
        try:
            return sorted(path for path in folder.glob("*.json") if _ID.fullmatch(path.stem))
        except OSError as error:
            raise FileProblem(f"cannot look into {folder}: {reason(error)}") from error

    @contextlib.contextmanager
    def _turn(self) -> Generator[None]:
        """One program at a time changes trees. The lock dies with its process."""
        path = self.folder / LOCK
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise FileProblem(f"cannot write {path}: {reason(error)}") from error
        try:
            _lock(handle)
            yield
        finally:
            os.close(handle)


def _lock(handle: int) -> None:
    """Wait for the lock where the system has one for files; elsewhere whoever writes last is right."""
    try:
        import fcntl
    except ImportError:  # Windows
        return
    fcntl.flock(handle, fcntl.LOCK_EX)


def drawn(tree: Tree) -> list[str]:
    """The tree as lines of text: the current picture has a star, children are indented where a branch begins."""
    lines: list[str] = []
    waiting = [(tree.nodes[0], 0)]
    while waiting:
        node, depth = waiting.pop()
        mark = "*" if node.id == tree.current else " "
        size = f"{node.picture.width}x{node.picture.height}"
        what = " ".join(filter(None, (node.op, " ".join(node.note.split())))) or "a picture"
        lines.append(f"{mark} {'  ' * depth}{node.id}  {size:>9}  {what}")
        children = tree.children(node.id)
        waiting += [(child, depth + (len(children) > 1)) for child in reversed(children)]
    return lines
