"""Mistake: a named way to get a step wrong, in the forms it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from deltaprop.checking.rules import RIGHT, Rules
from deltaprop.model.spec import Network

__all__ = ["Mistake", "change"]


@dataclass(frozen=True)
class Mistake:
    """A named way to get back-propagation wrong.

    Attributes
    ----------
    name : str
        As in code, marking and tests.
    doc : str
        What goes wrong, in one line.
    variants : tuple of Rules
        The forms it takes; the first is the commonest.
    applies : callable
        ``applies(network) -> bool``: whether the network has the place where it can be made.
        Even there it may happen to change nothing (one sample, a zero, a symmetric matrix).
    fix : str
        What to change, in one line.
    """

    name: str
    doc: str
    variants: tuple[Rules, ...]
    applies: Callable[[Network], bool] = lambda _network: True
    fix: str = ""


def change(**rules: object) -> Rules:
    """Return the right rules, but for these."""
    return replace(RIGHT, **rules)  # type: ignore[arg-type]
