"""Masked arrays are refused: NumPy hands out what lies under a mask as if it were data."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from deltaprop.errors import DataError

__all__ = ["refuse_masked"]


def refuse_masked(values: object, name: str) -> None:
    """Raise DataError where ``values``, or an array in a list or mapping of them, hides entries.

    A mask that hides nothing is no matter.
    """
    if isinstance(values, Mapping):
        for key, column in values.items():
            refuse_masked(column, f"{name}[{key!r}]")
    elif isinstance(values, (list, tuple)):
        for place, part in enumerate(values):
            if hasattr(part, "filled"):
                refuse_masked(part, f"{name}[{place}]")
    elif hasattr(values, "filled") and isinstance(values, np.ma.MaskedArray):
        hidden = np.argwhere(np.ma.getmaskarray(values))
        if len(hidden):
            first = ", ".join(map(str, hidden[0]))
            raise DataError(
                f"{name} is a masked array whose mask hides {len(hidden):,} "
                f"{'entry' if len(hidden) == 1 else 'entries'}, the first at [{first}]: what lies "
                f"under a mask is no data. Leave these rows out, or say what stands there: "
                f"{name}.filled(np.nan) for a missing value, where missing values are learnt from."
            )
