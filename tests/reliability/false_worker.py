"""A worker without models: it speaks as `workers.child` does, starts in no time, and paints falsely.

    python -m reliability.false_worker FD

A job "poison" kills it. Each picture takes a few milliseconds, so that a kill finds jobs under way.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time

from reliability.owner import painted
from triptych.workers.wire import Channel, Frame, WireError

SECONDS = 0.004


def main(end: str) -> None:
    channel = Channel(socket.socket(fileno=int(end)))
    assert channel.receive() is not None
    channel.send(Frame("ready"))
    while (frame := channel.receive()) is not None and frame.kind != "stop":
        if frame.kind != "submit":
            continue
        prompt = frame.fields["payload"]["prompt"]
        if prompt == "poison":
            os.kill(os.getpid(), signal.SIGKILL)
        of = {"job": frame.fields["job"], "attempt": frame.fields["attempt"]}
        recipe, png = painted(prompt)
        time.sleep(SECONDS)
        channel.send(Frame("picture", {**of, "index": 0, "width": 8, "height": 8, "recipe": recipe.as_json()}, (png,)))
        channel.send(Frame("done", {**of, "result": {"notes": [], "model": "flow", "family": "flow", "seconds": {}}}))


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except WireError:
        sys.exit(0)
