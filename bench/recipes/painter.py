"""A small flow painter, and everything of its recipe that an arm may change.

The network is the flow family's own (`families/flow/mmdit.py`, 1.1 M parameters); the loss is written out here, for
arms change what the shipped family holds fixed. It knows nothing of scores.

B pictures, C = 16 latent channels, h = w cells, N tokens, T text tokens.
"""

from __future__ import annotations

import itertools
import math
import time
from dataclasses import dataclass, replace
from typing import Literal

import torch
import torch.nn.functional as F
from nursery import CAPTIONS, TEXT, VOCABULARY, Nursery, Words, descend, no_words, rows_of
from torch import Tensor, nn

from triptych.adapters.plan_input import PlanInput, PlanRaster
from triptych.families.flow.family import to_latents, to_tokens
from triptych.families.flow.mmdit import MMDiT, MMDiTConfig, picture_ids, text_ids
from triptych.sampling import parameterization
from triptych.text.encoder import TextEncoder
from triptych.training import optim

BATCH = 32
WIDTH = 128
STEPS, GUIDANCE = 10, 2.0
EASY = 0.4
"""Share of the samples that a curriculum spends on single large things."""
CLEAR = 0.05
"""Below this time a predicted picture is not divided by the time itself (Li & He 2025, "Back to basics", JiT)."""


@dataclass(frozen=True)
class Recipe:
    """One arm. The defaults are the shipped recipe, scaled down to the nursery.

    target: what the network answers, and in which space the error is taken: "x" is a picture with the velocity's
    error (JiT), "x_plain" a picture with its own. times: logit-normal with its location, or uniform.
    plan: added to the picture's tokens, among the text's tokens, both, or not at all; "boxes" is added, but says only
    where something stands, and the words alone say what. plan_dropout: share of the batch with words but without a
    plan. text: pretrained and frozen, random and frozen, or learned with the painter.
    captions: which of a scene's captions are shown. order: which scenes, and when. noise: how far the start follows
    the plan's layout.
    """

    target: Literal["velocity", "x", "x_plain", "v"] = "velocity"
    times: Literal["logit_normal", "uniform"] = "logit_normal"
    location: float = 0.0
    plan: Literal["added", "words", "both", "none", "boxes"] = "added"
    plan_dropout: float = 0.15
    text: Literal["pretrained", "random", "joint"] = "pretrained"
    captions: Literal["dense", "short", "both"] = "both"
    order: Literal["even", "singles", "singles_first", "uneven"] = "even"
    muon_lr: float | None = 4e-3
    lr: float = 1e-3
    noise: float = 0.0
    autoencoder: str = "noise+scale"
    size: int = 64
    patch: int = 1
    samples: int = 9_600
    seed: int = 0

    @property
    def grid(self) -> int:
        return self.size // 8


class PlanWords(nn.Module):
    """A plan as tokens among the text's: one per object, zeros where there is none."""

    FREQUENCIES = 4

    def __init__(self, width: int) -> None:
        super().__init__()
        sizes = VOCABULARY.sizes
        self.noun_embed = nn.Embedding(sizes["nouns"], width)
        self.colour_embed = nn.Embedding(sizes["colours"], width)
        self.place = nn.Linear(4 * (1 + 2 * self.FREQUENCIES), width)

    def forward(self, objects: Tensor) -> Tensor:
        """(B, OBJECTS, 6) -> (B, OBJECTS, width)."""
        noun, colour, box = objects[..., 0].long(), objects[..., 1].long(), objects[..., 2:]
        angle = (box[..., None] * math.pi * 2.0 ** torch.arange(self.FREQUENCIES)).flatten(-2)
        place = self.place(torch.cat((box, angle.sin(), angle.cos()), dim=-1))
        return self.noun_embed(noun) + self.colour_embed(colour) + place * (noun > 0)[..., None]


class Painter(nn.Module):
    def __init__(self, recipe: Recipe, encoder: TextEncoder) -> None:
        super().__init__()
        self.recipe = recipe
        channels = 16 * recipe.patch**2
        self.network = MMDiT(
            MMDiTConfig(
                in_channels=channels,
                out_channels=channels,
                num_layers=1,
                num_single_layers=3,
                attention_head_dim=32,
                num_attention_heads=WIDTH // 32,
                joint_attention_dim=TEXT.width,
                timestep_guidance_channels=64,
                axes_dims_rope=(4, 12, 12, 4),
                guidance_embeds=False,
            )
        )
        self.network.init_weights()
        self.encoder = encoder
        if recipe.plan in ("added", "both", "boxes"):
            self.plan_input = PlanInput(**VOCABULARY.sizes, width=WIDTH, patch=recipe.patch, hidden=128, embedding=32)
        if recipe.plan in ("words", "both"):
            self.plan_words = PlanWords(TEXT.width)

    def forward(self, x: Tensor, t: Tensor, ids: Tensor, raster: PlanRaster, objects: Tensor) -> Tensor:
        """The network's answer at x (B, 16, h, w), t (B,)."""
        side = x.shape[-1] // self.recipe.patch
        text = self.encoder(ids)[0]
        if self.recipe.plan in ("words", "both"):
            text = torch.cat((text, self.plan_words(objects)), dim=1)
        position = None
        if self.recipe.plan == "boxes":
            raster = replace(raster, noun=(raster.noun > 0).short(), colour=torch.zeros_like(raster.colour))
        if self.recipe.plan in ("added", "both", "boxes"):
            position = self.plan_input(raster)
        tokens = to_tokens(x, self.recipe.patch)
        places, order = picture_ids(side, side), text_ids(text.shape[1])
        answer = self.network(tokens, text, t, places, order, position_input=position)
        return to_latents(answer, side, side, self.recipe.patch).float()


KINDS: dict[str, parameterization.Kind] = {"velocity": "flow", "x": "x0", "x_plain": "x0", "v": "v"}


def starting_noise(normal: Tensor, raster: PlanRaster, share: float) -> Tensor:
    """Noise that knows where things stand: normal (B, C, h, w), with a bump at each object of the raster.

    sqrt(1 - share^2) noise + share layout, the layout in [-1, 1] with a fixed sign per channel.
    """
    if share == 0:
        return normal
    u, v, there = raster.place[:, 0, 0], raster.place[:, 0, 1], raster.noun[:, 0] > 0
    bump = (torch.cos(math.pi * (u - 0.5)) * torch.cos(math.pi * (v - 0.5))).clamp(0) * there
    signs = torch.tensor([1.0, -1.0]).repeat(normal.shape[1] // 2)
    return (1 - share**2) ** 0.5 * normal + share * (2 * bump - 1)[:, None] * signs[None, :, None, None]


def times_of(recipe: Recipe, count: int, generator: torch.Generator) -> Tensor:
    if recipe.times == "uniform":
        return torch.rand(count, generator=generator).clamp(1e-3, 1 - 1e-3)
    return torch.sigmoid(torch.randn(count, generator=generator) + recipe.location)


def rows_for(recipe: Recipe, words: Words, total: int) -> Tensor:
    """Which scene each of `total` samples shows: a shuffled pool, again and again, or what the order says."""
    generator = torch.Generator().manual_seed(31 + recipe.seed)
    n = len(words.scenes)
    single = (words.objects[..., 0] > 0).sum(1) == 1
    if recipe.order == "uneven":  # Zipf's law over nouns, the extreme that even drawing avoids
        share = torch.tensor([0.0] + [1 / rank for rank in range(1, len(VOCABULARY.nouns) + 1)])
        nouns = words.objects[..., 0].long()
        weight = torch.where(nouns > 0, share[nouns], 1.0).amin(1)
        return torch.multinomial(weight, total, replacement=True, generator=generator)
    if recipe.order == "singles":
        return _some(single, total, generator)
    shuffled = torch.cat([torch.randperm(n, generator=generator) for _ in range(-(-total // n))])[:total]
    if recipe.order == "singles_first":
        box = words.objects[:, 0, 2:]
        side = torch.maximum(box[:, 2] - box[:, 0], box[:, 3] - box[:, 1])
        first = int(EASY * total)
        shuffled[:first] = _some(single & (side > 15 / 32), first, generator)
    return shuffled


def _some(allowed: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """`count` of the allowed scenes, each as likely, with repetition."""
    places = allowed.nonzero()[:, 0]
    return places[torch.randint(len(places), (count,), generator=generator)]


def train(recipe: Recipe, nursery: Nursery) -> tuple[Painter, dict[str, float]]:
    """A painter with its averaged weights, and what it took: CPU seconds, samples, parameters, last losses."""
    words, latents = nursery.words(recipe.grid), nursery.latents(recipe.autoencoder, recipe.size)
    torch.manual_seed(recipe.seed)
    encoder = nursery.text() if recipe.text == "pretrained" else TextEncoder(TEXT)
    torch.manual_seed(recipe.seed)
    painter = Painter(recipe, encoder.requires_grad_(recipe.text == "joint"))
    steps = recipe.samples // BATCH
    rows, empty = rows_for(recipe, words, steps * BATCH).view(steps, BATCH), no_words()
    shown = {"dense": (0, CAPTIONS - 1), "short": (CAPTIONS - 1, CAPTIONS), "both": (0, CAPTIONS)}[recipe.captions]
    values: list[float] = []

    def loss(step: int, generator: torch.Generator) -> Tensor:
        row = rows[step]
        x0 = latents[row].float()
        fate = torch.rand(BATCH, generator=generator)
        ids = words.ids[row, torch.randint(*shown, (BATCH,), generator=generator)]
        ids = torch.where(((fate < 0.1) | (fate > 0.9))[:, None], empty, ids)
        bare = ((fate > 0.1) & (fate < 0.1 + recipe.plan_dropout)) | (fate > 0.9)
        full = rows_of(words.raster, row)
        t = times_of(recipe, BATCH, generator)
        eps = starting_noise(torch.randn(x0.shape, generator=generator), full, recipe.noise)
        mix = t.view(-1, 1, 1, 1)
        x = (1 - mix) * x0 + mix * eps
        answer = painter(x, t, ids, full.dropped(bare), words.objects[row].masked_fill(bare[:, None, None], 0))
        wanted = parameterization.target(KINDS[recipe.target], x0, eps, 1 - mix, mix)
        scale = mix.clamp(min=CLEAR) if recipe.target == "x" else 1.0
        value = F.mse_loss(answer / scale, wanted / scale)
        values.append(value.item())
        return value

    config = optim.OptimConfig(lr=recipe.lr, muon_lr=recipe.muon_lr, warmup=40)
    began, clock = time.process_time(), time.monotonic()
    descend(painter, loss, steps, config, recipe.seed)
    spent = time.process_time() - began
    return painter.eval(), {
        "samples": steps * BATCH,
        "cpu_seconds": round(spent, 3),
        "wall_seconds": round(time.monotonic() - clock, 1),
        "samples_per_cpu_second": round(steps * BATCH / spent, 1),
        "parameters": sum(p.numel() for p in painter.parameters() if p.requires_grad),
        "loss": round(sum(values[-50:]) / len(values[-50:]), 4),
    }


@torch.inference_mode()
def paint(painter: Painter, words: Words, *, planned: bool, caption: int = 0, seed: int = 0) -> Tensor:
    """Latents (n, 16, h, w) of the scenes' captions, with their true plans or without.

    Euler in STEPS even steps at GUIDANCE, the prediction without words and plan on the other side.
    """
    recipe, ids, empty = painter.recipe, words.ids[:, caption], no_words()
    n, kind = len(ids), KINDS[recipe.target]
    gone = torch.ones(n, dtype=torch.bool)
    nothing = words.raster.dropped(gone)
    plan = words.raster if planned else nothing
    objects = words.objects if planned else torch.zeros_like(words.objects)
    both = torch.cat((ids, empty.expand(n, -1)))
    raster = PlanRaster(*(torch.cat(pair) for pair in zip(_parts(plan), _parts(nothing), strict=True)))
    objects = torch.cat((objects, torch.zeros_like(objects)))
    generator = torch.Generator().manual_seed(7919 + seed)
    x = torch.randn(n, 16, recipe.grid, recipe.grid, generator=generator)
    x = starting_noise(x, words.raster, recipe.noise)
    levels = torch.linspace(1, 0, STEPS + 1).tolist()
    for now, then in itertools.pairwise(levels):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            told, untold = painter(torch.cat((x, x)), torch.full((2 * n,), now), both, raster, objects).chunk(2)
        answer = untold + GUIDANCE * (told - untold)
        x0 = parameterization.to_x0(kind, answer, x, 1 - now, now)
        x = x0 + (x - x0) * (then / now)
    return x


def _parts(raster: PlanRaster) -> tuple[Tensor, ...]:
    return raster.noun, raster.colour, raster.letters, raster.place, raster.scene
