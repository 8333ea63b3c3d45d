"""What became of an edit, whoever painted it, and the file that it may be written to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from triptych.core.errors import InvalidRequest
from triptych.core.events import Note, Pixels
from triptych.core.files import write_atomically
from triptych.core.metadata import format_of
from triptych.core.request import Request
from triptych.core.results import Image
from triptych.editing import verify
from triptych.editing.align import Returned
from triptych.editing.masks import Bits
from triptych.editing.verify import LockReport


@dataclass(frozen=True)
class EditResult:
    """What became of an edit. mask: (H, W), True where it was allowed. seconds: of painting, and in total.

    returned: how far a hosted model's answer was from what was asked of it; None for a model that paints here. cost: in
    US dollars, of a hosted model.
    """

    image: Image
    report: LockReport
    lock: float
    source: Pixels
    mask: Bits
    notes: tuple[Note, ...]
    seconds: dict[str, float]
    request: Request
    model: str
    family: str
    returned: Returned | None = None
    cost: float = 0.0

    def save(self, path: str | Path) -> Path:
        """Write the picture with its recipe; at lock 1 only a file that is proved to keep every pixel outside.

        `InvalidRequest` for a format that loses pixels or transparency, `TriptychError` if the proof fails.
        """
        path = Path(path)
        return write_atomically(path, self.encode(path))

    def encode(self, path: Path) -> bytes:
        """The bytes of the file that `save` writes; the suffix of the path names the format."""
        kind = format_of(path)
        check_format(kind, self.lock, self.image.pixels)
        data = self.image.encode(kind)
        if self.lock == 1:
            verify.proved(self.source, data, self.mask)
        return data


def check_format(kind: str, lock: float, pixels: Pixels) -> None:
    """Raise `InvalidRequest` where the file's format could not hold the result."""
    verify.check_lossless(kind, lock)
    if kind == "JPEG" and pixels.shape[2] == 4:
        raise InvalidRequest("out", "JPEG knows no transparency, which this picture has; write png or webp")
