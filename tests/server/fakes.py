"""A service that makes small pictures in the event loop: the whole port of the server, and nothing else.

Words in the prompt ask for trouble: `fail`, `crash`, `slow`, `full`, `halves`. Everything is in memory.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from PIL import Image

from triptych.core.asset import Asset
from triptych.core.gallery import Row
from triptych.core.metadata import encode_picture
from triptych.core.pictures import open_map, open_picture
from triptych.core.pixels import pixels_sha256
from triptych.core.recipe import Recipe
from triptych.core.registry import Card, Registry, builtin_folder
from triptych.core.request import Request
from triptych.jobs.clock import new_id
from triptych.jobs.errors import AlreadyEnded, KeyReused, NoSuchJob, QueueFull
from triptych.jobs.model import EventKind, Job, JobEvent, NewJob, Submitted
from triptych.server.metrics import Load
from triptych.server.service import Kept, Live

STEPS = 8


class FakeService:
    """step_seconds: how long a step takes; a prompt with `slow` takes a hundred times as long."""

    def __init__(self, folder: Path, step_seconds: float = 0.01) -> None:
        self.folder, self.step_seconds = folder, step_seconds
        self.all: dict[str, Job] = {}
        self.happened: dict[str, list[JobEvent]] = {}
        self.pictures: dict[tuple[str, int], bytes] = {}
        self.inputs: dict[str, Asset] = {}
        self.rows: list[Row] = []
        self.changed = asyncio.Event()
        self.live: dict[str, Live] = {}
        self.keys: dict[str, tuple[str | None, str]] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        self.ended: list[Callable[[Job], None]] = []
        self.reason: str | None = None
        self.stopped = False
        self.changes = 0
        self.cards = Registry().add_folder(builtin_folder()).models()

    async def start(self, on_end: Callable[[Job], None]) -> None:
        self.ended.append(on_end)

    async def drain(self, grace: float) -> None:
        self.stopped = True
        self._wake()

    async def stop(self) -> None:
        await self.drain(0)

    def models(self) -> Sequence[Card]:
        return self.cards

    async def submit(self, new: NewJob, *, key: str | None = None, body_sha: str | None = None) -> Submitted:
        if key in self.keys:
            sha, id = self.keys[key]
            if sha != body_sha:
                raise KeyReused
            return Submitted(self.all[id], True)
        if "full" in new.text:
            raise QueueFull("the queue is full: 10 jobs are waiting, 10 may", 7)
        self.changes += 1
        json.dumps(new.payload)
        job = Job(
            new_id(),
            len(self.all) + 1,
            new.kind,
            new.payload,
            "queued",
            text=new.text,
            model=new.model,
            priority=new.priority,
            created=now(),
            key=key,
            client=new.client,
        )
        self.all[job.id], self.happened[job.id] = job, []
        if key is not None:
            self.keys[key] = (body_sha, job.id)
        self._tell(job.id, "queued")
        task = asyncio.ensure_future(self._paint(job))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return Submitted(job, False)

    async def job(self, id: str) -> Job:
        if id not in self.all:
            raise NoSuchJob(id)
        return self.all[id]

    async def jobs(self, *, state: str | None, query: str, before: int | None, limit: int) -> Sequence[Job]:
        found = [
            job
            for job in sorted(self.all.values(), key=lambda job: -job.seq)
            if (state is None or job.state == state)
            and (before is None or job.seq < before)
            and all(word in job.text for word in query.split())
        ]
        return found[:limit]

    async def cancel(self, id: str) -> Job:
        job = await self.job(id)
        if job.ended:
            raise AlreadyEnded(id, job.state)
        self.changes += 1
        self._end(id, "cancelled")
        return self.all[id]

    async def follow(
        self, id: str, *, after: int = 0, partials: int = -1, idle: float | None = None
    ) -> AsyncGenerator[JobEvent | Live | None, None]:
        await self.job(id)
        seen: Live | None = None
        while True:
            changed = self.changed
            for event in self.happened[id][after:]:
                after = event.number
                yield event
            if self.all[id].ended or self.stopped:
                return
            live = self.live.get(id)
            if live is not None and live is not seen and (partials >= 0 or live.kind != "preview"):
                seen = live
                yield live
            try:
                await asyncio.wait_for(changed.wait(), idle)
            except TimeoutError:
                yield None

    async def picture(self, id: str, index: int) -> bytes | None:
        return self.pictures.get((id, index))

    async def keep(self, data: bytes, name: str, *, as_map: bool = False) -> Kept:
        path = self.folder / "upload"
        path.write_bytes(data)
        opened = open_map(path) if as_map else open_picture(path)
        asset = Asset.of(opened.pixels, name)
        self.inputs[asset.sha256] = asset
        return Kept(asset, opened.notes)

    async def has_input(self, sha256: str) -> bool:
        return sha256 in self.inputs

    async def gallery(self, *, query: str, before: int | None, limit: int) -> Sequence[Row]:
        found = [row for row in reversed(self.rows) if (before is None or row.id < before) and query in row.prompt]
        return found[:limit]

    async def gallery_picture(self, id: int) -> bytes | None:
        if not 0 < id <= len(self.rows):
            return None
        job, _, index = self.rows[id - 1].path.rpartition("-")
        return self.pictures[job, int(index)]

    def load(self) -> Load:
        states = [job.state for job in self.all.values()]
        counts = {state: states.count(state) for state in set(states)}
        return Load(
            counts, counts.get("queued", 0), 0, 1, 0, {"flow": 8}, {"flow": 1.5}, {"worker-1": 2**28}, {"cuda:0": 2**30}
        )

    def not_ready(self) -> str | None:
        return self.reason

    # Painting

    async def _paint(self, job: Job) -> None:
        await asyncio.sleep(0)
        if job.ended or self.all[job.id].ended:
            return
        self._set(job.id, state="running", attempts=1, started=now())
        self._tell(job.id, "started")
        width, height = job.payload.get("width") or 32, job.payload.get("height") or 32
        if job.kind == "edit":
            width, height = job.payload["picture"]["width"], job.payload["picture"]["height"]
        # Of "halves", those with an even seed fail at once and the others are slow.
        odd = (job.payload.get("seed") or 0) % 2 if "halves" in job.text else None
        fails = "fail" in job.text or odd == 0
        for step in range(1, STEPS + 1):
            await asyncio.sleep(self.step_seconds * (100 if "slow" in job.text or odd else 1))
            if fails or "crash" in job.text:
                continue
            if self.all[job.id].ended:
                return
            data = {"index": 0, "step": step, "total": STEPS}
            kind = "preview" if step < STEPS else "step"
            self.live[job.id] = Live(kind, data, png(8, 8, step) if kind == "preview" else None)
            self._wake()
        if fails:
            error = {"code": "invalid_request", "message": "prompt: this is not possible", "param": "prompt"}
            self._end(job.id, "failed", error=error)
            return
        if "crash" in job.text:
            error = {"code": "worker_crashed", "message": "its worker died three times", "param": None}
            self._end(job.id, "failed", error=error)
            return
        images = []
        seed = job.payload.get("seed") or 7
        for index in range(job.payload.get("n", 1)):
            pixels = shade(width, height, seed + index)
            self.pictures[job.id, index] = encode_picture(pixels, recipe_of(job, pixels, index))
            about = {"index": index, "seed": seed, "width": width, "height": height, "format": "png"}
            images.append({**about, "pixels_sha256": pixels_sha256(pixels), "path": f"/secret/{job.id}-{index}.png"})
            self._tell(job.id, "picture", images[-1])
            recipe = recipe_of(job, pixels, index).as_json()
            sha = images[-1]["pixels_sha256"]
            row = Row(len(self.rows) + 1, now(), f"{job.id}-{index}", job.text, job.model, seed, sha, recipe)
            self.rows.append(row)
        note = {"parameter": "prompt", "action": "note", "text": "painted by a fake"}
        result = {"images": images, "notes": [note], "model": job.model, "family": "flow", "seconds": {"total": 0.1}}
        self._end(job.id, "done", result=result)

    def _set(self, id: str, **fields: object) -> None:
        self.all[id] = Job(**{**vars(self.all[id]), **fields})

    def _end(self, id: str, state: EventKind, **fields: object) -> None:
        self._set(id, state=state, finished=now(), **fields)
        self._tell(id, state)
        for told in self.ended:
            told(self.all[id])

    def _tell(self, id: str, kind: EventKind, data: dict | None = None) -> None:
        events = self.happened[id]
        events.append(JobEvent(id, len(events) + 1, kind, now(), data or {}))
        self._wake()

    def _wake(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def shade(width: int, height: int, seed: int) -> np.ndarray:
    return np.full((height, width, 3), seed % 251, np.uint8)


def png(width: int, height: int, seed: int, mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(shade(width, height, seed)).convert(mode).save(buffer, "PNG")
    return buffer.getvalue()


def recipe_of(job: Job, pixels: np.ndarray, index: int) -> Recipe:
    request = Request(prompt=job.text, model=job.model, seed=7, n=index + 1)
    return Recipe(model=job.model, family="flow", request=request, index=index, pixels_sha256=pixels_sha256(pixels))
