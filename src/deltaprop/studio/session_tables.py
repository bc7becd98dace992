"""The table that one page has open at the server, and what it chose from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deltaprop.errors import DataError, SettingError
from deltaprop.model.spec import Network
from deltaprop.model.targets import dense_targets
from deltaprop.studio.asked import listed, number, whole
from deltaprop.studio.frames import Arrays
from deltaprop.studio.learning import Rows
from deltaprop.studio.tables import Choice, Chosen, OpenTable, opened_bytes
from deltaprop.studio.typed_columns import BUILT_IN, built_in_table
from deltaprop.training.checks import check_rows

__all__ = ["Tables"]


class Tables:
    """One table at a time, and its rows as numbers; ``own`` is the one of the command line."""

    def __init__(self, language: str, own: OpenTable | None) -> None:
        self._language, self._own = language, own
        self._table: OpenTable | None = None
        self._chosen: tuple[Choice, Chosen] | None = None

    def open(self, asked: Mapping[str, Any], arrays: Arrays) -> None:
        """Open what a page sends, what comes with the package, or the one of the command line."""
        name, form = str(asked.get("name")), asked.get("form")
        self._table = self._chosen = None
        if form == "file" and "file" in arrays:
            self._table = opened_bytes(np.asarray(arrays["file"], np.uint8).tobytes(), name)
        elif form == "built in" and name in BUILT_IN:
            self._table = built_in_table(name)
        elif form == "own" and self._own is not None:
            self._table = self._own
        else:
            raise DataError("There is no such table here.")

    def choose(self, asked: Mapping[str, Any]) -> Chosen:
        """Return what a choice makes of the table."""
        if self._table is None:
            raise DataError("There is no table yet.")
        held = number(asked, "held")
        if not 0 <= held <= 0.9:
            raise SettingError("At most nine rows of ten are held out.")
        choice = Choice(
            str(asked.get("target", "")), str(asked.get("task", "")),
            frozenset(map(str, listed(asked, "without"))), held, whole(asked, "seed") % 2**32,
        )  # fmt: skip
        if self._chosen is None or self._chosen[0] != choice:
            self._chosen = None  # one table of numbers at a time
            self._chosen = choice, self._table.choose(choice, self._language)
        return self._chosen[1]

    def rows(self, network: Network) -> tuple[Rows, Rows | None]:
        """Return the rows to learn from, and those held out, as a network takes them."""
        if self._chosen is None:
            raise DataError("There is no table yet.")
        chosen = self._chosen[1]

        def part(rows: Rows) -> Rows:
            t = rows.t
            if t.dtype.kind == "i" and network.loss.targets != "distribution":
                t = dense_targets(t, network.n_out)
            x, targets = check_rows(network, rows.x, t, "the rows")
            assert isinstance(x, np.ndarray)
            return Rows(x, targets)

        return part(chosen.training), None if chosen.held is None else part(chosen.held)
