"""The face reader: a head's window to the eighteen numbers of `scenes.identity.Face`.

Ten of the numbers are continuous; the others are drawn in steps, and are chosen among what can be told apart. What the
drawing does not show (how far within a step, the volume of no hair) is the middle of its range: `observable` says so of
any vector, and faces that look alike have the same observable vector.
"""

from __future__ import annotations

import dataclasses

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from triptych.evals.readers.layers import conv_norm
from triptych.scenes.identity import EYE_COLOURS, GLASSES, HAIR_COLOURS, HAIR_STYLES, MOODS, SKINS, Face, step

NAMES = tuple(field.name for field in dataclasses.fields(Face))


def _middles(count: int) -> tuple[float, ...]:
    return tuple((i + 0.5) / count for i in range(count))


CHOICES: dict[str, tuple[float, ...]] = {
    "skin": _middles(len(SKINS)),
    "hair_style": _middles(len(HAIR_STYLES)),
    "hair_colour": _middles(len(HAIR_COLOURS)),
    "eye_colour": _middles(len(EYE_COLOURS)),
    "mood": _middles(len(MOODS)),
    "glasses": (GLASSES.count("none") / len(GLASSES) / 2, *_middles(len(GLASSES))[GLASSES.count("none") :]),
    "freckles": (0.375, 0.875),  # none up to 0.75
    "scar": (0.4, 0.85, 0.95),  # none up to 0.8; right; left
}
"""What can be told apart of each number that is drawn in steps: the middle of every look's range."""
FINE = tuple(name for name in NAMES if name not in CHOICES)
_BALD = 0
_FINE_WEIGHT = 20.0


class FaceReader(nn.Module):
    """Windows (B, 3, 56, 48) in [-1, 1] -> logits (B, 10 + 30): the fine numbers, then a logit for each choice."""

    def __init__(self, widths: tuple[int, int, int] = (24, 48, 64)) -> None:
        super().__init__()
        first, second, third = widths
        self.body = nn.Sequential(
            *conv_norm(3, first),
            *conv_norm(first, second, 2),
            *conv_norm(second, third, 2),
            *conv_norm(third, third, 2),
        )  # 7 x 6 places are left, and where each feature sits is what tells faces apart
        self.project = nn.Sequential(nn.Conv2d(third, 16, 1), nn.ReLU(), nn.Flatten())
        told = len(FINE) + sum(map(len, CHOICES.values()))
        self.head = nn.Sequential(nn.Linear(16 * 42, 64), nn.ReLU(), nn.Linear(64, told))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.project(self.body(x))).float()


def face_loss(logits: Tensor, vectors: Tensor) -> Tensor:
    """Squared error of the fine numbers and cross-entropy of the choices, against observable vectors (B, 18)."""
    fine, *choices = _parted(logits)
    loss = _FINE_WEIGHT * (fine.sigmoid() - vectors[:, [NAMES.index(name) for name in FINE]]).square().mean()
    for (name, middles), each in zip(CHOICES.items(), choices, strict=True):
        away = (vectors[:, NAMES.index(name), None] - torch.tensor(middles, device=vectors.device)).abs()
        loss = loss + F.cross_entropy(each, away.argmin(1)) / len(CHOICES)
    return loss


def vector_of(logits: Tensor) -> tuple[float, ...]:
    """What one face's logits (40,) say, as an observable vector."""
    fine, *choices = _parted(logits[None])
    values = dict(zip(FINE, fine[0].sigmoid().tolist(), strict=True))
    for (name, middles), each in zip(CHOICES.items(), choices, strict=True):
        values[name] = middles[int(each[0].argmax())]
    if values["hair_style"] == CHOICES["hair_style"][_BALD]:
        values["hair_volume"] = 0.5
    return tuple(values[name] for name in NAMES)


def observable(vector: tuple[float, ...]) -> tuple[float, ...]:
    """The vector with everything that the drawing does not show moved to the middle of its range."""
    face = Face.from_vector(vector)
    values = dataclasses.asdict(face)
    for name in ("skin", "hair_style", "hair_colour", "eye_colour", "mood"):
        count = len(CHOICES[name])
        values[name] = CHOICES[name][min(int(values[name] * count), count - 1)]
    values["glasses"] = CHOICES["glasses"][{"none": 0, "round": 1, "square": 2}[step(GLASSES, face.glasses)]]
    values["freckles"] = CHOICES["freckles"][face.freckles > 0.75]
    values["scar"] = CHOICES["scar"][{None: 0, "right": 1, "left": 2}[face.scar_side]]
    if step(HAIR_STYLES, face.hair_style) == HAIR_STYLES[_BALD]:
        values["hair_volume"] = 0.5
    return tuple(values.values())


def _parted(logits: Tensor) -> tuple[Tensor, ...]:
    return logits.split([len(FINE), *map(len, CHOICES.values())], dim=1)
