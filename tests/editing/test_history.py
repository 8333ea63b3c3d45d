"""The history: branches, undo and redo, pictures kept once, and a tree that a crash cannot break."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import numpy as np
import pytest

from triptych.core import files
from triptych.core.asset import Asset
from triptych.core.errors import FileProblem, InvalidRequest
from triptych.core.recipe import Recipe
from triptych.core.request import Request
from triptych.editing import history as module
from triptych.editing.history import History, drawn


def asset(value: int, channels: int = 3) -> Asset:
    return Asset.of(np.full((6, 8, channels), value, np.uint8), f"{value}.png")


def recipe(picture: Asset) -> Recipe:
    return Recipe(model="flow", family="flow", request=Request(prompt="a fox", seed=3), pixels_sha256=picture.sha256)


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "history")


def test_a_chain_goes_back_and_forward(history: History) -> None:
    for value in range(3):
        tree, _ = history.record(asset(value), asset(value + 1), f"turn {value}")
    assert [node.note for node in tree.path(tree.current)] == ["0.png", "turn 0", "turn 1", "turn 2"]
    back = tree.undone().undone()
    assert back.node(back.current).note == "turn 0"
    assert back.redone().redone().current == tree.current
    with pytest.raises(InvalidRequest, match="nothing to redo"):
        tree.redone()
    with pytest.raises(InvalidRequest, match="nothing to undo"):
        back.undone().undone()


def test_an_edit_after_an_undo_is_a_branch_and_redo_goes_where_one_came_from(history: History) -> None:
    history.record(asset(0), asset(1), "first")
    tree, second = history.record(asset(1), asset(2), "second")
    history.save(tree.undone())
    tree, third = history.record(asset(1), asset(3), "third")
    assert [node.note for node in tree.children(third.parent or "")] == ["second", "third"]
    assert tree.undone().redone().current == third.id
    assert tree.at(second.id).undone().redone().current == second.id
    assert drawn(tree) == [
        f"  {tree.id}        8x6  0.png",
        f"  {third.parent}        8x6  first",
        f"    {second.id}        8x6  second",
        f"*   {third.id}        8x6  third",
    ]


def test_a_picture_is_kept_once_and_comes_back_with_its_recipe(history: History) -> None:
    history.record(asset(0, 4), asset(1), "there", recipe(asset(1)), source_recipe=None)
    history.record(asset(1), asset(0, 4), "and back")
    assert len(list((history.folder / "pictures").iterdir())) == 2
    found = History(history.folder).find(Asset.of(asset(1).pixels))
    assert found is not None
    tree, node = found
    assert node.recipe == recipe(asset(1))
    assert node.op == "generate"
    assert not node.picture.loaded
    history.pictures.fill(node.picture)
    assert np.array_equal(node.picture.pixels, asset(1).pixels)
    assert len(tree.nodes) == 3


def test_the_colour_profile_goes_back_with_the_picture(history: History) -> None:
    profile = b"wide " * 40
    tree, node = history.record(asset(0), asset(1), "blue", profile=profile)
    assert history.profile(node) == history.profile(tree.nodes[0]) == profile
    assert history.profile(history.begin(asset(2)).nodes[0]) is None
    (kept,) = (history.folder / "profiles").iterdir()
    kept.write_bytes(profile[:-1])
    with pytest.raises(FileProblem, match="is damaged"):
        history.profile(node)
    kept.unlink()
    with pytest.raises(FileProblem):
        history.profile(node)


def test_fresh_begins_a_tree_of_its_own(history: History) -> None:
    old, _ = history.record(asset(0), asset(1), "first")
    new, node = history.record(asset(1), asset(2), "fresh", fresh=True)
    assert new.id != old.id
    assert [n.picture for n in new.nodes] == [asset(1), asset(2)]
    assert new.node(node.parent or "").parent is None
    assert {tree.id for tree in history.trees()} == {old.id, new.id}
    assert history.trees()[0].id == new.id
    alone = history.begin(asset(9), "nine")
    assert (len(alone.nodes), alone.current) == (1, alone.id)


def test_of_two_alike_the_marked_one_is_meant(history: History) -> None:
    tree, first = history.record(asset(0), asset(1), "a")
    tree, _ = history.record(asset(1), asset(0), "back to the start")
    tree, _ = history.record(asset(0), asset(1), "again")
    history.save(tree.at(first.id))
    _, node = history.record(asset(1), asset(5), "from the first")
    assert node.parent == first.id


@pytest.mark.parametrize("name", ["", "zz", "0"])
def test_names_that_fit_nothing_are_refused(history: History, name: str) -> None:
    tree = history.begin(asset(0))
    if not tree.id.startswith(name) or not name:
        with pytest.raises(InvalidRequest, match="is no tree"):
            history.tree(name)
        with pytest.raises(InvalidRequest, match="is not there in this tree"):
            tree.node(name)
    assert history.tree(tree.id[:6]).id == tree.id


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"current":"', '"current":"0'),
        lambda text: text.replace('"parent":"', '"parent":"0'),
        lambda text: "[]",
        lambda text: text.replace('"nodes":[', '"nodes":[1,'),
    ],
)
def test_a_damaged_tree_is_named_and_the_others_stay(history: History, damage: object) -> None:
    good = history.begin(asset(1))
    tree, _ = history.record(asset(2), asset(3), "x")
    path = history.folder / "trees" / f"{tree.id}.json"
    path.write_text(damage(path.read_text()))  # type: ignore[operator]
    assert [found.id for found in history.trees()] == [good.id]
    with pytest.raises(FileProblem, match="is damaged"):
        history.tree(tree.id)


def test_a_lost_or_altered_picture_is_told(history: History) -> None:
    tree = history.begin(asset(1))
    (path,) = (history.folder / "pictures").iterdir()
    (node,) = History(history.folder).tree(tree.id).nodes
    data = path.read_bytes()
    history.pictures.put(asset(2))
    path.write_bytes((history.folder / "pictures" / f"{asset(2).sha256}.png").read_bytes())
    with pytest.raises(FileProblem, match="not the ones"):
        history.pictures.fill(node.picture)
    path.unlink()
    with pytest.raises(FileProblem, match="not at hand"):
        history.pictures.fill(node.picture)
    path.write_bytes(data)
    history.pictures.fill(node.picture)


@pytest.mark.parametrize("writes", [0, 1])
def test_a_crash_leaves_the_old_tree_or_the_new_one(
    history: History, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    tree, _ = history.record(asset(0), asset(1), "first")
    left = [writes]

    def dying(path: Path, data: bytes) -> Path:
        if not left[0]:
            raise FileProblem("the disk is full")
        left[0] -= 1
        return files.write_atomically(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(module, "write_atomically", dying)
        patch.setattr("triptych.core.asset.write_atomically", dying)
        with pytest.raises(FileProblem, match="full"):
            history.record(asset(1), asset(2), "second")
    assert history.trees() == [tree]
    after, _ = history.record(asset(1), asset(2), "second")
    assert len(after.nodes) == 3


def _add(folder: Path, value: int) -> None:
    history = History(folder)
    for turn in range(5):
        history.record(asset(0), asset(10 * value + turn + 1), f"{value}/{turn}")


def test_programs_take_turns(history: History) -> None:
    history.begin(asset(0))
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_add, args=(history.folder, value)) for value in range(1, 4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    (tree,) = history.trees()
    assert len(tree.nodes) == 16


def test_a_long_chain_is_no_trouble(history: History) -> None:
    tree = history.begin(asset(0))
    node = tree.nodes[0]
    for number in range(1500):
        node = node.model_copy(update={"id": f"{number:010x}", "parent": node.id})
        tree = tree.model_copy(update={"nodes": (*tree.nodes, node), "current": node.id})
    assert len(drawn(tree)) == 1501
