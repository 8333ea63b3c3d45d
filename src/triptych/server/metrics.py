"""What Prometheus scrapes from `/metrics`. Names begin with `triptych_`; no label holds what a person wrote.

One registry for each app, so that two apps in one process (tests) count apart. Knows no job store: gauges are read
from the `Load` that the service tells when somebody scrapes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from triptych.core.recipe import package_version
from triptych.jobs.model import Job

PREFIX = "triptych"
HTTP_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
JOB_BUCKETS = (0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300, 900)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True)
class Load:
    """What is going on at this moment. jobs: state -> count. queued_bytes: payloads that wait.

    workers: alive now; restarts: since the start. steps: model -> steps taken since the start. loaded: model -> seconds
    that its loading took. memory: worker -> bytes resident. gpu: device -> bytes in use.
    """

    jobs: dict[str, int] = field(default_factory=dict)
    queue_depth: int = 0
    queued_bytes: int = 0
    workers: int = 0
    restarts: int = 0
    steps: dict[str, int] = field(default_factory=dict)
    loaded: dict[str, float] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)
    gpu: dict[str, int] = field(default_factory=dict)


class Metrics:
    """Counters and histograms that the app moves, and gauges that are read from the service."""

    def __init__(self, load: Callable[[], Load]) -> None:
        self.registry = CollectorRegistry()
        whole = {"registry": self.registry, "namespace": PREFIX}
        self.http_requests = Counter("http_requests", "Answers.", ("method", "route", "status"), **whole)
        self.http_seconds = Histogram(
            "http_request_seconds", "Until the answer was out.", ("route",), buckets=HTTP_BUCKETS, **whole
        )
        self.refused = Counter("http_refused", "Requests that were refused at the door.", ("code",), **whole)
        self.streams = Gauge("event_streams", "Event streams that are open.", **whole)
        self.requests = Counter("requests", "Jobs that came to their end.", ("model", "family", "status"), **whole)
        self.seconds = Histogram(
            "request_seconds", "From accepting a job to its end.", ("model",), buckets=JOB_BUCKETS, **whole
        )
        self.images = Counter("images", "Pictures that were made.", ("model", "family"), **whole)
        build = Gauge("build_info", "The version that runs; always 1.", ("version",), **whole)
        build.labels(package_version()).set(1)
        self.registry.register(_Gauges(load))

    def count(self, job: Job) -> None:
        """A job that has come to its end."""
        result = job.result or {}
        model, family = job.model or "none", str(result.get("family") or "none")
        self.requests.labels(model, family, job.state).inc()
        if job.finished is not None:
            took = datetime.fromisoformat(job.finished) - datetime.fromisoformat(job.created)
            self.seconds.labels(model).observe(max(took.total_seconds(), 0.0))
        self.images.labels(model, family).inc(len(result.get("images", ())))

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)


class _Gauges(Collector):
    def __init__(self, load: Callable[[], Load]) -> None:
        self.load = load

    def describe(self) -> list[Metric]:
        """Empty, so that registering does not ask the service, which may not have started."""
        return []

    def collect(self) -> list[Metric]:
        load = self.load()
        steps = CounterMetricFamily(f"{PREFIX}_steps", "Steps that were taken.", labels=["model"])
        for model, count in load.steps.items():
            steps.add_metric([model], count)
        plain = {
            "queue_depth": ("Jobs that wait.", load.queue_depth),
            "queue_bytes": ("Bytes of the jobs that wait.", load.queued_bytes),
            "workers": ("Worker processes that are alive.", load.workers),
            "worker_restarts": ("Workers that were started again since the server started.", load.restarts),
        }
        found: list[Metric] = [steps]
        found += [GaugeMetricFamily(f"{PREFIX}_{name}", text, value) for name, (text, value) in plain.items()]
        labelled = {
            "jobs": ("Jobs by state.", "state", load.jobs),
            "model_load_seconds": ("How long a model's loading took.", "model", load.loaded),
            "worker_memory_bytes": ("Resident memory of a worker.", "worker", load.memory),
            "gpu_memory_bytes": ("Memory in use on a GPU.", "device", load.gpu),
        }
        for name, (text, label, values) in labelled.items():
            family = GaugeMetricFamily(f"{PREFIX}_{name}", text, labels=[label])
            for key, value in values.items():
                family.add_metric([key], value)
            found.append(family)
        return found
