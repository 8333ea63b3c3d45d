"""`--trace DIR`: what happened, step by step, as plain files: `events.jsonl` and the previews of every picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from triptych.core.errors import FileProblem
from triptych.core.events import Event, Failed, Finished, Planned, Started, Stepped
from triptych.core.files import check_folder, reason
from triptych.core.metadata import save_picture


class Trace:
    """Writes events as they come, so that an interrupted run leaves all that it did."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        check_folder(folder)
        self._log = folder / "events.jsonl"
        self._append("", mode="w")

    def __call__(self, event: Event) -> None:
        self._append(json.dumps(self._line(event), ensure_ascii=False) + "\n")

    def _line(self, event: Event) -> dict[str, Any]:
        match event:
            case Started(request=request, notes=notes):
                told = [note.as_json() for note in notes]
                return {"event": "started", "request": request.model_dump(mode="json"), "notes": told}
            case Planned(index=index, plan=plan):
                return {"event": "planned", "index": index, "plan": plan.as_json()}
            case Stepped(index=index, step=step, total=total, preview=preview):
                line = {"event": "step", "index": index, "step": step, "total": total}
                if preview is None:
                    return line
                path = self.folder / f"picture-{index}" / f"step-{step:04d}.png"
                save_picture(path, preview)
                return line | {"preview": str(path.relative_to(self.folder))}
            case Finished(index=index, seconds=seconds):
                return {"event": "finished", "index": index, "seconds": seconds}
            case Failed(index=index, error=error):
                return {"event": "failed", "index": index, "error": str(error)}

    def _append(self, text: str, mode: str = "a") -> None:
        try:
            with open(self._log, mode, encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise FileProblem(f"cannot write {self._log}: {reason(error)}") from error
