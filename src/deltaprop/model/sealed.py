"""A description and its arrays in one sealed file: safetensors, with JSON in its header.

Both carry one checksum, so that a damaged file is recognised instead of believed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from deltaprop._version import __version__
from deltaprop.errors import ModelFileError, OutputError, SettingError, shown
from deltaprop.model.stored import LONGEST_TEXT, longest_text

__all__ = ["FORMAT", "Facts", "Tensors", "one_line", "pack", "plain", "seal", "unpack"]

FORMAT = "deltaprop-model/1"
_FAMILY = "deltaprop-model/"
_KEY = "deltaprop"
_DEEPEST = 64  # lists and mappings inside each other
_LARGEST_HEADER = 100_000_000  # bytes that safetensors reads

Facts: TypeAlias = dict[str, Any]  # plain data for JSON
Tensors: TypeAlias = dict[str, npt.NDArray[Any]]


def pack(name: str, facts: Facts, tensors: Tensors) -> bytes:
    """Return the content of a file; ``name`` is for messages.

    SettingError: the description is no plain data. OutputError: it is longer than a file holds.
    """
    from safetensors.numpy import save

    try:
        text = json.dumps(facts, allow_nan=False, ensure_ascii=True, default=plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise SettingError(
            f"{name} was not written: what goes with the network is no plain data for JSON, such "
            f"as texts, finite numbers, lists and mappings of them ({one_line(error)})."
        ) from None
    longest = longest_text(facts) if len(text) > LONGEST_TEXT else ""
    if len(longest) > LONGEST_TEXT:
        raise OutputError(
            f"{name} was not written: {shown(longest)} has {len(longest):,} characters, and a "
            f"model file holds names and texts of up to {LONGEST_TEXT:,}. Shorten it."
        )
    if len(text) > _LARGEST_HEADER * 9 // 10:  # quotes are escaped once more
        raise OutputError(
            f"{name} was not written: the description of its columns and classes takes "
            f"{len(text) / 1e6:.0f} MB, and a model file holds 90. Leave out columns whose "
            "categories or words are very many or very long."
        )
    content: bytes = save(tensors, metadata={_KEY: seal(text, tensors)})
    return content


def unpack(name: str, content: bytes) -> tuple[Facts, Tensors]:
    """Return the description and the arrays of a file, its checksum right.

    ModelFileError: it is foreign, damaged, truncated, or of a format this version does not read.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        tensors = load(content)  # types that NumPy does not know are a KeyError or a TypeError
        size = int.from_bytes(content[:8], "little")
        metadata = json.loads(content[8 : 8 + size]).get("__metadata__") or {}
    except (SafetensorError, LookupError, ValueError, TypeError, AttributeError) as error:
        raise ModelFileError(
            f"{name} is no intact model file ({one_line(error)}). It may have been cut off or "
            "damaged, or it is something else; expected a file saved by deltaprop."
        ) from None
    facts = _read_facts(name, metadata)
    if metadata[_KEY] != seal("{" + metadata[_KEY][_SEAL:], tensors):
        raise ModelFileError(
            f"{name} is damaged: its content does not match its checksum. "
            "Fetch it again, or train and save it again."
        )
    return facts, tensors


def plain(value: object) -> Any:
    """Return what NumPy has in place of a plain value, for JSON."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is none of them")


def one_line(error: object) -> str:
    """Return a message without its line breaks, and no longer than a sentence."""
    return " ".join(str(error).split())[:300]


def _read_facts(name: str, metadata: Mapping[str, str]) -> Facts:
    if _KEY not in metadata:
        raise ModelFileError(
            f"{name} is a safetensors file of another program; expected one saved by deltaprop."
        )
    try:
        facts = json.loads(metadata[_KEY])
    except (ValueError, RecursionError):
        facts = None
    if facts is None or _is_deep(facts):
        raise ModelFileError(f"{name} is damaged: its description cannot be read.")
    if not isinstance(facts, dict) or not str(facts.get("format", "")).startswith(_FAMILY):
        raise ModelFileError(f"{name} is damaged: its description has no format.")
    if facts["format"] != FORMAT:
        versions = facts.get("versions")
        writer = versions.get("deltaprop", "unknown") if isinstance(versions, dict) else "unknown"
        raise ModelFileError(
            f"{name} has format {shown(facts['format'])}, written by deltaprop "
            f"{one_line(writer)[:60]}; this is deltaprop {__version__}, which reads {FORMAT!r}. "
            "Use the version that wrote it, or train and save again."
        )
    return facts


def _is_deep(facts: object) -> bool:
    """Return whether lists and mappings stand deeper inside each other than in anything saved."""
    level = [facts]
    for _ in range(_DEEPEST):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return bool(level)


def seal(text: str, tensors: Tensors) -> str:
    """Return the description, a JSON object, with the checksum of everything as its first entry."""
    digest = hashlib.sha256(text.encode())
    for name, array in sorted(tensors.items()):
        digest.update(f"\n{name} {array.dtype} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).data)
    return _first_entry(digest.hexdigest()) + text[1:]


def _first_entry(digest: str) -> str:
    return f'{{"sha256": "{digest}", '


_SEAL = len(_first_entry("0" * 64))
