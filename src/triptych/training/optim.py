"""The optimiser of every stage: Muon for hidden matrices, AdamW for the rest, in one object that saves as one.

Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon) replaces a matrix's momentum by its nearest orthogonal
matrix, found by five Newton-Schulz iterations; the update's scale follows Liu et al. 2025 (arXiv 2502.16982, eq. 4)
so that AdamW's learning rate and weight decay carry over to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class OptimConfig:
    """lr: AdamW's; muon_lr: of the orthogonalised update, in AdamW's units; None to give every parameter to AdamW.

    warmup: steps from 0 to full rate. decay: the last share of training, in which the rate falls linearly to 0.
    """

    lr: float = 1e-3
    muon_lr: float | None = 4e-3
    betas: tuple[float, float] = (0.9, 0.95)
    momentum: float = 0.95
    weight_decay: float = 0.01
    clip: float = 1.0
    warmup: int = 200
    decay: float = 0.35


def rate(step: int, total: int, config: OptimConfig) -> float:
    """The learning rate's factor at `step` of `total`: warm up, stay, fall linearly (warm-up, stable, decay)."""
    up = min(1.0, (step + 1) / max(1, config.warmup))
    down = min(1.0, (total - step) / max(1.0, config.decay * total)) if config.decay > 0 else 1.0
    return up * max(0.0, down)


def orthogonalise(matrix: Tensor, iterations: int = 5) -> Tensor:
    """The nearest semi-orthogonal matrix, roughly: (rows, columns) with singular values in about [0.7, 1.2]."""
    a, b, c = 3.4445, -4.7750, 2.0315  # the quintic of Jordan et al.: steep at 0, so that few iterations do
    x = matrix.bfloat16()
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(iterations):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.mT if tall else x).float()


class MuonAdamW(torch.optim.Optimizer):
    """Two rules, chosen per parameter group by its `rule`: "muon" or "adamw"."""

    def __init__(self, groups: Iterable[dict[str, Any]], config: OptimConfig) -> None:
        defaults = {"lr": config.lr, "betas": config.betas, "momentum": config.momentum,
                    "weight_decay": config.weight_decay, "rule": "adamw"}  # fmt: skip
        super().__init__(groups, defaults)

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        if closure is not None:
            raise ValueError("closures are not used here: call backward() first")
        for group in self.param_groups:
            params = [p for p in group["params"] if p.grad is not None]
            if group["rule"] == "muon":
                self._muon(params, group)
            else:
                self._adamw(params, group)

    def _muon(self, params: list[Tensor], group: dict[str, Any]) -> None:
        by_shape: dict[torch.Size, list[tuple[Tensor, Tensor]]] = {}
        for p in params:
            grad = cast(Tensor, p.grad).flatten(1)  # a convolution is a matrix over its patch
            state = self.state[p]
            if "momentum" not in state:
                state["momentum"] = torch.zeros_like(grad)
            momentum = state["momentum"].lerp_(grad, 1 - group["momentum"])
            by_shape.setdefault(grad.shape, []).append((p, grad.lerp(momentum, group["momentum"])))  # Nesterov
        for shape, pairs in by_shape.items():  # equal shapes share one batched product
            updates = orthogonalise(torch.stack([update for _, update in pairs]))
            scale = 0.2 * max(shape) ** 0.5
            for (p, _), update in zip(pairs, updates, strict=True):
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(update.view_as(p), alpha=-group["lr"] * scale)

    def _adamw(self, params: list[Tensor], group: dict[str, Any]) -> None:
        """Loshchilov & Hutter 2019, algorithm 2."""
        beta1, beta2 = group["betas"]
        grads = [cast(Tensor, p.grad) for p in params]
        for p in params:
            if "step" not in self.state[p]:
                self.state[p].update(step=0, mean=torch.zeros_like(p), square=torch.zeros_like(p))
        if not params:
            return
        states = [self.state[p] for p in params]
        means, squares = [s["mean"] for s in states], [s["square"] for s in states]
        for s in states:
            s["step"] += 1
        torch._foreach_lerp_(means, grads, 1 - beta1)
        torch._foreach_mul_(squares, beta2)
        torch._foreach_addcmul_(squares, grads, grads, 1 - beta2)
        torch._foreach_mul_(params, 1 - group["lr"] * group["weight_decay"])
        for p, s in zip(params, states, strict=True):
            root = (s["square"] / (1 - beta2 ** s["step"])).sqrt_().add_(1e-8)
            p.addcdiv_(s["mean"], root, value=-group["lr"] / (1 - beta1 ** s["step"]))


_NOT_HIDDEN = ("embed", "head", "proj_out", "conv_out", "conv_in", "x_embedder", "context_embedder", "norm", "table")


def build(module: nn.Module, config: OptimConfig) -> MuonAdamW:
    """Hidden matrices to Muon; vectors, embeddings, first and last layers to AdamW, as Muon's authors advise."""
    muon: list[Tensor] = []
    plain: list[Tensor] = []
    for name, p in module.named_parameters():
        if not p.requires_grad:
            continue
        hidden = p.ndim >= 2 and min(p.flatten(1).shape) >= 16 and not any(word in name for word in _NOT_HIDDEN)
        (muon if hidden and config.muon_lr is not None else plain).append(p)
    groups: list[dict[str, Any]] = [
        {"params": plain, "rule": "adamw", "lr": config.lr, "base_lr": config.lr, "weight_decay": 0.0}
    ]
    if muon:
        groups.append({"params": muon, "rule": "muon", "lr": config.muon_lr, "base_lr": config.muon_lr})
    return MuonAdamW([group for group in groups if group["params"]], config)
