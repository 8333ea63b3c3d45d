"""Carries a chain out: what can be done at the same time is, what was done before is not done again.

Steps that hosted models paint run side by side, for they only wait; those that paint here take turns, for they share
one machine. If a step fails, those that need it are not begun, the others go on, and the error is raised at the end:
running the chain again goes on from there. A paid call carries the step's key, so that not even a crash makes it twice.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triptych.chains import operations, record
from triptych.chains.operations import Inputs, Kind, Made
from triptych.chains.plan import Chain, Source, Step
from triptych.chains.record import Done, Input, Output, Record
from triptych.core.asset import Asset
from triptych.core.errors import TriptychError
from triptych.core.files import check_folder
from triptych.core.inputs import Reference
from triptych.core.pictures import open_picture
from triptych.core.registry import Registry
from triptych.hosted import catalogue
from triptych.hosted.account import Account

AT_ONCE = 8
Tell = Callable[[str], None]
CarryOut = Callable[[Kind, dict[str, Any], Inputs, Account, str], Made]


@dataclass(frozen=True)
class Stage:
    """Where a chain is carried out. registry: of models that paint here and of hosted ones. on_done is told of every
    step that was made now, one at a time.
    """

    folder: Path
    account: Account
    registry: Registry
    tell: Tell = lambda line: None
    on_done: Callable[[Done], None] = lambda done: None
    carry_out: CarryOut = operations.carry_out


def check(chain: Chain, registry: Registry) -> dict[str, float]:
    """Hold every step against its model's contract before any is begun. Returns the estimates in US dollars, by step.

    Raises what the first step that could not be done would raise, with the step's name in front.
    """
    estimates: dict[str, float] = {}
    for step in chain.steps:
        references = len(step.sources.get("references", ()))
        try:
            estimates[step.name] = operations.check(step.do, step.settings, references, registry)
        except TriptychError as error:
            error.args = (f"step {step.name}: {error}",)
            raise
    return estimates


def run(chain: Chain, stage: Stage) -> Record:
    """Every step that is not there yet. Raises the first error once nothing more can be done; the record is kept."""
    check_folder(stage.folder)
    state = _State(record.read(stage.folder, chain.name), stage)
    waiting = {step.name: step for step in chain.steps}
    running: dict[Future[Done], str] = {}
    failed: dict[str, TriptychError] = {}
    done: set[str] = set()
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="chain") as pool:
        while waiting or running:
            for step in [one for one in waiting.values() if one.needs <= done]:
                del waiting[step.name]
                running[pool.submit(state.carried_out, step)] = step.name
            if not running:
                break  # what waits needs what failed
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                name = running.pop(future)
                try:
                    future.result()
                    done.add(name)
                except TriptychError as error:
                    stage.tell(f"{name}: {error}")
                    failed[name] = error
    for name, error in failed.items():
        left = ", ".join(sorted(waiting))
        raise _named(error, name, f"; not begun: {left}" if left else "")
    return state.record


class _State:
    """The record while steps change it from several threads."""

    def __init__(self, found: Record, stage: Stage) -> None:
        self.record, self._stage = found, stage
        self._writing, self._painting = threading.Lock(), threading.Lock()

    def carried_out(self, step: Step) -> Done:
        """The step's outcome: the one in the record if it is the same work and still there, else made now."""
        stage = self._stage
        opened, inputs = self._inputs(step)
        key = record.key_of(step.do, step.settings, inputs, self._weights(step))
        before = self.record.steps.get(step.name)
        if before is not None and before.key == key and record.is_there(before, stage.folder):
            stage.tell(f"{step.name}: kept, {before.outputs[0].file}")
            return before
        stage.tell(f"{step.name}: {step.do}{f' by {step.model}' if step.model else ''}")
        started = time.perf_counter()
        if catalogue.is_hosted(step.model):
            made = stage.carry_out(step.do, step.settings, opened, stage.account, key)
        else:
            with self._painting:
                started = time.perf_counter()
                made = stage.carry_out(step.do, step.settings, opened, stage.account, key)
        outputs: list[Output] = []
        for number, image in enumerate(made.images, start=1):
            file = f"{step.name}.png" if len(made.images) == 1 else f"{step.name}-{number}.png"
            image.save(stage.folder / file)
            outputs.append(Output(file=file, pixels_sha256=image.recipe.pixels_sha256, recipe=image.recipe))
        finished = Done(
            name=step.name,
            do=step.do,
            key=key,
            settings=step.settings,
            inputs=inputs,
            outputs=tuple(outputs),
            notes=tuple(note.as_json() for note in made.notes),
            cost=made.cost,
            seconds=round(time.perf_counter() - started, 3),
        )
        with self._writing:
            self.record = self.record.with_step(finished)
            self.record.write(stage.folder)
            stage.on_done(finished)
        stage.tell(
            f"{step.name}: {', '.join(one.file for one in outputs)} ({finished.seconds:.1f} s, ${made.cost:.3f})"
        )
        return finished

    def _inputs(self, step: Step) -> tuple[Inputs, tuple[Input, ...]]:
        """The step's pictures, and what the record says of them."""
        told: list[Input] = []
        paths: dict[str, Path] = {}
        references: list[Reference] = []
        for option, sources in step.sources.items():
            for source in sources:
                path, name = self._place(source)
                pixels = open_picture(path, parameter=option)
                told.append(
                    Input(
                        option=f"{option}{':' + source.role if source.role else ''}",
                        source=name,
                        pixels_sha256=pixels.asset.sha256,
                    )
                )
                if option == "references":
                    fields = {"asset": Asset.of(pixels.pixels, name), **({"role": source.role} if source.role else {})}
                    references.append(Reference.model_validate(fields))
                else:
                    paths[option] = path
        return Inputs(paths.get("picture"), paths.get("mask"), tuple(references)), tuple(told)

    def _place(self, source: Source) -> tuple[Path, str]:
        if source.step is None:
            assert source.path is not None, "a source is a step's picture or a file"
            return source.path, source.path.name
        outputs = self.record.steps[source.step].outputs
        if source.index >= len(outputs):
            made = f"{source.step} made {len(outputs)} picture(s), and number {source.index + 1} is asked for"
            raise TriptychError(made)
        return self._stage.folder / outputs[source.index].file, f"{source.step}.{source.index + 1}"

    def _weights(self, step: Step) -> str | None:
        """What the model is, so that new weights make new work; None for hosted ones and for tools."""
        if not step.model or catalogue.is_hosted(step.model):
            return step.model or None
        return self._stage.registry.weights_sha256(step.model)


def _named(error: TriptychError, name: str, more: str) -> TriptychError:
    error.args = (f"step {name}: {error}{more}",)
    return error
