"""The order of steps, what runs side by side, what is kept, and what a failure leaves: with a painter for tests."""

from __future__ import annotations

import hashlib
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from triptych.chains import plan, record, run
from triptych.chains.operations import Inputs, Kind, Made
from triptych.core.capabilities import Capabilities
from triptych.core.errors import ContentRefused, FileProblem, TriptychError
from triptych.core.registry import Card, Registry
from triptych.core.request import Request
from triptych.hosted import catalogue
from triptych.hosted.account import Account
from triptych.hosted.ledger import Ledger
from triptych.hosted.orders import image_of

HOSTED = "xai/grok-imagine"


class Painter:
    """Makes pictures that depend on settings and inputs; counts, and fails where it is told to."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.fails: dict[str, TriptychError] = {}
        self.at_once = self.most = 0
        self.pause = 0.0
        self._lock = threading.Lock()

    def __call__(self, do: Kind, settings: dict[str, Any], inputs: Inputs, account: Account, tag: str) -> Made:
        words = str(settings.get("prompt") or settings.get("instruction") or settings.get("to"))
        with self._lock:
            self.made.append(words)
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        time.sleep(self.pause)
        with self._lock:
            self.at_once -= 1
        if words in self.fails:
            raise self.fails[words]
        seen = inputs.picture.read_bytes() if inputs.picture else b""
        digest = hashlib.sha256(words.encode() + seen).digest()
        count = settings.get("n", 1)
        request = Request.make(prompt=words, model=settings.get("model", HOSTED), n=count)
        pixels = [np.frombuffer(bytes([k]) + digest[:26], np.uint8).reshape(3, 3, 3) for k in range(count)]
        return Made(tuple(image_of(request, one, k) for k, one in enumerate(pixels)), (), 0.02)


def step(name: str, *needs: str, hosted: bool = True, **more: Any) -> dict[str, Any]:
    model = HOSTED if hosted else "flow"
    if not needs:
        return {"name": name, "do": "generate", "prompt": name, "model": model, **more}
    references = {"references": list(needs[1:])} if needs[1:] else {}
    return {"name": name, "do": "edit", "picture": needs[0], "instruction": name, "model": model, **references, **more}


def chain_of(*steps: dict[str, Any], folder: Path) -> plan.Chain:
    return plan.parse({"name": "test", "step": list(steps)}, folder)


def stage_in(folder: Path, painter: Painter) -> run.Stage:
    registry = catalogue.register(Registry())
    registry.register(Card(name="flow", capabilities=Capabilities(family="flow", native_size=(64, 64))))
    return run.Stage(folder / "out", Account(Ledger(folder / "hosted")), registry, carry_out=painter)


def test_once_through_and_again(tmp_path: Path) -> None:
    chain = chain_of(step("a", n=2), step("b", "a.2"), step("c", "b"), folder=tmp_path)
    painter = Painter()
    first = run.run(chain, stage_in(tmp_path, painter))
    assert painter.made == ["a", "b", "c"]
    assert sorted(path.name for path in (tmp_path / "out").glob("*.png")) == ["a-1.png", "a-2.png", "b.png", "c.png"]
    again = run.run(chain, stage_in(tmp_path, painter))
    assert painter.made == ["a", "b", "c"], "nothing is made twice"
    assert again == first
    assert first.steps["b"].inputs[0].source == "a.2"
    assert first.steps["b"].inputs[0].pixels_sha256 == first.steps["a"].outputs[1].pixels_sha256
    assert first.cost == pytest.approx(0.06)


@pytest.mark.parametrize("change", ["setting", "gone", "other pixels"])
def test_what_changed_is_made_again_with_all_that_follows(tmp_path: Path, change: str) -> None:
    steps = [step("a"), step("b", "a"), step("c", "b"), step("d")]
    painter = Painter()
    run.run(chain_of(*steps, folder=tmp_path), stage_in(tmp_path, painter))
    painter.made.clear()
    if change == "setting":
        steps[1]["seed"] = 5
    elif change == "gone":
        (tmp_path / "out" / "b.png").unlink()
    else:
        Pillow.fromarray(np.zeros((3, 3, 3), np.uint8)).save(tmp_path / "out" / "b.png")
    run.run(chain_of(*steps, folder=tmp_path), stage_in(tmp_path, painter))
    # The same work on the same picture gives the same pixels, so what follows is kept.
    assert painter.made == ["b"]


def test_a_failure_leaves_what_was_made_and_says_what_was_not_begun(tmp_path: Path) -> None:
    chain = chain_of(step("a"), step("b", "a"), step("c", "b"), step("d"), folder=tmp_path)
    painter = Painter()
    painter.fails["b"] = ContentRefused("not this")
    with pytest.raises(ContentRefused, match="step b: not this; not begun: c"):
        run.run(chain, stage_in(tmp_path, painter))
    assert sorted(painter.made) == ["a", "b", "d"]
    painter.fails.clear()
    painter.made.clear()
    run.run(chain, stage_in(tmp_path, painter))
    assert painter.made == ["b", "c"]


def test_hosted_steps_run_side_by_side_and_others_take_turns(tmp_path: Path) -> None:
    painter = Painter()
    painter.pause = 0.2
    run.run(chain_of(*(step(f"h{k}") for k in range(4)), folder=tmp_path), stage_in(tmp_path, painter))
    assert painter.most >= 3
    painter.most = 0
    local = [step(f"l{k}", hosted=False) for k in range(3)]
    run.run(chain_of(*local, folder=tmp_path), stage_in(tmp_path / "two", painter))
    assert painter.most == 1


def test_a_damaged_record_is_not_built_on(tmp_path: Path) -> None:
    chain = chain_of(step("a"), folder=tmp_path)
    run.run(chain, stage_in(tmp_path, Painter()))
    (tmp_path / "out" / record.FILE).write_text('{"chain": "test", "steps": {"a": 1}}')
    with pytest.raises(FileProblem, match="is damaged"):
        run.run(chain, stage_in(tmp_path, Painter()))


def test_a_record_may_not_lead_out_of_its_folder(tmp_path: Path) -> None:
    chain = chain_of(step("a"), folder=tmp_path)
    run.run(chain, stage_in(tmp_path, Painter()))
    path = tmp_path / "out" / record.FILE
    path.write_text(path.read_text().replace('"a.png"', '"../a.png"'))
    with pytest.raises(FileProblem, match="is damaged"):
        run.run(chain, stage_in(tmp_path, Painter()))


def test_what_a_model_refuses_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    chain = chain_of(step("a"), step("b", "a", steps=4), folder=tmp_path)
    with pytest.raises(TriptychError, match="step b: steps: 4 is not allowed"):
        run.check(chain, stage_in(tmp_path, Painter()).registry)


def test_the_estimate_is_the_sum_of_paid_steps(tmp_path: Path) -> None:
    chain = chain_of(step("a", n=3), step("b", "a"), step("c", "b", hosted=False), folder=tmp_path)
    found = run.check(chain, stage_in(tmp_path, Painter()).registry)
    assert found["a"] == pytest.approx(0.06)
    assert found["b"] == pytest.approx(0.022)
    assert found["c"] == 0


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_graph_is_done_in_order_and_once(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Random chains, stopped by a failure anywhere and run again: each step is made once, after what it needs."""
    folder = tmp_path_factory.mktemp("graph")
    count = data.draw(st.integers(1, 7))
    steps = []
    for k in range(count):
        needs = data.draw(st.lists(st.integers(0, k - 1), max_size=3, unique=True)) if k else []
        steps.append(step(f"s{k}", *(f"s{one}" for one in needs)))
    chain = chain_of(*steps, folder=folder)
    painter = Painter()
    broken = f"s{data.draw(st.integers(0, count - 1))}"
    painter.fails[broken] = TriptychError("broken")
    with pytest.raises(TriptychError):
        run.run(chain, stage_in(folder, painter))
    painter.fails.clear()
    run.run(chain, stage_in(folder, painter))
    assert sorted(painter.made) == sorted([*(f"s{k}" for k in range(count)), broken])
    for one in chain.steps:
        assert all(
            painter.made.index(need) < len(painter.made) - painter.made[::-1].index(one.name) for need in one.needs
        )
