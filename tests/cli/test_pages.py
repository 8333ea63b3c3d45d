"""Figures go between the marks of a page, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from triptych.cli.pages import END, Page, table
from triptych.core.errors import FileProblem

PAGE = Page("page.md", "lock")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_only_what_stands_between_the_marks_changes() -> None:
    Path("page.md").write_text(f"before\n{PAGE.begin}\nold\n{END}\nafter\n")
    PAGE.check()
    PAGE.write(["new", "figures"])
    PAGE.write(["newer"])
    assert Path("page.md").read_text() == f"before\n{PAGE.begin}\n\nnewer\n\n{END}\nafter\n"


def test_a_page_that_is_not_there_or_has_no_place_is_refused() -> None:
    with pytest.raises(FileProblem, match=r"cannot read page\.md.*run this in the repository"):
        PAGE.check()
    Path("page.md").write_text("nothing\n")
    with pytest.raises(FileProblem, match="no place for figures"):
        PAGE.check()


def test_a_table_is_a_head_a_rule_and_its_rows() -> None:
    assert table(["a", "b"], [["1", "2"], ["3", ""]]) == ["| a | b |", "| --- | --- |", "| 1 | 2 |", "| 3 |  |"]
