"""``deltaprop evaluate``: a model judged on rows whose answers are known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deltaprop.cli.judged import figure_names, print_doubts, print_overlap
from deltaprop.cli.options import EncodingOption, MissingOption
from deltaprop.cli.show import plain, print_json, print_table, remark, say
from deltaprop.errors import DataError, SettingError

if TYPE_CHECKING:
    from deltaprop.estimators import Evaluation

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
    unseen: Annotated[
        bool,
        typer.Option("--unseen", help="Judge by those rows only that the training has not seen."),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> int:
    """Print how good a model is on rows whose answers are known."""
    from deltaprop.cli.options import read_model, read_rows
    from deltaprop.training.progress import phase

    fitted = read_model(model)
    with phase(not json, f"reading {plain(data)}"):
        rows = read_rows(fitted, data, target, encoding, missing)
    for note in (*rows.notes, *rows.warnings):
        remark(note)
    found = {}
    for part, its_rows in _parts(fitted, rows):
        judged = _unseen(part, its_rows) if unseen else its_rows
        with phase(not json, "judging the model"):
            result = part.evaluate(judged.features, judged.target, where=judged.source)
        found[",".join(part.target.names)] = result
    if json:
        each = {name: result.to_dict() for name, result in found.items()}
        print_json({"targets": each} if len(each) > 1 else next(iter(each.values())))
        return 0
    for name, result in found.items():
        if len(found) > 1:
            say(f"{'target':<10} {plain(name)}", result=True)
        _print(result)
        if len(found) > 1:
            say(result=True)
    return 0


def _parts(fitted: Any, rows: Any) -> list[tuple[Any, Any]]:
    """Return each model, and the rows with its targets."""
    from deltaprop.estimators import TargetModels

    if not isinstance(fitted, TargetModels):
        return [(fitted, rows)]
    places = {name: i for i, name in enumerate(fitted.names)}
    found = []
    for part in fitted.parts:
        own = [places[name] for name in part.target.names]
        target = rows.target[:, own] if len(own) > 1 else rows.target[:, own[0]]
        found.append((part, replace(rows, target=target)))
    return found


def _print(result: Evaluation) -> None:
    say(f"{'rows':<10} {result.rows:,}", result=True)
    names = figure_names() | {"majority": "commonest", "baseline_rmse": "of mean"}
    for name, value in result.figures.items():
        say(f"{names.get(name, name.replace('_', ' ')):<10} {value:.6g}", result=True)
    if result.interval is not None:
        low, high = result.interval
        headline = names[result.headline]
        say(f"{'95 %':<10} {headline} between {low:.4f} and {high:.4f}", result=True)
    print_overlap(result)
    print_doubts(result)
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


def _unseen(fitted: Any, rows: Any) -> Any:
    """Return the rows that the model has neither learnt nor chosen its epoch by."""
    import numpy as np

    from deltaprop.tabular import take_rows

    known = getattr(fitted, "learnt_rows", None)
    if known is None or known.one_in > 1:
        raise SettingError(
            "The model does not know all rows it was trained on, so it cannot tell which of these "
            "are new (--forget-rows, an older file, or very many rows). Leave --unseen out."
        )
    new = np.flatnonzero(~fitted.seen(rows.features, rows.target, where=rows.source))
    if not len(new):
        raise DataError(f"The model has seen all {rows.n_rows:,} rows of {rows.source}.")
    return replace(rows, features=take_rows(rows.features, new), target=rows.target[new])


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
