"""One owner per folder, whoever dies however."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from triptych.jobs import FolderInUse, StorageError
from triptych.jobs.owner import Owner

OWNER = """
import subprocess, sys
from pathlib import Path
from triptych.jobs.owner import Owner
owner = Owner.take(Path(sys.argv[1]))
child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
print(child.pid, flush=True)
sys.stdin.read()
"""


def test_the_second_is_told_who_has_it(tmp_path: Path) -> None:
    owner = Owner.take(tmp_path)
    with pytest.raises(FolderInUse, match=rf"another Triptych \(process {os.getpid()}\).*TRIPTYCH_HOME"):
        Owner.take(tmp_path)
    owner.release()
    owner.release()
    Owner.take(tmp_path).release()


def test_a_kill_frees_the_folder_though_a_worker_lives_on(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    worker = int(process.stdout.readline())
    with pytest.raises(FolderInUse):
        Owner.take(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.wait()
    # The worker's standard input is closed by the kill, so it is on its way out; hold it to be sure.
    Owner.take(tmp_path).release()
    with contextlib.suppress(ProcessLookupError):
        os.kill(worker, signal.SIGKILL)


def test_a_number_left_by_a_dead_process_means_nothing(tmp_path: Path) -> None:
    (tmp_path / "owner.lock").write_text(str(os.getpid()))
    Owner.take(tmp_path).release()


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="a part of the path is a file"):
        Owner.take(tmp_path / "file" / "data")
