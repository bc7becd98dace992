"""A table of named rows that users may add to; everything else reads it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Generic, Protocol, TypeVar

from deltaprop.errors import SettingError, UnknownNameError

__all__ = ["Named", "Registry"]


class Named(Protocol):
    """Anything with a name of its own."""

    @property
    def name(self) -> str:
        """Return the name the row is looked up by."""


Row = TypeVar("Row", bound=Named)


class Registry(Mapping[str, Row], Generic[Row]):
    """Rows by name.

    ``kind`` is what a row is, for messages: "activation", "loss", ... Built-in ``rows`` are checked
    by the tests instead of at every import. ``check`` is called with each row registered later and
    raises when it contradicts itself (a derivative that is not the derivative, for instance):
    registering is a proof. ``compose`` makes a row of two others from a name such as
    half_squared_error_tanh, or returns None; it can be looked up, and is not listed. ``also`` are
    what others call some of them, in small letters: a message offers the name.
    """

    def __init__(
        self,
        kind: str,
        rows: Iterable[Row] = (),
        check: Callable[[Row], None] | None = None,
        compose: Callable[[str], Row | None] = lambda _name: None,
        also: Mapping[str, str] | None = None,
    ) -> None:
        self.kind = kind
        self._also = also or {}
        self._check = check
        self._compose = compose
        self._rows: dict[str, Row] = {row.name: row for row in rows}

    def check(self, row: Row) -> None:
        """Raise SettingError when ``row`` contradicts itself."""
        if not row.name.isidentifier():
            raise SettingError(f"{row.name!r} cannot name a {self.kind}: use letters, digits, _.")
        if self._check is not None:
            self._check(row)

    def register(self, row: Row, *, replace: bool = False) -> Row:
        """Check ``row``, add it under ``row.name`` and return it.

        Raises
        ------
        SettingError
            When the name is taken and ``replace`` is false, or the row fails its check.
        """
        if row.name in self._rows and not replace:
            raise SettingError(
                f"A {self.kind} called {row.name!r} is registered already; "
                "choose another name or pass replace=True."
            )
        self.check(row)
        self._rows[row.name] = row
        return row

    def __getitem__(self, name: str) -> Row:
        row = self._find(name)
        if row is None:
            raise UnknownNameError(self.kind, name, self._rows, self._described_as(name))
        return row

    def _find(self, name: object) -> Row | None:
        if not isinstance(name, str):
            return None
        return self._rows.get(name) or self._compose(name)

    def _described_as(self, word: object) -> str | None:
        """Return the row that others call so, or the only one that a word describes: "text"."""
        if not isinstance(word, str) or word.casefold() in map(str.casefold, self._rows):
            return None
        word = word.casefold()
        if word in self._also:
            return self._also[word]
        docs = {name: getattr(row, "doc", "").casefold() for name, row in self._rows.items()}
        found = [n for n, doc in docs.items() if word in re.findall(r"\w{4,}", doc)]
        return found[0] if len(found) == 1 else None

    def __contains__(self, name: object) -> bool:
        return self._find(name) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)
