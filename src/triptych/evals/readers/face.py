"""The face reader: a head's window to the eighteen numbers of `scenes.identity.Face`.

Some of the numbers are drawn in steps, and some not at all (the colour of hair on a bald head). `observable` gives each
the middle of what looks the same; the reader learns that, and faces that look alike have the same observable vector.
"""

from __future__ import annotations

import dataclasses

from torch import Tensor, nn

from triptych.scenes.identity import EYE_COLOURS, GLASSES, HAIR_COLOURS, HAIR_STYLES, MOODS, SKINS, Face, step

NUMBERS = len(dataclasses.fields(Face))
_STEPS = {
    "skin": len(SKINS), "hair_style": len(HAIR_STYLES), "hair_colour": len(HAIR_COLOURS),
    "eye_colour": len(EYE_COLOURS), "mood": len(MOODS), "glasses": len(GLASSES),
}  # fmt: skip


class FaceReader(nn.Module):
    """Windows (B, 3, 56, 48) in [-1, 1] -> (B, 18) in 0..1."""

    def __init__(self, widths: tuple[int, int, int] = (24, 48, 64)) -> None:
        super().__init__()
        first, second, third = widths
        self.body = nn.Sequential(
            *_conv(3, first), *_conv(first, second, 2), *_conv(second, third, 2), *_conv(third, third, 2)
        )  # 7 x 6 places are left, and where each feature sits is what tells faces apart
        self.project = nn.Sequential(nn.Conv2d(third, 16, 1), nn.ReLU(), nn.Flatten())
        self.head = nn.Sequential(nn.Linear(16 * 42, 64), nn.ReLU(), nn.Linear(64, NUMBERS))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.project(self.body(x))).float().sigmoid()


def _conv(inside: int, outside: int, stride: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(inside, outside, 3, stride, padding=1, bias=False), nn.BatchNorm2d(outside), nn.ReLU()]


def face_loss(read: Tensor, vectors: Tensor) -> Tensor:
    """Mean squared error."""
    return (read - vectors).square().mean()


def observable(vector: tuple[float, ...]) -> tuple[float, ...]:
    """The vector with everything that the drawing does not show moved to the middle of its range."""
    face = Face.from_vector(vector)
    values = dataclasses.asdict(face)
    for name, count in _STEPS.items():
        values[name] = (min(int(values[name] * count), count - 1) + 0.5) / count
    if step(GLASSES, face.glasses) == "none":
        values["glasses"] = GLASSES.count("none") / len(GLASSES) / 2
    if step(HAIR_STYLES, face.hair_style) == "bald":
        values["hair_volume"] = 0.5
    values["freckles"] = 0.875 if face.freckles > 0.75 else 0.375
    values["scar"] = {"left": 0.95, "right": 0.85, None: 0.4}[face.scar_side]
    return tuple(values.values())
