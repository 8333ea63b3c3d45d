"""Pictures and files that go into a request, named by their content.

An `Asset` is a picture: its JSON form is a hash and a size, so that recipes stay small and hold no paths, while the
pixels ride along in memory. An `AssetStore` is a folder where the pixels of inputs are kept under their hash, so that
`replay` finds them again. A `FileAsset` is the same for a file of weights. Knows no request and no model.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from triptych.core.errors import FileProblem
from triptych.core.files import read_bytes, write_atomically
from triptych.core.pixels import Pixels, pixels_sha256
from triptych.core.weights import file_sha256

MAX_NAME = 200
MAX_STORED_BYTES = 512 * 2**20
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
"""Channels of a picture -> what Pillow calls it."""


class Asset(BaseModel):
    """A picture that goes into a request. Two are equal if their pixels are; `name` is for people only.

    channels: 1 for a map (a mask, a depth map), 3 for RGB, 4 with alpha.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    name: str = Field(default="", max_length=MAX_NAME)
    width: int = Field(ge=1)
    height: int = Field(ge=1)
    channels: int = Field(default=3, ge=1, le=4)
    _pixels: Pixels | None = PrivateAttr(default=None)

    @classmethod
    def of(cls, pixels: Pixels, name: str = "") -> Self:
        """The asset of these pixels: uint8 (H, W), (H, W, 1), (H, W, 3) or (H, W, 4)."""
        whole = pixels[:, :, None] if pixels.ndim == 2 else pixels
        height, width, channels = whole.shape
        if channels not in MODES:
            raise ValueError(f"a picture has 1, 3 or 4 channels, not {channels}")
        asset = cls(sha256=pixels_sha256(whole), name=name[-MAX_NAME:], width=width, height=height, channels=channels)
        asset._pixels = whole
        return asset

    @property
    def loaded(self) -> bool:
        return self._pixels is not None

    @property
    def pixels(self) -> Pixels:
        """uint8 (H, W) for a map, else (H, W, channels); `FileProblem` if only the hash is known."""
        if self._pixels is None:
            raise FileProblem(
                f"the picture {self.name or 'without a name'!r} ({self.width}x{self.height}, pixels "
                f"{self.sha256[:12]}) that went in is not at hand"
            )
        return self._pixels[:, :, 0] if self.channels == 1 else self._pixels

    @property
    def rgb(self) -> Pixels:
        """uint8 (H, W, 3): a map becomes grey; transparency is laid over white."""
        pixels = self.pixels
        if self.channels == 1:
            return np.repeat(pixels[:, :, None], 3, axis=2)
        if self.channels == 3:
            return pixels
        alpha = pixels[:, :, 3:].astype(np.uint16)
        mixed = (pixels[:, :, :3].astype(np.uint16) * alpha + 255 * (255 - alpha) + 127) // 255
        return mixed.astype(np.uint8)

    def fill(self, pixels: Pixels) -> None:
        """Give an asset that was read from a recipe its pixels back; `FileProblem` if they are others."""
        whole = pixels[:, :, None] if pixels.ndim == 2 else pixels
        if pixels_sha256(whole) != self.sha256:
            raise FileProblem(f"the pixels given for {self.name or 'an input'!r} are not the ones that went in")
        self._pixels = whole

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Asset) and self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)


class FileAsset(BaseModel):
    """A file of weights that goes into a request: a LoRA. `name` is the file's own, without its folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    name: str = Field(default="", max_length=MAX_NAME)
    _path: Path | None = PrivateAttr(default=None)

    @classmethod
    def of(cls, path: Path) -> Self:
        """The asset of a file that is there; `FileProblem` if it is not."""
        asset = cls(sha256=file_sha256(path), name=path.name[-MAX_NAME:])
        asset._path = path
        return asset

    @property
    def loaded(self) -> bool:
        return self._path is not None

    @property
    def path(self) -> Path:
        """Where the file lies; `FileProblem` if only its hash is known."""
        if self._path is None:
            raise FileProblem(f"the file {self.name!r} (SHA-256 {self.sha256[:12]}) that went in is not at hand")
        return self._path

    def fill(self, path: Path) -> None:
        """Say where the file of an asset from a recipe lies; `FileProblem` if that is another file."""
        if file_sha256(path) != self.sha256:
            raise FileProblem(f"{path} is not the file {self.name!r} that went in: its SHA-256 differs")
        self._path = path

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FileAsset) and self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)


class AssetStore:
    """A folder of input pictures by the hash of their pixels: `<sha256>.png`. Writing the same twice is one file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, asset: Asset) -> Path:
        """Keep the pixels; `FileProblem` where that fails."""
        path = self._path(asset.sha256)
        if path.exists():
            return path
        buffer = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(asset.pixels)).save(buffer, "PNG", compress_level=3)
        return write_atomically(path, buffer.getvalue())

    def fill(self, asset: Asset) -> None:
        """Give the asset its pixels. `FileProblem` if they are not kept here, or are not the ones of the hash."""
        path = self._path(asset.sha256)
        if asset.loaded or not path.exists():
            _ = asset.pixels  # says what is missing
            return
        try:
            with Image.open(io.BytesIO(read_bytes(path, MAX_STORED_BYTES)), formats=("PNG",)) as picture:
                asset.fill(np.asarray(picture.convert(MODES.get(asset.channels, "RGB"))))
        except (OSError, SyntaxError, ValueError) as error:
            raise FileProblem(f"the kept input {path} is damaged: {error}") from error

    def _path(self, sha256: str) -> Path:
        return self.folder / f"{sha256}.png"


def assets_in(value: Any) -> list[Asset | FileAsset]:
    """Every asset inside a frozen model, in the order of its fields."""
    if isinstance(value, Asset | FileAsset):
        return [value]
    if isinstance(value, BaseModel):
        return [asset for name in type(value).model_fields for asset in assets_in(getattr(value, name))]
    if isinstance(value, tuple | list):
        return [asset for item in cast("tuple[Any, ...] | list[Any]", value) for asset in assets_in(item)]
    return []
