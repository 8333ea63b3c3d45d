"""The nursery: a world small enough that a painter learns something of it in a minute on one core.

Level `shapes` (eight drawn shapes, six colours, three backgrounds, no font) at 64 pixels, its pictures encoded by
small autoencoders of the shipped structure, its words by a small text encoder. Everything is made when first asked for
and kept in a folder. It knows nothing of painters, arms or scores.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from triptych.adapters.plan_input import PlanRaster, rasterise, stack
from triptych.adapters.plan_vocabulary import PlanVocabulary
from triptych.autoencoders import kl, losses
from triptych.planning.tokens import PlanTokens
from triptych.scenes import LEVELS, Scene, Sprites, caption, render, sample_scene, world_words
from triptych.text.encoder import TextEncoder, TextEncoderConfig
from triptych.text.tokenizer import Tokenizer
from triptych.training import optim
from triptych.training.data import to_tensor
from triptych.training.ema import Ema
from triptych.training.loop import step_generator
from triptych.training.stages.text import fresh_writer

LEVEL = LEVELS["shapes"]
WORDS = 28
"""Tokens of a caption; 2 % of the dense ones are longer and are cut."""
OBJECTS = 4
CAPTIONS = 4
"""Of each scene: three dense ones and a short one."""
VOCABULARY = PlanVocabulary(LEVEL.nouns, LEVEL.colours, LEVEL.backgrounds, LEVEL.lights)
TOKENIZER = Tokenizer(world_words("shapes"))
TEXT = TextEncoderConfig(len(TOKENIZER), length=WORDS, width=96, layers=2, heads=3)
PAINTED, JUDGED, PROMPTED = 0, 500_000, 1_000_003
"""Seeds of the scenes that painters, readers and prompts use: no scene is in two of them."""

AUTOENCODERS = {
    "noise+scale": (0.05, 0.1),
    "noise": (0.05, 0.0),
    "scale": (0.0, 0.1),
    "bare": (0.0, 0.0),
}
"""Name -> (deviation of the latents while training, weight of scale equivariance); the first is the shipped recipe."""
AUTOENCODER_PICTURES, AUTOENCODER_BATCH = 6_400, 32
TEXT_CAPTIONS, TEXT_BATCH = 25_600, 64


@dataclass(frozen=True)
class Words:
    """What painters are told of n scenes: token ids (n, CAPTIONS, WORDS), plans per cell and per object.

    objects: (n, OBJECTS, 6) noun number, colour number and box, zeros where there is none.
    """

    scenes: list[Scene]
    ids: Tensor
    raster: PlanRaster
    objects: Tensor


def scenes_of(seed: int, count: int) -> list[Scene]:
    return [sample_scene(LEVEL, seed, index) for index in range(count)]


def pictures_of(scenes: list[Scene], size: int) -> Tensor:
    """(n, 3, size, size) in [-1, 1]."""
    sprites = Sprites.shapes()
    return to_tensor(np.stack([render(scene, size, sprites) for scene in scenes]))


def words_of(scenes: list[Scene], grid: int) -> Words:
    """Captions and plans of the scenes, the plans on a grid x grid raster."""
    plans = [scene.plan() for scene in scenes]
    objects = torch.zeros(len(plans), OBJECTS, 6)
    for row, plan in enumerate(plans):
        for place, thing in enumerate(plan.objects):
            noun = VOCABULARY.noun_ids[thing.noun]
            colour = 1 if thing.colour is None else VOCABULARY.colour_ids[thing.colour]
            objects[row, place] = torch.tensor([noun, colour, *thing.box])
    return Words(
        scenes,
        torch.tensor([[_ids(caption(scene, k, style=_style(k))) for k in range(CAPTIONS)] for scene in scenes]),
        stack([rasterise(plan, VOCABULARY, (grid, grid)) for plan in plans]),
        objects,
    )


def _style(number: int) -> Any:
    return "short" if number == CAPTIONS - 1 else "dense"


def _ids(text: str) -> list[int]:
    return list(TOKENIZER.encode(text, WORDS).ids)


def no_words() -> Tensor:
    """(WORDS,) ids of the empty caption."""
    return torch.tensor(_ids(""))


def rows_of(raster: PlanRaster, rows: Tensor) -> PlanRaster:
    return PlanRaster(**{field.name: getattr(raster, field.name)[rows] for field in fields(PlanRaster)})


class Nursery:
    """The prepared world in `folder`; parts are trained or encoded once. `say` reports what takes time."""

    def __init__(self, folder: Path, pool: int, say: Any) -> None:
        self.folder, self.pool, self.say = folder, pool, say
        self._words: dict[int, Words] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def words(self, grid: int) -> Words:
        """Of the painters' scenes, on a grid of latent cells."""
        if grid not in self._words:
            self._words[grid] = words_of(scenes_of(PAINTED, self.pool), grid)
        return self._words[grid]

    def latents(self, name: str, size: int) -> Tensor:
        """(pool, 16, size / 8, size / 8) float16, of zero mean and unit variance per channel."""
        path = self.folder / f"latents-{name}-{size}-{self.pool}.npy"
        if not path.exists():
            model = self.autoencoder(name, size)
            scenes, found = scenes_of(PAINTED, self.pool), []
            with torch.inference_mode():
                for start in range(0, self.pool, 256):
                    found.append(model.encode(pictures_of(scenes[start : start + 256], size)).half())
            np.save(path, torch.cat(found).numpy())
        return torch.from_numpy(np.load(path))

    def autoencoder(self, name: str, size: int = 64) -> kl.Autoencoder:
        """Trained at 64 pixels in every case; only the latents' mean and deviation belong to `size`."""
        noise, _ = AUTOENCODERS[name]
        config = kl.AutoencoderConfig(widths=(32, 64), latent_noise=noise)
        torch.manual_seed(0)
        model = kl.Autoencoder(config)
        self._kept(f"autoencoder-{name}", model, lambda: self._train_autoencoder(model, name))
        if size != 64:
            with torch.inference_mode():
                model.fit_normalisation(pictures_of(scenes_of(PAINTED, 256), size))
        return model.eval().requires_grad_(False)

    def text(self) -> TextEncoder:
        """Pretrained on the scene graph: a plan writer over its states has learned to write the plans."""
        torch.manual_seed(0)
        encoder = TextEncoder(TEXT)
        self._kept("text", encoder, lambda: self._train_text(encoder))
        return encoder.eval().requires_grad_(False)

    def record(self, part: str) -> dict[str, Any]:
        """What training this part took and reached."""
        return json.loads((self.folder / f"{part}.json").read_text())

    def _kept(self, part: str, module: nn.Module, train: Any) -> None:
        path = self.folder / f"{part}.pt"
        if path.exists():
            module.load_state_dict(torch.load(path, weights_only=True))
            return
        started = time.process_time()
        figures = train()
        record = {"cpu_seconds": round(time.process_time() - started, 1), **figures}
        (self.folder / f"{part}.json").write_text(json.dumps(record))
        torch.save(module.state_dict(), path)
        self.say(f"{part}: {record}")

    def _train_autoencoder(self, model: kl.Autoencoder, name: str) -> dict[str, Any]:
        scenes = scenes_of(PAINTED, AUTOENCODER_PICTURES)
        weights = losses.LossWeights(equivariance=AUTOENCODERS[name][1])
        model.init_from_pca(pictures_of(scenes[:512], 64))

        def loss(step: int, generator: torch.Generator) -> Tensor:
            rows = scenes[step * AUTOENCODER_BATCH : (step + 1) * AUTOENCODER_BATCH]
            return losses.autoencoder_loss(model, pictures_of(rows, 64), generator, weights)[0]

        config = optim.OptimConfig(lr=2e-3, muon_lr=2e-3, warmup=20)
        descend(model, loss, AUTOENCODER_PICTURES // AUTOENCODER_BATCH, config)
        model.fit_normalisation(pictures_of(scenes[:512], 64))
        fresh = pictures_of(scenes_of(JUDGED, 256), 64)
        with torch.inference_mode():
            error = (model(fresh).clamp(-1, 1) - fresh).square().mean((1, 2, 3))
        return {"pictures": AUTOENCODER_PICTURES, "psnr": round(losses.psnr(error).mean().item(), 2)}

    def _train_text(self, encoder: TextEncoder) -> dict[str, Any]:
        tokens = PlanTokens(*VOCABULARY.as_json().values(), max_objects=OBJECTS)  # type: ignore[arg-type]
        writer = fresh_writer(tokens, encoder, reading_layers=0)
        both = nn.ModuleDict({"encoder": encoder, "writer": writer})
        last = torch.zeros(())

        def loss(step: int, generator: torch.Generator) -> Tensor:
            nonlocal last
            scenes = [sample_scene(LEVEL, PAINTED, step * TEXT_BATCH + row) for row in range(TEXT_BATCH)]
            ids = torch.tensor([_ids(caption(scene, step % 7)) for scene in scenes])
            plans = torch.tensor([tokens.padded(scene.plan(), tokens.max_length) for scene in scenes])
            last = writer.loss(encoder(ids)[0], plans)
            return last

        steps = TEXT_CAPTIONS // TEXT_BATCH
        descend(both, loss, steps, optim.OptimConfig(lr=2e-3, muon_lr=4e-3, warmup=40))
        return {"captions": TEXT_CAPTIONS, "plan_loss": round(last.item(), 3)}


def descend(module: nn.Module, loss: Any, steps: int, config: optim.OptimConfig, seed: int = 0) -> None:
    """Train `module` on loss(step, generator), and leave it with its averaged weights."""
    optimizer, ema = optim.build(module, config), Ema(module, 0.99)
    module.train()
    for step in range(steps):
        factor = optim.rate(step, steps, config)
        for group in optimizer.param_groups:
            group["lr"] = group["base_lr"] * factor
        with torch.autocast("cpu", dtype=torch.bfloat16):
            value = loss(step, step_generator(seed, step, torch.device("cpu")))
        value.backward()
        nn.utils.clip_grad_norm_(module.parameters(), config.clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        ema.update(module, step)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter.copy_(ema.shadow[name])
    module.eval()
