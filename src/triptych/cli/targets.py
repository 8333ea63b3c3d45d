"""Where pictures go: `--out` as a file, a folder, a pattern or `-`, checked before anything is painted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from triptych.cli.output import STDIO
from triptych.core.errors import InvalidRequest
from triptych.core.files import check_folder
from triptych.core.metadata import format_of

PLACEHOLDERS = ("prompt", "seed", "index", "model")
DEFAULT = "{prompt}-seed{seed}.png"
MAX_SLUG = 48


@dataclass(frozen=True)
class Target:
    """pattern: path with placeholders. keep: take a free name instead of replacing a file that is there."""

    pattern: str
    keep: bool

    def path(self, *, prompt: str, seed: int | None, index: int, model: str) -> Path:
        """The path for one picture."""
        values = {
            "prompt": slug(prompt),
            "seed": "none" if seed is None else str(seed),
            "index": str(index),
            "model": slug(model),
        }
        path = Path(re.sub(r"\{(\w+)\}", lambda match: values[match[1]], self.pattern))
        return free(path) if self.keep else path


def target(out: str | None, pictures: int, *, default: str = DEFAULT, as_json: bool = False) -> Target | None:
    """What `--out` means, None for stdout. Raises before the work begins if a picture could not be written
    there.

    A folder (it exists, or ends with a slash) and no `--out` at all give names that replace nothing; a file
    that is named is replaced; several pictures of one named file are numbered. as_json: stdout is taken.
    """
    if out == STDIO:
        if as_json:
            raise InvalidRequest("out", "- (stdout) and --json cannot share stdout; give a file")
        if pictures > 1:
            raise InvalidRequest("out", f"- (stdout) takes one picture, not {pictures}; give a folder instead")
        return None
    folder = out is None or out.endswith("/") or Path(out).is_dir()
    pattern = str(Path(out or ".") / default) if folder else str(out)
    if not folder and pictures > 1 and "{index}" not in pattern:
        path = Path(pattern)
        pattern = str(path.with_name(f"{path.stem}-{{index}}{path.suffix}"))
    elif folder and pictures > 1:
        pattern = pattern.replace("{seed}", "{seed}-{index}")
    unknown = [name for name in re.findall(r"\{(\w*)\}", pattern) if name not in PLACEHOLDERS]
    if unknown:
        allowed = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        raise InvalidRequest("out", f"{{{unknown[0]}}} is not a placeholder (allowed: {allowed})")
    found = Target(pattern, keep=folder)
    trial = found.path(prompt="a", seed=0, index=0, model="m")
    format_of(trial)
    check_folder(trial.parent)
    return found


def slug(text: str) -> str:
    """A name for files: letters, digits and hyphens, at most 48 of them."""
    words = re.sub(r"[^\w]+", "-", text.lower()).strip("-_")
    return words[:MAX_SLUG].rstrip("-_") or "picture"


def free(path: Path) -> Path:
    """`path`, or the first of `name-2`, `name-3` ... that is not taken."""
    candidate, number = path, 2
    while candidate.exists():
        candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    return candidate
