"""The questions, and the arms that answer each. What an arm does not name is the default of `painter.Recipe`.

An arm's name says what differs from `base`. Arms of several questions are trained once.
"""

from __future__ import annotations

from dataclasses import dataclass

from painter import Recipe


@dataclass(frozen=True)
class Arm:
    """A recipe, and what its pictures are asked: "plan": dense captions and true plans; "words": the same
    captions without plans; "short": short captions with true plans.

    seconds_of: take as many samples as fit into that arm's CPU seconds.
    """

    recipe: Recipe
    modes: tuple[str, ...] = ("plan",)
    seconds_of: str | None = None


_WORDS = {"plan": "boxes", "order": "singles"}
"""Single things whose plan is a box: what they are, words say. Asked from dense and from short captions."""

ARMS: dict[str, Arm] = {
    "base": Arm(Recipe(), ("plan", "words")),
    "x": Arm(Recipe(target="x")),
    "x-plain": Arm(Recipe(target="x_plain")),
    "v": Arm(Recipe(target="v")),
    "plan-words": Arm(Recipe(plan="words")),
    "plan-both": Arm(Recipe(plan="both")),
    "plan-none": Arm(Recipe(plan="none")),
    "dropout-0": Arm(Recipe(plan_dropout=0.0), ("plan", "words")),
    "dropout-0.5": Arm(Recipe(plan_dropout=0.5), ("plan", "words")),
    "uniform": Arm(Recipe(times="uniform")),
    "towards-noise": Arm(Recipe(location=1.0)),
    "towards-picture": Arm(Recipe(location=-1.0)),
    "singles-first": Arm(Recipe(order="singles_first")),
    "uneven": Arm(Recipe(order="uneven")),
    "words": Arm(Recipe(**_WORDS), ("plan", "short")),  # type: ignore[arg-type]
    "words-joint": Arm(Recipe(text="joint", **_WORDS), ("plan", "short")),  # type: ignore[arg-type]
    "words-random": Arm(Recipe(text="random", **_WORDS), ("plan", "short")),  # type: ignore[arg-type]
    "words-dense": Arm(Recipe(captions="dense", **_WORDS), ("plan", "short")),  # type: ignore[arg-type]
    "words-short": Arm(Recipe(captions="short", **_WORDS), ("plan", "short")),  # type: ignore[arg-type]
    "adamw": Arm(Recipe(muon_lr=None)),
    "adamw-fast": Arm(Recipe(muon_lr=None, lr=3e-3)),
    "adamw-faster": Arm(Recipe(muon_lr=None, lr=8e-3)),
    "adamw-seconds": Arm(Recipe(muon_lr=None), seconds_of="base"),
    "adamw-fast-seconds": Arm(Recipe(muon_lr=None, lr=3e-3), seconds_of="base"),
    "patch-2": Arm(Recipe(patch=2)),
    "patch-2-seconds": Arm(Recipe(patch=2), seconds_of="base"),
    "128px-patch-2": Arm(Recipe(size=128, patch=2)),
    "latents-noise": Arm(Recipe(autoencoder="noise")),
    "latents-scale": Arm(Recipe(autoencoder="scale")),
    "latents-bare": Arm(Recipe(autoencoder="bare")),
    "layout-noise": Arm(Recipe(noise=0.5)),
    "layout-noise-alone": Arm(Recipe(noise=0.5, plan="none")),
}

EXPERIMENTS: dict[str, tuple[str, ...]] = {
    "target": ("base", "x", "x-plain", "v"),
    "plan": ("base", "plan-words", "plan-both", "plan-none"),
    "dropout": ("base", "dropout-0", "dropout-0.5"),
    "times": ("base", "uniform", "towards-noise", "towards-picture"),
    "curriculum": ("base", "singles-first", "uneven"),
    "text": ("words", "words-joint", "words-random"),
    "optimiser": ("base", "adamw", "adamw-fast", "adamw-faster", "adamw-seconds", "adamw-fast-seconds"),
    "captions": ("words", "words-dense", "words-short"),
    "patch": ("base", "patch-2", "patch-2-seconds", "128px-patch-2"),
    "autoencoder": ("base", "latents-noise", "latents-scale", "latents-bare"),
    "noise": ("base", "layout-noise", "plan-none", "layout-noise-alone"),
}
"""Question -> its arms; the others are compared with the first."""
