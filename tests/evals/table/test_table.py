"""The whole table in miniature: all rows, all families, killed and gone on with, told in every form."""

from __future__ import annotations

import copy
import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from triptych.core.errors import InvalidRequest
from triptych.evals.reading import Reading
from triptych.evals.rows import ROWS, prompts
from triptych.evals.table.build import Table, card_scores
from triptych.evals.table.outputs import write_outputs
from triptych.evals.table.painters import EnginePainter, ScenePainter, Work
from triptych.evals.table.runner import run_cell
from triptych.evals.table.sheets import as_csv, as_markdown, as_text, sheets
from triptych.evals.table.store import Store
from triptych.evals.table.subjects import Choice, Subject
from triptych.scenes import Sprites

from .conftest import ASKED, SHAPES, SIDE, KnowingReader

SubjectOf = Callable[..., Subject]
QUICK = Choice(seeds=1, quality="low", plans=(True,), prompts=2, steps=(1, 2))


def scene_painter(shapes: Sprites) -> ScenePainter:
    return ScenePainter("renders", SHAPES, SIDE, shapes)


@pytest.fixture(scope="module")
def made(
    tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory, shapes: Sprites
) -> tuple[Path, dict[str, Any], Table]:
    """Flow and tokens over every row, with plans."""
    from triptych.cli.subjects import subject

    reader = KnowingReader()
    reader.learn(shapes)
    out = tmp_path_factory.mktemp("table")
    subjects = [subject(name, tiny_folder / name) for name in ("flow", "tokens")]
    table = Table(subjects, QUICK, reads=reader, store=Store(out), sprites=shapes)
    document = table.run()
    write_outputs(out, document, table.cells)
    return out, document, table


def test_every_row_that_the_world_holds_is_told_and_the_others_are_explained(made: Any) -> None:
    _, document, _ = made
    assert [row["id"] for row in document["rows"]] == [
        *(name for name in ROWS if name not in ("text", "face")), "geneval",
    ]  # fmt: skip
    left = {note["row"]: note["note"] for note in document["left_out"]}
    assert left["text"] == "no sign in this model's world"
    assert left["face"] == "no face in this model's world"
    assert left["steps"] == "it paints in no steps"


def test_true_renders_are_right_everywhere_and_noise_nowhere(made: Any) -> None:
    _, document, _ = made
    for row in document["rows"]:
        main = row["scores"][0]
        if row["id"] == "diversity":
            continue
        assert main["cells"]["renders"]["value"] == 1, row["id"]
        if row["id"] != "complex":
            assert main["cells"]["flow"]["value"] == main["cells"]["tokens"]["value"] == 0, row["id"]
    assert document["columns"][0]["ceiling"] == "autoencoder"
    assert document["columns"][1]["ceiling"] == "tokenizer"


def test_costs_are_measured(made: Any) -> None:
    flow, tokens = made[1]["columns"]
    assert flow["parameters"] > 1000
    assert flow["forwards"] == 12  # 6 Euler steps, guided
    assert tokens["forwards"] == 64  # an 8 x 8 grid
    assert flow["peak_mib"] > 50
    assert flow["seconds"] > 0
    assert flow["reproducibility"] == {"alone": 1, "other threads": 1, "new process": 1}
    assert flow["settings"]["steps"] == 6
    assert flow["failures"] == 0


def test_steps_and_straightness_are_told_of_models_that_step(made: Any) -> None:
    (steps,) = made[1]["steps"]
    assert steps["model"] == "flow"
    assert [point["steps"] for point in steps["points"]] == [1, 2]
    assert steps["straightness"]["detour"] >= 1
    assert steps["straightness"]["bend"] > 0


def test_the_files_tell_the_same_figures(made: Any) -> None:
    out, document, _ = made
    assert json.loads((out / "table.json").read_text()) == document
    lines = list(csv.DictReader(io.StringIO((out / "table.csv").read_text())))
    single = next(line for line in lines if (line["row"], line["column"]) == ("single", "renders"))
    assert float(single["value"]) == 1
    assert as_csv(document) == (out / "table.csv").read_text()
    page = as_markdown(document)
    assert "| single object | 2 | 0.0 ±42.1 (0.0) |" in page  # none of two right: up to 84.2 % are not refuted
    text = as_text(sheets(document))
    assert "SCORES" in text
    assert "text on signs" in text
    assert "0.0 ±42.1" in text


def test_a_cell_s_data_names_pictures_that_are_there(made: Any) -> None:
    out, _, table = made
    data = (out / "data" / "flow--single.js").read_text()
    name, told = json.loads("[" + data.removeprefix("triptychCell(").removesuffix(");\n") + "]")
    assert name == "flow--single"
    for prompt in told:
        for picture in prompt["pictures"]:
            assert (out / picture["file"]).is_file()
            assert picture["right"] is False
            assert picture["reason"].startswith("expected ")
    assert len(list((out / "data").iterdir())) == len(table.cells)


def test_scores_for_a_card(made: Any) -> None:
    scores = card_scores(made[1], "flow")
    assert scores["single"] == 0
    assert scores["geneval"] == 0
    assert {"complex", "complex gm", "unseen gap", "left_right pairs"} <= scores.keys()
    assert all(isinstance(value, float) for value in scores.values())


def test_a_row_that_the_readers_cannot_judge_is_on_no_card(made: Any) -> None:
    document = copy.deepcopy(made[1])
    binding = next(row for row in document["rows"] if row["id"] == "binding")
    binding["scores"][0]["cells"]["renders"]["value"] = 0.05
    assert card_scores(made[1], "flow").keys() - card_scores(document, "flow").keys() == {"binding"}


def test_differences_are_between_models_with_the_same_plans(
    tiny_subject: SubjectOf, tmp_path: Path, reader: KnowingReader
) -> None:
    choice = Choice(rows=("single",), seeds=1, quality="low", prompts=2)
    subjects = [tiny_subject("flow"), tiny_subject("flow", "again")]
    table = Table(subjects, choice, reader, Store(tmp_path), sprites=Sprites.shapes())
    document = table.run()
    pairs = {(each["a"], each["b"]) for each in document["rows"][0]["scores"][0]["differences"]}
    assert pairs == {
        ("flow", "again"), ("flow", "flow~no-plan"), ("again", "again~no-plan"), ("flow~no-plan", "again~no-plan"),
    }  # fmt: skip
    planned, bare = (table.cells[name, "single"].lines[0, 0] for name in ("flow", "flow~no-plan"))
    assert planned.plan is not None
    assert bare.plan is None
    first, second = (table.cells[name, "single"].lines[0, 0] for name in ("flow", "again"))
    assert np.array_equal(Store(tmp_path).picture(first.picture or ""), Store(tmp_path).picture(second.picture or ""))


def test_two_models_may_not_share_a_label(tiny_subject: SubjectOf, tmp_path: Path, reader: KnowingReader) -> None:
    with pytest.raises(InvalidRequest, match="under a name of its own"):
        Table([tiny_subject("flow"), tiny_subject("flow")], QUICK, reader, Store(tmp_path))


def test_a_killed_cell_goes_on_and_ends_with_the_same_lines(shapes: Sprites, tmp_path: Path) -> None:
    asked = prompts("single", SHAPES)[:ASKED]
    whole = run_cell(scene_painter(shapes), "single", asked, 1, KnowingReader(), Store(tmp_path / "whole"))

    store = Store(tmp_path / "killed")
    run_cell(scene_painter(shapes), "single", asked[:2], 1, KnowingReader(), store)
    path = store.folder / "cells" / "renders" / "single.jsonl"
    half = path.read_bytes()[:-20]  # the last line is torn, as a kill leaves it
    path.write_bytes(half)
    reader = KnowingReader()
    again = run_cell(scene_painter(shapes), "single", asked, 1, reader, store)
    assert reader.calls == ASKED - 1
    assert again.keys() == whole.keys()
    assert all(again[key].reading == whole[key].reading for key in whole)
    reader = KnowingReader()
    run_cell(scene_painter(shapes), "single", asked, 1, reader, Store(tmp_path / "killed"))
    assert reader.calls == 0


def test_another_reader_reads_stored_pictures_and_paints_nothing(shapes: Sprites, tmp_path: Path) -> None:
    asked = prompts("single", SHAPES)[:2]
    store = Store(tmp_path)
    first = run_cell(scene_painter(shapes), "single", asked, 1, KnowingReader(), store)
    reader = KnowingReader(sha256="b" * 64)
    reader.learn(shapes)

    class Refuses(ScenePainter):
        def paint(self, works: Any) -> Any:
            raise AssertionError("nothing is to be painted")

    second = run_cell(Refuses("renders", SHAPES, SIDE, shapes), "single", asked, 1, reader, store)
    assert reader.calls == 2
    assert [line.seconds for line in second.values()] == pytest.approx(
        [line.seconds for line in first.values()], abs=1e-4
    )
    assert all(line.reading.things for line in second.values())


@pytest.mark.parametrize("change", ["settings", "picture", "fresh"])
def test_what_does_not_hold_any_more_is_painted_anew(change: str, shapes: Sprites, tmp_path: Path) -> None:
    asked = prompts("single", SHAPES)[:1]
    painter = scene_painter(shapes)
    line = run_cell(painter, "single", asked, 1, KnowingReader(), Store(tmp_path))[0, 0]
    if change == "settings":
        painter = replace(painter, weights="other")
    if change == "picture":
        (tmp_path / (line.picture or "")).unlink()
    reader = KnowingReader()
    run_cell(painter, "single", asked, 1, reader, Store(tmp_path, fresh=change == "fresh"))
    assert reader.calls == 1


def test_stored_pictures_are_exact(shapes: Sprites, tmp_path: Path) -> None:
    painter, store = scene_painter(shapes), Store(tmp_path)
    work = Work(prompts("single", SHAPES)[0], 0)
    pixels = painter.paint([work])[0].pixels
    assert pixels is not None
    assert np.array_equal(store.picture(store.save("a", "b", 0, 0, pixels)), pixels)


def test_a_picture_that_fails_is_wrong_and_takes_nobody_with_it(
    tiny_subject: SubjectOf, tmp_path: Path, reader: KnowingReader
) -> None:
    chosen = tiny_subject("flow")

    class Broken:
        """The library, whose plan writer fails on one prompt."""

        def __getattr__(self, name: str) -> Any:
            return getattr(chosen.models, name)

        def plan(self, request: Any, index: int) -> Any:
            if request.prompt == asked[0].text:
                raise RuntimeError("no plan today")
            return chosen.models.plan(request, index)

    asked = prompts("single", SHAPES)[:2]
    painter = EnginePainter(Broken(), "flow", "flow", chosen.weights, "low")
    lines = run_cell(painter, "single", asked, 1, reader, Store(tmp_path))
    assert lines[0, 0].picture is None
    assert lines[0, 0].failure == "no plan today"
    assert lines[0, 0].reading == Reading()
    assert lines[1, 0].picture is not None


def test_stamps_tell_weights_and_settings_apart(tiny_subject: SubjectOf) -> None:
    chosen = tiny_subject("flow")

    def stamp(weights: str = "w", quality: Any = "low", use_plan: bool = True, **fields: Any) -> str:
        painter = EnginePainter(chosen.models, "flow", "flow", weights, quality, use_plan, fields)
        return painter.stamp(Work(prompts("single", SHAPES)[0], 0))

    assert stamp() == stamp() == stamp(steps=6)
    assert len({stamp(), stamp("v"), stamp(quality="medium"), stamp(use_plan=False), stamp(steps=9)}) == 5
