"""``deltaprop explain``: one training step, with every number accounted for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from deltaprop.cli.show import say, terminal_width

if TYPE_CHECKING:
    from deltaprop.explain import Explanation

__all__ = ["EXAMPLE", "explain", "explanation_of"]

EXAMPLE = "Example: deltaprop explain tutorial --detail neurons"


def explain(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A built-in example (tutorial), a worked-example file, or a saved model.",
        ),
    ],
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="DATA", help="Rows for a saved model, with the target."),
    ] = None,
    row: Annotated[int, typer.Option("--row", help="Which row, counted from 1.")] = 1,
    target: Annotated[
        str | None, typer.Option("--target", metavar="COL", help="The target, if called otherwise.")
    ] = None,
    detail: Annotated[
        str | None, typer.Option("--detail", help="overview, layers or neurons; all when left out.")
    ] = None,
    digits: Annotated[int, typer.Option("--digits", help="Significant digits.")] = 6,
) -> int:
    """Show one step of back-propagation: the whole view, the equations, every number."""
    explanation = explanation_of(source, data, row, target)
    color = sys.stdout.isatty()
    text = explanation.to_terminal(
        detail=detail, digits=digits, width=terminal_width(), color=color
    )
    say(text.rstrip("\n"), result=True)
    return 0


def explanation_of(source: str, data: str | None, row: int, target: str | None) -> Explanation:
    """Return the explanation of a built-in example, a worked-example file, or a model's row."""
    from deltaprop.cli.options import read_model, read_rows, source_kind
    from deltaprop.errors import DataError, SettingError
    from deltaprop.explain import Names, built_in_example, read_worked_example
    from deltaprop.explain import explain as explain_step

    kind = source_kind(source)
    if kind != "model":
        if data is not None:
            raise SettingError(f"--data belongs to a saved model; {source} brings its own row.")
        worked = built_in_example(source) if kind == "example" else read_worked_example(source)
        return explain_step(
            worked.network,
            worked.parameters,
            worked.x,
            worked.targets,
            optimizer=worked.optimizer,
            train_biases=worked.train_biases,
            reduction=worked.reduction,
            names=Names(worked.title),
        )
    model = read_model(source)
    if data is None:
        raise SettingError(f"{source} is a model; --data and --row name the row to explain.")
    rows = read_rows(model, data, target)
    if not 1 <= row <= rows.n_rows:
        raise DataError(f"--row is {row}, but {rows.source} has rows 1 to {rows.n_rows:,}.")
    features = rows.features[row - 1 : row]
    explained: Explanation = model.explain(
        features, rows.target[row - 1 : row], where=f"row {row} of {rows.source}"
    )
    return explained
