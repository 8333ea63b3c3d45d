"""`triptych train STAGE`: gather the parts of a stage, train it, and put the model where the next stage finds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from triptych.adapters.plan_vocabulary import PlanVocabulary
from triptych.adapters.reference import ROLES
from triptych.autoencoders import fsq, kl
from triptych.core.errors import FileProblem, InvalidRequest
from triptych.core.inputs import MAX_REFERENCES
from triptych.core.plan import Plan
from triptych.core.registry import Card
from triptych.evals.readers.trips import Trips
from triptych.families import loading
from triptych.families.loading import Parts
from triptych.planning.tokens import PlanTokens
from triptych.scenes import LEVELS, Sprites, caption, sample_scene, world_words
from triptych.scenes.series import SHOTS
from triptych.text.encoder import TextEncoder, TextEncoderConfig
from triptych.text.tokenizer import Tokenizer
from triptych.training import pool as pools
from triptych.training.data import FolderSource, Pictures, SceneSource, Source
from triptych.training.devices import Devices, bf16_pays
from triptych.training.export import WEIGHTS
from triptych.training.loop import Run, Stage
from triptych.training.presets import STAGES, WORLDS, WorldConfig, run_config
from triptych.training.series import SEED as SERIES_SEED
from triptych.training.series import SeriesSource
from triptych.training.stages import control as controls
from triptych.training.stages import editor as editors
from triptych.training.stages import readers, upscaler
from triptych.training.stages import reference as looking
from triptych.training.stages.autoencoder import AutoencoderStage, TokenizerStage
from triptych.training.stages.painter import PainterStage, Words, capabilities_for
from triptych.training.stages.text import PlannerStage, TextStage
from triptych.training.upscaling import UpscalingData
from triptych.upscaling.network import SCALES

VALIDATION_SEED = 1_000_003
"""Scenes of this seed are never trained on."""
SHEET_PROMPTS = 16
SERIES_POOL = 4_000
"""Series that the reference stages learn from, where the world is large enough for as many."""
TEXT_SIZES = {
    "tiny": {"length": 32, "width": 32, "layers": 1, "heads": 2},
    "cpu": {"length": 40, "width": 160, "layers": 3, "heads": 5},
    "gpu": {"length": 64, "width": 256, "layers": 4, "heads": 8},
}


def run(
    stage: str,
    preset: str = "cpu",
    *,
    data: str = "scenes",
    resume: bool = False,
    warm: bool = False,
    samples: int | None = None,
    max_seconds: float | None = None,
    out: Path = Path("runs"),
    font: Path | None = None,
    distributed: bool = False,
    report: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Train one stage; return the last log record.

    data: "scenes", or a folder of captioned pictures. resume: go on from the checkpoint, exactly. warm: start from the
    exported (fp16, averaged) weights of this stage where no checkpoint is left. samples: instead of the preset's.
    max_seconds: stop early, with checkpoint and export. distributed: under `accelerate launch`; `out` is a folder that
    all processes see.
    """
    config = run_config(stage, preset)
    if samples is not None:
        if samples < config.batch:
            raise InvalidRequest("samples", f"{samples} is less than one batch of {config.batch}")
        config = replace(config, samples=samples)
    devices = Devices(distributed=distributed)
    if config.batch % devices.count:
        raise InvalidRequest("distributed", f"{config.batch} pictures do not divide among {devices.count} processes")
    tell = report if devices.main else lambda line: None
    workshop = Workshop(preset, WORLDS[preset], data, out, font, tell, device=devices.device, workers=config.workers)
    with devices.main_first(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)  # layers draw their first weights from torch's own generator
        built = workshop.stage(stage)
    before = workshop.load_exported(stage, built.module) if warm else None
    work = Run(built, config, out / preset / stage, report, devices, before=before)
    return work.train(resume=resume, max_seconds=max_seconds)


class Workshop:
    """The parts that stages are built from, each made when first asked for. device, workers: what encodes the pool."""

    def __init__(
        self,
        preset: str,
        world: WorldConfig,
        data: str,
        out: Path,
        font: Path | None,
        report: Callable[[str], None],
        *,
        device: torch.device | None = None,
        workers: int = 0,
    ) -> None:
        self.preset, self.world, self.data, self.out, self.font, self.report = preset, world, data, out, font, report
        self.device, self.workers = device or torch.device("cpu"), workers
        self.parts = Parts(self._model_folder)

    def stage(self, name: str) -> Stage:
        if name not in STAGES:
            raise InvalidRequest("stage", f"{name!r} is not one of {', '.join(STAGES)}")
        if name == "autoencoder":
            config = kl.AutoencoderConfig() if self.preset != "tiny" else loading.TINY_AUTOENCODER
            return AutoencoderStage(self.source, self.validation, config)
        if name == "tokenizer":
            return TokenizerStage(self.source, self.validation, self.parts.autoencoder())
        if name == "text":
            words = Tokenizer(world_words())
            encoder = TextEncoder(TextEncoderConfig(len(words), **TEXT_SIZES[self.preset]))
            return TextStage(self.source, self.validation, words, encoder, self.plan_tokens)
        if name == "planner":
            if self.data != "scenes":
                raise InvalidRequest(
                    "data",
                    f"{self.data} holds pictures whose plans nobody knows; the planner learns from `scenes` only",
                )
            reader = self.parts.text()
            return PlannerStage(self.source, self.validation, reader.tokenizer, reader.encoder, self.plan_tokens)
        if name == "readers":
            return self._readers()
        if name.endswith("-control"):
            return self._control(name)
        if name.endswith("-reference"):
            return self._reference(name)
        if name == "upscaler":
            return self._upscaler()
        if name == "editor":
            if self.data != "scenes":
                raise InvalidRequest("data", f"{self.data} holds pictures without edits; the editor needs `scenes`")
            return editors.EditorStage(editors.SIZES[self.preset], 0, VALIDATION_SEED)
        return self._painter(name)

    def _readers(self) -> readers.ReadersStage:
        """The judge. It learns from scenes only, and from the round trips that painters' pictures have come."""
        if self.data != "scenes":
            raise InvalidRequest("data", f"{self.data} holds pictures whose truth nobody knows; readers need `scenes`")
        made = "-".join(self.parts.sha(part)[:8] for part in ("autoencoder", "tokenizer"))
        folder = self.out / self.preset / "pool" / f"readers-{self.world.level}-{self.world.size}-{made}"
        fast = self.device.type != "cpu" or bf16_pays()
        trips = Trips(self.parts.autoencoder(), self.parts.tokenizer(), fast)
        level, sizes = LEVELS[self.world.level], readers.SIZES[self.preset]
        return readers.ReadersStage(level, self.world.size, self.sprites, trips, sizes, folder, self.report)

    def _upscaler(self) -> upscaler.UpscalerStage:
        """It learns from scenes at several sizes, of the widest level: what it sees may be anything."""
        if self.data != "scenes":
            raise InvalidRequest("data", f"{self.data}: the upscaler draws its pictures itself; it needs `scenes`")
        level, sizes = LEVELS["shapes" if self.preset == "tiny" else "full"], upscaler.SIZES[self.preset]
        trips = Trips(self.parts.autoencoder(), self.parts.tokenizer(), self.device.type != "cpu" or bf16_pays())
        made = [
            UpscalingData(level, self.sprites, seed, SCALES, crop=sizes.crop, sizes=sizes.sizes, trips=trips)
            for seed in (0, VALIDATION_SEED)
        ]
        return upscaler.UpscalerStage(made[0], made[1], sizes)

    def _painter(self, name: str) -> PainterStage:
        reader = self.parts.text()
        family, card = loading.fresh(name, self.preset, self.parts, self.vocabulary)
        family.network.init_weights()
        capabilities = family.capabilities
        if self.data == "scenes":
            capabilities = capabilities_for(capabilities, self.vocabulary)
        card = card.model_copy(update={"capabilities": capabilities})
        card = card.model_copy(update={"training": card.training.model_copy(update={"data": self.source.name})})
        words = Words(reader.tokenizer, reader.encoder)
        return PainterStage(family, self.pool(family.learns), words, self.vocabulary, self._sheet_prompts(), card)

    def _control(self, name: str) -> controls.ControlStage:
        """A control adapter beside the trained painter of that name. It learns from scenes, whose maps are known."""
        if self.data != "scenes":
            raise InvalidRequest("data", f"{self.data} holds pictures without maps; control adapters need `scenes`")
        base = name.removesuffix("-control")
        folder = self._model_folder(base)
        family = loading.load(base, Card.read(folder), folder, self.parts)
        level = LEVELS[self.world.level]
        world = controls.World(level, self.world.size, 0, self.sprites)
        reader = self.parts.text()
        adapter, card = controls.fresh(name, self.preset, family, self.parts.sha(base))
        card = card.model_copy(update={"training": card.training.model_copy(update={"data": self.source.name})})
        words = Words(reader.tokenizer, reader.encoder)
        return controls.ControlStage(family, adapter, self.pool("latents"), words, self.vocabulary, world, card)

    def _reference(self, name: str) -> looking.ReferenceStage:
        """What lets the trained painter of that name look at references. It learns from series of scenes."""
        if self.data != "scenes":
            raise InvalidRequest("data", f"{self.data} holds no series of pictures; references need `scenes`")
        base = name.removesuffix("-reference")
        folder = self._model_folder(base)
        family = loading.load(base, Card.read(folder), folder, self.parts)
        takes = {"reference_roles": ROLES, "max_references": MAX_REFERENCES}
        family.capabilities = family.capabilities.model_copy(update=takes)
        source = SeriesSource(self.world.level, self.world.size, SERIES_SEED, self.sprites)
        adapter, card = looking.fresh(name, self.preset, family, self.parts.sha(base))
        card = card.model_copy(update={"training": card.training.model_copy(update={"data": source.name})})
        reader, level = self.parts.text(), LEVELS[self.world.level]
        pool = self.pool(family.learns, source, min(self._pool_count(), SERIES_POOL * SHOTS))
        words = Words(reader.tokenizer, reader.encoder)
        return looking.ReferenceStage(family, adapter, pool, words, self.vocabulary, level, self.sprites, card)

    def load_exported(self, stage: str, module: nn.Module) -> dict[str, float]:
        """Warm start: the weights that surely last, where the full checkpoint did not. Return what went into them.

        The text stage's own plan writer lies beside its model, where plans were known; a planner's that was trained on
        is larger. A planner's encoder may be missing: then it is the painters' still.
        """
        folder = self._model_folder(stage)
        tensors = loading.read_weights(folder)
        beside = folder.parent / "planner"
        if stage == "text" and (beside / WEIGHTS).exists():
            fits = {name: value.shape for name, value in module.state_dict().items() if name.startswith("writer.")}
            writer = loading.read_weights(beside)
            tensors |= {name: value for name, value in writer.items() if fits.get(name) == value.shape}
        try:
            missing, unknown = module.load_state_dict(tensors, strict=False)
        except RuntimeError as error:
            raise FileProblem(f"the model {folder} is of another size than this preset: {error}") from error
        may_miss = ("writer.", "encoder.") if stage == "planner" else ("writer.",)
        if unknown or any(not name.startswith(may_miss) for name in missing):
            raise FileProblem(f"the model {folder} is another than this preset's: {[*missing, *unknown][:3]}")
        past = Card.read(folder).training
        return {"samples": past.samples, "seconds": past.seconds}

    @cached_property
    def sprites(self) -> Sprites:
        if LEVELS[self.world.level].name == "shapes":
            return Sprites.shapes()
        return Sprites.load(self.font, self.out / "sprites.npz")

    @cached_property
    def source(self) -> Source:
        return self._source(0)

    @cached_property
    def validation(self) -> Source:
        return self._source(VALIDATION_SEED)

    def _source(self, seed: int) -> Source:
        if self.data != "scenes":
            return FolderSource(Path(self.data), self.world.size, held_out=seed == VALIDATION_SEED)
        return SceneSource(self.world.level, self.world.size, seed, self.sprites)

    @cached_property
    def vocabulary(self) -> PlanVocabulary:
        level = LEVELS[self.world.level]
        return PlanVocabulary(level.nouns, level.colours, level.backgrounds, level.lights)

    @cached_property
    def plan_tokens(self) -> PlanTokens:
        level = LEVELS[self.world.level]
        signs = ("sign",) if level.sign_share else ()
        return PlanTokens(level.nouns, level.colours, level.backgrounds, level.lights, signs=signs, max_objects=8)

    def pool(self, learns: str, source: Pictures | None = None, count: int | None = None) -> pools.Pool:
        """The scenes as latents or as codes, encoded by the parts of this work folder."""
        source = source or self.source
        part = "autoencoder" if learns == "latents" else "tokenizer"
        model = self.parts.autoencoder() if learns == "latents" else self.parts.tokenizer()
        folder = self.out / self.preset / "pool" / f"{source.name}-{learns}-{self.parts.sha(part)[:8]}"
        encode = encoder(model.to(self.device), learns, self.device)
        try:
            return pools.build(folder, source, count or self._pool_count(), encode, self.report, self.workers)
        finally:
            model.cpu()  # where the painters decode their sheets

    def _pool_count(self) -> int:
        """Scenes never end; the pictures of a folder are encoded once each."""
        return (
            min(self.world.pool, len(self.source.items)) if isinstance(self.source, FolderSource) else self.world.pool
        )

    def _sheet_prompts(self) -> list[tuple[str, Plan | None]]:
        if self.data != "scenes":
            return list(dict.fromkeys(self.validation.words_only(item) for item in range(SHEET_PROMPTS)))
        level = LEVELS[self.world.level]
        scenes = [sample_scene(level, VALIDATION_SEED, item) for item in range(SHEET_PROMPTS)]
        return [(caption(scene, 0), scene.plan()) for scene in scenes]

    def _model_folder(self, part: str) -> Path:
        """Where a trained part lies: this work folder, or the weights of the package."""
        name = "text" if part == "planner" else part
        ours = self.out / self.preset / part / "model"
        beside = self.out / self.preset / name / "planner"
        if (ours / "card.json").exists():
            return ours
        if part == "planner" and (beside / "card.json").exists():
            return beside
        return loading.builtin_folder() / part


def encoder(model: kl.Autoencoder | fsq.Tokenizer, learns: str, device: torch.device) -> pools.Encode:
    """bf16 moves latents by less than training noises them, and a code only where two fit about equally well."""
    fast = device.type != "cpu" or bf16_pays()

    def encode(pictures: Tensor) -> Tensor:
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=fast):
            encoded = model.encode(pictures.to(device))
        return (encoded.float() if learns == "latents" else encoded).cpu()

    return encode
