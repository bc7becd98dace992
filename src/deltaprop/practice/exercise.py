"""Exercise: one training step to work out by hand, in every form; exercise draws one."""

from __future__ import annotations

from deltaprop.practice.exercises.task import Task
from deltaprop.practice.sheets.sheet import Printable

__all__ = ["Exercise", "exercise"]


class Exercise(Task, Printable):
    """One training step to work out by hand.

    Attributes
    ----------
    level : int
        How hard it is.
    seed : int
        Which exercise of this level.
    language : str
        Of the words: "en" or "zh".
    digits : int
        Significant digits of what is shown.
    given : dict
        What is given, in the worked-example format.
    """

    def printed(self) -> tuple[Task, ...]:
        """Return this one."""
        return (self,)

    def __str__(self) -> str:
        return self.to_terminal()


def exercise(
    level: int = 1, seed: int = 0, language: str = "en", *, digits: int | None = None
) -> Exercise:
    """Return an exercise with tidy numbers.

    Parameters
    ----------
    level : int
        A key of ``LEVELS``: from 1, the easiest. ``deltaprop practice --help`` tells them.
    seed : int
        The same seed gives the same exercise everywhere; another one gives another.
    language : {"en", "zh"}
        Of the words.
    digits : int, optional
        Significant digits of what is shown; when left out 6 where answers are short decimals, and
        4 elsewhere.

    Returns
    -------
    Exercise
        Read it with ``print``, answer it with ``mark``.

    Raises
    ------
    SettingError
        When there is no such level, seed, language or number of digits.

    Examples
    --------
    >>> task = exercise(level=1, seed=1)
    >>> task.given["x"], task.asked[:2]
    ([[-2, -0.5]], ('z.1', 'loss'))
    >>> task.mark({"z.1": [[6]]}).ok
    True
    """
    return Exercise.drawn(level, seed, language, digits)
