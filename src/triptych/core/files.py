"""Files that are either whole or not there: a temporary file beside the target, flushed to the disk, then
renamed.

Knows no picture and no format. Every failure is a `FileProblem` with a sentence for the user.
"""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from pathlib import Path

from triptych.core.errors import FileProblem

_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "no permission",
    errno.EPERM: "no permission",
    errno.ENOENT: "there is no such file or folder",
    errno.EISDIR: "it is a folder",
    errno.ENOTDIR: "a part of the path is a file, not a folder",
    errno.EEXIST: "a part of the path is a file, not a folder",
    errno.ENAMETOOLONG: "the name is too long",
    errno.EIO: "the disk reports an input/output error",
}


def reason(error: OSError) -> str:
    """Why the system refused, in words that do not need a manual."""
    return _REASONS.get(error.errno or 0) or error.strerror or str(error)


def check_folder(folder: Path) -> None:
    """Make `folder` if it is missing and prove that a file can be made in it, before hours of work depend on it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise FileProblem(f"cannot write in {folder}: {reason(error)}") from error


def write_atomically(path: Path, data: bytes, *, private: bool = False) -> Path:
    """Write `data` to `path` so that a crash, a full disk or a second writer never leaves half a file. Return
    `path`.

    The temporary file lies in the same folder, since a rename is atomic only within one file system. private: nobody
    else may read the file, not even for an instant.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", suffix=".part", dir=path.parent)
        temporary = Path(name)
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if not private:  # as mkstemp makes it; a picture gets the rights of any other new file
            temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise FileProblem(f"cannot write {path}: {reason(error)}; nothing was left behind") from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
    return path


def read_bytes(path: Path, limit: int) -> bytes:
    """The file's bytes; `FileProblem` if it cannot be read or is larger than `limit` bytes."""
    try:
        with open(path, "rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise FileProblem(f"cannot read {path}: {reason(error)}") from error
    if len(data) > limit:
        raise FileProblem(f"{path} is larger than the {limit // 2**20} MiB that are read at most")
    return data


def _umask() -> int:
    # The only portable way to read it is to set it; both calls are one instant apart.
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
