from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable

import pytest

from triptych.cli.app import COMMANDS, app, with_default_command
from triptych.core.errors import Cancelled, ContentRefused, FileProblem, InvalidRequest, OutOfMemory, ProviderError

from .conftest import FakeApi, Outcome

Run = Callable[..., Outcome]
HEAVY = ("torch", "numpy", "PIL", "pydantic", "rich", "diffusers", "transformers")
HELP = f"""
import sys
from triptych.cli import main
code = main(["--help"])
print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
sys.exit(code)
"""


def test_help_is_quick_and_imports_nothing_heavy() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0
    assert done.stderr.strip() == "[]"
    assert all(command in done.stdout for command in COMMANDS)
    # Processor time: on an idle machine it is the time that a person waits, and a busy one does not change it much.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.4


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["a fox"], ["generate", "a fox"]),
        (["--seed", "3", "a fox"], ["generate", "--seed", "3", "a fox"]),
        (["-m", "flow", "a fox"], ["generate", "-m", "flow", "a fox"]),
        (["--", "-a fox"], ["generate", "--", "-a fox"]),
        (["plan", "a fox"], ["plan", "a fox"]),
        (["--help"], ["--help"]),
        ([], []),
    ],
)
def test_what_is_no_command_is_a_prompt(given: list[str], meant: list[str]) -> None:
    assert with_default_command(given) == meant


def test_the_list_of_commands_is_the_app_s() -> None:
    commands = [command.name or command.callback.__name__ for command in app.registered_commands if command.callback]
    assert sorted(COMMANDS) == sorted([*commands, *(str(group.name) for group in app.registered_groups)])


def test_a_word_near_a_command_is_painted_with_a_hint(api: FakeApi, run: Run) -> None:
    done = run("plane")
    assert done.code == 0
    assert "'plane' is taken as a prompt; the command is spelt 'plan'" in done.err


def test_no_arguments_show_the_help(run: Run) -> None:
    done = run()
    assert "Usage: triptych" in done.out + done.err


def test_version(run: Run) -> None:
    assert run("--version").out.startswith("triptych ")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidRequest("steps", "0 is not allowed"), 2),
        (FileProblem("the weights x are missing"), 3),
        (ProviderError("no key"), 4),
        (ContentRefused("refused"), 5),
        (OutOfMemory("too large"), 6),
        (Cancelled("stopped"), 130),
        (KeyboardInterrupt(), 130),
        (MemoryError(), 6),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), 6),
        (RuntimeError("a bug\nwith a second line"), 1),
    ],
)
def test_every_error_has_its_code_and_one_line(api: FakeApi, run: Run, error: BaseException, code: int) -> None:
    api.error = error
    done = run("generate", "a fox", "--json")
    assert done.code == code
    assert done.out == ""
    assert done.err.startswith("triptych: ")
    assert len(done.err.splitlines()) == 1
    assert "Traceback" not in done.err


def test_an_unexpected_error_points_at_debug_which_shows_it(api: FakeApi, run: Run) -> None:
    api.error = RuntimeError("a bug")
    assert "unexpected RuntimeError: a bug (run again with --debug" in run("a fox").err
    with pytest.raises(RuntimeError, match="a bug"):
        run("a fox", "--debug")


@pytest.mark.parametrize(
    "arguments", [["generate"], ["generate", "a", "b"], ["a fox", "--stepps", "3"], ["a", "--n", "x"]]
)
def test_usage_errors_are_2(api: FakeApi, run: Run, arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.code == 2
    assert done.out == ""
    assert api.calls == []
