"""Added models, other programs' folders, and the hub: by name, and by path for those who may."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from triptych.core.errors import FileProblem
from triptych.core.registry import Registry
from triptych.open_weights import installed

ID = "somebody/tiny-diffusion"
COMMIT = "a" * 40
MAIN = "import sys; from triptych.cli import main; sys.exit(main())"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    before = installed._places
    installed.look_in(tmp_path, paths=False)
    yield tmp_path
    installed.look_in(before.home, paths=before.paths)


def test_an_added_model_has_a_name(checkpoint: Callable[[str], Path], home: Path) -> None:
    card = installed.add(home, checkpoint("sd1"), name="mine")
    found = installed.registry()
    assert found.find("mine").card == card
    found.check("mine")
    assert "mine" in {card.name for card in found.models()}


def test_a_damaged_card_spoils_its_own_model_alone(checkpoint: Callable[[str], Path], home: Path) -> None:
    installed.add(home, checkpoint("sd1"), name="mine")
    (home / "models" / "broken").mkdir()
    (home / "models" / "broken" / "card.json").write_text("{")
    found = installed.registry()
    assert found.has("mine")
    with pytest.raises(FileProblem, match="not the card of an added model"):
        found.find("broken")


def test_paths_are_for_those_who_may(checkpoint: Callable[[str], Path], home: Path) -> None:
    path = str(checkpoint("sd1"))
    with pytest.raises(FileProblem, match="there is no model"):
        installed.registry().find(path)
    installed.look_in(home, paths=True)
    assert installed.registry().find(path).card.capabilities is not None


@pytest.mark.parametrize("place", ["models/diffusers", "models/checkpoints", "models/Stable-diffusion"])
def test_other_programs_folders(checkpoint: Callable[[str], Path], home: Path, place: str) -> None:
    tree = home / "other"
    (tree / place).mkdir(parents=True)
    (tree / place / "Tiny Model").symlink_to(checkpoint("sd1"))
    with pytest.raises(FileProblem, match="holds no checkpoint"):  # a link out of the tree is not followed
        installed.add_tree(home, tree)
    (tree / place / "Tiny Model").unlink()
    (tree / place / "Tiny Model").mkdir()
    for path in checkpoint("sd1").rglob("*"):
        if path.is_file():
            copy = tree / place / "Tiny Model" / path.relative_to(checkpoint("sd1"))
            copy.parent.mkdir(exist_ok=True)
            copy.write_bytes(path.read_bytes())
    installed.add_tree(home, tree)
    found: Registry = installed.registry()
    assert "tiny-model" in {card.name for card in found.models()}
    found.check("tiny-model")


class Hub:
    """As much of the hub's form as the client asks for. lie: a hash that no file has."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.asked = folder, []
        self.lie: str = ""
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self.do_GET()

            def do_GET(self) -> None:
                hub.answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        path = handler.path.partition("?")[0]
        self.asked.append(f"{handler.command} {path}")
        if path.startswith(f"/api/models/{ID}"):
            told = self.tree() if "/tree/" in path else self.info()
            self._send(handler, json.dumps(told).encode(), {"Content-Type": "application/json"})
            return
        name = path.removeprefix(f"/{ID}/resolve/{COMMIT}/").lstrip("/")
        if not (self.folder / name).is_file():
            handler.send_error(404)
            return
        data = (self.folder / name).read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        self._send(handler, data, {"ETag": f'"{digest}"', "X-Repo-Commit": COMMIT, "X-Linked-Size": str(len(data))})

    def _send(self, handler: BaseHTTPRequestHandler, data: bytes, headers: dict[str, str]) -> None:
        begin = int((handler.headers.get("Range") or "bytes=0-").removeprefix("bytes=").split("-")[0])
        handler.send_response(206 if begin else 200)
        if begin:
            handler.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
        for key, value in {**headers, "Content-Length": str(len(data) - begin)}.items():
            handler.send_header(key, value)
        handler.end_headers()
        if handler.command == "GET":
            handler.wfile.write(data[begin:])

    def tree(self) -> list[dict[str, Any]]:
        return [
            {"type": "file", "path": one["rfilename"], "oid": one["blobId"], "size": one["size"]}
            | ({"lfs": {"oid": one["lfs"]["sha256"], "size": one["size"], "pointerSize": 134}} if "lfs" in one else {})
            for one in self.info()["siblings"]
        ]

    def info(self) -> dict[str, Any]:
        siblings: list[dict[str, Any]] = []
        for path in sorted(self.folder.rglob("*")):
            if path.is_file():
                data = path.read_bytes()
                one: dict[str, Any] = {"rfilename": str(path.relative_to(self.folder)), "size": len(data)}
                if path.suffix == ".safetensors":
                    sha256 = self.lie or hashlib.sha256(data).hexdigest()
                    one["lfs"] = {"sha256": sha256, "size": len(data), "pointerSize": 134}
                siblings.append({**one, "blobId": hashlib.sha1(data).hexdigest()})
        return {"id": ID, "modelId": ID, "sha": COMMIT, "siblings": siblings, "cardData": {"license": "openrail"},
                "tags": [], "private": False, "downloads": 0, "likes": 0}  # fmt: skip


@pytest.fixture
def hub(checkpoint: Callable[[str], Path]) -> Iterator[Hub]:
    found = Hub(checkpoint("sd1"))
    yield found
    found.server.shutdown()


def add(home: Path, hub: Hub, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own: the client reads its environment when it is imported."""
    places = {
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(home / "hf"),
        "TRIPTYCH_HOME": str(home),
        "HF_HUB_DISABLE_XET": "1",
    }
    command = [sys.executable, "-c", MAIN, "models", "add", ID, *arguments]
    environment = {**os.environ, **places, **more, "no_proxy": "127.0.0.1"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)


def test_a_hub_s_model_is_shown_then_downloaded_and_stays(tmp_path: Path, hub: Hub) -> None:
    shown = add(tmp_path, hub)
    assert shown.returncode == 2, shown.stderr
    assert "licence openrail" in shown.stdout
    assert "unet/diffusion_pytorch_model.safetensors" in shown.stdout
    assert "--yes agrees" in shown.stderr
    assert not [one for one in hub.asked if one.startswith("GET") and "safetensors" in one]

    added = add(tmp_path, hub, "--yes", "--name", "tiny")
    assert added.returncode == 0, added.stderr
    card = json.loads((tmp_path / "models" / "tiny" / "card.json").read_text())
    assert card["licence"] == "openrail"

    offline = add(tmp_path, hub, "--name", "again", HF_HUB_OFFLINE="1", HF_ENDPOINT="http://127.0.0.1:9")
    assert offline.returncode == 0, offline.stderr


def test_a_file_that_is_another_is_refused(tmp_path: Path, hub: Hub) -> None:
    hub.lie = "0" * 64
    found = add(tmp_path, hub, "--yes")
    assert found.returncode == 3
    assert "SHA-256 differs" in found.stderr
    assert not (tmp_path / "models").exists()
