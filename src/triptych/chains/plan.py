"""A chain as its file says it: steps in order, what each takes from which, all checked before anything is made.

    name = "thumbnail"
    max_cost = 0.50                  # US dollars; optional

    [[step]]
    name = "concepts"
    do = "generate"                  # generate, edit, outpaint, typeset, upscale
    prompt = "a fox on a hill"
    n = 3

    [[step]]
    name = "title"
    do = "typeset"
    picture = "concepts.2"           # the second picture of that step; or a file beside the chain's
    text = "FOX"

Everything else in a step is an option of its kind. Knows no model and makes nothing.
"""

from __future__ import annotations

import math
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from triptych.chains.operations import KINDS, Kind
from triptych.core.errors import InvalidRequest, one_of
from triptych.core.files import read_bytes

MAX_FILE = 2**20
MAX_STEPS = 64
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")
PICTURES = ("picture", "mask", "references")
"""Options that name pictures: of earlier steps, or files."""


@dataclass(frozen=True)
class Source:
    """A picture that a step takes: picture `index` of an earlier step, or a file. role: of a reference."""

    step: str | None
    index: int
    path: Path | None
    role: str = ""


@dataclass(frozen=True)
class Step:
    """settings: as in the file, without name, do and the pictures. sources: by option."""

    name: str
    do: Kind
    settings: dict[str, Any]
    sources: dict[str, tuple[Source, ...]] = field(default_factory=dict[str, tuple[Source, ...]])

    @property
    def needs(self) -> frozenset[str]:
        """The earlier steps whose pictures go in."""
        return frozenset(one.step for given in self.sources.values() for one in given if one.step is not None)

    @property
    def model(self) -> str:
        return str(self.settings.get("model", "") or KINDS[self.do].model)

    @property
    def pictures(self) -> int:
        """How many it makes."""
        return int(self.settings.get("n", 1)) if self.do == "generate" else 1


@dataclass(frozen=True)
class Chain:
    name: str
    steps: tuple[Step, ...]
    max_cost: float | None

    @property
    def last(self) -> tuple[str, ...]:
        """The steps that no other one takes from."""
        used = {name for step in self.steps for name in step.needs}
        return tuple(step.name for step in self.steps if step.name not in used)


def read(path: Path) -> Chain:
    """The chain of a file. Raises `FileProblem` or `InvalidRequest` that names the step and the option."""
    try:
        data = tomllib.loads(read_bytes(path, MAX_FILE).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidRequest("chain", f"{path} is not TOML: {error}") from None
    return parse(data, path.parent)


def parse(data: dict[str, Any], folder: Path) -> Chain:
    """The chain of decoded TOML; files are looked for beside it, in `folder`."""
    unknown = set(data) - {"name", "max_cost", "step"}
    if unknown:
        raise InvalidRequest("chain", f"{min(unknown)!r} is not known (allowed: name, max_cost, [[step]])")
    name = data.get("name", "chain")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise InvalidRequest("name", f"{name!r} is not allowed: small letters, digits, - and _")
    limit = data.get("max_cost")
    if limit is not None and not (_is_number(limit) and 0 <= limit < 1e6):
        raise InvalidRequest("max_cost", f"{limit!r} is not allowed: an amount in US dollars")
    tables = data.get("step")
    if not isinstance(tables, list) or not 0 < len(tables) <= MAX_STEPS:
        raise InvalidRequest("step", f"a chain has 1 to {MAX_STEPS} tables [[step]]")
    steps: dict[str, Step] = {}
    for table in tables:
        step = _step(table, steps, folder)
        steps[step.name] = step
    return Chain(name, tuple(steps.values()), None if limit is None else float(limit))


def _step(table: Any, earlier: dict[str, Step], folder: Path) -> Step:
    if not isinstance(table, dict):
        raise InvalidRequest("step", "is a table, written [[step]]")
    name, do = table.get("name"), table.get("do")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise InvalidRequest("step", f"{name!r} is no name of a step: small letters, digits, - and _")
    if name in earlier:
        raise InvalidRequest("step", f"{name!r} is there twice")
    kind: Kind = one_of(f"{name}.do", str(do), get_args(Kind))  # type: ignore[assignment]
    allowed = KINDS[kind].options
    for option in table:
        if option not in allowed and option not in ("name", "do"):
            one_of(name, option, allowed)
    missing = [option for option in KINDS[kind].required if option not in table]
    if missing:
        raise InvalidRequest(name, f"{missing[0]!r} is missing; a step that does {kind!r} needs it")
    sources = {
        option: tuple(_source(f"{name}.{option}", one, earlier, folder, roles=option == "references") for one in given)
        for option in PICTURES
        if option in table
        and (given := _list(table[option]))
        and not (option == "mask" and not _names_picture(table[option], earlier, folder))
    }
    settings = {key: value for key, value in table.items() if key not in ("name", "do", *sources)}
    return Step(name, kind, settings, sources)


def _source(parameter: str, text: Any, earlier: dict[str, Step], folder: Path, *, roles: bool) -> Source:
    if not isinstance(text, str):
        raise InvalidRequest(parameter, f"{text!r} is not allowed: the name of an earlier step, or a file")
    where, _, role = text.partition(":") if roles and ":" in text else (text, "", "")
    step, _, number = where.partition(".")
    if step in earlier and (not number or number.isdecimal()):
        index = int(number or 1) - 1
        if not 0 <= index < earlier[step].pictures:
            raise InvalidRequest(parameter, f"{text!r} is not there: {step} makes {earlier[step].pictures} picture(s)")
        return Source(step, index, None, role)
    path = folder / where
    if not path.is_file():
        known = f"; earlier steps: {', '.join(earlier)}" if earlier else ""
        raise InvalidRequest(parameter, f"{text!r} is neither an earlier step nor a file in {folder}{known}")
    return Source(None, 0, path, role)


def _names_picture(mask: Any, earlier: dict[str, Step], folder: Path) -> bool:
    """A mask may also be a box or words, which stay settings."""
    return isinstance(mask, str) and (mask.partition(".")[0] in earlier or (folder / mask).is_file())


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
