"""``deltaprop explain``: one training step, with every number accounted for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deltaprop.cli.options import whole_number
from deltaprop.cli.show import plain, say, terminal_width
from deltaprop.cli.source import (
    RowOption,
    RowsOption,
    RowsTargetOption,
    SourceArgument,
    explanation_of,
    softmax_of,
)

if TYPE_CHECKING:
    from deltaprop.explaining import Explanation

__all__ = ["EXAMPLE", "explain"]

EXAMPLE = "Example: deltaprop explain tutorial --detail neurons"
_FORMS = ("terminal", "html", "latex", "markdown", "json", "svg", "notebook")
_MOST_DIGITS = 17


def explain(
    source: SourceArgument,
    data: RowsOption = None,
    row: RowOption = None,
    target: RowsTargetOption = None,
    detail: Annotated[
        str | None,
        typer.Option(
            "--detail", metavar="LEVEL", help="overview, layers or neurons; all when left out."
        ),
    ] = None,
    digits: Annotated[
        int,
        typer.Option("--digits", metavar="N", parser=whole_number, help="Significant digits."),
    ] = 6,
    only: Annotated[
        str | None,
        typer.Option(
            "--only", metavar="ID", help="One number and all it is made of, such as W1[0,2]."
        ),
    ] = None,
    form: Annotated[
        str,
        typer.Option(
            "--format", metavar="FORM", help="terminal html latex markdown json svg notebook."
        ),
    ] = "terminal",
    language: Annotated[str, typer.Option("--language", metavar="LANG", help="en or zh.")] = "en",
    notation: Annotated[
        str, typer.Option("--notation", metavar="NAME", help="standard, or tutorial: W⁽⁰¹⁾.")
    ] = "standard",
    scores: Annotated[
        str | None,
        typer.Option("--scores", metavar="Z,Z,...", help="With SOURCE softmax: the scores z."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="MODEL", help="With SOURCE softmax: whose scores."),
    ] = None,
    out: Annotated[
        str | None, typer.Option("--out", metavar="FILE", help="Write to a file.")
    ] = None,
) -> int:
    """Show one step of back-propagation with all its numbers.

    First the whole network, then the equations of the layers, then every single number.
    """
    from deltaprop.errors import SettingError, UnknownNameError
    from deltaprop.model.files import check_writable, write_atomically

    if form not in _FORMS:
        raise UnknownNameError("format", form, _FORMS)
    if not 1 <= digits <= _MOST_DIGITS:
        raise SettingError(f"--digits is {digits}; it is from 1 to {_MOST_DIGITS}.")
    if out is not None:
        check_writable(out)
    if source == "softmax":
        view = softmax_of(scores, model, data, row, target)
        text = view.to_terminal(digits=digits, width=terminal_width(), language=language)
    else:
        if scores is not None or model is not None:
            raise SettingError("--scores and --model belong to: deltaprop explain softmax.")
        text = _text_of(
            explanation_of(source, data, row, target),
            form,
            only,
            {
                "detail": detail,
                "digits": digits,
                "width": terminal_width(),
                "color": out is None and sys.stdout.isatty(),
                "language": language,
                "notation": notation,
            },
        )
    if out is not None:
        write_atomically(out, text.encode("utf-8"))
        say(f"written to {plain(out)}")
    else:
        say(text.rstrip("\n"), result=True)
    return 0


def _text_of(
    explanation: Explanation, form: str, only: str | None, settings: dict[str, Any]
) -> str:
    if only is not None:
        explanation = explanation.only(only)
    if form == "terminal":
        return explanation.to_terminal(**settings)
    asked = {name: settings[name] for name in ("detail", "digits", "language", "notation")}
    if form == "json":
        return explanation.to_json(digits=settings["digits"]) + "\n"
    if form == "svg":
        del asked["detail"]
    text: str = getattr(explanation, f"to_{form}")(**asked)
    return text
