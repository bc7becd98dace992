"""What an encoder says of itself, in Chinese too: each kind has its own patterns for it."""

from __future__ import annotations

import re
from functools import cache

from deltaprop.tabular.encoding.column import Column
from deltaprop.tabular.encoding.images import ImageEncoder
from deltaprop.tabular.encoding.kinds import COLUMN_KINDS
from deltaprop.tabular.encoding.matrix import SparseEncoder

__all__ = ["described_in"]


# What "; " separates; cells are in quotes, and may hold one.
_PART = re.compile(r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^;]|;(?! ))+""")

_KINDS: dict[str, type[Column | ImageEncoder | SparseEncoder]] = {
    **COLUMN_KINDS, ImageEncoder.kind: ImageEncoder, SparseEncoder.kind: SparseEncoder,
}  # fmt: skip


def described_in(language: str, kind: str, done: str) -> tuple[str, str]:
    """Return what a kind is called, and what was done to a column, both from its `ReportRow`.

    In English or Chinese ("en", "zh"); what no pattern knows stays English.
    """
    english, chinese = _KINDS[kind].kind_names
    if language == "en":
        return english, done
    parts = (part.strip() for part in _PART.findall(done))
    return chinese, "；".join(map(_in_chinese, parts))


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    rows = dict.fromkeys(row for kind in _KINDS.values() for row in kind.in_chinese)
    return [(re.compile(pattern), chinese) for pattern, chinese in rows]


def _in_chinese(part: str) -> str:
    for pattern, chinese in _patterns():
        if found := pattern.fullmatch(part):
            return found.expand(chinese)
    several = part.split(", ")
    words = [_in_chinese(one) for one in several] if several[1:] else several
    return part if {*words} & {*several} else "、".join(words)
