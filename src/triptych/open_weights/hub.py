"""Models of the Hugging Face hub: what would be downloaded, then the download, by the official client.

The client resumes, keeps to its own cache (which other programs share) and honours HF_ENDPOINT, HF_TOKEN and
HF_HUB_OFFLINE. Only data is asked for: safetensors, JSON and vocabularies. Each file is held against the hash that the
hub gave for it.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triptych.core.errors import FileProblem, InvalidRequest
from triptych.core.weights import file_sha256

WANTED = ("model_index.json", "*/*.json", "*/*.safetensors", "*/merges.txt", "*/vocab.json", "LICENSE*")
UNWANTED = ("safety_checker/*", "feature_extractor/*", "image_encoder/*", "*.fp16.*", "*.non_ema.*", "*.onnx*", "flax*")
MIB = 2**20
_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")


@dataclass(frozen=True)
class File:
    """sha256: empty for small files, which the hub names by another hash. here: it is in the cache already."""

    name: str
    bytes: int
    sha256: str
    here: bool


@dataclass(frozen=True)
class Offer:
    """A model of the hub at one commit. folder: where the client keeps it."""

    name: str
    commit: str
    licence: str
    files: tuple[File, ...]
    folder: Path

    @property
    def left(self) -> int:
        """Bytes that are not here yet."""
        return sum(file.bytes for file in self.files if not file.here)

    def lines(self) -> list[str]:
        """Files, sizes, licence and place, one fact a line."""
        told = [
            f"{file.name}  {file.bytes / MIB:.1f} MiB{'  here already' if file.here else ''}" for file in self.files
        ]
        whole = sum(file.bytes for file in self.files)
        return [
            *told,
            f"{self.name} at {self.commit[:12]}, licence {self.licence}",
            f"{whole / MIB:.1f} MiB, {self.left / MIB:.1f} MiB of it to download, into {self.folder}",
        ]


def look(name: str) -> Offer:
    """What a hub's model consists of. Without a network (HF_HUB_OFFLINE) what is in the cache. `FileProblem` with the
    client's reason where it is not to be had.
    """
    if not _ID.fullmatch(name):
        raise InvalidRequest("source", f"{name!r} is neither a path that exists nor a hub's id (owner/name)")
    client = _client()
    if client.constants.HF_HUB_OFFLINE:
        return _kept(client, name)
    try:
        info = client.HfApi().model_info(name, files_metadata=True, timeout=30)
    except Exception as error:  # the client has two dozen kinds
        raise FileProblem(f"the hub does not give {name}: {_reason(error)}") from error
    files = [one for one in info.siblings if wanted(one.rfilename)]
    if not any(file.rfilename == "model_index.json" for file in files):
        raise FileProblem(f"{name} is no diffusers folder: it has no model_index.json")
    found: list[File] = []
    for one in files:
        sha256 = one.lfs.sha256 if one.lfs else ""
        here = isinstance(client.try_to_load_from_cache(name, one.rfilename, revision=info.sha), str)
        found.append(File(one.rfilename, one.size or 0, sha256, here))
    licence = getattr(info.card_data, "license", None) or "not told"
    return Offer(name, info.sha, str(licence), tuple(found), _folder(client, name))


def download(offer: Offer) -> Path:
    """The model's folder with every file in it, each with the hash that the hub told."""
    client = _client()
    try:
        folder = Path(
            client.snapshot_download(
                offer.name, revision=offer.commit, allow_patterns=[file.name for file in offer.files]
            )
        )
    except Exception as error:
        raise FileProblem(
            f"{offer.name} was not downloaded: {_reason(error)}; the next try goes on from here"
        ) from error
    for file in offer.files:
        path = folder / file.name
        if not path.is_file() or (file.bytes and path.stat().st_size != file.bytes):
            raise FileProblem(f"{path} did not arrive whole; remove it and try again")
        if file.sha256 and file_sha256(path) != file.sha256:
            raise FileProblem(f"{path} is not what the hub has: its SHA-256 differs; remove it and try again")
    return folder


def wanted(name: str) -> bool:
    return any(fnmatch.fnmatch(name, one) for one in WANTED) and not any(fnmatch.fnmatch(name, one) for one in UNWANTED)


def _kept(client: Any, name: str) -> Offer:
    """Of the cache alone."""
    snapshots = _folder(client, name) / "snapshots"
    found = sorted(snapshots.glob("*/model_index.json"), key=lambda path: path.parent.stat().st_mtime)
    if not found:
        raise FileProblem(f"{name} is not in the cache, and HF_HUB_OFFLINE forbids to ask the hub")
    folder = found[-1].parent
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    names = {str(path.relative_to(folder)): path for path in paths}
    files = tuple(File(one, path.stat().st_size, "", True) for one, path in names.items() if wanted(one))
    return Offer(name, folder.name, "not told", files, folder)


def _folder(client: Any, name: str) -> Path:
    """Where the client keeps a model."""
    return Path(client.constants.HF_HUB_CACHE) / f"models--{name.replace('/', '--')}"


def _client() -> Any:
    try:
        import huggingface_hub
        import huggingface_hub.constants
    except ImportError:
        raise FileProblem("the hub needs the extra `open`: pip install 'triptych[open]'") from None
    return huggingface_hub


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]
