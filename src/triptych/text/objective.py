"""What the text stage learns from: pictures (InfoNCE) and scene graphs (the plan behind each caption),
together.
"""

from __future__ import annotations

from typing import NotRequired, Protocol, TypedDict

from torch import Tensor

from triptych.text.clip import ImageTower, clip_loss, same_captions
from triptych.text.encoder import TextEncoder


class TextBatch(TypedDict):
    """ids (B, T) int64; pictures (B, 3, H, W) in [-1, 1]; plan_ids (B, P) int64, padded as the plan writer wants, or
    absent where no plans are known.
    """

    ids: Tensor
    pictures: Tensor
    plan_ids: NotRequired[Tensor]


class ReadsPlans(Protocol):
    """The plan writer, as far as this stage knows it."""

    def loss(self, states: Tensor, plan_ids: Tensor) -> Tensor: ...


def text_stage_loss(
    encoder: TextEncoder, tower: ImageTower, writer: ReadsPlans, batch: TextBatch, *, plan_weight: float = 1.0
) -> tuple[Tensor, dict[str, Tensor]]:
    """InfoNCE + plan_weight * plan loss, or InfoNCE alone without plans; also the parts, detached: `clip`, `plan`."""
    states, text = encoder(batch["ids"])
    image = tower(batch["pictures"])
    clip = clip_loss(text, image, tower.logit_scale, same_captions(batch["ids"]))
    if "plan_ids" not in batch:
        return clip, {"clip": clip.detach()}
    plan = writer.loss(states, batch["plan_ids"])
    return clip + plan_weight * plan, {"clip": clip.detach(), "plan": plan.detach()}
