"""``deltaprop explain``: one training step, with every number accounted for."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from deltaprop.cli.options import whole_number
from deltaprop.cli.show import say, terminal_width
from deltaprop.cli.source import (
    RowOption,
    RowsOption,
    RowsTargetOption,
    SourceArgument,
    explanation_of,
)

__all__ = ["EXAMPLE", "explain"]

EXAMPLE = "Example: deltaprop explain tutorial --detail neurons"


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
) -> int:
    """Show one step of back-propagation with all its numbers.

    First the whole network, then the equations of the layers, then every single number.
    """
    explanation = explanation_of(source, data, row, target)
    color = sys.stdout.isatty()
    text = explanation.to_terminal(
        detail=detail, digits=digits, width=terminal_width(), color=color
    )
    say(text.rstrip("\n"), result=True)
    return 0
