"""Writing files so that nothing half-written is ever found under their name."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from pathlib import Path

from deltaprop.errors import OutputError, nearest_name

__all__ = ["check_writable", "nearest_file", "write_atomically"]


def write_atomically(path: str | os.PathLike[str], content: bytes) -> None:
    """Write ``content`` to a new file beside ``path``, then give it the name in one move.

    What stood there before stays untouched until the new content is safely on disk. Pipes and
    devices are written to directly.

    Raises
    ------
    OutputError
        When it cannot be written; nothing is left behind.
    """
    try:
        if _is_pipe_or_device(path):
            Path(path).write_bytes(content)
        else:
            _write_and_rename(Path(os.path.realpath(path)), content)
    except OSError as error:
        raise OutputError(f"{os.fspath(path)} could not be written: {_reason(error)}") from error


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise OutputError now if ``path`` cannot be written later: before work, not after it."""
    try:
        special = _is_pipe_or_device(path)
        target = Path(path if special else os.path.realpath(path))
        if target.exists() and not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, "no permission")
        if special:
            return
        handle, name = tempfile.mkstemp(prefix=f".{target.name[:40]}.", dir=target.parent)
        os.close(handle)
        Path(name).unlink()
    except OSError as error:
        raise OutputError(f"{os.fspath(path)} could not be written: {_reason(error)}") from error


def nearest_file(path: str | os.PathLike[str]) -> str | None:
    """Return the file beside ``path`` that it is most likely a misspelling of, or None."""
    folder = Path(path).parent
    try:
        near = nearest_name(Path(path).name, [entry.name for entry in folder.iterdir()])
    except OSError:
        return None
    return None if near is None else str(folder / near)


def _is_pipe_or_device(path: str | os.PathLike[str]) -> bool:
    # asked of the path itself: /dev/fd/63 leads to a pipe, which has no name of its own
    if Path(path).is_dir():
        raise IsADirectoryError(errno.EISDIR, "it is a folder")
    return Path(path).exists() and not Path(path).is_file()


def _write_and_rename(target: Path, content: bytes) -> None:
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "no permission")
    handle, name = tempfile.mkstemp(prefix=f".{target.name[:40]}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(_mode_for(target))
        Path(name).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _mode_for(target: Path) -> int:
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _reason(error: OSError) -> str:
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return "the disk is full. Free some space or choose another place."
        case errno.ENOENT | errno.ENOTDIR:
            return "its folder does not exist. Create the folder or choose another path."
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return "there is no permission to write there. Choose another path."
        case errno.EISDIR:
            return "it is a folder. Give the path of a file."
        case errno.ENAMETOOLONG:
            return "its name is too long. Choose a shorter one."
        case errno.EFBIG:
            return "it would exceed the size allowed for files here. Choose another place."
        case _:
            return f"{error.strerror or error}."
