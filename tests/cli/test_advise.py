"""advise, route, `-m auto`, and the benches of both, from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import FakeApi, Outcome

Run = Callable[..., Outcome]
CASES = Path(__file__).parents[1] / "advice"
KEYS = (
    "OPENAI_API_KEY",
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "BFL_API_KEY",
    "ARK_API_KEY",
    "XAI_API_KEY",
    "DASHSCOPE_API_KEY",
)


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)


def test_advise_json_has_the_published_form(run: Run) -> None:
    done = run("advise", "a room with no windows", "--json")
    answer = json.loads(done.out)
    (finding,) = answer["findings"]
    assert set(finding) >= {"challenge", "span", "severity", "reason", "rewrite"}
    assert (finding["challenge"], finding["rewrite"]) == ("negation", "a windowless room")
    assert finding["span"] == [0, 22]
    assert answer["rewritten"] == "a windowless room"
    assert done.code == 0


def test_advise_for_people(run: Run) -> None:
    done = run("advise", "portrait of a king without a crown", "--family", "hybrid")
    assert "medium  negation" in done.out
    assert "rewritten: portrait of a bareheaded king" in done.out
    assert "missing light for a portrait" in done.out
    assert "--negative 'crown'" in done.err


def test_advise_reads_stdin_and_says_when_there_is_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("a fox in the snow\n"))
    done = run("advise", "-")
    assert (done.out, done.code) == ("", 0)
    assert "nothing found" in done.err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(("a cat", "-m", "nobody"), 3), (("a cat", "--family", "gan"), 2), (("a\x00cat",), 2)],
)
def test_advise_refuses(run: Run, arguments: tuple[str, ...], code: int) -> None:
    done = run("advise", *arguments)
    assert done.code == code
    assert done.err.startswith("triptych: ")


def test_edit_words_need_edit(run: Run) -> None:
    plain, edit = (
        json.loads(run("advise", "dress her in a kimono", *more, "--json").out) for more in ((), ("--edit",))
    )
    assert not plain["findings"]
    assert [finding["challenge"] for finding in edit["findings"]] == ["edit_vs_regenerate"]


def test_route_names_model_reason_and_what_would_be_better(run: Run) -> None:
    answer = json.loads(run("route", "a poster that says JAZZ", "--json").out)
    assert answer["job"] == "infographic"
    assert not answer["good"]
    assert "No available model is known to be good at it" in answer["reason"]
    assert "google/gemini-3.1-flash-image" in answer["better"]


def test_a_key_makes_a_hosted_model_ready(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "a-key-that-nobody-has")
    done = run("route", "a poster that says JAZZ")
    assert done.out.splitlines()[0].startswith("google/gemini-3")
    assert "a-key-that-nobody-has" not in done.out + done.err
    private = run("route", "a poster that says JAZZ", "--private")
    assert "/" not in private.out.splitlines()[0]


@pytest.mark.parametrize("arguments", [("",), ("a cat", "--prefer", "luck")])
def test_route_refuses(run: Run, arguments: tuple[str, ...]) -> None:
    assert run("route", *arguments).code == 2


def test_auto_asks_the_router_and_tells_why(api: FakeApi, run: Run) -> None:
    done = run("generate", "two apples and a car", "-m", "auto", "--out", "a.png", "--json")
    assert done.code == 0, done.err
    assert api.requests[0].model != "auto"
    notes = json.loads(done.out)["notes"]
    assert any(note["parameter"] == "model" and note["text"].startswith("auto is ") for note in notes)


def test_the_benches_print_their_figures(run: Run) -> None:
    advised = json.loads(run("bench", "advise", "--cases", CASES, "--json").out)
    assert set(advised) == {"held out", "development"}
    assert advised["held out"]["challenges"]["negation"]["precision"] >= 0.95
    routed = run("bench", "route", "--cases", CASES)
    assert "held out, 45" in routed.out


def test_held_out_mistakes_are_never_listed(run: Run) -> None:
    prompts = [line.split("\t")[2] for line in (CASES / "held_out.tsv").read_text(encoding="utf-8").splitlines()]
    done = run("bench", "advise", "--cases", CASES, "--mistakes")
    assert not any(prompt in done.out for prompt in prompts)


def test_figures_need_a_page_to_go_to(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("bench", "advise", "--cases", CASES, "--write")
    assert done.code == 3
    assert "docs/adviser.md" in done.err
