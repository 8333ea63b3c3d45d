"""All files of a finished table: table.json, table.csv, table.md, and the page. Each is written whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from triptych.core.files import write_atomically
from triptych.evals.table.build import Cells
from triptych.evals.table.page import write_page
from triptych.evals.table.sheets import as_csv, as_markdown


def write_outputs(folder: Path, document: Mapping[str, Any], cells: Cells) -> Path:
    """Write them into the store's folder, beside its pictures; return the page."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(folder / "table.json", text.encode())
    write_atomically(folder / "table.csv", as_csv(document).encode())
    write_atomically(folder / "table.md", as_markdown(document).encode())
    return write_page(folder, document, cells)
