"""The own API: jobs with their events, uploads, pictures, the gallery."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
import pytest
from PIL import Image

from .conftest import Live
from .fakes import png
from .table import SOME_ID

FOX = {"kind": "generate", "request": {"prompt": "a fox at night", "seed": 3}}


def submit(client: httpx.Client, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    answer = client.post("/v1/jobs", json=body, headers=headers)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/v1/jobs/{answer.json()['id']}"
    return answer.json()


def events(client: httpx.Client, id: str, query: str = "", **headers: str) -> list[dict[str, Any]]:
    """The events of a job to the end of the stream: {"id", "event", "data"}, comments as {"comment"}."""
    with client.stream("GET", f"/v1/jobs/{id}/events{query}", headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
        return list(parsed(answer.iter_lines()))


def parsed(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    event: dict[str, Any] = {}
    for line in lines:
        if not line:
            if event:
                yield event
            event = {}
            continue
        name, _, value = line.partition(":")
        event[name or "comment"] = json.loads(value) if name == "data" else value.strip()


def test_a_job_from_submit_to_picture(client: httpx.Client) -> None:
    job = submit(client, FOX)
    assert (job["state"], job["kind"], job["model"], job["result"]) == ("queued", "generate", "flow", None)
    told = events(client, job["id"])
    durable = [(event["id"], event["event"]) for event in told if "id" in event]
    assert durable == [("1", "queued"), ("2", "started"), ("3", "picture"), ("4", "done")]
    assert all(event["data"]["job"] == job["id"] for event in told if "id" in event)
    done = client.get(f"/v1/jobs/{job['id']}").json()
    assert done["state"] == "done"
    (made,) = done["result"]["images"]
    assert "/secret/" not in json.dumps([told, done])  # where a picture lies is nobody's business
    answer = client.get(made["url"])
    assert answer.headers["content-type"] == "image/png"
    assert "immutable" in answer.headers["cache-control"]
    assert Image.open(io.BytesIO(answer.content)).size == (made["width"], made["height"])
    as_jpeg = client.get(made["url"], params={"format": "jpeg", "compression": 30})
    assert Image.open(io.BytesIO(as_jpeg.content)).format == "JPEG"
    assert client.get(made["url"][:-1] + "7").status_code == 404


def test_coming_back_gives_what_was_missed_and_nothing_twice(client: httpx.Client) -> None:
    id = submit(client, FOX)["id"]
    whole = [event["id"] for event in events(client, id) if "id" in event]
    for seen in range(1, len(whole)):
        again = events(client, id, **{"last-event-id": str(seen)})
        assert [event["id"] for event in again if "id" in event] == whole[seen:]
    over = client.get(f"/v1/jobs/{id}/events", headers={"last-event-id": whole[-1]})
    assert (over.status_code, over.content) == (204, b"")
    for wrong in ("-1", "x", "1.5", "9" * 10, "é"):
        answer = client.get(f"/v1/jobs/{id}/events", headers={"last-event-id": wrong.encode("latin-1")})
        assert answer.status_code == 400
        assert answer.json()["error"]["param"] == "Last-Event-ID"


def test_steps_pass_by_and_previews_where_asked_for(client: httpx.Client) -> None:
    slow = {"kind": "generate", "request": {"prompt": "a fox"}}
    plain = events(client, submit(client, slow)["id"])
    assert "preview" not in {event.get("event") for event in plain}
    seen = events(client, submit(client, slow)["id"], "?previews=true")
    previews = [event for event in seen if event.get("event") == "preview"]
    assert previews
    assert all("id" not in event for event in previews)
    assert previews[0]["data"]["b64_png"].startswith("iVBOR")


def test_a_quiet_stream_is_kept_open(client: httpx.Client) -> None:
    id = submit(client, {"kind": "generate", "request": {"prompt": "slow"}})["id"]
    with client.stream("GET", f"/v1/jobs/{id}/events") as answer:
        comments = 0
        for line in answer.iter_lines():
            comments += line.startswith(":")
            if comments == 2:
                break
    assert client.delete(f"/v1/jobs/{id}").json()["state"] == "cancelled"


def test_cancel(client: httpx.Client) -> None:
    for method, path in (("POST", "/cancel"), ("DELETE", "")):
        id = submit(client, {"kind": "generate", "request": {"prompt": "slow"}})["id"]
        assert client.request(method, f"/v1/jobs/{id}{path}").json()["state"] == "cancelled"
        late = client.request(method, f"/v1/jobs/{id}{path}")
        assert (late.status_code, late.json()["error"]["code"]) == (409, "job_ended")
        assert [event["event"] for event in events(client, id) if "id" in event][-1] == "cancelled"
        assert client.request(method, f"/v1/jobs/{SOME_ID}{path}").status_code == 404


def test_the_list_is_paged_and_searched(client: httpx.Client) -> None:
    ids = [submit(client, {"kind": "generate", "request": {"prompt": f"zebra {n}"}})["id"] for n in range(5)]
    found, before = [], None
    while True:
        query = {"q": "zebra", "limit": 2} | ({"before": before} if before else {})
        page = client.get("/v1/jobs", params=query).json()
        found += [job["id"] for job in page["data"]]
        before = page["next"]
        if before is None:
            break
    assert found == ids[::-1]
    events(client, ids[-1])
    assert client.get("/v1/jobs", params={"state": "queued", "q": "zebra 4"}).json()["data"] == []
    for wrong in ({"limit": 0}, {"limit": 1000}, {"before": -1}, {"state": "lost"}, {"q": "x" * 501}):
        answer = client.get("/v1/jobs", params=wrong)
        assert answer.status_code == 400
        assert answer.json()["error"]["param"] == next(iter(wrong))


@pytest.mark.parametrize(
    ("param", "body"),
    [
        ("kind", {}),
        ("kind", {"kind": "dance"}),
        ("request", {"kind": "generate"}),
        ("request.prompt", {"kind": "generate", "request": {}}),
        ("request.stepss", {"kind": "generate", "request": {"prompt": "a", "stepss": 3}}),
        ("steps", {"kind": "generate", "request": {"prompt": "a", "steps": 999}}),
        ("sampler", {"kind": "generate", "request": {"prompt": "a", "sampler": "magic"}}),
        ("request.prompt", {"kind": "generate", "request": {"prompt": "a\u0000"}}),
        ("request.prompt", {"kind": "generate", "request": {"prompt": "\ud800"}}),
        ("priority", {**FOX, "priority": 1000}),
        ("timeout", {**FOX, "timeout": 0}),
        ("edit.picture", {"kind": "edit", "edit": {"instruction": "x"}}),
        ("edit.instruction", {"kind": "edit", "edit": {"picture": {}}}),
        ("loras", {"kind": "generate", "request": {"prompt": "a", "loras": [{"file": {"sha256": "0" * 64}}]}}),
    ],
)
def test_what_is_refused_names_the_parameter(client: httpx.Client, param: str, body: dict[str, Any]) -> None:
    answer = client.post("/v1/jobs", content=json.dumps(body), headers={"content-type": "application/json"})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["param"] in (param, "edit.picture.sha256"), answer.text


def test_bodies_that_are_no_json(client: httpx.Client) -> None:
    deep = b"[" * 100_000
    for body in (b"", b"{", b"\xff\xfe", b"NaN", b'{"kind": 1e999}', deep, b"9" * 10_000, b'{"a":"\\ud800"}'):
        answer = client.post("/v1/jobs", content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 400, body[:20]
        assert answer.json()["error"]["message"]
    numbers = b'{"kind":"generate","request":{"prompt":"a","guidance":NaN}}'
    answer = client.post("/v1/jobs", content=numbers, headers={"content-type": "application/json"})
    assert answer.status_code == 400


def test_pictures_are_sent_first_and_named_by_hash(client: httpx.Client) -> None:
    unknown = {"sha256": "0" * 64, "width": 8, "height": 8}
    body = {"kind": "edit", "edit": {"picture": unknown, "instruction": "make it blue"}}
    missing = client.post("/v1/jobs", json=body)
    assert missing.status_code == 400
    assert "/v1/inputs" in missing.json()["error"]["message"]
    kept = client.post("/v1/inputs", files={"image": ("../../fox.png", png(8, 8, 3))})
    assert kept.status_code == 201
    asset = kept.json()["asset"]
    assert asset["name"] == "fox.png"
    grey = client.post("/v1/inputs", files={"image": ("m.png", png(8, 8, 3))}, data={"as_map": "true"}).json()
    assert grey["asset"]["channels"] == 1
    body["edit"] = {"picture": asset, "instruction": "make it blue", "mask": grey["asset"], "lock": 1}
    assert submit(client, body)["request"]["mask"]["sha256"] == grey["asset"]["sha256"]
    for wrong in (
        {"mask": "/etc/passwd.png"},
        {"mask": "../m.png"},
        {"steps": 999},
        {"references": [{"asset": asset}] * 11},
    ):
        assert client.post("/v1/jobs", json={"kind": "edit", "edit": {**body["edit"], **wrong}}).status_code == 400
    init = {"kind": "generate", "request": {"prompt": "a", "init": asset, "strength": 0.5, "width": 128, "height": 128}}
    assert client.post("/v1/jobs", json=init).status_code in (202, 400)  # what the contract says of it, not a 500
    for files in (
        {"image": ("x.svg", b"<svg onload=alert(1)>")},
        {"image": ("x.html", b"<html>")},
        {"picture": png(8, 8, 1)},
    ):
        assert client.post("/v1/inputs", files=files).status_code == 400


def test_idempotency(client: httpx.Client, live: Live) -> None:
    before = live.service.changes
    first = submit(client, FOX, **{"idempotency-key": "a key"})
    again = client.post("/v1/jobs", json=FOX, headers={"idempotency-key": "a key"})
    assert again.json()["id"] == first["id"]
    assert again.headers["idempotent-replayed"] == "true"
    assert live.service.changes == before + 1
    other = client.post("/v1/jobs", json={**FOX, "priority": 1}, headers={"idempotency-key": "a key"})
    assert (other.status_code, other.json()["error"]["type"]) == (400, "idempotency_error")
    for wrong in ("", "x" * 256):
        answer = client.post("/v1/jobs", json=FOX, headers={"idempotency-key": wrong})
        assert answer.status_code == 400, wrong


def test_the_gallery(client: httpx.Client) -> None:
    id = submit(client, {"kind": "generate", "request": {"prompt": "walrus", "n": 3}})["id"]
    events(client, id)
    page = client.get("/v1/gallery", params={"q": "walrus", "limit": 2}).json()
    assert len(page["data"]) == 2
    rest = client.get("/v1/gallery", params={"q": "walrus", "limit": 2, "before": page["next"]}).json()
    assert len(rest["data"]) == 1
    assert rest["next"] is None
    row = page["data"][0]
    assert "path" not in row
    assert row["recipe"]["version"] == 2
    assert client.get(row["url"]).headers["content-type"] == "image/png"
    assert client.get("/v1/gallery/999999/picture").status_code == 404


def test_many_streams_at_once_end_with_their_job(live: Live) -> None:
    """Fifty here; five hundred in `make check-reliability`."""
    assert follow_many(live, 50) == 50


def follow_many(live: Live, count: int) -> int:
    """How many of `count` streams of one job saw its end, in threads of this process."""
    ends: list[str] = []
    with live.client(limits=httpx.Limits(max_connections=None)) as client:
        id = submit(client, {"kind": "generate", "request": {"prompt": "slow"}})["id"]
        started = threading.Barrier(count + 1)

        def follow() -> None:
            with client.stream("GET", f"/v1/jobs/{id}/events") as answer:
                started.wait(60)
                ends.extend(
                    event["event"] for event in parsed(answer.iter_lines()) if event.get("event") == "cancelled"
                )

        threads = [threading.Thread(target=follow) for _ in range(count)]
        for thread in threads:
            thread.start()
        started.wait(60)
        client.delete(f"/v1/jobs/{id}").raise_for_status()
        until = time.monotonic() + 30
        for thread in threads:
            thread.join(max(until - time.monotonic(), 0.1))
    return len(ends)
