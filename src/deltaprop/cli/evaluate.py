"""``deltaprop evaluate``: a model judged on rows whose answers are known."""

from __future__ import annotations

from typing import Annotated

import typer

from deltaprop.cli.options import EncodingOption, MissingOption
from deltaprop.cli.show import print_json, print_table, remark, say

__all__ = ["EXAMPLE", "evaluate"]

EXAMPLE = "Example: deltaprop evaluate penguins.safetensors test.csv"
_MOST_CLASSES = 40


def evaluate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A file saved by train.")],
    data: Annotated[
        str, typer.Argument(metavar="DATA", help="Rows with the target, as for train.")
    ],
    target: Annotated[
        str | None,
        typer.Option("--target", metavar="COL", help="The target, if called otherwise here."),
    ] = None,
    encoding: EncodingOption = None,
    missing: MissingOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> int:
    """Print how good a model is on rows whose answers are known."""
    from deltaprop.cli.options import read_model, read_rows

    fitted = read_model(model)
    rows = read_rows(fitted, data, target, encoding, missing)
    for note in (*rows.notes, *rows.warnings):
        remark(note)
    result = fitted.evaluate(rows.features, rows.target, where=rows.source)
    if json:
        print_json(result.to_dict())
        return 0
    say(f"{'rows':<10} {result.rows:,}", result=True)
    for name, value in result.figures.items():
        label = "commonest" if name == "majority" else name.replace("_", " ")
        say(f"{label:<10} {value:.6g}", result=True)
    if result.classes:
        say(result=True)
        shown = sorted(result.classes, key=lambda c: -c.rows)[:_MOST_CLASSES]
        print_table(
            ("class", "rows", "precision", "recall"),
            [(c.name, f"{c.rows:,}", _share(c.precision), _share(c.recall)) for c in shown],
            result=True,
            right=(1, 2, 3),
        )
        if len(result.classes) > len(shown):
            say(f"... and {len(result.classes) - len(shown):,} more classes", result=True)
    return 0


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
