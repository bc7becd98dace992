"""Where the bytes of a table come from: a file, a glob, standard input, gzip; and what they are."""

from __future__ import annotations

import glob as globbing
import gzip
import io
import os
import re
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deltaprop.errors import DataError, SettingError, nearest_name
from deltaprop.memory import check_memory

__all__ = [
    "Blob",
    "Format",
    "Source",
    "blob_of",
    "format_of",
    "most_unpacked",
    "open_blobs",
    "paths_of",
    "read_blob",
    "too_large",
]

Source = str | os.PathLike[str]
Format = Literal["text", "parquet", "idx", "npy", "npz"]

_ACCEPTED = (
    "a CSV or other delimited text file (also .gz), Parquet, IDX, .npy, .npz, a glob of them, "
    "or '-' for standard input"
)
_FOREIGN = {
    b"BZh": ("a bzip2 archive", "Decompress it first (bunzip2), or compress it with gzip."),
    b"\xfd7zXZ\x00": ("an xz archive", "Decompress it first (unxz), or compress it with gzip."),
    b"\x28\xb5\x2f\xfd": ("a zstd archive", "Decompress it first, or compress it with gzip."),
    b"%PDF": ("a PDF document", "Export the table as CSV."),
    b"\x89PNG": ("a PNG image", "Collect images in an IDX or .npz file."),
    b"\xff\xd8\xff": ("a JPEG image", "Collect images in an IDX or .npz file."),
    b"\x89HDF": ("an HDF5 file", "Export the table as CSV or Parquet."),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", "Save the sheet as CSV (UTF-8)."),
    b"ARROW1": ("an Arrow (Feather) file", "Save it as Parquet."),
    b"SQLite format 3": ("an SQLite database", "Export the table as CSV."),
    b"\x80\x04\x95": ("a pickle", "Pickles are never loaded: save it as CSV, Parquet or .npz."),
    b"\x80\x05\x95": ("a pickle", "Pickles are never loaded: save it as CSV, Parquet or .npz."),
}
# Texts that are no delimited ones, by how they begin.
_FOREIGN_TEXTS = {
    rb"(?i)<!doctype html|<html": (
        "an HTML page",
        "Open it in a browser: it may say why it is not the table. Save the table as CSV.",
    ),
    rb"<\?xml": ("an XML document", "Export the table as CSV."),
    rb"(?i)@relation\b": ("an ARFF file", "Put the names of the columns in place of its header."),
    rb"\[?\s*\{\s*(\"|\})": ("JSON", "Write it as CSV, such as with pandas' read_json and to_csv."),
}  # fmt: skip
# Texts become 3 to 20 times larger; a gigabyte is nothing to be afraid of.
_LIMIT, _LEAST_LIMIT, _USUAL_RATIO = "DELTAPROP_MAX_UNPACKED", 1 << 30, 20
_LEAST_MEMORY = 2  # times the size of a file; of a text what its cells take is known soon
_START = 400  # bytes that say what a file is
_IDX_TYPES = frozenset((0x08, 0x09, 0x0B, 0x0C, 0x0D, 0x0E))


@dataclass(frozen=True, slots=True)
class Blob:
    """The decompressed content of one source, under the name that messages use for it."""

    name: str
    content: bytes
    format: Format


def open_blobs(source: Source) -> list[Blob]:
    """Return the content of all files that a path, a glob or ``-`` stands for, in sorted order."""
    name = os.fspath(source)
    if not name:
        raise DataError(f"The data source is {source!r}: expected {_ACCEPTED}.")
    if "\x00" in name:
        raise DataError(f"The data source {name!r} holds a NUL character: expected {_ACCEPTED}.")
    names = ["-"] if name == "-" else paths_of(name)
    if not names:
        raise DataError(
            f"No file matches the pattern {name!r}: expected at least one file. "
            f"Check the folder and the pattern; the shell's current folder is {os.getcwd()}."  # noqa: PTH109
        )
    return [read_blob(path) for path in names]


def paths_of(name: str) -> list[str]:
    """Return the path itself, or in sorted order the files that a glob matches."""
    if Path(name).exists() or not globbing.has_magic(name):
        return [name]
    found = globbing.glob(name, recursive=True)  # noqa: PTH207
    return sorted(path for path in found if not Path(path).is_dir())


def read_blob(name: str) -> Blob:
    """Read one file, or standard input when ``name`` is ``-``, and see what it holds."""
    if name == "-":
        return blob_of(_standard_input(), "standard input")
    return blob_of(_file(name), name)


def blob_of(raw: bytes, shown: str) -> Blob:
    """Unpack what was read under the name ``shown``, and see what it holds."""
    if raw[:2] == b"\x1f\x8b":
        raw = _gunzip(raw, shown)
    if not raw or raw.isspace():
        raise DataError(
            f"{shown} is empty: expected a table with a header line and at least one row. "
            "Check that the program that writes it has finished."
        )
    return Blob(shown, raw, format_of(raw, shown))


def _standard_input() -> bytes:
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None:
        raise DataError(
            "Standard input is closed: expected a CSV table there because the data source is '-'. "
            "Pipe a file into the command, or name the file instead of '-'."
        )
    content = stream.read()
    return content if isinstance(content, bytes) else bytes(content)


def _file(name: str) -> bytes:
    path = Path(name)
    size = path.stat().st_size if path.is_file() else 0
    check_memory(
        _LEAST_MEMORY * size, f"Reading {name}", "Give a part of it, or a table of fewer columns."
    )
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        if path.is_dir():
            raise DataError(
                f"{name} is a folder: expected a file. Name a file in it, or all of them with a "
                f"glob in quotes, such as '{path / '*.csv'}'."
            ) from None
        raise DataError(_not_found(path)) from None
    except PermissionError:
        raise DataError(
            f"{name} may not be read by this user (permission denied): expected a readable file. "
            "Ask its owner for access, or change its mode with chmod u+r."
        ) from None
    except OSError as error:
        raise DataError(
            f"{name} cannot be read ({error.strerror or error}): expected {_ACCEPTED}."
        ) from None


def _not_found(path: Path) -> str:
    message = f"There is no file {str(path)!r}: expected {_ACCEPTED}."
    folder = path.parent
    try:
        present = sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return f"{message} The folder {str(folder)!r} does not exist or cannot be listed."
    near = nearest_name(path.name, present)
    if near is not None:
        return f"{message} Did you mean {str(folder / near)!r}?"
    shown = ", ".join(present[:5]) or "nothing"
    more = f" and {len(present) - 5} more" if len(present) > 5 else ""
    return f"{message} The folder {str(folder.resolve())!r} holds {shown}{more}."


def most_unpacked(packed: int) -> int:
    """Return how many bytes a file of ``packed`` bytes may become when it is unpacked."""
    given = os.environ.get(_LIMIT)
    if not given:
        return max(_LEAST_LIMIT, _USUAL_RATIO * packed)
    try:
        return max(0, int(float(given)))
    except (ValueError, OverflowError):
        raise SettingError(
            f"The environment variable {_LIMIT} is {given!r}: expected a number of bytes, such as "
            "8e9."
        ) from None


def too_large(name: str, packed: int, limit: int) -> DataError:
    """Return the error for a file that becomes larger than that."""
    return DataError(
        f"{name} has {packed:,} bytes but becomes more than {limit:,} when it is unpacked: "
        "expected less, since a file like that may be made to fill the memory. If it is meant to "
        f"be so large, set the environment variable {_LIMIT} to more bytes, such as "
        f"{4 * limit:.0e}."
    )


def _gunzip(raw: bytes, name: str) -> bytes:
    limit = most_unpacked(len(raw))
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as stream:
            content = stream.read(limit + 1)
        if len(content) > limit:
            raise too_large(name, len(raw), limit)
        return content
    except EOFError:
        found = "ends in the middle of its gzip data (truncated)"
    except (OSError, zlib.error) as error:
        found = f"is not intact gzip data ({error})"
    raise DataError(
        f"{name} {found}: expected a complete .gz file. It has {len(raw):,} bytes here; fetch or "
        "compress it again and compare the size."
    )


def format_of(raw: bytes, name: str) -> Format:
    """Return what a content that begins so is; ``name`` is what messages call it."""
    if raw[:4] == b"PAR1":
        return "parquet"
    if raw[:6] == b"\x93NUMPY":
        return "npy"
    if raw[:2] == b"\x00\x00" and len(raw) > 3 and raw[2] in _IDX_TYPES and 1 <= raw[3] <= 8:
        return "idx"
    if raw[:4] == b"PK\x03\x04":
        if b".npy" in raw[:400]:
            return "npz"
        workbook = b"xl/" in raw or b"[Content_Types].xml" in raw[:2000]
        found = "an Excel workbook" if workbook else "a zip archive"
        advice = "Save the sheet as CSV (UTF-8)." if workbook else "Unpack it first."
        raise DataError(f"{name} is {found}: expected {_ACCEPTED}. {advice}")
    for magic, (found, advice) in _FOREIGN.items():
        if raw.startswith(magic):
            raise DataError(f"{name} is {found}: expected {_ACCEPTED}. {advice}")
    start = raw[:_START].removeprefix(b"\xef\xbb\xbf").lstrip()
    for pattern, (found, advice) in _FOREIGN_TEXTS.items():
        if re.match(pattern, start):
            raise DataError(f"{name} is {found}: expected {_ACCEPTED}. {advice}")
    return "text"
