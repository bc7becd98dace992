"""The forms a document is written in: one row each, and what has all of them."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, Unpack

from deltaprop.explaining.document.blocks import Document
from deltaprop.explaining.document.outline import MOST_NUMBERS
from deltaprop.explaining.document.style import Style, StyleSettings
from deltaprop.functional.registry import Registry
from deltaprop.model.files import write_atomically

__all__ = ["RENDERERS", "InEveryForm", "Renderer"]


@dataclass(frozen=True)
class Renderer:
    """One form.

    Parameters
    ----------
    name : str
        What it is called in ``to(form)`` and ``--format``.
    write : callable
        ``write(document, **options) -> str``.
    suffix : str
        Of its files.
    doc : str
        One line for lists and help.
    most : int
        How many numbers it tells one by one when nobody asked for them.
    shortened : bool
        Whether a step of more is told by its strongest numbers instead of none.
    detail : str, optional
        The only altitude it shows, if there is but one.
    """

    name: str
    write: Callable[..., str]
    suffix: str
    doc: str
    most: int = MOST_NUMBERS
    shortened: bool = False
    detail: str | None = None


def _in(home: str) -> Callable[..., str]:
    """Return ``write_document`` of a module beside this one, which is imported at its first use."""

    def write(document: Document, **options: Any) -> str:
        text: str = import_module(f"{__package__}.{home}").write_document(document, **options)
        return text

    return write


RENDERERS: Registry[Renderer] = Registry(
    "format",
    (
        Renderer("terminal", _in("terminal"), ".txt", "text for a terminal", most=160),
        Renderer(
            "html", _in("html.page"), ".html", "one page that needs nothing else", most=1000,
            shortened=True,
        ),
        Renderer("latex", _in("latex.document"), ".tex", "a document for pdflatex, or xelatex"),
        Renderer("markdown", _in("markdown"), ".md", "for notes and issues"),
        Renderer(
            "json", _in("json"), ".json", "every number, and what it is made of", detail="neurons"
        ),
        Renderer(
            "svg", _in("html.network"), ".svg", "the network as a picture", detail="overview"
        ),
        Renderer(
            "notebook", _in("notebook.document"), ".ipynb", "a notebook that checks its numbers"
        ),
        Renderer("spoken", _in("spoken"), ".spoken.txt", "sentences for a screen reader"),
    ),
)  # fmt: skip


class InEveryForm(ABC):
    """Something that a document can be made of, written in any form."""

    @abstractmethod
    def document(self, style: Style, *, most: int, shortened: bool) -> Document:
        """Return what is said about it."""

    def to(
        self,
        form: str,
        path: str | os.PathLike[str] | None = None,
        *,
        options: dict[str, Any] | None = None,
        **style: Unpack[StyleSettings],
    ) -> str:
        """Return it in one of the forms.

        Parameters
        ----------
        form : str
            A key of ``RENDERERS``.
        path : path, optional
            Where to write it, too.
        options : dict, optional
            Of that form alone, such as the terminal's ``width`` and ``color``.
        **style
            The fields of ``Style``.

        Returns
        -------
        str
            The text.

        Raises
        ------
        UnknownNameError
            When there is no such form.
        """
        renderer, chosen = RENDERERS[form], Style(**style)
        if renderer.detail is not None:
            chosen = replace(chosen, detail=renderer.detail)
        document = self.document(chosen, most=renderer.most, shortened=renderer.shortened)
        text = renderer.write(document, **(options or {}))
        if path is not None:
            write_atomically(path, text.encode("utf-8"))
        return text

    def to_terminal(
        self, *, width: int = 80, color: bool = False, **style: Unpack[StyleSettings]
    ) -> str:
        """Return text for a terminal.

        Parameters
        ----------
        width : int
            Columns.
        color : bool
            With ANSI colours: the sign of each number.
        **style
            The fields of ``Style``.

        Returns
        -------
        str
            Lines of at most ``width`` columns.
        """
        return self.to("terminal", options={"width": width, "color": color}, **style)

    def to_html(
        self, path: str | os.PathLike[str] | None = None, **style: Unpack[StyleSettings]
    ) -> str:
        """Return one HTML page that needs nothing else.

        Parameters
        ----------
        path : path, optional
            Where to write it.
        **style
            The fields of ``Style``.

        Returns
        -------
        str
            The page; readable without scripts and without a network.
        """
        return self.to("html", path, **style)

    def to_latex(self, **style: Unpack[StyleSettings]) -> str:
        """Return a LaTeX document: for pdflatex; in Chinese for xelatex with ctex."""
        return self.to("latex", **style)

    def to_markdown(self, **style: Unpack[StyleSettings]) -> str:
        """Return Markdown, for notes and issues."""
        return self.to("markdown", **style)

    def to_notebook(self, **style: Unpack[StyleSettings]) -> str:
        """Return the text of a Jupyter notebook whose cells check every number they show."""
        return self.to("notebook", **style)

    def to_svg(self, **style: Unpack[StyleSettings]) -> str:
        """Return the network with its values, deltas and gradients as a picture of its own."""
        return self.to("svg", **style)

    def to_json(self, **style: Unpack[StyleSettings]) -> str:
        """Return every number, its arithmetic and its origin: format deltaprop-explanation/1."""
        return self.to("json", **style)

    def __str__(self) -> str:
        """Return its text as in a terminal."""
        return self.to_terminal()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: print shows it, .to('html', path) and others write it>"

    def _repr_html_(self) -> str:
        from deltaprop.explaining.renderers.notebook.fragment import write_document

        return write_document(self.document(Style(), most=MOST_NUMBERS, shortened=True))
