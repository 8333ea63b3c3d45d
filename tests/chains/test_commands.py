"""`triptych chain` with the fakes of providers: priced, carried out, stopped, resumed, never paid for twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.hosted.fakes import FAKES, Fake
from tests.hosted.fakes.base import KEY

from triptych.chains import plan, run
from triptych.cli import main
from triptych.cli.catalogue import registry
from triptych.core.readers import read_recipe
from triptych.hosted.ledger import Ledger

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "chains").glob("*.toml"))
CHAIN = """
name = "card"
max_cost = 0.50

[[step]]
name = "concepts"
do = "generate"
model = "xai/grok-imagine"
prompt = "a fox"
n = 2

[[step]]
name = "portrait"
do = "generate"
model = "bfl/flux-2-pro"
prompt = "a face"
width = 128
height = 128
seed = 1

[[step]]
name = "together"
do = "edit"
model = "bfl/flux-2-pro"
picture = "concepts.2"
references = ["portrait:identity"]
instruction = "this person beside the fox"
mask = "0.25,0.25,0.5,0.5"
"""


@pytest.fixture
def fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Fake]]:
    with FAKES["xai"]() as xai, FAKES["bfl"]() as bfl:
        for fake in (xai, bfl):
            monkeypatch.setenv(fake.variable, fake.base)
            monkeypatch.setenv(fake.key_variable, KEY)
        monkeypatch.setenv("TRIPTYCH_HOME", str(tmp_path / "home"))
        monkeypatch.chdir(tmp_path)
        (tmp_path / "card.toml").write_text(CHAIN)
        yield {"xai": xai, "bfl": bfl}


def test_a_chain_from_beginning_to_end_and_again(fakes: dict[str, Fake], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chain", "card.toml", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told["steps"]) == {"concepts", "portrait", "together"}
    assert told["cost"] == pytest.approx(0.02 * 2 + 0.03 * 2)
    source = np.asarray(Image.open("card/concepts-2.png"))
    result = np.asarray(Image.open("card/together.png"))
    changed = np.abs(source.astype(int) - result).max(axis=2) > 0
    height, width = changed.shape
    assert changed.any()
    changed[height // 4 : height - height // 4, width // 4 : width - width // 4] = False
    assert not changed.any(), "the lock holds in a chain too"
    recipe = read_recipe(Path("card/together.png"))
    assert recipe.step is not None
    assert recipe.step.source.sha256 == told["steps"]["concepts"]["outputs"][1]["pixels_sha256"]
    assert KEY not in Path("card/chain.json").read_text()
    bills = {name: fake.bills for name, fake in fakes.items()}
    assert bills == {"xai": 1, "bfl": 2}
    assert main(["chain", "card.toml"]) == 0
    assert {name: fake.bills for name, fake in fakes.items()} == bills


def test_too_dear_is_refused_before_anything_is_sent(fakes: dict[str, Fake]) -> None:
    assert main(["chain", "card.toml", "--max-cost", "0.01"]) == 2
    assert not any(fake.asked for fake in fakes.values())


def test_a_refusal_in_the_middle_and_going_on(fakes: dict[str, Fake], capsys: pytest.CaptureFixture[str]) -> None:
    fakes["bfl"].mode = "moderated"
    assert main(["chain", "card.toml"]) == 5
    assert "not begun: together" in capsys.readouterr().err
    fakes["bfl"].mode = "ok"
    assert main(["chain", "card.toml"]) == 0
    assert fakes["xai"].bills == 1


def test_a_step_whose_call_has_no_end_is_not_sent_again(
    fakes: dict[str, Fake], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fakes["xai"].mode = "reset"
    assert main(["chain", "card.toml"]) == 4
    fakes["xai"].mode = "ok"
    assert main(["chain", "card.toml"]) == 4, "it is asked for a word on the first call"
    said = capsys.readouterr().err
    (job,) = [job for job in Ledger(tmp_path / "home" / "hosted").jobs() if job.is_open]
    assert f"triptych hosted resolve {job.id}" in said
    assert fakes["xai"].bills == 1
    assert main(["hosted", "resolve", job.id, "--not-billed"]) == 0
    assert main(["chain", "card.toml"]) == 0


def test_what_was_paid_for_before_a_crash_is_taken(fakes: dict[str, Fake]) -> None:
    """The pictures came home, and the process died before the record was written: they are not bought again."""
    assert main(["chain", "card.toml"]) == 0
    bills = {name: fake.bills for name, fake in fakes.items()}
    for path in Path("card").iterdir():
        path.unlink()
    assert main(["chain", "card.toml"]) == 0
    assert {name: fake.bills for name, fake in fakes.items()} == bills


def test_plan_prices_and_makes_nothing(fakes: dict[str, Fake], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chain", "card.toml", "--plan", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["estimate"] == pytest.approx(0.04 + 0.03 + 0.06, abs=0.02)
    assert not any(fake.asked for fake in fakes.values())
    assert not Path("card").exists()


@pytest.mark.weights
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_worked_chains_are_what_the_models_take(path: Path) -> None:
    chain = plan.read(path)
    estimates = run.check(chain, registry(hosted=True))
    assert sum(estimates.values()) <= (chain.max_cost or 0.0) or not any(estimates.values())
    assert len(chain.steps) >= 3
