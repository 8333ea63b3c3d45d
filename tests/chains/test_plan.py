"""What a chain's file may say, and what is said of one that may not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from triptych.chains import plan
from triptych.core.errors import TriptychError

CONCEPTS = {"name": "concepts", "do": "generate", "prompt": "a fox", "n": 3}
TITLE = {"name": "title", "do": "typeset", "picture": "concepts.2", "text": "FOX"}


def parsed(tmp_path: Path, *steps: dict[str, Any], **more: Any) -> plan.Chain:
    return plan.parse({"name": "test", "step": list(steps), **more}, tmp_path)


def test_steps_know_what_they_need(tmp_path: Path) -> None:
    chain = parsed(tmp_path, CONCEPTS, TITLE, {"name": "large", "do": "upscale", "picture": "title", "to": 512})
    assert [sorted(step.needs) for step in chain.steps] == [[], ["concepts"], ["title"]]
    assert chain.last == ("large",)
    assert chain.steps[1].sources["picture"][0].index == 1
    assert chain.steps[0].model == "flow"
    assert chain.steps[2].model == ""


def test_files_beside_the_chain_and_roles(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "anna.png")
    chain = parsed(tmp_path, {**CONCEPTS, "references": ["anna.png:identity", "anna.png"]})
    (first, second) = chain.steps[0].sources["references"]
    assert (first.path, first.role, second.role) == (tmp_path / "anna.png", "identity", "")


def test_a_mask_may_be_a_box(tmp_path: Path) -> None:
    edit = {"name": "scarf", "do": "edit", "picture": "concepts", "instruction": "a scarf", "mask": "0,0,0.5,0.5"}
    step = parsed(tmp_path, CONCEPTS, edit).steps[1]
    assert step.settings["mask"] == "0,0,0.5,0.5"
    assert "mask" not in step.sources


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([], "1 to 64 tables"),
        (["text"], "is a table"),
        ([{"do": "generate"}], "no name of a step"),
        ([{**CONCEPTS, "name": "Big Name"}], "no name of a step"),
        ([CONCEPTS, CONCEPTS], "is there twice"),
        ([{**CONCEPTS, "do": "generat"}], "did you mean 'generate'"),
        ([{**CONCEPTS, "promt": "a"}], "did you mean 'prompt'"),
        ([{"name": "a", "do": "generate"}], "'prompt' is missing"),
        ([TITLE, CONCEPTS], "neither an earlier step nor a file"),
        ([CONCEPTS, {**TITLE, "picture": "concepts.4"}], "makes 3 picture"),
        ([CONCEPTS, {**TITLE, "picture": "concepts.0"}], "makes 3 picture"),
        ([CONCEPTS, {**TITLE, "picture": 7}], "the name of an earlier step, or a file"),
        ([CONCEPTS, {**TITLE, "picture": "../../etc/passwd.png"}], "neither an earlier step nor a file"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, steps: list[Any], said: str) -> None:
    with pytest.raises(TriptychError, match=said) as caught:
        parsed(tmp_path, *steps)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"colour": 1}, "'colour' is not known"),
        ({"name": "../out"}, "small letters"),
        ({"max_cost": "much"}, "amount in US dollars"),
        ({"max_cost": float("nan")}, "amount in US dollars"),
        ({"max_cost": True}, "amount in US dollars"),
    ],
)
def test_what_is_wrong_at_the_top(tmp_path: Path, more: dict[str, Any], said: str) -> None:
    with pytest.raises(TriptychError, match=said):
        plan.parse({"name": "test", "step": [CONCEPTS], **more}, tmp_path)


def test_what_is_not_toml(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("name = \n")
    with pytest.raises(TriptychError, match="is not TOML"):
        plan.read(tmp_path / "a.toml")
    with pytest.raises(TriptychError):
        plan.read(tmp_path / "missing.toml")
