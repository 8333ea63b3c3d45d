"""The written side holds: links lead somewhere, commands and files that it names exist, generated pages are current."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import shlex
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer.main

from triptych.cli.app import COMMANDS, app
from triptych.core.capabilities import Capabilities
from triptych.core.request import Request
from triptych.training.presets import STAGES

ROOT = Path(__file__).parents[1]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted(path for folder in ("docs", "examples") for path in (ROOT / folder).rglob("*.md")),
]
FLOW = Capabilities(family="flow", native_size=(128, 128))
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
GENERATED = "docs/cli.md"

every_page = pytest.mark.parametrize("page", PAGES, ids=NAMES)


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def blocks(page: Path, *languages: str) -> list[str]:
    return [text for language, text in FENCE.findall(page.read_text(encoding="utf-8")) if language in languages]


def command_lines(page: Path) -> list[str]:
    """What a reader may type: lines of shell blocks, and inline code; comments are cut off."""
    lines = [line for text in blocks(page, "", "sh", "bash", "console") for line in text.splitlines()]
    lines += re.findall(r"`([^`\n]+)`", prose(page))
    return [re.sub(r"\s#.*", "", line).removeprefix("$ ").strip() for line in lines]


@cache
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.weights
def test_the_options_page_is_current_and_has_every_field() -> None:
    assert (ROOT / "docs/options.md").read_text(encoding="utf-8") == generator().options_page(), "run: make docs"
    import options

    fields = {name for value in options.examples(FLOW).values() for name in value}
    assert fields | {"prompt", "model"} == set(Request.model_fields)


def test_the_command_lines_page_is_current() -> None:
    assert (ROOT / GENERATED).read_text(encoding="utf-8") == generator().cli_page(), "run: make docs"


def test_the_page_of_hosted_models_is_current() -> None:
    page = (ROOT / "docs/hosted.md").read_text(encoding="utf-8")
    assert page == generator().hosted_page(page), "run: make docs"


def test_the_words_of_the_world_are_current() -> None:
    page = (ROOT / "docs" / "guide" / "prompts.md").read_text(encoding="utf-8")
    assert page == generator().prompts_page(page), "run: make docs"


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, heading = target.partition("#")
        found = (page.parent / path) if path else page
        assert found.exists(), f"{target} is not there"
        if heading:
            titles = re.findall(r"^#+ (.*)$", prose(found), re.MULTILINE)
            assert heading in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}, target


@every_page
def test_no_path_of_one_machine(page: Path) -> None:
    found = re.search(r"(?<![\w.:/~-])/(?:home|root|tmp|work|Users|mnt|opt)\b", page.read_text(encoding="utf-8"))
    assert found is None, found


@every_page
def test_make_words_exist(page: Path) -> None:
    words = {line.split()[1] for line in command_lines(page) if re.match(r"make [a-z]", line)}
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert words <= known


@every_page
def test_commands_and_their_options_exist(page: Path) -> None:
    for line in command_lines(page):
        call = re.search(r"(?:^|/|\s)triptych\s+(.+)$", line)
        if not call or str(page.relative_to(ROOT)) == GENERATED:
            continue
        words = shlex.split(call[1])
        if not re.fullmatch(r"[a-z]+|-.*", words[0]):  # a prompt, or a placeholder in capitals
            words = ["generate", *words]
        if words[0].startswith("--"):
            assert words[0] in {"--help", "--version", "--debug"}, line
            continue
        assert words[0] in COMMANDS, line
        known = options_of(words[0])
        for word in words[1:]:
            if re.match(r"--?[a-z]", word):
                assert word.partition("=")[0] in known, line
        if words[0] == "train" and words[1] != "STAGE":
            assert words[1] in (*STAGES, "lora"), line


@cache
def options_of(command: str) -> frozenset[str]:
    group: Any = typer.main.get_command(app)
    chosen = group.commands[command]
    below = [parameter for each in getattr(chosen, "commands", {}).values() for parameter in each.params]
    own = {option for parameter in (*chosen.params, *below) for option in (*parameter.opts, *parameter.secondary_opts)}
    return frozenset(own | {"--help", "-h", "--debug"})


@every_page
def test_files_that_are_named_exist(page: Path) -> None:
    """`sampling/noise.py` is meant from the repository, its tests or the package."""
    for name in re.findall(r"`([\w./-]+/[\w.-]+\.(?:py|toml)|[\w-]+\.py)`", prose(page)):
        if "NAME" in name:
            continue
        places = [ROOT / name, ROOT / "src" / "triptych" / name, page.parent / name]
        packages = (ROOT / "src" / "triptych").rglob(name) if "/" not in name else ()
        assert any(place.exists() for place in places) or any(packages), f"{name} is not there"


@every_page
def test_code_in_pages_is_code(page: Path) -> None:
    for text in blocks(page, "python"):
        ast.parse(text)
    for text in blocks(page, "json"):
        json.loads(text)


def test_the_architecture_page_names_every_package_and_the_layers_as_they_are_held() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    package = ROOT / "src" / "triptych"
    for folder in sorted(path.parent for path in package.glob("*/__init__.py")):
        assert f"\n  {folder.name}/ " in page, f"{folder.name} has no line in the layout"
    held = re.search(r"layers = \[(.*?)\]", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.DOTALL)
    assert held is not None
    layers = [layer.replace("triptych.", "") for layer in re.findall(r'"([^"]+)"', held[1])]
    told = re.sub(r"[`\s]+", " ", page)
    assert " > ".join(layers) in told


def test_every_decision_is_listed_and_numbered_once() -> None:
    folder = ROOT / "docs" / "decisions"
    pages = sorted(folder.glob("[0-9]*.md"))
    listed = re.findall(r"\((\d{4}-[\w-]+\.md)\)", (folder / "README.md").read_text(encoding="utf-8"))
    assert listed == [page.name for page in pages]
    numbers = [int(page.name[:4]) for page in pages]
    assert len(set(numbers)) == len(numbers)
    for page in pages:
        assert page.read_text(encoding="utf-8").startswith(f"# {page.name[:4]}: ")
