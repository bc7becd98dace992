"""polars and narwhals, loaded when something of them is first asked for: images need neither."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__all__ = ["nw", "pl"]

if TYPE_CHECKING:
    import narwhals as nw
    import polars as pl
else:

    class _Library:
        """Stands for a library that may not be loaded yet, or not be there."""

        def __init__(self, name: str) -> None:
            self._name = name

        def __getattr__(self, name: str) -> object:
            library = import_module(self._name)
            vars(self).update(vars(library))  # from now on nothing comes through here
            return getattr(library, name)

    nw, pl = _Library("narwhals"), _Library("polars")
