"""Writing files so that nothing half-written is ever found under their name."""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import os
import platform
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from deltaprop.errors import OutputError, nearest_name

__all__ = ["check_writable", "nearest_file", "write_atomically", "writing_atomically"]


def write_atomically(path: str | os.PathLike[str], content: bytes) -> None:
    """Write ``content`` to a new file beside ``path``, then give it the name in one move.

    What stood there before stays untouched until the new content is safely on disk. What a killed
    process left of an earlier writing is removed. Pipes and devices are written to directly.

    Raises
    ------
    OutputError
        When it cannot be written; nothing is left behind.
    """
    with writing_atomically(path) as file:
        file.write(content)


@contextlib.contextmanager
def writing_atomically(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Do what `write_atomically` does with what is written to a file in parts.

    Nothing has been written if the block is left with an error.

    Raises
    ------
    OutputError
        When it cannot be written; nothing is left behind.
    """
    try:
        if _is_pipe_or_device(path):
            with tempfile.TemporaryFile() as file:
                yield file
                file.seek(0)
                with Path(path).open("wb") as pipe:
                    shutil.copyfileobj(file, pipe)
        else:
            with _renamed_at_the_end(Path(os.path.realpath(path))) as file:
                yield file
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
        handle, beside = _open_beside(target)
        os.close(handle)
        beside.unlink()
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


@contextlib.contextmanager
def _renamed_at_the_end(target: Path) -> Iterator[BinaryIO]:
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "no permission")
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else None
    handle, beside = _open_beside(target, 0o666 if mode is None else 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            beside.chmod(mode)
        beside.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise
    _keep_name(target.parent)
    _remove_left_over(target)


def _open_beside(target: Path, mode: int = 0o600) -> tuple[int, Path]:
    """Open a new file beside another; of its mode there is what the umask leaves."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    path = target.with_name(f"{_prefix(target)}{os.getpid()}-{secrets.token_hex(4)}.part")
    return os.open(path, flags, mode), path


def _prefix(target: Path) -> str:
    return f".{target.name[:40]}.{_process_space()}-"


@functools.cache
def _process_space() -> str:
    """Return a few digits that are the same for processes that know each other by their numbers."""
    facts = [platform.node()]
    with contextlib.suppress(OSError):
        facts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii"))
        facts.append(str(Path("/proc/self/ns/pid").readlink()))
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:8]


def _keep_name(folder: Path) -> None:
    """Let a new name survive a loss of power, where the file system can be asked to."""
    if os.name == "posix":
        with contextlib.suppress(OSError):
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def _remove_left_over(target: Path) -> None:
    """Remove what processes that are no more had begun to write under this name."""
    if os.name != "posix":
        return  # asking there whether a process lives would end it
    prefix = _prefix(target)
    with contextlib.suppress(OSError):
        for path in target.parent.iterdir():
            process = path.name.removeprefix(prefix).partition("-")[0]
            if path.name.startswith(prefix) and process.isdigit() and not _lives(int(process)):
                path.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return True


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
