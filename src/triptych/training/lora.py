"""`triptych train lora`: from a folder of pictures and a model that is there to a LoRA file and its sheet.

Gathers the model, the pictures as latents or tokens, and prompts for the sheet; `training.loop` does the rest, so a run
can be killed anywhere and goes on exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from triptych.adapters.lora import MAX_RANK, TrainedLora, Words
from triptych.core.errors import FileProblem, InvalidRequest
from triptych.core.files import write_atomically
from triptych.core.plan import Plan
from triptych.core.registry import Registry
from triptych.core.request import Request
from triptych.engine import Engine
from triptych.evals.readers.load import NAME as READERS
from triptych.evals.readers.load import Readers
from triptych.families import loading
from triptych.families.loading import Parts
from triptych.sampling import noise
from triptych.training import pool as pools
from triptych.training.data import Example
from triptych.training.devices import Devices
from triptych.training.loop import Run, RunConfig
from triptych.training.lora_data import LoraSource, with_trigger
from triptych.training.lora_plans import PlanFinder
from triptych.training.optim import OptimConfig
from triptych.training.stages.lora import FILE, About, LoraStage
from triptych.training.stages.painter import Only
from triptych.training.stages.painter import Words as Reading
from triptych.training.stages.run import encoder

SAMPLES = {"flow": 2400, "diffusion": 2400, "autoregressive": 1600}
"""Pictures that a run takes unless told otherwise: minutes on one core (docs/lora.md)."""
RATES = {"flow": 2e-3, "diffusion": 2e-3, "autoregressive": 2e-3}
BATCH = 16
SHEET_PROMPTS = 8
SHEET_STREAM = 2**31
NEW_PROMPTS = ("a fox in the snow", "a red car in the city", "two apples on a beach", "a house at night",
               "an owl in the forest", "a boat under the sky", "a cat in a room", "three fish under water")  # fmt: skip
"""Prompts of the sheet beside the captions: what the LoRA makes of things that it never saw."""


OWN_PROMPTS = (
    "a dog on a meadow", "an apple on a beach", "a house in the snow", "a bird in a forest", "a red car in a desert",
    "two hearts at night", "a frog in a room", "a blue boat under water", "a mushroom on a meadow",
    "a rocket on a beach", "three stars in the snow", "a tree in a forest", "a cat in a desert",
    "a yellow bus at night", "a turtle in a room", "a rose under water",
)  # fmt: skip
"""What the model paints itself for `keep`."""


@dataclass(frozen=True)
class LoraRun:
    """What is to be trained. samples, rate: None for the family's usual. out: the file; its work folder lies beside it.

    trigger: the word (or words) that stands for what is learned; like: the known word that it is planned as.
    alpha: None for the rank, a factor of 1. keep: learn from the model's own pictures as well, so that prompts without
    the trigger are painted as before (prior preservation, Ruiz et al. 2023, section 3.3).
    """

    data: Path
    out: Path
    model: str = "flow"
    rank: int = 8
    alpha: float | None = None
    samples: int | None = None
    rate: float | None = None
    trigger: str = ""
    like: str = ""
    flip: bool = False
    keep: bool = False
    seed: int = 0
    batch: int = BATCH

    @property
    def work(self) -> Path:
        """Where checkpoint, log, encoded pictures and sheets of the run lie."""
        return self.out.with_suffix(".training")


def train_lora(
    run: LoraRun,
    registry: Registry,
    *,
    resume: bool = False,
    max_seconds: float | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Train, write the LoRA to `run.out` and a sheet (before, after) beside it; return the last log record.

    Raises `InvalidRequest` or `FileProblem` before anything is written, where the folder, the model or a number does
    not do.
    """
    card = registry.find(run.model).card
    capabilities = registry.capabilities(run.model)
    registry.check(run.model)
    if not capabilities.lora:
        raise InvalidRequest("model", f"{run.model} takes no LoRA")
    config = _config(run, card.family)
    parts = Parts(lambda name: _folder(registry, name))
    family = loading.load(run.model, card, _folder(registry, run.model), parts)
    words = Words(run.trigger.strip(), run.like.strip(), run.model, parts.sha(run.model))
    readers = Readers.load(_folder(registry, READERS)) if registry.has(READERS) else None
    find = PlanFinder(readers, parts, family.vocabulary, believe_place=bool(words.stands_for)) if readers else None
    side = min(capabilities.native_size)
    own = _own_pictures(family, parts) if run.keep else []
    source = LoraSource(run.data, side, words, flip=run.flip, find=find, own=own)
    counts = ", ".join(f"{count} from {where}" for where, count in source.plans.items() if count)
    report(f"{source.pictures} pictures, {len(source)} with mirror images, possible plans and the model's own; "
           f"plans: {counts}")  # fmt: skip
    devices = Devices()
    model = parts.autoencoder() if family.learns == "latents" else parts.tokenizer()
    encode = encoder(model.to(devices.device), family.learns, devices.device)
    pool = pools.build(run.work / "pool" / source.name, source, len(source), encode, report)
    model.cpu()  # where the sheets are decoded
    lora = TrainedLora(family.network, run.rank, run.alpha or run.rank, torch.Generator().manual_seed(run.seed))
    report(f"rank {run.rank} on {len(lora.layers)} layers of {run.model}: "
           f"{sum(p.numel() for p in lora.parameters()):,} numbers")  # fmt: skip
    reader = parts.text()
    about = About(run.out.stem, words, source.pictures, config.optim.lr, run.batch)
    prompts = _sheet_prompts(source, words, parts)
    stage = LoraStage(family, lora, pool, Reading(reader.tokenizer, reader.encoder), prompts, card, about)
    work = Run(stage, config, run.work, report, devices)
    record = work.train(resume=resume, max_seconds=max_seconds)
    write_atomically(run.out, (run.work / "model" / FILE).read_bytes())
    sheets = sorted((run.work / "sheets").glob("*.png"))
    write_atomically(run.out.with_suffix(".png"), sheets[-1].read_bytes())
    return record


def _config(run: LoraRun, family: str) -> RunConfig:
    samples = SAMPLES[family] if run.samples is None else run.samples
    rate = RATES[family] if run.rate is None else run.rate
    if samples < run.batch:
        raise InvalidRequest("samples", f"{samples} is less than one batch of {run.batch}")
    if not 0 < rate <= 1:
        raise InvalidRequest("rate", f"{rate} is not allowed: more than 0, at most 1")
    if run.alpha is not None and not 0 < run.alpha <= 10_000:
        raise InvalidRequest("alpha", f"{run.alpha} is not allowed: more than 0")
    if not 1 <= run.rank <= MAX_RANK:
        raise InvalidRequest("rank", f"{run.rank} is not allowed: 1 to {MAX_RANK}")
    for parameter, given in (("like", run.like), ("keep", run.keep)):
        if given and not run.trigger.strip():
            raise InvalidRequest(parameter, "needs --trigger, a word that a prompt says to mean what is learned")
    steps = max(1, samples // run.batch)
    optim = OptimConfig(lr=rate, muon_lr=None, warmup=max(1, steps // 20), decay=0.35, weight_decay=0.0)
    return RunConfig("lora", run.model, samples, run.batch, run.seed, ema=0.99, sheet_samples=10**9, workers=0,
                     optim=optim)  # fmt: skip


def _sheet_prompts(source: LoraSource, words: Words, parts: Parts) -> list[tuple[str, Plan | None]]:
    """Captions of the set, then prompts that are new to it; planned as a request would be, where no plan is known."""
    own = list(dict(source.words_only(index) for index in range(len(source))).items())[: SHEET_PROMPTS // 2]
    new = [(_spoken(prompt, words), None) for prompt in NEW_PROMPTS][: SHEET_PROMPTS - len(own)]
    return _planned([*own, *new], words, parts)


def _planned(prompts: Sequence[tuple[str, Plan | None]], words: Words, parts: Parts) -> list[tuple[str, Plan | None]]:
    """The prompts with plans as a request would get them, where they have none."""
    writer, tokens, reader = parts.planner()
    made: list[tuple[str, Plan | None]] = []
    for number, (prompt, plan) in enumerate(prompts):
        chance = noise.uniform(number, 0, SHEET_STREAM, (tokens.max_length + 1,)).tolist()
        with torch.inference_mode():
            written = writer.write(reader.states(words.plain(prompt)), tokens, chance.__getitem__)
        made.append((prompt, plan or written))
    return made


def _own_pictures(family: Any, parts: Parts) -> list[Example]:
    """What the model paints now of things that everybody asks for, with the plans behind."""
    planned = _planned([(prompt, None) for prompt in OWN_PROMPTS], Words(), parts)
    requests = [
        Request(prompt=prompt, model=family.name, seed=number, plan=plan, use_plan=plan is not None)
        for number, (prompt, plan) in enumerate(planned)
    ]
    made = Engine(Only(family)).generate_many(requests)
    return [
        Example(pictures[0].pixels, (request.prompt,), request.plan)
        for request, pictures in zip(requests, made, strict=True)
    ]


def _spoken(prompt: str, words: Words) -> str:
    """A new prompt with the trigger: in the place of the thing that it stands for, else at the end."""
    if not words.stands_for:
        return with_trigger(prompt, words.trigger)
    _, _, place = prompt.partition(" in ")
    return f"a {words.trigger} in {place}" if place else f"a {words.trigger}, {prompt}"


def _folder(registry: Registry, name: str) -> Path:
    folder = registry.find(name).folder
    if folder is None:
        raise FileProblem(f"{name!r} has no folder with weights")
    return folder
