"""`triptych serve` as a person and an operator meet it: real processes, real signals, the built-in models."""

from __future__ import annotations

import base64
import json
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2 as httpx
import pytest

from .process import TOKEN, environment, serve, triptych

ROOT = Path(__file__).parents[2]
SHOWN = ("/openapi.json", "/metrics", "/v1/jobs", "/v1/gallery", "/v1/models", "/ready", "/v1/nothing")
EXAMPLE = ROOT / "examples" / "openai_sdk.py"


def test_print_config_shows_no_secret_and_makes_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    shown = triptych(
        home, "serve", "--print-config", "--host", "::1", "--allow-host", "studio.local", TRIPTYCH_TOKEN=TOKEN
    )
    assert shown.returncode == 0
    assert TOKEN not in shown.stdout + shown.stderr
    config = json.loads(shown.stdout)
    assert config["token"] == "TRIPTYCH_TOKEN"
    assert config["hosts"] == ["127.0.0.1", "[::1]", "localhost", "studio.local"]
    assert not home.exists()
    database = "postgresql+psycopg://me:hunter2@db/x"
    hidden = triptych(home, "serve", "--print-config", TRIPTYCH_DATABASE=database)
    assert "hunter2" not in hidden.stdout


@pytest.mark.parametrize(
    ("arguments", "more", "told"),
    [
        (("--host", "0.0.0.0"), {}, "there is no token"),
        (("--host", "192.168.1.5"), {}, "there is no token"),
        (("--host", "::"), {}, "there is no token"),
        (("--host", "example.org"), {}, "there is no token"),
        (("--host", "127.0.0.1.nip.io"), {}, "there is no token"),
        (("--host", "0.0.0.0"), {"TRIPTYCH_TOKEN": "short"}, "is not a token"),
        (("--port", "70000"), {}, "port"),
        (("--grace", "-1"), {}, "grace"),
        (("--workers", "0"), {}, "workers"),
        (("--origin", "*"), {}, "origin"),
        (("--origin", "null"), {}, "origin"),
        (("--allow-host", "*"), {}, "allow-host"),
        (("--log-level", "loud"), {}, "log-level"),
    ],
)
def test_what_it_refuses_to_start_with(
    tmp_path: Path, arguments: tuple[str, ...], more: dict[str, str], told: str
) -> None:
    refused = triptych(tmp_path / "home", "serve", *arguments, **more)
    assert refused.returncode == 2
    assert told in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert not (tmp_path / "home").exists()


def test_another_address_with_a_token_starts(tmp_path: Path) -> None:
    shown = triptych(tmp_path, "serve", "--host", "0.0.0.0", "--print-config", TRIPTYCH_TOKEN=TOKEN)
    assert "0.0.0.0" not in json.loads(shown.stdout)["hosts"]


def test_the_token_is_made_once_and_private_and_a_folder_has_one_owner(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with serve(home, token="") as running:
        keys = home / "keys.json"
        token = json.loads(keys.read_text())["server_token"]
        assert stat.S_IMODE(keys.stat().st_mode) == 0o600
        headers = {"authorization": f"Bearer {token}"}
        assert httpx.get(f"{running.url}/v1/models", headers=headers, verify=False).status_code == 200
        port = running.url.rpartition(":")[2]
        taken = triptych(tmp_path / "other", "serve", "--port", port, TRIPTYCH_TOKEN=TOKEN)
        assert taken.returncode == 1
        assert f"cannot listen on 127.0.0.1 port {port}" in taken.stderr
        second = triptych(home, "serve", "--port", "0", TRIPTYCH_TOKEN=TOKEN)
        assert second.returncode == 3
        assert "another Triptych" in second.stderr
        running.end(signal.SIGKILL)  # it leaves no lock behind
    keys.chmod(0o644)  # the second start takes the others' rights away again
    with serve(home, token="") as running:
        assert json.loads(keys.read_text())["server_token"] == token
        assert stat.S_IMODE(keys.stat().st_mode) == 0o600
        assert httpx.get(f"{running.url}/v1/models", headers=headers, verify=False).status_code == 200
        assert running.end(signal.SIGTERM) == 0
        assert token not in running.log.read_text()


@pytest.mark.weights
def test_the_example_runs_and_what_is_killed_in_the_middle_goes_on_with_the_same_pixels(tmp_path: Path) -> None:
    """What was answered with 2xx before `kill -9` is done after the restart, as if nothing had happened; a client that
    asks again with its key gets that very answer; a stream that comes back gets what it missed and nothing twice.
    """
    home = tmp_path / "home"
    wanted = {"prompt": "a red fox in the snow", "seed": 5, "steps": 30}
    key = {"idempotency-key": "mine"}
    with serve(home) as running, running.client() as client:
        running.wait_ready()
        _run_the_example(running.url, tmp_path)
        alone = _finished(client, client.post("/v1/jobs", json={"kind": "generate", "request": wanted}).json()["id"])
        jobs = [client.post("/v1/jobs", json=_job(wanted, seed)).json()["id"] for seed in (5, 6, 7)]
        with ThreadPoolExecutor() as pool:
            asking = pool.submit(_asks, running.url, key)
            _until(client, jobs[0], lambda job: job["state"] == "running")
            last = _follow(client, jobs[0], until="step")
            running.end(signal.SIGKILL)
            assert isinstance(asking.exception(), httpx.TransportError)
    with serve(home) as running, running.client() as client:
        done = [_finished(client, id) for id in jobs]
        assert all(job["attempts"] >= 1 for job in done)
        assert _sha(done[0]) == _sha(alone)
        assert len({_sha(job) for job in done}) == 3
        rest = _follow(client, jobs[0], after=max(last), until="done")
        assert sorted({*last, *rest}) == list(range(1, max(rest) + 1))
        assert not set(last) & set(rest)
        answer = _asks(running.url, key)
        assert answer.headers["idempotent-replayed"] == "true"
        listed = client.get("/v1/jobs?q=lake").json()["data"]
        assert len(listed) == 1
        assert (
            base64.b64decode(answer.json()["data"][0]["b64_json"])
            == client.get(listed[0]["result"]["images"][0]["url"]).content
        )
        shown = [client.get(path).text for path in SHOWN]
        shown += [client.get(f"/v1/jobs/{jobs[0]}/events").text, client.get("/v1/jobs/x").text]
        shown.append(httpx.get(f"{running.url}/v1/jobs?{TOKEN}", verify=False).text)
        assert "libtorch" not in Path(f"/proc/{running.process.pid}/maps").read_text()
        # A running job gets its grace and is answered; then the process ends by itself.
        with ThreadPoolExecutor() as pool:
            waiting = pool.submit(_asks, running.url, {"idempotency-key": "other"})
            _until(client, None, lambda job: job["state"] == "running" and "boat" in str(job["request"]))
            assert running.end(signal.SIGTERM) == 0
            assert waiting.result().status_code == 200
    log = running.log.read_text()
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert {"listening", "stopping", "request"} <= {line["event"] for line in lines}
    spelled = (TOKEN, TOKEN[::-1], TOKEN[:12], TOKEN[-12:], TOKEN.upper(), TOKEN.encode().hex(), quote(TOKEN, safe=""))
    for secret in (
        *spelled,
        *(base64.b64encode(TOKEN.encode())[:-4].decode(), base64.b32encode(TOKEN.encode())[:20].decode()),
    ):
        assert not [text for text in shown if secret in text]
        for path in (running.log, *home.rglob("*")):
            assert not path.is_file() or secret.encode() not in path.read_bytes(), path
    for words in ("red fox", "boat"):
        assert words not in log


def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    with serve(tmp_path, "--grace", "600") as running:
        running.wait_ready()
        with running.client() as client:
            client.post("/v1/jobs", json=_job({"prompt": "a fox", "steps": 200, "n": 8}, 1)).raise_for_status()
            _until(client, None, lambda job: job["state"] == "running")
            running.process.send_signal(signal.SIGTERM)
            for _ in range(100):
                if client.get("/ready").status_code == 503:
                    break
                time.sleep(0.02)
            refused = client.post("/v1/jobs", json=_job({"prompt": "a fox"}, 1))
            assert (refused.status_code, refused.json()["error"]["code"]) == (503, "stopping")
            assert client.get("/health").status_code == 200
        started = time.monotonic()
        assert running.end(signal.SIGTERM) == 1
        assert time.monotonic() - started < 2


def _run_the_example(url: str, tmp_path: Path) -> None:
    """examples/openai_sdk.py, as a person runs it."""
    work = tmp_path / "work"
    work.mkdir()
    more = {"TRIPTYCH_URL": url, "TRIPTYCH_TOKEN": TOKEN}
    told = subprocess.run(
        (sys.executable, EXAMPLE),
        cwd=work,
        env=environment(tmp_path / "home", **more),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert "models: diffusion, flow, tokens" in told.stdout
    assert {path.name for path in work.iterdir()} == {
        *("fox.png", "balloon.png", "boat.png"),
        *(f"boat-{number}.png" for number in range(3)),
    }


def _job(request: dict[str, Any], seed: int) -> dict[str, Any]:
    return {"kind": "generate", "request": {**request, "seed": seed}}


def _asks(url: str, headers: dict[str, str]) -> httpx.Response:
    body = {"prompt": "a boat on a lake", "seed": 1, "num_inference_steps": 20}
    all_headers = {"authorization": f"Bearer {TOKEN}", **headers}
    return httpx.post(f"{url}/v1/images/generations", json=body, headers=all_headers, timeout=120, verify=False)


def _until(client: httpx.Client, id: str | None, wanted: Any) -> dict[str, Any]:
    """The job, or any job, once it is as wanted."""
    for _ in range(1200):
        found = client.get("/v1/jobs").json()["data"] if id is None else [client.get(f"/v1/jobs/{id}").json()]
        for job in found:
            if wanted(job):
                return job
        time.sleep(0.05)
    raise AssertionError(found)


def _finished(client: httpx.Client, id: str) -> dict[str, Any]:
    job = _until(client, id, lambda job: job["state"] not in ("queued", "running"))
    assert job["state"] == "done", job
    return job


def _sha(job: dict[str, Any]) -> str:
    return job["result"]["images"][0]["pixels_sha256"]


def _follow(client: httpx.Client, id: str, *, until: str, after: int = 0) -> list[int]:
    """The numbers of the durable events until an event of the kind `until`."""
    numbers: list[int] = []
    headers = {"last-event-id": str(after)} if after else {}
    with client.stream("GET", f"/v1/jobs/{id}/events", headers=headers) as answer:
        for line in answer.iter_lines():
            if line.startswith("id: "):
                numbers.append(int(line[4:]))
            if line == f"event: {until}":
                break
    return numbers
