"""Exercise: one training step to work out by hand, in every form; exercise draws one."""

from __future__ import annotations

import os
from functools import cached_property

from deltaprop.practice.exercises.task import Task
from deltaprop.practice.sheets.sheet import Sheet

__all__ = ["Exercise", "exercise"]


class Exercise(Task):
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

    @cached_property
    def sheet(self) -> Sheet:
        """Return a sheet with this exercise only."""
        return Sheet((self,))

    def to_terminal(self, *, width: int = 80) -> str:
        """Return the exercise as text of at most ``width`` columns."""
        return self.sheet.to_terminal(width=width)

    def to_latex(self) -> str:
        """Return the exercise as a LaTeX document with blanks to fill in."""
        return self.sheet.to_latex()

    def to_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return the exercise as one HTML page with blanks to fill in; write it to ``path``."""
        return self.sheet.to_html(path)

    def to_key_terminal(self, *, width: int = 80) -> str:
        """Return the answers with their lines, as text of at most ``width`` columns."""
        return self.sheet.to_key_terminal(width=width)

    def to_key_latex(self) -> str:
        """Return the answers with their lines as a LaTeX document."""
        return self.sheet.to_key_latex()

    def to_key_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return the answers with their lines as one HTML page; write it to ``path``."""
        return self.sheet.to_key_html(path)

    def __str__(self) -> str:
        return self.to_terminal()


def exercise(
    level: int = 1, seed: int = 0, language: str = "en", *, digits: int | None = None
) -> Exercise:
    """Return an exercise with tidy numbers.

    Parameters
    ----------
    level : int
        From 1, one linear neuron, to 9, softmax behind two hidden layers.
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
