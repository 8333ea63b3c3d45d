"""The service of one machine over a real store, a real worker (tiny models) and a real decoding child."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from PIL import Image
from tests.jobs.postgresql import Cluster
from tests.workers.conftest import setup

from triptych.core.errors import FileProblem
from triptych.core.recipe import Recipe
from triptych.core.registry import Registry
from triptych.core.request import Request
from triptych.jobs import errors
from triptych.jobs.model import Job, JobEvent, NewJob
from triptych.jobs.store import Store
from triptych.server.local import LocalService
from triptych.server.service import Live, Service
from triptych.workers.decode import Decoder
from triptych.workers.supervisor import Supervisor

from .fakes import png

pytestmark = pytest.mark.timeout(180)
Use = Callable[[LocalService, list[Job]], Awaitable[None]]


@asynccontextmanager
async def opened(
    folder: Path, models: Path, slow: float = 0.0, *, database: str | None = None, workers: int = 1
) -> AsyncIterator[tuple[LocalService, list[Job]]]:
    """A service that works; the jobs that it told the end of."""
    store = Store.open(database or folder)
    supervisor = Supervisor(store, folder, setup(models, slow), workers=workers)
    service = LocalService(store, supervisor, Decoder(), folder, Registry().add_folder(models).models())
    told: list[Job] = []
    await service.start(told.append)
    try:
        yield service, told
    finally:
        await service.stop()


@pytest.fixture
def use(tmp_path: Path, tiny_folder: Path) -> Callable[..., None]:
    """Run an async function with a service in one folder; several in a row are restarts."""

    def run(function: Use, slow: float = 0.0) -> None:
        async def whole() -> None:
            async with opened(tmp_path, tiny_folder, slow) as (service, told):
                await function(service, told)

        asyncio.run(whole())

    return run


def new(**fields: object) -> NewJob:
    request = Request.make(**{"prompt": "a star", "model": "flow", "steps": 3, **fields})
    return NewJob("generate", request.model_dump(mode="json"), text=request.prompt, model=request.model)


async def followed(service: Service, id: str, **options: object) -> list[JobEvent | Live]:
    return [event async for event in service.follow(id, **options) if event is not None]  # type: ignore[arg-type]


def kinds(events: list[JobEvent | Live]) -> list[str]:
    return [event.kind for event in events if isinstance(event, JobEvent)]


def test_from_submit_to_picture(use: Callable[..., None]) -> None:
    async def work(service: LocalService, told: list[Job]) -> None:
        assert service.not_ready() is not None or service.load().workers == 1
        job = (await service.submit(new(seed=3, n=2))).job
        events = await followed(service, job.id, partials=1)
        assert kinds(events) == ["queued", "started", "picture", "picture", "done"]
        assert [event.number for event in events if isinstance(event, JobEvent)] == [1, 2, 3, 4, 5]
        previews = [event for event in events if isinstance(event, Live) and event.kind == "preview"]
        assert previews
        assert all(event.png and event.png.startswith(b"\x89PNG") for event in previews)
        assert {"planned", "step"} & {event.kind for event in events if isinstance(event, Live)}
        # Who comes afterwards gets the same from the disk, and who knows it all gets nothing.
        assert kinds(await followed(service, job.id)) == kinds(events)
        assert kinds(await followed(service, job.id, after=3)) == ["picture", "done"]
        for known in (5, 6, 10**6):
            assert await followed(service, job.id, after=known) == []
        for index in range(2):
            data = await service.picture(job.id, index)
            assert data is not None
            picture = Image.open(io.BytesIO(data))
            assert Recipe.parse(picture.text["triptych"]).index == index  # type: ignore[attr-defined]
        assert await service.picture(job.id, 2) is None
        rows = await service.gallery(query="star", before=None, limit=10)
        assert [row.seed for row in rows] == [3, 3]
        assert await service.gallery_picture(rows[0].id) is not None
        assert await service.gallery_picture(rows[0].id + 1) is None
        assert (await service.jobs(state="done", query="st", before=None, limit=5))[0].id == job.id
        await _soon(lambda: [one.id for one in told] == [job.id])
        await _soon(lambda: service.load().steps.get("flow") == 6)
        load = service.load()
        assert load.jobs == {"done": 1}
        assert (load.queue_depth, load.workers, load.restarts) == (0, 1, 0)
        assert set(load.loaded) == {"flow"}
        assert next(iter(load.memory.values())) > 2**20
        assert service.not_ready() is None

    use(work)


def test_what_lies_elsewhere_is_not_served(use: Callable[..., None], tmp_path: Path) -> None:
    async def work(service: LocalService, told: list[Job]) -> None:
        job = (await service.submit(new(seed=3))).job
        await followed(service, job.id)
        (row,) = await service.gallery(query="", before=None, limit=10)
        path = Path(row.path)
        assert path.parent == tmp_path / "pictures"
        (tmp_path / "outside.png").write_bytes(path.read_bytes())
        path.unlink()
        assert await service.picture(job.id, 0) is None
        path.symlink_to(tmp_path / "outside.png")
        assert await service.picture(job.id, 0) is None
        assert await service.gallery_picture(row.id) is None

    use(work)


def test_errors_of_the_store_come_through(use: Callable[..., None]) -> None:
    async def work(service: LocalService, told: list[Job]) -> None:
        nobody = "0190a000-0000-7000-8000-000000000000"
        for call in (service.job, service.cancel):
            with pytest.raises(errors.NoSuchJob):
                await call(nobody)
        with pytest.raises(errors.NoSuchJob):
            await followed(service, nobody)
        assert not service._followers
        first = await service.submit(new(), key="k", body_sha="a" * 64)
        assert (await service.submit(new(), key="k", body_sha="a" * 64)).job.id == first.job.id
        with pytest.raises(errors.KeyReused):
            await service.submit(new(), key="k", body_sha="b" * 64)

    use(work)


def test_a_job_that_ends_between_two_reads_is_followed_to_its_end(use: Callable[..., None]) -> None:
    async def work(service: LocalService, told: list[Job]) -> None:
        job = (await service.submit(new())).job
        read = service._events

        async def early(id: str, after: int) -> list[JobEvent]:
            found = await read(id, after)
            await _soon(lambda: told)
            return found

        service._events = early  # type: ignore[method-assign]
        assert kinds(await asyncio.wait_for(followed(service, job.id), 30))[-1] == "done"

    use(work)


def test_cancel_while_followed(use: Callable[..., None]) -> None:
    async def work(service: LocalService, told: list[Job]) -> None:
        slow = (await service.submit(new(steps=60))).job
        following = asyncio.ensure_future(followed(service, slow.id))
        await _soon(lambda: service.load().jobs.get("running") == 1)
        await service.cancel(slow.id)
        assert kinds(await asyncio.wait_for(following, 10)) == ["queued", "started", "cancelled"]
        assert kinds(await followed(service, (await service.submit(new())).job.id))[-1] == "done"
        await _soon(lambda: [one.state for one in told] == ["cancelled", "done"])

    use(work, slow=0.05)


def test_a_stop_ends_followers_and_the_next_start_goes_on(use: Callable[..., None]) -> None:
    ids: list[str] = []

    async def stop_in_the_middle(service: LocalService, told: list[Job]) -> None:
        job = (await service.submit(new(steps=40, seed=5))).job
        ids.append(job.id)
        following = asyncio.ensure_future(followed(service, job.id))
        await _soon(lambda: service.load().jobs.get("running") == 1)
        await service.drain(0.1)
        assert "done" not in kinds(await asyncio.wait_for(following, 10))
        assert service.not_ready() == "the server is stopping"
        assert (await service.job(job.id)).state == "queued"

    async def go_on(service: LocalService, told: list[Job]) -> None:
        assert kinds(await followed(service, ids[0]))[-1] == "done"

    use(stop_in_the_middle, slow=0.05)
    use(go_on)


@pytest.mark.postgresql
def test_two_machines_share_a_queue(tmp_path: Path, tiny_folder: Path) -> None:
    """One has the worker; who follows at the other hears all of it, and gets the picture from their common folder."""
    cluster = Cluster()

    async def work(database: str) -> None:
        here = opened(tmp_path, tiny_folder, database=database, workers=0)
        there = opened(tmp_path, tiny_folder, 0.05, database=database)
        async with here as (service, _), there as (painter, _):
            assert service.not_ready() is not None
            job = (await service.submit(new(seed=3))).job
            events = await asyncio.wait_for(followed(service, job.id), 60)
            assert kinds(events) == ["queued", "started", "picture", "done"]
            assert await service.picture(job.id, 0) == await painter.picture(job.id, 0)
            assert [row.seed for row in await service.gallery(query="star", before=None, limit=5)] == [3]
            waiting = (await service.submit(new(steps=200))).job
            idle = service.follow(waiting.id, after=1000, idle=0.2)
            assert await asyncio.wait_for(anext(idle), 20) is None
            await service.cancel(waiting.id)
            rest = [event async for event in idle if event is not None]
            assert kinds(rest)[-1] == "cancelled"
            await idle.aclose()
            assert not service._followers

    try:
        asyncio.run(work(cluster.start().emptied("shared")))
    finally:
        cluster.remove()


def test_uploads_are_decoded_elsewhere_and_kept_by_hash(use: Callable[..., None], tmp_path: Path) -> None:
    async def work(service: LocalService, told: list[Job]) -> None:
        kept = await service.keep(png(40, 30, 7), "../fox.png")
        assert (kept.asset.width, kept.asset.height, kept.asset.channels) == (40, 30, 3)
        assert await service.has_input(kept.asset.sha256)
        assert not await service.has_input("0" * 64)
        assert [path.name for path in (tmp_path / "inputs").iterdir()] == [f"{kept.asset.sha256}.png"]
        grey = await service.keep(png(40, 30, 7, "L"), "mask.png", as_map=True)
        assert grey.asset.channels == 1
        for wrong in (b"", b"<svg/>", png(8, 8, 1)[:45], b"GIF89a" + bytes(100)):
            with pytest.raises(FileProblem):
                await service.keep(wrong, "x.png")
        profiled = io.BytesIO()
        profile = bytes(16) + b"RGB " + bytes(108)
        Image.new("RGB", (8, 8)).save(profiled, "PNG", icc_profile=profile)
        notes = (await service.keep(profiled.getvalue(), "x.png")).notes
        assert [(note.parameter, note.action) for note in notes] == [("image", "ignored")]
        edit = {"picture": kept.asset.model_dump(mode="json"), "instruction": "a star", "lock": 1.0, "model": "flow"}
        payload = edit | {"mask": "0,0,0.5,0.5", "steps": 2}
        job = (await service.submit(NewJob("edit", payload, text="a star", model="flow"))).job
        assert kinds(await followed(service, job.id))[-1] in ("done", "failed")
        assert (await service.job(job.id)).state == "done", (await service.job(job.id)).error

    use(work)


async def _soon(check: Callable[[], object], seconds: float = 20.0) -> None:
    for _ in range(int(seconds / 0.02)):
        if check():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it does not come about")
