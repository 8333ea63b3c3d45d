"""What the environment says: where the data folder is. Only the command line reads it; libraries are told."""

from __future__ import annotations

import os
from pathlib import Path

HOME = "TRIPTYCH_HOME"


def data_folder() -> Path:
    """`TRIPTYCH_HOME`, or the system's place for a person's data. It may not exist yet."""
    chosen = os.environ.get(HOME)
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs

    return Path(platformdirs.user_data_dir("triptych", appauthor=False))
