"""The service of one machine: the job store, the supervisor with its workers, and a folder, behind the port.

The store and the supervisor are synchronous and live in threads; here their calls get threads of their own, and what
they tell is carried over to the event loop. Knows no HTTP. With a shared store (PostgreSQL) jobs may be painted by
other machines; their events are then read every second instead of heard.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from triptych.core.asset import AssetStore
from triptych.core.errors import FileProblem
from triptych.core.events import Note
from triptych.core.files import read_bytes
from triptych.core.gallery import Row
from triptych.core.pictures import Opened
from triptych.core.registry import Card
from triptych.jobs.model import ENDED, Job, JobEvent, NewJob, State, Submitted
from triptych.jobs.store import Store
from triptych.server.metrics import Load
from triptych.server.service import NOBODY, Kept, Live
from triptych.workers.decode import Decoder
from triptych.workers.live import Live as Passing
from triptych.workers.supervisor import Supervisor

P = ParamSpec("P")
T = TypeVar("T")
THREADS = 48
"""Calls of the store under way at once: submits wait for a commit that they share, so they may be many."""
POLL = 1.0
LEAST_FREE = 32 * 2**20
"""Bytes free on the disk below which no job is promised to be done."""
MAX_PICTURE = 512 * 2**20
_KINDS = {"planned": "planned", "stepped": "step", "preview": "preview"}


@dataclass(eq=False)
class _Follower:
    """Who listens to one job. Touched on the event loop only."""

    heard: deque[JobEvent] = field(default_factory=deque)
    news: asyncio.Event = field(default_factory=asyncio.Event)


class LocalService:
    """folder: the data folder, with `pictures` and `inputs` in it. cards: of the models that the workers have."""

    def __init__(
        self, store: Store, supervisor: Supervisor, decoder: Decoder, folder: Path, cards: Sequence[Card]
    ) -> None:
        self._store, self._supervisor, self._decoder, self._cards = store, supervisor, decoder, list(cards)
        self._pictures = folder / "pictures"
        self._inputs = AssetStore(folder / "inputs")
        self._folder = folder
        self._threads = ThreadPoolExecutor(THREADS, "service")
        self._followers: dict[str, set[_Follower]] = {}
        self._told: list[Callable[[Job], None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = False
        self._closed = False

    # Its life

    async def start(self, on_end: Callable[[Job], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._told.append(on_end)
        self._store.listen(self._on_events)
        await self._call(self._supervisor.start)

    async def drain(self, grace: float) -> None:
        """Let running jobs finish for `grace` seconds, save and give back the rest, and end all followers."""
        self._stopping = True
        await self._call(self._supervisor.stop, grace)
        self._closed = True
        for followers in self._followers.values():
            for follower in followers:
                follower.news.set()

    async def stop(self) -> None:
        if not self._closed:
            await self.drain(0.0)
        self._threads.shutdown()
        self._decoder.close()
        self._store.close()

    # The port

    def models(self) -> Sequence[Card]:
        return self._cards

    async def submit(self, new: NewJob, *, key: str | None = None, body_sha: str | None = None) -> Submitted:
        return await self._call(self._store.submit, new, key=key, body_sha=body_sha)

    async def job(self, id: str) -> Job:
        return await self._call(self._store.get, id)

    async def jobs(self, *, state: State | None, query: str, before: int | None, limit: int) -> Sequence[Job]:
        return await self._call(self._store.list, state=state, query=query, before=before, limit=limit)

    async def cancel(self, id: str) -> Job:
        job = await self._call(self._store.cancel, id)
        self._supervisor.nudge()
        return job

    async def follow(
        self, id: str, *, after: int = 0, partials: int = NOBODY, idle: float | None = None
    ) -> AsyncGenerator[JobEvent | Live | None, None]:
        follower = _Follower()
        self._followers.setdefault(id, set()).add(follower)
        listener = self._supervisor.listen(id, partials=partials, wake=lambda: self._on_loop(follower.news.set))
        try:
            await self.job(id)
            # Whoever listens first and reads then misses nothing; what is heard twice is known by its number.
            events = await self._events(id, 0)
            after = min(after, events[-1].number)  # a number that there is not yet would hide the next events
            ended = events[-1].kind in ENDED
            for event in events[after:]:
                after = event.number
                yield event
            quiet = 0.0
            while not ended and not self._closed:
                follower.news.clear()
                for live in listener.take():
                    if live.kind in _KINDS:
                        yield _passing(live)
                while follower.heard:
                    event = follower.heard.popleft()
                    if event.number > after:
                        after = event.number
                        ended = event.kind in ENDED
                        yield event
                if ended or self._closed:
                    break
                waited = await self._waited(follower, idle)
                quiet = 0.0 if follower.news.is_set() else quiet + waited
                if self._store.database.shared:
                    follower.heard.extend(await self._events(id, after))
                if idle is not None and quiet >= idle:
                    quiet = 0.0
                    yield None
        finally:
            listener.close()
            followers = self._followers[id]
            followers.discard(follower)
            if not followers:
                del self._followers[id]

    async def picture(self, id: str, index: int) -> bytes | None:
        def read() -> bytes | None:
            found = self._store.pictures(id).get(index)
            return None if found is None else self._file(Path(str(found["path"])).name)

        return await self._call(read)

    async def keep(self, data: bytes, name: str, *, as_map: bool = False) -> Kept:
        def kept() -> Kept:
            parameter = "mask" if as_map else "image"
            opened = self._decoder.decode(data, name=name, parameter=parameter, kind="map" if as_map else "picture")
            asset = opened.asset
            self._inputs.put(asset)
            return Kept(asset, (*opened.notes, *_lost(opened, parameter)))

        return await self._call(kept)

    async def has_input(self, sha256: str) -> bool:
        return await self._call((self._inputs.folder / f"{sha256}.png").exists)

    async def gallery(self, *, query: str, before: int | None, limit: int) -> Sequence[Row]:
        return await self._call(self._store.gallery, query, limit=limit, before=before)

    async def gallery_picture(self, id: int) -> bytes | None:
        def read() -> bytes | None:
            rows = self._store.gallery(limit=1, before=id + 1)
            if not rows or rows[0].id != id:
                return None
            path = Path(rows[0].path)
            # The command line writes anywhere; only what the server itself has published is served.
            return self._file(path.name) if path.parent == self._pictures.absolute() else None

        return await self._call(read)

    def load(self) -> Load:
        depth, workers = self._store.depth(), self._supervisor.workers
        return Load(
            jobs={str(state): count for state, count in self._store.counts().items()},
            queue_depth=depth.jobs,
            queued_bytes=depth.bytes,
            workers=sum(worker.ready for worker in workers),
            restarts=sum(worker.crashes for worker in workers),
            steps=dict(sum((worker.figures.steps for worker in workers), Counter[str]())),
            loaded={model: seconds for worker in workers for model, seconds in worker.figures.now.loads.items()},
            gpu={device: size for worker in workers for device, size in worker.figures.now.gpu.items()},
            memory={worker.name.rsplit("-", 1)[-1]: _resident(worker.pid) for worker in workers if worker.pid},
        )

    def not_ready(self) -> str | None:
        if self._stopping:
            return "the server is stopping"
        if shutil.disk_usage(self._folder).free < LEAST_FREE:
            return "the disk of the data folder is full"
        if not self._supervisor.ready:
            return "no worker is ready: it is loading its models, or is being started again"
        return None

    # Within

    async def _call(self, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: function(*arguments, **named))

    async def _events(self, id: str, after: int) -> list[JobEvent]:
        return await self._call(self._store.events, id, after)

    async def _waited(self, follower: _Follower, idle: float | None) -> float:
        """Until there is news, or until it is time to look or to say that there is none; the seconds it took."""
        limits = [seconds for seconds in (idle, POLL if self._store.database.shared else None) if seconds is not None]
        began = time.monotonic()
        with suppress(TimeoutError):
            await asyncio.wait_for(follower.news.wait(), min(limits, default=None))
        return time.monotonic() - began

    def _on_loop(self, call: Callable[..., Any], *arguments: Any) -> None:
        """From any thread. Once the loop is closed nobody is left to be told."""
        assert self._loop is not None
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(call, *arguments)

    def _on_events(self, events: Sequence[JobEvent]) -> None:
        self._on_loop(self._hand_out, list(events))

    def _hand_out(self, events: list[JobEvent]) -> None:
        for event in events:
            for follower in self._followers.get(event.job, ()):
                follower.heard.append(event)
                follower.news.set()
            if event.kind in ENDED and not self._closed:
                self._threads.submit(self._tell_end, event.job)

    def _tell_end(self, id: str) -> None:
        with suppress(FileProblem):  # figures are not worth an error
            job = self._store.get(id)
            for told in self._told:
                self._on_loop(told, job)

    def _file(self, name: str) -> bytes | None:
        path = self._pictures / name
        return read_bytes(path, MAX_PICTURE) if path.is_file() and not path.is_symlink() else None


def _lost(opened: Opened, parameter: str) -> tuple[Note, ...]:
    """What an upload had beside its pixels, by which alone it is kept."""
    if opened.profile is None:
        return ()
    return (Note(parameter, "ignored", "its colour profile is not kept with an upload; it is taken as sRGB"),)


def _passing(live: Passing) -> Live:
    return Live(_KINDS[live.kind], live.data, live.blob or None)  # type: ignore[arg-type]


def _resident(pid: int) -> int:
    """Bytes that a process has in memory, 0 where the system does not tell."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * 4096
