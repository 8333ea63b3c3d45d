"""What was asked of providers for money: one small file per job, on the disk before anything is sent.

A job is one call that a provider may bill. Its file grows by one line per event, each flushed to the disk before the
next thing happens, and its folder keeps the pictures as they came. The process at work holds a lock on the file, which
dies with it; whoever reads sees from the last line and the lock what became of the job:

| last line    | process alive | otherwise  | what that means                                                      |
|--------------|---------------|------------|----------------------------------------------------------------------|
| intended     | running       | not sent   | nothing ever left this machine                                       |
| sending      | running       | unknown    | it may have been billed; nobody sends it again                       |
| not sent, turned away | running | not sent | nothing was sent, or the provider said that it did nothing            |
| accepted     | running       | accepted   | the provider has it and can be asked with the ticket                 |
| unknown      | unknown       | unknown    | no answer came to what was sent                                      |
| received     | running       | received   | the pictures lie here                                                |
| done, failed | as it says    |            | failed says whether it was billed, None where nobody knows           |

The law: `sending` is written once, and again only after a line that says that nothing ran. Knows no provider.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from triptych.core.errors import FileProblem, InvalidRequest, TriptychError
from triptych.core.files import read_bytes, reason, write_atomically

LINES = "job.jsonl"
MAX_LINES_BYTES = 4 * 2**20
MAX_RECEIVED = 256 * 2**20
MAY_SEND = ("intended", "not sent", "turned away")
ENDS = ("done", "failed")
WITHOUT_PROCESS = {"intended": "not sent", "sending": "unknown", "turned away": "not sent"}
_ID = re.compile(r"\d{8}T\d{6}-[0-9a-f]{10}")


@dataclass(frozen=True)
class Job:
    """A job as its file tells it. state: see above. what: as it was intended (model, request, estimate and so on).

    ticket: what the provider can be asked with. pictures: files as they came. billed: None where nobody knows.
    cost: in US dollars, as the provider said or as estimated.
    """

    id: str
    state: str
    what: dict[str, Any]
    at: str
    ticket: dict[str, Any] | None = None
    pictures: tuple[Path, ...] = ()
    cost: float | None = None
    billed: bool | None = None
    told: str = ""

    @property
    def model(self) -> str:
        return str(self.what.get("model", ""))

    @property
    def provider(self) -> str:
        return self.model.partition("/")[0]

    @property
    def is_open(self) -> bool:
        """Whether somebody has to look after it: it may have cost money and there is no picture yet."""
        return self.state in ("unknown", "accepted", "received")

    def as_json(self) -> dict[str, Any]:
        return {
            "job": self.id,
            "state": self.state,
            "model": self.model,
            "prompt": self.what.get("prompt", ""),
            "sent": self.what.get("sent"),
            "changed": self.at,
            "estimate": self.what.get("estimate"),
            "cost": self.cost,
            "billed": self.billed,
            "ticket": self.ticket,
            "pictures": [str(path) for path in self.pictures],
            "told": self.told,
        }


class Ledger:
    """All jobs of a data folder, a folder each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self, what: dict[str, Any]) -> Entry:
        """A new job, on the disk when this returns. `FileProblem` where it cannot be: then nothing may be sent."""
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(5)}"
        folder = self.folder / name
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.mkdir(mode=0o700)
            handle = os.open(folder / LINES, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        except OSError as error:
            raise FileProblem(f"cannot write {folder}: {reason(error)}; nothing was sent") from error
        entry = Entry(name, folder, handle)
        try:
            _lock(handle)
            entry.note("intended", **what)
            for place in (folder, self.folder, self.folder.parent):
                _sync_folder(place)
        except BaseException:
            entry.close()
            raise
        return entry

    def take(self, name: str) -> Entry:
        """A job that no living process works on, to go on with. `InvalidRequest` if one does, or there is none."""
        job = self.job(name)
        folder = self.folder / job.id
        try:
            handle = os.open(folder / LINES, os.O_RDWR | os.O_APPEND)
        except OSError as error:
            raise FileProblem(f"cannot write {folder}: {reason(error)}") from error
        if not _try_lock(handle):
            os.close(handle)
            raise InvalidRequest("job", f"{job.id} is being worked on by another process")
        return Entry(job.id, folder, handle, state=_last(folder)["state"])

    def jobs(self) -> list[Job]:
        """All jobs, the latest first. One whose file is damaged says so in place of its state."""
        try:
            names = sorted((path.name for path in self.folder.iterdir() if _ID.fullmatch(path.name)), reverse=True)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise FileProblem(f"cannot look into {self.folder}: {reason(error)}") from error
        return [_job(self.folder / name) for name in names]

    def job(self, name: str) -> Job:
        """The job of a name or its beginning; `InvalidRequest` if none or several fit."""
        found = [job for job in self.jobs() if name and job.id.startswith(name)]
        if len(found) != 1:
            raise InvalidRequest("job", f"{name!r} {'fits several jobs' if found else 'is no job that is kept'}")
        return found[0]


class Entry:
    """One job while this process works on it."""

    def __init__(self, id: str, folder: Path, handle: int, *, state: str = "") -> None:
        self.id, self.folder, self.state = id, folder, state
        self._handle = handle

    def note(self, state: str, **more: Any) -> None:
        """One line, on the disk when this returns. Raises `TriptychError` where `sending` would break the law."""
        if state == "sending" and self.state not in MAY_SEND:
            raise TriptychError(
                f"the job {self.id} is {self.state}; it is not sent again, since it may have been billed"
            )
        line = json.dumps({"state": state, "at": datetime.now(UTC).isoformat(timespec="milliseconds"), **more})
        try:
            # The line break in front ends a line that a crash cut short.
            os.write(self._handle, b"\n" + line.encode() + b"\n")
            os.fsync(self._handle)
        except OSError as error:
            raise FileProblem(f"cannot write {self.folder / LINES}: {reason(error)}") from error
        self.state = state

    def keep(self, pictures: Sequence[bytes]) -> tuple[Path, ...]:
        """The pictures as they came, on the disk before anything looks into them: they are paid for."""
        paths: list[Path] = []
        for number, data in enumerate(pictures):
            paths.append(write_atomically(self.folder / f"{number}{_suffix(data)}", data))
        _sync_folder(self.folder)
        return tuple(paths)

    def close(self) -> None:
        """Let go of the lock; the job stays in its state."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def __enter__(self) -> Entry:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _suffix(data: bytes) -> str:
    """By the first bytes; what is no picture of the known kinds is kept too, for whoever has to complain."""
    if data.startswith(b"\x89PNG"):
        return ".png"
    if data.startswith(b"\xff\xd8"):
        return ".jpg"
    return ".webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else ".bin"


def _job(folder: Path) -> Job:
    lines = _lines(folder)
    if not lines:
        return Job(folder.name, "damaged", {}, "", told=f"{folder / LINES} cannot be read")
    last = lines[-1]
    found: dict[str, Any] = {}
    for line in lines:
        found |= line
    sent = next((line["at"] for line in reversed(lines) if line["state"] == "sending"), None)
    state = str(last["state"])
    if state not in (*ENDS, "unknown"):
        state = "running" if _is_held(folder) else WITHOUT_PROCESS.get(state, state)
    pictures = tuple(folder / Path(str(name)).name for name in found.get("pictures", ()))
    return Job(
        folder.name,
        state,
        {**lines[0], "sent": sent},
        str(last["at"]),
        ticket=found.get("ticket"),
        pictures=pictures,
        cost=found.get("cost"),
        billed=last.get("billed"),
        told=str(last.get("told", "")),
    )


def _last(folder: Path) -> dict[str, Any]:
    lines = _lines(folder)
    if not lines:
        raise FileProblem(f"{folder / LINES} is damaged; nothing is sent again")
    return lines[-1]


def _lines(folder: Path) -> list[dict[str, Any]]:
    """The whole lines of a job's file: a crash may have cut the last one."""
    try:
        data = read_bytes(folder / LINES, MAX_LINES_BYTES)
    except FileProblem:
        return []
    found: list[dict[str, Any]] = []
    for raw in data.splitlines():
        with contextlib.suppress(ValueError):
            line = json.loads(raw)
            if isinstance(line, dict) and {"state", "at"} <= set(line):
                found.append(line)
    return found


def _is_held(folder: Path) -> bool:
    try:
        handle = os.open(folder / LINES, os.O_RDONLY)
    except OSError:
        return False
    try:
        return not _try_lock(handle, shared=True)
    finally:
        os.close(handle)


def _lock(handle: int) -> None:
    with contextlib.suppress(ImportError):
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX)


def _try_lock(handle: int, *, shared: bool = False) -> bool:
    """False if another process (or another handle of this one) holds the lock; True where there are no such locks."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _sync_folder(folder: Path) -> None:
    """A new name is safe only when its folder is; Windows cannot, and need not, open one."""
    if os.name == "nt":
        return
    try:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise FileProblem(f"cannot write {folder}: {reason(error)}; nothing was sent") from error
