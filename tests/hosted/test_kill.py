"""kill -9 between send and answer, with a real process: billed once, shown as unknown, brought to an end, never again.

What is killed is a process of its own; what comes after is asked in this one.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.hosted.fakes import FAKES, Fake
from tests.hosted.fakes.base import KEY
from tests.hosted.test_providers import MODELS

from triptych.cli import main
from triptych.core.readers import read_recipe
from triptych.hosted.ledger import LINES, Ledger

Ask = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Run a command here: exit code, decoded stdout, stderr."""
    monkeypatch.setenv("TRIPTYCH_HOME", str(tmp_path))

    def run(fake: Fake, *arguments: str) -> tuple[int, Any, str]:
        monkeypatch.setenv(fake.variable, fake.base)
        monkeypatch.setenv(fake.key_variable, KEY)
        capsys.readouterr()
        code = main(list(arguments))
        shown = capsys.readouterr()
        return code, json.loads(shown.out) if shown.out.startswith("{") else shown.out, shown.err

    return run


def killed_while_waiting(fake: Fake, home: Path, ready: Callable[[], bool]) -> None:
    """Start a picture, and end the process with SIGKILL once `ready` says so."""
    model = MODELS[fake.name]
    surroundings = {**os.environ, "TRIPTYCH_HOME": str(home), fake.variable: fake.base, fake.key_variable: KEY}
    code = "from triptych.cli import main; raise SystemExit(main())"
    size = ["--size", "1024x1024"] if fake.name != "ark" else []
    call = [sys.executable, "-c", code, "generate", "a fox", "-m", model, *size, "--quiet"]
    process = subprocess.Popen(call, env=surroundings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not ready() and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.01)
    assert process.poll() is None, "it ended before it could be killed"
    process.send_signal(signal.SIGKILL)
    process.wait(30)


def test_killed_between_send_and_answer(fake: Fake, ask: Ask, tmp_path: Path) -> None:
    fake.mode = "hang"
    killed_while_waiting(fake, tmp_path, lambda: fake.bills == 1)
    ledger = Ledger(tmp_path / "hosted")
    (job,) = ledger.jobs()
    assert (job.state, job.billed) == ("unknown", None)

    # The next call says so; it does not send the first one again.
    fake.mode = "moderated"
    code, _, said = ask(fake, "generate", "a cat", "-m", MODELS[fake.name], "--out", str(tmp_path / "c.png"))
    assert code == 5
    assert job.id in said
    assert "unknown" in said
    fake.mode = "ok"
    out = tmp_path / "fox.png"
    code, told, said = ask(fake, "hosted", "resolve", job.id, "--out", str(out), "--json")
    if fake.name == "dashscope":  # it keeps a list
        assert code == 0, said
        assert (told["state"], told["billed"]) == ("done", True)
        assert read_recipe(out).request.prompt == "a fox"  # type: ignore[union-attr]
        assert np.array_equal(np.asarray(Image.open(out).convert("RGB")), fake.painted[-1])
    else:  # nobody can be asked: a person looks, and says
        assert code == 4
        assert "usage" in said or "look at" in said
        code, told, _ = ask(fake, "hosted", "resolve", job.id, "--billed", "--json")
        assert code == 0
        assert (told["state"], told["billed"]) == ("failed", True)
    assert fake.bills == 1
    assert not [one for one in ledger.jobs() if one.is_open]
    assert ask(fake, "hosted", "resolve", job.id)[0] == 2


@pytest.mark.parametrize("name", ["bfl", "dashscope"])
def test_killed_while_it_is_polled(name: str, ask: Ask, tmp_path: Path) -> None:
    with FAKES[name]() as fake:
        fake.mode = "slow"
        ledger = Ledger(tmp_path / "hosted")
        killed_while_waiting(
            fake, tmp_path, lambda: any(b"accepted" in path.read_bytes() for path in ledger.folder.glob("*/*.jsonl"))
        )
        (job,) = ledger.jobs()
        assert job.state == "accepted"
        out = tmp_path / "fox.png"
        code, told, said = ask(fake, "hosted", "resolve", job.id[:15], "--out", str(out), "--json")
        assert code == 0, said
        assert told["state"] == "done"
        assert out.exists()
        assert fake.bills == 1


def test_a_job_that_never_arrived_is_found_not_to_have_been(ask: Ask, tmp_path: Path) -> None:
    """DashScope's list has no such task: it was not billed."""
    with FAKES["dashscope"]() as fake:
        ledger = Ledger(tmp_path / "hosted")
        entry = ledger.open({"model": MODELS["dashscope"], "prompt": "a fox", "request": {}})
        entry.note("sending")
        entry.close()
        code, _, said = ask(fake, "hosted", "resolve", entry.id)
        assert code == 4
        assert "not listed it yet" in said
        assert ledger.job(entry.id).state == "unknown"
        lines = ledger.folder / entry.id / LINES
        lines.write_text(re.sub(r"T\d\d:\d\d", "T00:00", lines.read_text()).replace('"at": "20', '"at": "19'))
        code, told, said = ask(fake, "hosted", "resolve", entry.id, "--json")
        assert code == 0, said
        assert (told["state"], told["billed"]) == ("failed", False)
        assert fake.bills == 0


def test_two_unknown_jobs_of_one_moment_are_left_to_a_person(ask: Ask, tmp_path: Path) -> None:
    with FAKES["dashscope"]() as fake:
        ledger = Ledger(tmp_path / "hosted")
        entries = [ledger.open({"model": MODELS["dashscope"], "prompt": "a fox", "request": {}}) for _ in range(2)]
        body = {
            "model": "wan2.7-image-pro",
            "input": {"messages": [{"content": [{"text": "a fox"}]}]},
            "parameters": {"size": "1024*1024", "n": 1},
        }
        for entry in entries:
            entry.note("sending")
            entry.close()
        fake.take(body)
        code, _, said = ask(fake, "hosted", "resolve", entries[0].id)
        assert code == 4
        assert "--billed or --not-billed" in said
        assert [job.state for job in ledger.jobs()] == ["unknown", "unknown"]
