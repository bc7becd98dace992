"""Sheet: exercises to print, with blanks to fill in, and their key apart from them."""

from __future__ import annotations

import os

from deltaprop.model.files import write_atomically
from deltaprop.practice.sheets import html, latex, terminal
from deltaprop.practice.sheets.content import Content

__all__ = ["Sheet"]


class Sheet(Content):
    """Exercises to print.

    Attributes
    ----------
    exercises : tuple of Exercise
        At least one.
    """

    def to_terminal(self, *, width: int = 80) -> str:
        """Return the exercises as text of at most ``width`` columns."""
        return terminal.render(self, width)

    def to_key_terminal(self, *, width: int = 80) -> str:
        """Return the answers with their lines, as text of at most ``width`` columns."""
        return terminal.render_key(self, width)

    def to_latex(self) -> str:
        """Return a LaTeX document; pdflatex compiles it, in Chinese xelatex with ctex."""
        return latex.render(self)

    def to_key_latex(self) -> str:
        """Return the answers with their lines as a LaTeX document."""
        return latex.render_key(self)

    def to_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return one HTML page that needs nothing else; write it to ``path``."""
        return _written(html.render(self), path)

    def to_key_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return the answers with their lines as one HTML page; write it to ``path``."""
        return _written(html.render_key(self), path)


def _written(page: str, path: str | os.PathLike[str] | None) -> str:
    if path is not None:
        write_atomically(path, page.encode("utf-8"))
    return page
