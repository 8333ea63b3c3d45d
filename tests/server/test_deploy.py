"""The files of `deploy/` fit the server that they are for."""

from __future__ import annotations

import configparser
import json
import re
import shlex
from pathlib import Path

import httpx2 as httpx

from .process import TOKEN, triptych

DEPLOY = Path(__file__).parents[2] / "deploy"


def options(command: list[str]) -> list[str]:
    return command[command.index("serve") :]


def test_every_metric_of_the_dashboard_is_told(client: httpx.Client) -> None:
    client.post("/v1/images/generations", json={"prompt": "a fox"}).raise_for_status()
    client.get("/v1/jobs", headers={"host": "evil.com"})
    told = {re.split(r"[{ ]", line)[0] for line in client.get("/metrics").text.splitlines() if line[:1] != "#"}
    dashboard = json.loads((DEPLOY / "grafana.json").read_text())
    shown = {
        name
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"\btriptych_\w+", target["expr"])
    }
    assert len(shown) >= 12
    assert shown <= told
    # And the other way round: nothing is measured that nobody looks at.
    families = {re.sub(r"_(bucket|sum|count|created)$", "", name) for name in told}
    assert families - {re.sub(r"_bucket$", "", name) for name in shown} <= HELPERS


HELPERS = {"triptych_http_requests", "triptych_http_refused", "triptych_requests", "triptych_images", "triptych_steps"}
"""What the client library adds to counters: when they were made."""


def test_the_unit_starts_what_there_is(tmp_path: Path) -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(DEPLOY / "triptych.service")
    service = unit["Service"]
    command = shlex.split(service["ExecStart"])
    shown = triptych(tmp_path, *options(command), "--print-config")
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout)["grace"] < int(service["TimeoutStopSec"])


def test_the_container_starts_what_there_is(tmp_path: Path) -> None:
    lines = (DEPLOY / "Containerfile").read_text()
    (entry,) = re.findall(r"^ENTRYPOINT (\[.*\])$", lines, re.MULTILINE)
    arguments = options(json.loads(entry))
    assert triptych(tmp_path, *arguments, "--print-config").returncode == 2  # without a token
    assert triptych(tmp_path, *arguments, "--print-config", TRIPTYCH_TOKEN=TOKEN).returncode == 0
    for copied in re.findall(r"^COPY (?!--from)(.+) \S+$", lines, re.MULTILINE):
        for name in copied.split():
            assert (DEPLOY.parent / name).exists(), name
    assert re.search(r"^USER (?!root)", lines, re.MULTILINE)
