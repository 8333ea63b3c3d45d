"""A server without HTTP and without models: it owns a folder, accepts jobs from its parent and paints them falsely.

Runs in a forked process, so that it can be killed like one; the parent keeps the ledger of what was accepted. Each
painted picture is a real PNG with a real recipe, drawn from the prompt, so two paintings of a job are equal.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from triptych.core.metadata import encode_picture
from triptych.core.recipe import Recipe, pixels_sha256
from triptych.core.request import Request
from triptych.jobs import AlreadyEnded, FolderInUse, Job, NewJob, StaleAttempt, Store, publish, running, sweep
from triptych.jobs.crash import arm

PAINTERS = 8
CLAIMED = 2
SUBMITTERS = 16
WORK = ("queued", "requeued")
REGRETTED = 7
"""The last digit of jobs that are cancelled as soon as they are accepted."""


@lru_cache(maxsize=512)
def painted(prompt: str) -> tuple[Recipe, bytes]:
    """The recipe and the file of the picture for this prompt; equal in every process."""
    seed = int.from_bytes(hashlib.sha256(prompt.encode()).digest()[:4], "big")
    pixels = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    request = Request.make(prompt=prompt, seed=seed)
    recipe = Recipe(model="flow", family="flow", request=request, pixels_sha256=pixels_sha256(pixels))
    return recipe, encode_picture(pixels, recipe)


def new(number: int) -> NewJob:
    """Job `number` of the programme: every 50th fails for good, every 20th has a high priority."""
    kind = "fail" if number % 50 == 49 else "generate"
    prompt = f"fox {number}"
    return NewJob(kind, {"prompt": prompt, "number": number}, text=prompt, priority=int(number % 20 == 19))


def paint(store: Store, folder: Path, job: Job) -> None:
    """One job to its end, as a worker would report it."""
    if job.kind == "fail":
        store.fail(job.id, job.attempts, {"code": "refused", "message": "it was to fail", "param": None})
        return
    recipe, png = painted(job.payload["prompt"])
    path = publish(folder / "pictures" / f"{job.id}-0.png", png)
    image = {"path": str(path), "pixels_sha256": recipe.pixels_sha256, "seed": 0}
    store.picture(job.id, job.attempts, 0, image, recipe)
    store.finish(job.id, job.attempts, {"images": [image]})


def kill_at(point: str, passes: int) -> None:
    """Arm: this process dies by SIGKILL when it goes through `point` for the `passes`-th time."""
    lock, left = threading.Lock(), passes

    def pass_by(name: str) -> None:
        nonlocal left
        if name != point:
            return
        with lock:
            left -= 1
            if left > 0:
                return
        os.kill(os.getpid(), signal.SIGKILL)

    arm(pass_by)


class Owner:
    """The store, its painters, and the words of the parent."""

    def __init__(self, folder: Path, parent: Connection, shared: str = "") -> None:
        self.folder, self.parent = folder, parent
        if not shared:
            sweep(folder / "pictures")
        self.store = Store.open(shared or folder)
        self.told = threading.Lock()
        self.stopping = threading.Event()
        self.work = threading.Event()
        self.store.listen(lambda events: self.work.set() if any(one.kind in WORK for one in events) else None)

    def tell(self, **said: Any) -> None:
        with self.told:
            self.parent.send_bytes(json.dumps(said).encode())

    def submit(self, number: int) -> None:
        job = self.store.submit(new(number), key=f"key {number}").job
        self.tell(accepted=number, id=job.id)
        if number % 10 == REGRETTED:
            self.cancel(job.id)

    def cancel(self, job: str) -> None:
        with contextlib.suppress(AlreadyEnded):
            self.tell(cancelled=self.store.cancel(job).state, id=job)

    def painter(self, name: str) -> None:
        while not self.stopping.is_set():
            jobs = self.store.claim(name, CLAIMED)
            stop = set(self.store.beat(name, [job.id for job in jobs])) if jobs else set()
            for job in jobs:
                with contextlib.suppress(StaleAttempt):
                    if job.id in stop:
                        self.store.stopped(job.id, job.attempts)
                    else:
                        paint(self.store, self.folder, job)
                    self.tell(ended=job.id)
            if not jobs:
                self.work.clear()
                self.work.wait(0.2)

    def run(self) -> None:
        """Until the parent says stop (or kills)."""
        names = [f"painter {n} of {os.getpid()}" for n in range(PAINTERS)]
        painters = [threading.Thread(target=self.painter, args=(name,)) for name in names]
        for thread in painters:
            thread.start()
        with ThreadPoolExecutor(SUBMITTERS) as pool:
            while True:
                word: dict[str, Any] = json.loads(self.parent.recv_bytes())
                if "submit" in word:
                    pool.submit(self.submit, word["submit"])
                else:
                    break
        while self.store.depth().jobs or self.store.depth().running:
            time.sleep(0.01)
        self.stopping.set()
        for thread in painters:
            thread.join()
        self.store.close()
        self.tell(stopped=True)


def main(folder: Path, parent: Connection, point: str = "", passes: int = 0, shared: str = "") -> None:
    """The process. With `point`, it dies there, be it while it opens the store or later. With `shared`, the queue is
    in that database, and others may serve it too."""
    if point:
        kill_at(point, passes)
    # A painting takes milliseconds here, so that a machine of which nothing is heard for some seconds is dead.
    running.LEASE_SECONDS = 4.0
    owner = Owner(folder, parent, shared)
    owner.tell(open=True)
    owner.run()


def start_once(folder: Path, gate: Any, parent: Connection) -> None:
    """Try to own the folder at the same moment as others; say whether it worked and how long that took."""
    gate.wait()
    began = time.monotonic()
    store, said = None, ""
    try:
        store = Store.open(folder)
    except FolderInUse as error:
        said = str(error)
    seconds = time.monotonic() - began
    parent.send_bytes(json.dumps({"owner": store is not None, "seconds": seconds, "said": said}).encode())
    if store is not None:
        parent.recv_bytes()
        store.close()
