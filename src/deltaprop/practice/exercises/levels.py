"""The levels of practice: what network an exercise has, and which of its numbers are asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from deltaprop.errors import SettingError

__all__ = ["LEVELS", "Level", "level_of"]


@dataclass(frozen=True)
class Level:
    """What the exercises of one level have in common.

    Attributes
    ----------
    number : int
        From 1, the easiest.
    sizes : tuple of int
        The widths, inputs first.
    asked : tuple of str
        The quantities to find, as keys of ``claims``, in the order they are worked out.
    helps : tuple of str
        Quantities that are worked out but given, as a help or to check oneself by.
    hidden : tuple of str
        The activations of hidden layers that an exercise chooses one from.
    losses : tuple of str
        The losses that it chooses one from.
    bias : bool
        Whether neurons have biases.
    n_samples : int
        Rows of the batch.
    l2 : bool
        Whether weights are penalized.
    """

    number: int
    sizes: tuple[int, ...]
    asked: tuple[str, ...]
    helps: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ("identity",)
    losses: tuple[str, ...] = ("half_squared_error",)
    bias: bool = True
    n_samples: int = 1
    l2: bool = False


def _level(number: int, sizes: tuple[int, ...], asked: str, helps: str = "", **how: Any) -> Level:
    return Level(number, sizes, tuple(asked.split()), tuple(helps.split()), **how)


_ROWS = (
    _level(1, (2, 1), "z.1 loss delta.1 dW.1 db.1 W.1.after b.1.after", "loss.after"),
    _level(
        2, (2, 1), "z.1 a.1 loss delta.1 dW.1 db.1 W.1.after b.1.after", "loss.after",
        losses=("half_squared_error_sigmoid", "binary_cross_entropy"),
    ),
    _level(
        3, (2, 2, 1), "z.1 z.2 loss delta.2 dW.2 delta.1 dW.1 W.2.after W.1.after", "loss.after",
        bias=False,
    ),
    _level(
        4, (2, 2, 1),
        "a.1 z.2 loss delta.2 dW.2 db.2 delta.1 dW.1 db.1 W.1.after b.1.after", "z.1",
        hidden=("relu", "tanh", "sigmoid"),
    ),
    _level(
        5, (2, 3), "z.1 a.1 loss delta.1 dW.1 db.1 W.1.after", "b.1.after loss.after",
        losses=("cross_entropy",),
    ),
    _level(
        6, (2, 2, 3),
        "z.1 a.1 z.2 a.2 loss delta.2 dW.2 db.2 delta.1 dW.1 db.1 W.1.after", "loss.after",
        hidden=("relu", "tanh"), losses=("cross_entropy",),
    ),
    _level(
        7, (2, 2, 1),
        "z.1 a.1 z.2 loss delta.2 dW.2 db.2 delta.1 dW.1 db.1 W.1.after b.1.after",
        hidden=("relu",), n_samples=2,
    ),
    _level(
        8, (2, 2, 1),
        "a.1 z.2 loss delta.2 dW.2 db.2 delta.1 dW.1 db.1 W.2.after W.1.after b.1.after",
        hidden=("relu", "tanh"), l2=True,
    ),
    _level(
        9, (2, 2, 2, 3),
        "z.1 a.1 z.2 a.2 z.3 a.3 loss delta.3 dW.3 db.3 delta.2 dW.2 db.2 delta.1 dW.1 db.1 "
        "W.3.after W.2.after W.1.after b.1.after", "loss.after",
        hidden=("relu", "tanh", "sigmoid"), losses=("cross_entropy",),
    ),
)  # fmt: skip

LEVELS: dict[int, Level] = {row.number: row for row in _ROWS}


def level_of(number: object) -> Level:
    """Return the level with a number.

    Raises
    ------
    SettingError
        When there is none.
    """
    if isinstance(number, bool) or not isinstance(number, int) or number not in LEVELS:
        raise SettingError(
            f"level is {number!r}; it is from {min(LEVELS)} (one linear neuron) to {max(LEVELS)} "
            "(softmax behind two hidden layers)."
        )
    return LEVELS[number]
