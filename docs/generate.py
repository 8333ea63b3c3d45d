"""Writes the pages that come from the program itself: docs/cli.md, docs/options.md, the tables in docs/hosted.md, and
the lists of words in docs/guide/prompts.md.

Run it after changing a command, an option or the world (`python docs/generate.py`); a test fails while they differ.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from unittest import mock

import typer.main

from triptych.cli import main
from triptych.cli.app import COMMANDS, app
from triptych.scenes.levels import LEVELS, Level
from triptych.scenes.nouns import NOUNS
from triptych.scenes.wording import BACKGROUND_PHRASES, PLACE_PHRASES, RELATION_PHRASES

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS))
BEGIN, END = "<!-- words of the world: written by docs/generate.py -->", "<!-- end of the words -->"
TABLES, END_TABLES = "<!-- tables: written by docs/generate.py -->", "<!-- end of the tables -->"

CLI_HEAD = """\
# Command line

Written by `docs/generate.py` from the program's own `--help`; edit the commands, not this page.

The result goes to stdout, everything else to stderr; with `--json` stdout holds one JSON object and nothing else.
`triptych "a fox"` is short for `triptych generate "a fox"`.

| exit code | what happened |
|---|---|
| 0 | done |
| 1 | a failure while working; also a replay that came out different |
| 2 | a parameter that is unknown, out of range, or refused by the model |
| 3 | a model or file that is missing, unreadable or damaged |
| 4 | a hosted model or its key |
| 5 | refused by a provider's content rules |
| 6 | out of memory |
| 130 | interrupted |
"""


def cli_page() -> str:
    """The help of the program and of each command, in the order in which they are listed."""
    group: Any = typer.main.get_command(app)
    calls: list[list[str]] = [[]]
    for name in COMMANDS:
        calls += [[name], *([name, below] for below in getattr(group.commands[name], "commands", {}))]
    sections = [f"## {' '.join(['triptych', *call])}\n\n```text\n{help_of(call)}\n```\n" for call in calls]
    return CLI_HEAD + "\n" + "\n".join(sections)


def help_of(call: list[str]) -> str:
    """What `triptych CALL --help` prints at 100 columns, without blanks at line ends."""
    out = io.StringIO()
    # click asks the environment how wide the terminal is.
    with mock.patch.dict(os.environ, {"COLUMNS": "100"}), contextlib.redirect_stdout(out):
        main([*call, "--help"])
    return "\n".join(line.rstrip() for line in out.getvalue().strip().splitlines())


def world_words(level: Level) -> str:
    """What a level holds, with the other words that mean the same."""
    other_words = [f"{name} ({_listed(NOUNS[name].synonyms)})" for name in level.nouns if NOUNS[name].synonyms]
    places = [f"{name}: {_listed(BACKGROUND_PHRASES[name])}" for name in level.backgrounds]
    relations = [phrases[0] for phrases in RELATION_PHRASES.values()]
    spots = [phrases[0] for phrases in PLACE_PHRASES.values()]
    return "\n".join(
        [
            BEGIN,
            "",
            f"**{len(level.nouns)} things:** {_listed(level.nouns)}.",
            "",
            f"**Other words for them:** {_listed(other_words)}.",
            "",
            f"**{len(level.colours)} colours:** {_listed(level.colours)}. Without one, a thing has its natural colour.",
            "",
            f"**{len(level.backgrounds)} backgrounds,** and how captions name them:",
            "",
            *(f"- {place}" for place in places),
            "",
            f"**Light:** from {_listed(level.lights)}. **Sizes:** {_listed(level.sizes)}.",
            "",
            f"**Places:** {_listed(spots)}.",
            "",
            f"**Relations:** {_listed(relations)}.",
            "",
            f"**How many:** up to {level.max_things} things of up to {level.max_kinds} kinds in one picture.",
            "",
            END,
        ]
    )


def prompts_page(page: str) -> str:
    """The page with its words replaced by those of the `small` level, which the built-in models are trained on."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + world_words(LEVELS["small"]) + after


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)


def options_page() -> str:
    """What every model makes of every option."""
    import options

    return options.page()


def hosted_page(page: str) -> str:
    """The page on hosted models with its tables replaced."""
    import provider_tables

    before, _, rest = page.partition(TABLES)
    _, _, after = rest.partition(END_TABLES)
    return f"{before}{TABLES}\n\n{provider_tables.tables()}\n{END_TABLES}{after}"


if __name__ == "__main__":
    hosted_models = DOCS / "hosted.md"
    hosted_models.write_text(hosted_page(hosted_models.read_text(encoding="utf-8")), encoding="utf-8")
    (DOCS / "options.md").write_text(options_page(), encoding="utf-8")
    (DOCS / "cli.md").write_text(cli_page(), encoding="utf-8")
    prompts = DOCS / "guide" / "prompts.md"
    prompts.write_text(prompts_page(prompts.read_text(encoding="utf-8")), encoding="utf-8")
