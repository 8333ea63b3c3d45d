"""Pictures of a prompt by a hosted model, under the contract that all models share."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image as Pillow

from triptych.core.contract import resolve
from triptych.core.errors import ContentRefused, InvalidRequest, ProviderError
from triptych.core.events import Event, Finished, Note, Pixels, Started, Stepped
from triptych.core.recipe import Recipe, pixels_sha256
from triptych.core.request import Request
from triptych.core.results import Image, Result
from triptych.core.steps import Step
from triptych.hosted import catalogue, prices
from triptych.hosted.account import Account
from triptych.hosted.errors import Unknown
from triptych.hosted.provider import Model, Task
from triptych.hosted.run import Delivery, Line, carry_out, delivered
from triptych.hosted.words import notes_of

OnEvent = Callable[[Event], None]
MAX_PARTIAL_PIXELS = 16 * 10**6


@dataclass(frozen=True)
class Order:
    """What a request comes to: resolved, its calls in order, what became of each parameter, and the price."""

    request: Request
    model: Model
    tasks: tuple[Task, ...]
    notes: tuple[Note, ...]
    estimate: float


def order(request: Request, *, previews: bool = False, pictures_in: dict[str, Any] | None = None) -> Order:
    """Hold a request against the model's contract and lay out its calls. Sends nothing.

    pictures_in: `picture` and `mask` of an edit. Raises `InvalidRequest` for what the model refuses.
    """
    _, model = catalogue.find(request.model)
    resolved, notes = resolve(request, model.capabilities, name=model.name)
    told = list(notes)
    inputs = len(resolved.references) + (1 if pictures_in else 0)
    if inputs and model.input_pixels and (resolved.width or 0) * (resolved.height or 0) > model.input_pixels:
        most = model.input_pixels
        raise InvalidRequest("size", f"at most {most} pixels are allowed for {model.name} where pictures go in")
    if resolved.seed is not None:
        if resolved.seed >= model.seeds:
            taken = resolved.seed % model.seeds
            told.append(Note("seed", "translated", f"{model.name} has {model.seeds} seeds; {taken} is taken"))
        told.append(Note("seed", "note", f"{model.name} is given the seed, but promises nobody the same picture again"))
    partial = 0
    if previews:
        partial = min(model.capabilities.partial_pictures, 3)
        if not partial:
            told.append(Note("trace", "ignored", f"{model.name} shows nothing while it paints"))
    tasks: list[Task] = []
    while (first := sum(task.n for task in tasks)) < resolved.n:
        count = min(model.per_call, resolved.n - first)
        seed = None if resolved.seed is None else (resolved.seed + first) % model.seeds
        tasks.append(
            Task(
                model,
                resolved.prompt,
                count,
                resolved.width or 0,
                resolved.height or 0,
                quality=resolved.quality,
                seed=seed,
                references=resolved.references,
                partial=partial if count == 1 else 0,
                **(pictures_in or {}),
            )
        )
    if len(tasks) > 1:
        told.append(Note("n", "translated", f"asked for in {len(tasks)} calls, which are billed one by one"))
    told += notes_of(tasks[0])
    return Order(resolved, model, tuple(tasks), tuple(told), sum(prices.estimate(task) for task in tasks))


def check_cost(estimate: float, max_cost: float | None) -> None:
    """Raise `InvalidRequest` where the estimate is above the ceiling."""
    if max_cost is not None and not estimate <= max_cost:
        raise InvalidRequest(
            "max_cost", f"${max_cost:g} is not enough: this is estimated at ${estimate:.3f}; nothing was sent"
        )


def generate(
    prompt: str,
    *,
    model: str,
    account: Account,
    max_cost: float | None = None,
    previews: bool = False,
    on_event: OnEvent | None = None,
    tag: str = "",
    **fields: Any,
) -> Result:
    """Make pictures of a prompt by a hosted model.

    max_cost: in US dollars, by the estimate. previews: show what it paints, where the provider does. tag: a name of
    this very work, by which it is known again: what was paid for under it is not asked for twice. fields: any field of
    `Request`. Raises `InvalidRequest` for what the model refuses, `ProviderError` (4) or `ContentRefused` (5).
    """
    started = time.perf_counter()
    asked = order(Request.make(prompt=prompt, model=model, **fields), previews=previews)
    check_cost(asked.estimate, max_cost)
    tell = on_event or _nobody
    tell(Started(0, asked.request, asked.notes))
    deliveries, lost = deliver(asked, account, on_event=tell, tag=tag)
    images = images_of(asked.request, deliveries)
    notes = tuple(dict.fromkeys((*asked.notes, *lost, *(note for one in deliveries for note in one.notes))))
    notes = (*notes, *_size_note(asked, images), cost_note(deliveries))
    for image in images:
        tell(Finished(0, image.index, asked.request, image.pixels, None, notes))
    seconds = {"total": round(time.perf_counter() - started, 4)}
    return Result(images, notes, seconds, asked.request, model, "hosted", cost_of(deliveries))


def deliver(
    asked: Order, account: Account, *, on_event: OnEvent, tag: str = ""
) -> tuple[list[Delivery], tuple[Note, ...]]:
    """Carry out the calls of an order one by one. If a later one fails, what was paid for is given all the same, with a
    note; if the first does, its error is raised. `Unknown` if a call of the same tag has no end yet.
    """
    provider, _ = catalogue.find(asked.model.name)
    client = account.client(provider)
    deliveries: list[Delivery] = []
    try:
        for number, task in enumerate(asked.tasks):
            line = Line(provider, client, account)
            what = {
                "model": asked.model.name,
                "prompt": asked.request.prompt,
                "request": asked.request.model_dump(mode="json"),
                "first": sum(one.n for one in asked.tasks[:number]),
                "n": task.n,
                "edit": task.picture is not None,
                "tag": tag,
            }
            if tag and (before := paid_before(account, tag, what["first"])):
                deliveries.append(before)
                continue
            shown = _Shown(on_event, sum(len(one.pictures) for one in deliveries), task.partial)
            try:
                deliveries.append(carry_out(line, task, what, prices.estimate(task), on_partial=shown))
            except (ProviderError, ContentRefused) as error:
                if not deliveries:
                    raise
                done = sum(len(one.pictures) for one in deliveries)
                told = f"{done} of {asked.request.n} pictures came; then: {error}"
                return deliveries, (Note("n", "note", told),)
    finally:
        client.close()
    return deliveries, ()


def paid_before(account: Account, tag: str, first: int) -> Delivery | None:
    """The pictures of a call of the same tag that was paid for already; `Unknown` if one has no end yet."""
    for job in account.ledger.jobs():
        if job.what.get("tag") != tag or job.what.get("first") != first:
            continue
        if job.is_open:
            raise Unknown(
                f"this was sent before as the job {job.id}, which is {job.state}: first bring it to an end with "
                f"triptych hosted resolve {job.id}",
                job.id,
            )
        if job.state == "done" and job.pictures:
            before = delivered(job.id, job.pictures, 0.0, told=True)
            told = f"the pictures of the job {job.id}, which was paid for already, are taken"
            return replace(before, notes=(Note("cost", "note", told),))
    return None


def images_of(request: Request, deliveries: list[Delivery]) -> tuple[Image, ...]:
    """The pictures in order, each with its recipe."""
    pictures = [pixels for one in deliveries for pixels in one.pictures]
    return tuple(image_of(request, pixels, index) for index, pixels in enumerate(pictures[: request.n]))


def image_of(request: Request, pixels: Pixels, index: int, *, step: Step | None = None) -> Image:
    """A picture with its recipe. It says what was asked of whom; the grade says that nobody can do it again."""
    recipe = Recipe(
        model=request.model,
        family="hosted",
        request=request,
        step=step,
        index=index,
        grade="none",
        pixels_sha256=pixels_sha256(pixels),
    )
    return Image(pixels, request.seed, index, recipe, None)


def _size_note(asked: Order, images: tuple[Image, ...]) -> tuple[Note, ...]:
    """Where a picture came in another size than was asked."""
    wanted = (asked.request.width, asked.request.height)
    came = dict.fromkeys((image.pixels.shape[1], image.pixels.shape[0]) for image in images)
    other = ", ".join(f"{wide}x{high}" for wide, high in came if (wide, high) != wanted)
    if not other:
        return ()
    return (Note("size", "note", f"{asked.model.name} was asked for {wanted[0]}x{wanted[1]} and gave {other}"),)


def cost_note(deliveries: list[Delivery]) -> Note:
    """What it cost, and who says so."""
    by = "as the provider says" if all(one.told for one in deliveries) else "by the price table, an estimate"
    return Note("cost", "note", f"${cost_of(deliveries):.3f}, {by}")


def cost_of(deliveries: list[Delivery]) -> float:
    """US dollars, told or estimated; 0 for what was paid for before."""
    return sum(one.cost or 0.0 for one in deliveries)


class _Shown:
    """Turns the partial pictures of a stream into events. One that cannot be read is passed over: it is only shown."""

    def __init__(self, on_event: OnEvent, index: int, total: int) -> None:
        self._on_event, self._index, self._total, self._step = on_event, index, total, 0

    def __call__(self, data: bytes) -> None:
        self._step += 1
        try:
            with Pillow.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP")) as picture:
                if picture.width * picture.height > MAX_PARTIAL_PIXELS:
                    return
                preview = np.asarray(picture.convert("RGB"))
        except (OSError, SyntaxError, ValueError, Pillow.DecompressionBombError):
            return
        total = max(self._total, self._step)
        self._on_event(Stepped(0, self._index, self._step, total, preview))


def _nobody(event: Event) -> None:
    return None
