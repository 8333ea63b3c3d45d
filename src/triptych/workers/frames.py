"""What a worker says of its jobs, as frames: the one place that knows their fields."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image as Pillow

from triptych.api.results import Image, capabilities_of, image_of
from triptych.core.events import Finished, Note, Pixels, Planned, Started, Stepped
from triptych.core.plan import Plan
from triptych.core.state import Saved
from triptych.workers.faults import fault_of
from triptych.workers.running import Running
from triptych.workers.saved import pack
from triptych.workers.wire import Frame


def of(running: Running, **fields: Any) -> dict[str, Any]:
    return {"job": running.job, "attempt": running.attempt, **fields}


def started(running: Running, event: Started) -> Frame:
    notes = [note.as_json() for note in event.notes]
    return Frame("started", of(running, request=event.request.model_dump(mode="json"), notes=notes))


def planned(running: Running, event: Planned) -> Frame:
    return Frame("planned", of(running, index=event.index, plan=event.plan.model_dump(mode="json")))


def stepped(running: Running, event: Stepped) -> Frame:
    return Frame("stepped", of(running, index=event.index, step=event.step, total=event.total))


def preview(running: Running, event: Stepped, pixels: Pixels) -> Frame:
    """Made when its turn comes, and only then may the next one be made."""
    running.previewing = False
    buffer = io.BytesIO()
    Pillow.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    fields = of(running, index=event.index, step=event.step, total=event.total)
    return Frame("preview", fields, (buffer.getvalue(),))


def state(running: Running, index: int, kept: Saved) -> Frame:
    if running.request is None:
        raise TypeError("only pictures of requests are saved")
    return Frame("state", of(running, index=index, step=kept.step), (pack(kept, running.request, running.weights),))


def picture(running: Running, event: Finished) -> Frame:
    """The file as it will lie on the disk, with its recipe. One that cannot be encoded fails its job."""
    try:
        image = image_of(event)
        return Frame("picture", of(running, **_about(image)), (image.encode(),))
    except Exception as error:
        return failed(running, fault_of(error))


def picture_of_step(running: Running, result: Any, data: bytes) -> Frame:
    return Frame("picture", of(running, **_about(result.image)), (data,))


def done(running: Running, event: Finished) -> Frame:
    model = event.request.model
    seconds = {name: round(value, 4) for name, value in event.seconds.items()}
    told = _told(event.notes, model, capabilities_of(model).family, seconds, event.plan)
    return Frame("done", of(running, result=told))


def done_of_step(running: Running, result: Any) -> Frame:
    told = _told(result.notes, result.model, result.family, result.seconds, result.image.plan)
    return Frame("done", of(running, result={**told, "report": result.report.as_json()}))


def failed(running: Running, error: dict[str, Any]) -> Frame:
    return Frame("failed", of(running, error=error))


def _about(image: Image) -> dict[str, Any]:
    height, width = image.pixels.shape[:2]
    return {"index": image.index, "width": width, "height": height, "recipe": image.recipe.as_json()}


def _told(
    notes: tuple[Note, ...], model: str, family: str, seconds: dict[str, float], plan: Plan | None
) -> dict[str, Any]:
    return {
        "notes": [note.as_json() for note in notes],
        "model": model,
        "family": family,
        "seconds": seconds,
        "plan": plan.model_dump(mode="json") if plan else None,
    }
