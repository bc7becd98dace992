"""Sheet: exercises to print, with blanks to fill in, and their key apart from them."""

from __future__ import annotations

import os
from dataclasses import dataclass

from deltaprop.errors import SettingError
from deltaprop.model.files import write_atomically
from deltaprop.practice.exercises.task import Task
from deltaprop.practice.sheets import html, latex, terminal

__all__ = ["Printable", "Sheet"]


class Printable:
    """Exercises in every form, and the answers with their lines."""

    def printed(self) -> tuple[Task, ...]:
        """Return the exercises in their order."""
        raise NotImplementedError

    def to_terminal(self, *, width: int = 80) -> str:
        """Return the exercises as text of at most ``width`` columns."""
        return terminal.render(self.printed(), width)

    def to_key_terminal(self, *, width: int = 80) -> str:
        """Return the answers with their lines, as text of at most ``width`` columns."""
        return terminal.render(self.printed(), width, key=True)

    def to_latex(self) -> str:
        """Return a LaTeX document; pdflatex compiles it, in Chinese xelatex with ctex."""
        return latex.render(self.printed(), "sheet")

    def to_key_latex(self) -> str:
        """Return the answers with their lines as a LaTeX document."""
        return latex.render(self.printed(), "key")

    def to_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return one HTML page that needs nothing else; write it to ``path``."""
        return _written(html.render(self.printed(), "sheet"), path)

    def to_key_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return the answers with their lines as one HTML page; write it to ``path``."""
        return _written(html.render(self.printed(), "key"), path)


@dataclass(frozen=True)
class Sheet(Printable):
    """Exercises to print.

    Attributes
    ----------
    exercises : tuple of Exercise
        At least one, in their order.
    """

    exercises: tuple[Task, ...]

    def __post_init__(self) -> None:
        if not self.exercises:
            raise SettingError("A sheet needs at least one exercise.")

    def printed(self) -> tuple[Task, ...]:
        """Return the exercises."""
        return self.exercises


def _written(page: str, path: str | os.PathLike[str] | None) -> str:
    if path is not None:
        write_atomically(path, page.encode("utf-8"))
    return page
