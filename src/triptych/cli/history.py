"""`triptych history`: the trees of edits; back, forward, to any picture, or afresh from one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from triptych.editing.history import History, Node, Tree


class _ShowByDefault(TyperGroup):
    """`triptych history FILE` is short for `triptych history show FILE`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ("--help", "-h")):
            args = ["show", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    help="Edits as a tree: go back, forward, to any picture, or begin afresh from one.",
    rich_markup_mode=None,
    cls=_ShowByDefault,
)

Which = Annotated[
    str | None, typer.Argument(help="A picture file, or the beginning of a tree's id. Default: the latest tree.")
]
Out = Annotated[str | None, typer.Option("--out", "-o", help="Where the picture goes. Default: a name by its id.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No hints.")]


@app.command("list")
def list_trees(as_json: AsJson = False) -> None:
    """List the trees, the latest changed first."""
    from triptych.cli.output import show, show_json

    trees = _history().trees()
    if as_json:
        show_json({"trees": [_as_json(tree) for tree in trees]})
        return
    for tree in trees:
        note = tree.node(tree.current).note or tree.nodes[0].note
        show(f"{tree.id}  {tree.changed[:16].replace('T', ' ')}  {len(tree.nodes):>3} pictures  {note[:60]}")


@app.command("show")
def show_tree(which: Which = None, as_json: AsJson = False) -> None:
    """Show one tree; the star is where undo and edits go on from."""
    from triptych.cli.output import show, show_json
    from triptych.editing.history import drawn

    tree, _ = _tree(_history(), which)
    if as_json:
        show_json(_as_json(tree))
        return
    for line in drawn(tree):
        show(line)


@app.command("undo")
def undo(which: Which = None, out: Out = None, as_json: AsJson = False, quiet: Quiet = False) -> None:
    """Go one step back and write the picture that stood there."""
    _moved(which, out, lambda tree: tree.undone(), as_json, quiet)


@app.command("redo")
def redo(which: Which = None, out: Out = None, as_json: AsJson = False, quiet: Quiet = False) -> None:
    """Go forward again to where the last undo came from."""
    _moved(which, out, lambda tree: tree.redone(), as_json, quiet)


@app.command("go")
def go(
    node: Annotated[str, typer.Argument(help="The id of a picture in the tree, or its beginning.")],
    which: Which = None,
    out: Out = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Go to any picture of a tree and write it; an edit of it makes a branch."""
    _moved(which, out, lambda tree: tree.at(tree.node(node).id), as_json, quiet)


@app.command("fresh")
def fresh(
    file: Annotated[Path, typer.Argument(help="The picture to begin from.")],
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Begin a new tree with this picture alone, without what was before it."""
    from triptych.cli.output import show, show_json, tell
    from triptych.core.pictures import open_picture

    opened = open_picture(file)
    tree = _history().begin(opened.asset, opened.name, profile=opened.profile)
    if as_json:
        show_json(_as_json(tree))
        return
    show(tree.id)
    tell("a new history; --fresh does the same with an edit", quiet=quiet)


def _moved(which: str | None, out: str | None, move: Any, as_json: bool, quiet: bool) -> None:
    """Move the mark and write the picture; the move is kept only then, so what cannot be written undoes nothing."""
    from triptych.cli.output import show, show_json, tell
    from triptych.cli.targets import target
    from triptych.core.errors import InvalidRequest
    from triptych.core.metadata import save_picture

    history = _history()
    tree, node = _tree(history, which)
    where = target(out, 1, default="{prompt}.png")
    if where is None:
        raise InvalidRequest("out", "- (stdout) is not allowed here; give a file or a folder")
    moved = move(tree.at(node.id))
    now = moved.node(moved.current)
    history.pictures.fill(now.picture)
    path = where.path(prompt=now.id, seed=None, index=0, model="")
    save_picture(path, now.picture.pixels, now.recipe, profile=history.profile(now))
    history.save(moved)
    if as_json:
        show_json({"path": str(path), **_as_json(moved)})
        return
    show(path)
    tell(f"{now.id} of {tree.id}: {now.note or 'the picture that it began with'}", quiet=quiet)


def _history() -> History:
    from triptych.cli.settings import data_folder
    from triptych.editing.history import History

    return History(data_folder() / "history")


def _tree(history: History, which: str | None) -> tuple[Tree, Node]:
    """The tree of a file's picture or of an id, and the node that is meant: the file's, or the marked one."""
    from triptych.core.errors import InvalidRequest
    from triptych.core.pictures import open_picture

    if which is None:
        trees = history.trees()
        if not trees:
            raise InvalidRequest("history", "there is none yet; `triptych edit` begins one")
        return trees[0], trees[0].node(trees[0].current)
    if Path(which).is_file() or Path(which).suffix:
        opened = open_picture(Path(which))
        found = history.find(opened.asset)
        if found is None:
            raise InvalidRequest("history", f"{which} stands in no tree; its pixels were not made by an edit here")
        return found
    tree = history.tree(which)
    return tree, tree.node(tree.current)


def _as_json(tree: Tree) -> dict[str, Any]:
    nodes = [
        {
            "id": node.id,
            "parent": node.parent,
            "op": node.op,
            "note": node.note,
            "made": node.made,
            "pixels_sha256": node.picture.sha256,
            "width": node.picture.width,
            "height": node.picture.height,
        }
        for node in tree.nodes
    ]
    return {"tree": tree.id, "current": tree.current, "nodes": nodes}
