"""The page of the table: safe against what stands in prompts, and working in a browser from the disk."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from triptych.evals.reading import Detection, Reading
from triptych.evals.rows import Prompt, prompts
from triptych.evals.table.build import Cell
from triptych.evals.table.page import write_page
from triptych.evals.table.painters import ScenePainter
from triptych.evals.table.runner import run_cell
from triptych.evals.table.score import scores
from triptych.evals.table.store import Store
from triptych.scenes import Sprites

from .conftest import SHAPES, SIDE, KnowingReader

HOSTILE = "</script><img src=x onerror=\"document.title='owned'\"><!-- \u2028"
COUNT = 8


def column(name: str, ceiling: str | None = "autoencoder") -> dict[str, Any]:
    return {
        "id": name, "model": name, "family": "flow", "plan": True, "ceiling": ceiling, "weights": "", "settings": {},
        "parameters": 1000, "forwards": 8.0, "seconds": 0.1, "load": 1.0, "peak_mib": 100.0, "samples": 1000,
        "petaflop": 0.5, "score_per_million_samples": None, "score_per_petaflop": None, "reproducibility": {},
        "failures": 0,
    }  # fmt: skip


def _seen(prompt: Prompt) -> Reading:
    group = prompt.groups[0]
    return Reading((Detection(group.noun, 0.9, (0.2, 0.2, 0.6, 0.7), {str(group.colour): 1.0}),), {"plain": 1.0})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with one row: a column in which every other picture is read as nothing, and a hostile prompt."""
    out, shapes = tmp_path_factory.mktemp("page"), Sprites.shapes()
    reader = KnowingReader()
    reader.learn(shapes)
    asked = prompts("colours", SHAPES)[:COUNT]
    store = Store(out)
    lines = run_cell(ScenePainter("flow", SHAPES, SIDE, shapes), "colours", asked, 1, reader, store)
    lines = {
        (index, k): replace(line, reading=_seen(asked[index]) if index % 2 == 0 else Reading())
        for (index, k), line in lines.items()
    }
    asked = (replace(asked[0], text=HOSTILE), *asked[1:])
    cell = Cell(asked, lines, scores("colours", asked, 1, {key: line.reading for key, line in lines.items()}, SHAPES))
    interval = {"value": 0.5, "low": 0.2, "high": 0.8}
    document = {
        "conditions": {
            "date": "today", "version": "1", "split": "report", "complete": False, "quality": "low", "seeds": 1,
            "prompts": COUNT, "level": "shapes", "reader": "a" * 64, "batch": 16, "threads": 1, "processors": 2,
            "machine": HOSTILE, "resamples": 10,
        },
        "columns": [column("flow")],
        "ceilings": [{"id": "autoencoder"}],
        "rows": [
            {
                "id": "colours", "title": "colours", "measure": "in that colour", "prompts": COUNT, "pictures": 1,
                "scores": [
                    {
                        "id": "right", "title": "right", "unit": "share", "lower": False, "differences": [],
                        "cells": {"flow": interval, "autoencoder": interval | {"value": 0.9}},
                    }
                ],
            }
        ],
        "left_out": [],
        "steps": [],
    }  # fmt: skip
    write_page(out, document, {("flow", "colours"): cell})
    return out


def test_nothing_in_the_data_can_end_its_script(folder: Path) -> None:
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert page.count("</script>") == 1
    assert "onerror" in page
    assert "<img" not in page.split("const table = ")[1].split(";\n")[0]
    data = (folder / "data" / "flow--colours.js").read_text(encoding="utf-8")
    assert not re.search("[<>&\u2028]", data)
    assert json.loads("[" + data[len("triptychCell(") : -3] + "]")[1][0]["text"] == HOSTILE


def test_the_page_loads_nothing_from_elsewhere(folder: Path) -> None:
    page = (folder / "index.html").read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|//[a-z]", page.replace("// ", ""))


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        made = driver.chromium.launch(executable_path=str(chromium), args=["--no-sandbox"])
        yield made
        made.close()


@pytest.mark.browser
def test_a_click_on_a_score_shows_its_pictures_and_the_filters_sift_them(folder: Path, browser: Any) -> None:
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((folder / "index.html").as_uri())
    page.click("button.cell[data-cell='flow--colours']")
    page.wait_for_selector("article")
    page.evaluate("for (const image of document.images) image.loading = 'eager'")
    page.wait_for_function("[...document.images].every(image => image.complete)")
    assert page.evaluate("[...document.images].map(image => image.naturalWidth)") == [SIDE] * COUNT
    assert page.locator("svg rect").count() == COUNT / 2
    assert page.locator("figure.wrong").count() == page.locator("figure.right").count() == COUNT / 2

    page.click("[data-filter=wrong]")
    assert page.locator("figure").count() == page.locator("figure.wrong").count() == COUNT / 2
    assert page.get_attribute("[data-filter=wrong]", "aria-pressed") == "true"
    page.click("[data-filter=right]")
    assert page.locator("figure").count() == page.locator("figure.right").count() == COUNT / 2
    assert page.locator("article h3").first.inner_text().startswith("</script><img")
    page.click("#boxes")
    assert not page.locator("svg").first.is_visible()
    assert page.title() == "Triptych: comparison table"
    assert errors == []
    page.close()


@pytest.mark.browser
def test_the_page_is_worked_from_the_keyboard(folder: Path, browser: Any) -> None:
    page = browser.new_page()
    page.goto((folder / "index.html").as_uri())
    page.focus("button.cell")
    page.keyboard.press("Enter")
    page.wait_for_selector("article")
    assert page.evaluate("document.activeElement.id") == "panel-title"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.filter") == "wrong"
    page.keyboard.press("Space")
    assert page.locator("figure.right").count() == 0
    page.close()


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_themes_can_be_read(theme: str, folder: Path, browser: Any) -> None:
    """WCAG's contrast of 4.5 between text and what is behind it: the system's theme, and the button's other one."""
    page = browser.new_page(color_scheme=theme)
    page.goto((folder / "index.html").as_uri())
    first = _contrast(page)
    page.click("#theme")
    second = _contrast(page)
    assert min(*first, *second) >= 4.5
    assert page.evaluate("document.documentElement.dataset.theme") == ("dark" if theme == "light" else "light")
    page.close()


def _contrast(page: Any) -> list[float]:
    """Contrast ratios of ink, faint, right and wrong on the page and on cards (WCAG 2.2, relative luminance)."""
    colours = page.evaluate(
        "(() => { const style = getComputedStyle(document.documentElement);"
        " const at = name => style.getPropertyValue(name).trim();"
        " return ['--ink', '--faint', '--right', '--wrong', '--paper', '--card'].map(at); })()"
    )
    *inks, paper, card = (_luminance(colour) for colour in colours)
    return [(max(a, b) + 0.05) / (min(a, b) + 0.05) for a in inks for b in (paper, card)]


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
