"""A real uvicorn on a real socket around the fake service, once for all tests of this folder that only ask."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2 as httpx
import pytest
import uvicorn
from fastapi import FastAPI
from tests.server.fakes import FakeService

from triptych.server import run
from triptych.server.app import create_app
from triptych.server.keys import Token
from triptych.server.settings import Limits, Settings

TOKEN = "canary-token-0123456789abcdef"


def settings_for(folder: Path, **fields: object) -> Settings:
    return replace(Settings(folder, Token(TOKEN, "a test"), heartbeat=0.5), **fields)


@dataclass
class Live:
    """A server that runs in a thread of this process. `stopping` may be set to refuse new work."""

    url: str
    service: FakeService
    app: FastAPI
    flags: dict[str, bool]
    loop: asyncio.AbstractEventLoop

    def client(self, **fields: object) -> httpx.Client:
        return self.stranger(**{"headers": {"authorization": f"Bearer {TOKEN}"}, **fields})

    def stranger(self, **fields: object) -> httpx.Client:
        """Without the token. verify: nothing here speaks TLS, and reading certificates takes longer than a test."""
        return httpx.Client(**{"base_url": self.url, "timeout": 30, "verify": False, **fields})


@contextmanager
def serving(folder: Path, **fields: object) -> Iterator[Live]:
    """A running server on a free port of the loopback."""
    found: dict[str, Live] = {}
    up = threading.Event()

    async def serve_it() -> None:
        service, flags = FakeService(folder), {"stopping": False}
        settings = settings_for(folder, port=0, **fields)
        app = create_app(service, settings, stopping=lambda: flags["stopping"])
        server, bound = uvicorn.Server(run.config(app, settings)), run.listening(settings)
        serve = asyncio.ensure_future(server.serve([bound]))
        while not server.started:
            await asyncio.sleep(0.01)
        found["live"] = Live(run.address(bound), service, app, flags, asyncio.get_running_loop())
        found["stop"] = lambda: setattr(server, "should_exit", True)
        up.set()
        await serve

    thread = threading.Thread(target=lambda: asyncio.run(serve_it()), daemon=True)
    thread.start()
    assert up.wait(20)
    try:
        yield found["live"]
    finally:
        found["stop"]()
        thread.join(10)


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with serving(tmp_path_factory.mktemp("server"), limits=Limits(body_seconds=1.0)) as running:
        yield running


@pytest.fixture
def client(live: Live) -> Iterator[httpx.Client]:
    with live.client() as one:
        yield one
