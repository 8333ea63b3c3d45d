"""What a training step costs in arithmetic, counted by running one: forward and backward, frozen parts included.

`torch.utils.flop_counter` counts matrix products, convolutions and attention, two operations per multiply-add; what is
done per element (norms, activations, the optimiser) is left out, as is usual for a share of a device's peak.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode


def step_flops(module: nn.Module, loss: Callable[[], Tensor]) -> float:
    """FLOPs of `loss()` and its backward pass.

    Leaves weights, buffers and torch's own generator as they were; gradients must not be in use, and are gone after.
    """
    buffers = [(buffer, buffer.detach().clone()) for buffer in module.buffers()]
    device = next(module.parameters()).device
    seeded = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=seeded), FlopCounterMode(display=False) as counter:
        loss().backward()
    with torch.no_grad():
        for buffer, before in buffers:
            buffer.copy_(before)
    for parameter in module.parameters():
        parameter.grad = None
    return float(counter.get_total_flops())
