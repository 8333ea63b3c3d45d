"""`triptych bench serve`: many mixed clients at once, against the same engine one by one and a diffusers server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from triptych.core.capabilities import Capabilities
    from triptych.core.request import Request
    from triptych.evals.serving.figures import Comparison, Round
    from triptych.evals.serving.loops import Sample, Server
    from triptych.evals.serving.workload import Ask
    from triptych.library import Library

TOGETHER, ONE_BY_ONE, DIFFUSERS = "together", "one by one", "diffusers"


def serve(
    models: Annotated[str, typer.Option(help="Models, separated by commas; the peer has flow and diffusion.")] = (
        "flow,diffusion"
    ),
    clients: Annotated[int, typer.Option(min=1, max=64, help="Clients at once.")] = 16,
    each: Annotated[int, typer.Option(min=1, help="Requests of each client in a round.")] = 2,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds; servers take turns within each.")] = 7,
    rate: Annotated[
        float, typer.Option(min=0, help="Open loop: arrivals as a share of what one by one can do. 0 is a closed loop.")
    ] = 0.0,
    threads: Annotated[int, typer.Option(min=0, help="Threads of a forward; 0 is one per core.")] = 0,
    plan: Annotated[bool, typer.Option("--plan/--no-plan", help="Write plans too, which the peer cannot.")] = False,
    peer: Annotated[bool, typer.Option("--peer/--no-peer", help="Compare with diffusers too.")] = True,
    seed: Annotated[int, typer.Option(help="Of the requests and their arrivals.")] = 0,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for serve.json: all rounds and samples.")] = Path(
        "runs/serve"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Serve the same requests in three ways, round by round, and compare.

    Requests mix models, sizes, samplers, guidance and 4 to 50 steps. All pictures made together are held against those
    made alone, to the last bit. Ratios are medians over rounds, in which the servers share the load of the machine.
    """
    from triptych.cli.catalogue import registry
    from triptych.cli.output import show, show_json, tell
    from triptych.core.files import check_folder

    catalogue = registry()
    takes = {name: catalogue.capabilities(name) for name in (part.strip() for part in models.split(",")) if name}
    check_folder(out)

    import os

    import torch

    from triptych.evals.serving import figures
    from triptych.library import Library

    torch.set_num_threads(threads or os.cpu_count() or 1)
    library = Library(catalogue)
    bench = _Bench(library, takes, clients, each, seed, planned=plan, peer=peer)
    bench.warm_up()
    tell("every kind of picture is warmed up", quiet=quiet)
    found: dict[str, list[Round]] = {name: [] for name in bench.servers}
    loads, changed, painted = [], 0, 0
    for number in range(rounds):
        loads.append(os.getloadavg()[0])
        samples = bench.round(number, rate)
        alone = samples[ONE_BY_ONE]
        times = figures.service_times(alone)
        for name, those in samples.items():
            found[name].append(figures.round_of(those, times, clients))
        changed += figures.changed(samples[TOGETHER], alone)
        painted += len(alone)
        tell(f"round {number + 1} of {rounds}: {_line(found)}", quiet=quiet)
    compared = {name: figures.compared(found[TOGETHER], found[name]) for name in bench.servers if name != TOGETHER}
    report: dict[str, Any] = {
        "clients": clients,
        "requests": painted,
        "loop": f"open loop at {rate:g} of what one by one can do" if rate else "closed loop",
        "threads": torch.get_num_threads(),
        "load": [round(load, 2) for load in loads],
        "changed_pictures": changed,
        "servers": {name: figures.middle(those) for name, those in found.items()},
        "together_over": {name: one.as_json() for name, one in compared.items()},
    }
    _write(out, report, found)
    if as_json:
        show_json(report)
        return
    for line in _table(report, found, compared):
        show(line)


class _Bench:
    """The servers, kept warm over all rounds, and what is asked of them."""

    def __init__(
        self,
        library: Library,
        takes: Mapping[str, Capabilities],
        clients: int,
        each: int,
        seed: int,
        *,
        planned: bool,
        peer: bool,
    ) -> None:
        from triptych.core.contract import resolve
        from triptych.core.pixels import pixels_sha256
        from triptych.engine import Engine
        from triptych.evals.rows import level_of_models
        from triptych.evals.rows import prompts as prompts_of
        from triptych.evals.serving.loops import OneByOne, Together
        from triptych.evals.serving.peer import Peer

        self.takes, self.clients, self.each, self.seed, self.planned = takes, clients, each, seed, planned
        level = level_of_models(takes.values())
        self.prompts = [prompt.text for prompt in prompts_of("two_objects", level, "development")][:64]
        self.engine = Engine(library, most_active=64)
        self.servers: dict[str, Callable[[], Server]] = {TOGETHER: lambda: Together(self.engine)}

        def alone(request: Request) -> str:
            (made,) = Engine(library).generate_many([request])
            return pixels_sha256(made[0].pixels)

        self.servers[ONE_BY_ONE] = lambda: OneByOne(alone)
        if peer:
            other = Peer(library.family)

            def by_peer(request: Request) -> str:
                return other.paint(resolve(request, takes[request.model], name=request.model)[0])

            self.servers[DIFFUSERS] = lambda: OneByOne(by_peer)

    def warm_up(self) -> None:
        """Every kind of picture once on every server, and often enough together that its costs are known."""
        seen: dict[Any, Request] = {}
        for asks in self._workload(0):
            for ask in asks:
                seen.setdefault((ask.request.model, ask.request.width, ask.request.height), ask.request)
        for request in seen.values():
            short = request if request.steps is None else request.model_copy(update={"steps": 6})
            for make in list(self.servers.values())[1:]:
                self._served(make(), [short])
            self._served(self.servers[TOGETHER](), [short.model_copy(update={"seed": k}) for k in range(16)])

    def round(self, number: int, rate: float) -> dict[str, list[Sample]]:
        """One workload on every server; who begins changes from round to round."""
        from triptych.evals.serving.figures import service_times
        from triptych.evals.serving.loops import closed, opened
        from triptych.scenes.draw import Draw

        asks = self._workload(number + 1)
        names = list(self.servers)
        if not rate:
            order = names[number % len(names) :] + names[: number % len(names)]
            return {name: closed(self.servers[name](), asks) for name in order}
        # What one by one can do says how fast requests come, so its closed loop is run first.
        flat = [ask for turn in zip(*asks, strict=True) for ask in turn]
        mean = sum(service_times(closed(self.servers[ONE_BY_ONE](), asks)).values()) / len(flat) / rate
        arrivals = _poisson(len(flat), mean, Draw(self.seed, number, 0xA221))
        return {name: opened(self.servers[name](), flat, arrivals) for name in names}

    def _workload(self, number: int) -> list[list[Ask]]:
        from triptych.evals.serving.workload import workload

        seed = self.seed * 1000 + number
        return workload(self.takes, self.clients, self.each, self.prompts, seed=seed, planned=self.planned)

    @staticmethod
    def _served(server: Server, requests: list[Request]) -> None:
        for number, request in enumerate(requests):
            server.submit(number, request)
        done = 0
        while done < len(requests):
            done += len(list(server.work()))


def _poisson(count: int, mean: float, draw: Any) -> list[float]:
    """Arrival times of a Poisson process with `mean` seconds between two."""
    import math

    now, arrivals = 0.0, []
    for _ in range(count):
        now -= math.log(1 - draw.unit()) * mean
        arrivals.append(now)
    return arrivals


def _line(found: dict[str, list[Round]]) -> str:
    return ", ".join(f"{name} {those[-1].throughput:.2f}/s" for name, those in found.items())


def _table(report: dict[str, Any], found: dict[str, list[Round]], compared: dict[str, Comparison]) -> list[str]:
    same = "all" if not report["changed_pictures"] else f"all but {report['changed_pictures']}"
    lines = [
        f"{report['clients']} clients, {report['loop']}, {report['requests']} requests on each server, "
        f"{report['threads']} threads, load {min(report['load'])} to {max(report['load'])}",
        f"{'server':<12}{'requests/s':>11}{'p50 s':>9}{'p95 s':>9}{'p99 s':>9}{'p99 of 4 steps':>16}{'goodput/s':>11}",
    ]
    for name, those in report["servers"].items():
        lines.append(
            f"{name:<12}{those['throughput']:>11.3f}{those['p50']:>9.2f}{those['p95']:>9.2f}{those['p99']:>9.2f}"
            f"{those['short_p99']:>16.2f}{those['goodput']:>11.3f}"
        )
    for name, ratio in compared.items():
        lines.append(
            f"together over {name}: throughput {ratio.throughput:.2f}, p99 of 4-step requests {ratio.short_p99:.2f}, "
            f"goodput {ratio.goodput:.2f}"
        )
    lines.append(f"{same} {report['requests']} pictures are, to the last bit, those made alone")
    return lines


def _write(out: Path, report: dict[str, Any], found: dict[str, list[Round]]) -> None:
    import json

    from triptych.core.files import write_atomically

    rounds = {name: [one.as_json() for one in those] for name, those in found.items()}
    write_atomically(out / "serve.json", (json.dumps({**report, "rounds": rounds}, indent=2) + "\n").encode())
