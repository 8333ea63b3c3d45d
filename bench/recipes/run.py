"""The recipe experiments: small painters of the nursery world, one arm a minute, judged by a reader and not by loss.

    python bench/recipes/run.py [--experiments target,plan,...] [--arms x,v,...] [--seeds 1] [--seconds 3000]

An arm's result is a file of its own, `runs/recipes/arms/NAME-SEED.json`; what is there is not trained again. Prints a
table per question: shares of right facts with 95 % intervals over prompts, CPU seconds, and the difference from the
question's first arm on the same prompts. One core is used.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from arms import ARMS, EXPERIMENTS, Arm
from nursery import CAPTIONS, PROMPTED, Nursery, Words, pictures_of, scenes_of, words_of
from painter import BATCH, Painter, Recipe, paint, train
from reader import Reader, ceilings, facts_of, interval, load_reader, mean_scores, per_prompt

from triptych.scenes import Scene

POOL, PROMPTS = 8_192, 200
TURNS, TURN = 7, 8
"""How often two speeds are compared, and over how many steps."""
KINDS = ("facts", "all", "noun", "count", "colour", "side")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", default=",".join(EXPERIMENTS))
    parser.add_argument("--arms", help="only these, in this order; the tables are still those of the experiments")
    parser.add_argument("--seeds", type=int, default=1, help="painters per arm, seeds 0 ... SEEDS - 1")
    parser.add_argument("--out", type=Path, default=Path("runs/recipes"), help="a folder; runs/recipes if not given")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="start no arm after so many")
    parser.add_argument("--tables", action="store_true", help="train nothing, print what there is")
    options = parser.parse_args()
    torch.set_num_threads(1)
    bench = Bench(options.out)
    names = options.experiments.split(",")
    end = time.monotonic() + options.seconds
    if not options.tables:
        arms = options.arms.split(",") if options.arms else [arm for name in names for arm in EXPERIMENTS[name]]
        for name, seed in [(arm, seed) for seed in range(options.seeds) for arm in arms]:
            if time.monotonic() < end:
                bench.arm(name, seed)
    for name in names:
        print(bench.table(name, options.seeds), flush=True)


class Bench:
    """Arms and their results in `out`."""

    def __init__(self, out: Path) -> None:
        self.nursery = Nursery(out / "nursery", POOL, lambda line: print(line, flush=True))
        self.results = out / "arms"
        self.results.mkdir(parents=True, exist_ok=True)
        self._reader: Reader | None = None

    def result(self, name: str, seed: int) -> dict[str, Any] | None:
        path = self.results / f"{name}-{seed}.json"
        return json.loads(path.read_text()) if path.exists() else None

    def arm(self, name: str, seed: int) -> None:
        """Train, paint, judge and keep, unless that was done with the same recipe."""
        kept = self.result(name, seed)
        if kept is not None and self._same(kept["recipe"], replace(ARMS[name].recipe, seed=seed), ARMS[name]):
            return
        recipe = replace(self._sized(ARMS[name]), seed=seed)
        if self._reader is None:
            self._reader = load_reader(self.nursery)
        before = os.getloadavg()[0]
        painter, training = train(recipe, self.nursery)
        scenes = prompts(singles=recipe.order == "singles")
        words = words_of(scenes, recipe.grid)
        scores = {mode: self._judge(painter, words, mode) for mode in ARMS[name].modes}
        load = [round(before, 2), round(os.getloadavg()[0], 2)]
        record = {"recipe": asdict(recipe), "training": training, "load": load, "scores": scores}
        record["ceiling"] = self._ceiling(recipe, scenes)
        (self.results / f"{name}-{seed}.json").write_text(json.dumps(record))
        shown = {mode: score["means"]["facts"] for mode, score in scores.items()}
        print(f"{name} seed {seed}: {shown}  {training}  load {load}", flush=True)

    @staticmethod
    def _same(kept: dict[str, Any], recipe: Recipe, arm: Arm) -> bool:
        """Whether a result is of this recipe; how many samples fitted into a time is the result's own."""
        samples = kept["samples"] if arm.seconds_of is not None else recipe.samples
        return kept == asdict(replace(recipe, samples=samples))

    def _sized(self, arm: Arm) -> Recipe:
        """The arm's recipe, with the samples that fit into the CPU seconds of the arm `seconds_of`.

        The machine's speed changes with what else runs: both are timed in short turns, and the median ratio counts.
        """
        if arm.seconds_of is None:
            return arm.recipe
        other = ARMS[arm.seconds_of].recipe
        ratios = []
        for _ in range(TURNS):
            theirs, ours = (
                train(replace(recipe, samples=TURN * BATCH), self.nursery)[1]["cpu_seconds"]
                for recipe in (other, arm.recipe)
            )
            ratios.append(theirs / ours)
        samples = round(other.samples * float(np.median(ratios)) / BATCH) * BATCH
        return replace(arm.recipe, samples=samples)

    def _judge(self, painter: Painter, words: Words, mode: str) -> dict[str, Any]:
        caption = CAPTIONS - 1 if mode == "short" else 0
        latents = paint(painter, words, planned=mode != "words", caption=caption)
        decoder = self.nursery.autoencoder(painter.recipe.autoencoder, painter.recipe.size)
        assert self._reader is not None
        with torch.inference_mode():
            judged = facts_of(words.scenes, self._reader.read(decoder.decode(latents)))
        return {"means": mean_scores(judged), "prompts": per_prompt(judged)}

    def _ceiling(self, recipe: Recipe, scenes: list[Scene]) -> dict[str, float]:
        """What the reader says of the prompts' renders and of their round trips."""
        assert self._reader is not None
        model = self.nursery.autoencoder(recipe.autoencoder, recipe.size)
        renders = pictures_of(scenes, recipe.size)
        with torch.inference_mode():
            return ceilings(self._reader, scenes, {"renders": renders, "round_trips": model(renders)})

    def table(self, question: str, seeds: int) -> str:
        """Markdown. Several seeds are averaged per prompt; `spread` is the range of their scores."""
        head = "| arm | asked | facts right | against the first | " + " | ".join(KINDS[1:])
        lines = [f"\n## {question}", head + " | spread | samples | CPU s | ceiling |", "|---" * (len(KINDS) + 7) + "|"]
        first: dict[str, dict[int, np.ndarray]] = {}
        for name in EXPERIMENTS[question]:
            found = {seed: result for seed in range(seeds) if (result := self.result(name, seed))}
            for mode in ARMS[name].modes if found else ():
                lines.append(_row(name, mode, found, first))
        return "\n".join(lines)


def _row(name: str, mode: str, found: dict[int, dict[str, Any]], first: dict[str, dict[int, np.ndarray]]) -> str:
    """`found`: seed -> result. `first`: mode -> the shares of right facts per seed of the first arm, kept here.

    The difference from the first arm is taken over the seeds that both have.
    """
    shares = {seed: np.array(result["scores"][mode]["prompts"]) for seed, result in found.items()}
    prompts = np.mean(list(shares.values()), axis=0)
    low, high = interval(prompts)
    against = "-"
    common = [seed for seed in shares if seed in first.get(mode, {})]
    if common:
        difference = np.mean([shares[seed] - first[mode][seed] for seed in common], axis=0)
        bounds = interval(difference)
        against = f"{difference.mean():+.3f} ({bounds[0]:+.3f} to {bounds[1]:+.3f})"
    first.setdefault(mode, shares)
    means = [result["scores"][mode]["means"] for result in found.values()]
    kinds = " | ".join(f"{np.mean([mean[kind] for mean in means]):.3f}" for kind in KINDS[1:])
    facts = [mean["facts"] for mean in means]
    training = [result["training"] for result in found.values()]
    ceiling = next(iter(found.values()))["ceiling"]["round_trips"]
    return (
        f"| {name} | {mode} | {prompts.mean():.3f} ({low:.3f} to {high:.3f}) | {against} | {kinds} "
        f"| {min(facts):.3f}-{max(facts):.3f} of {len(facts)} | {training[0]['samples']:,} "
        f"| {np.mean([t['cpu_seconds'] for t in training]):.0f} | {ceiling:.3f} |"
    )


def prompts(*, singles: bool) -> list[Scene]:
    """The same 200 scenes for every arm; or the same 200 that hold one thing."""
    scenes = scenes_of(PROMPTED, 3 * PROMPTS)
    return [scene for scene in scenes if not singles or len(scene.objects) == 1][:PROMPTS]


if __name__ == "__main__":
    main()
