"""``deltaprop predict``: a model and new rows in, classes or numbers out."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deltaprop.cli.options import EncodingOption, MissingOption
from deltaprop.cli.show import plain, print_json, remark, say

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from deltaprop.estimators import TableModel

__all__ = ["EXAMPLE", "predict"]

# What a spreadsheet would run: words that begin so and are no number, and no sign alone.
_FORMULA = r"^(?:[=@\t\r]|[+-](?:[^0-9.]|[0-9.]+[^0-9.]))"

EXAMPLE = "Example: deltaprop predict penguins.safetensors new.csv --out answers.csv"


def predict(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A file saved by train.")],
    data: Annotated[str, typer.Argument(metavar="DATA", help="The rows, as for train.")],
    out: Annotated[
        str | None,
        typer.Option("--out", metavar="FILE", help="Write to a .csv or .parquet file."),
    ] = None,
    proba: Annotated[
        bool, typer.Option("--proba", help="Add the probability of each class or label.")
    ] = False,
    first: Annotated[
        int | None, typer.Option("--first", metavar="N", help="Only the first N rows.")
    ] = None,
    encoding: EncodingOption = None,
    missing: MissingOption = None,
    formulas: Annotated[
        bool,
        typer.Option(
            "--formulas", help="Leave words as they are that a spreadsheet takes for formulas."
        ),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the answers as JSON.")] = False,
) -> int:
    """Print a model's answer for each row, as CSV."""
    from deltaprop.cli.options import missing_words, read_model
    from deltaprop.cli.outputs import check_outputs
    from deltaprop.errors import SettingError
    from deltaprop.model.files import write_atomically
    from deltaprop.tabular import load_features
    from deltaprop.training.progress import phase

    if first is not None and first < 1:
        raise SettingError(f"--first is {first}; it is a whole number of at least 1.")
    if out is not None and not out.lower().endswith((".csv", ".parquet")):
        raise SettingError(f"--out is {out!r}; its name must end in .csv or .parquet.")
    check_outputs({"--out": out}, {"MODEL": model, "DATA": data})
    fitted = read_model(model)
    if proba and getattr(fitted, "task", "") == "regression":
        raise SettingError(f"--proba needs classes, but {model} predicts numbers.")
    with phase(not json, f"reading {plain(data)}"):
        table = load_features(data, missing=missing_words(fitted, missing), encoding=encoding)
    for note in (*table.notes, *table.warnings):
        remark(note)
    features = table.features if first is None else table.features[:first]
    with phase(not json, "predicting"):
        columns = _answers(fitted, features, table.source, proba)
    if out is not None:
        write_atomically(out, _as_file(columns, out, formulas))
        n = len(next(iter(columns.values())))
        say(plain(f"{n:,} answers written to {out}"))
    elif json:
        print_json({name: values.tolist() for name, values in columns.items()})
    else:
        _print_csv(_as_file(columns, ".csv", formulas))
    return 0


def _answers(fitted: Any, features: Any, where: str, proba: bool) -> dict[str, npt.NDArray[Any]]:
    """Return the columns of the answer; of several models first the targets, in their order."""
    from deltaprop.estimators import TargetModels

    if not isinstance(fitted, TargetModels):
        return _answers_of(fitted, features, where, proba)
    every: dict[str, npt.NDArray[Any]] = {}
    features = fitted.without_targets(features)
    for part in fitted.parts:
        shown = proba and part.task != "regression"
        of_one = f"{part.target.names[0]}=" if part.task == "classification" else ""
        for name, column in _answers_of(part, features, where, shown).items():
            known = name in part.target.names or not of_one
            every[name if known else f"P({of_one}{name[2:]}"] = column
    return {name: every[name] for name in (*fitted.names, *every)}


def _answers_of(
    fitted: TableModel, features: Any, where: str, proba: bool
) -> dict[str, npt.NDArray[Any]]:
    names = fitted.target.names
    if not proba:
        answers = fitted.predict(features, where=where)
        if answers.ndim == 1:
            return {names[0]: answers}
        return {name: answers[:, k] for k, name in enumerate(names)}
    probabilities = fitted.predict_proba(features, where=where)
    if fitted.task == "multilabel":
        said = fitted.target.decode(probabilities)
        columns = {name: said[:, k] for k, name in enumerate(names)}
        return columns | {f"P({name})": probabilities[:, k] for k, name in enumerate(names)}
    best: npt.NDArray[np.int64] = probabilities.argmax(axis=1)
    columns = {names[0]: fitted.target.decode(best)}
    for k, name in enumerate(fitted.class_names):
        columns[f"P({name})"] = probabilities[:, k]
    return columns


def _print_csv(content: bytes) -> None:
    """Print CSV: to a program as it is, to a terminal without control characters."""
    if sys.stdout.isatty():
        for line in content.decode("utf-8").splitlines():
            say(plain(line), result=True)
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)


def _as_file(columns: dict[str, npt.NDArray[Any]], name: str, formulas: bool) -> bytes:
    import io

    import polars as pl

    from deltaprop.tabular.missing import MISSING

    frame = pl.DataFrame(
        {
            key: values.tolist() if values.dtype.kind == "O" else values
            for key, values in columns.items()
        }
    )
    buffer = io.BytesIO()
    if name.lower().endswith(".parquet"):
        frame.write_parquet(buffer)
        return buffer.getvalue()
    if not formulas:
        words = pl.col(pl.String)
        frame = frame.with_columns(
            pl.when(words.str.contains(_FORMULA)).then("'" + words).otherwise(words).name.keep()
        ).rename(lambda title: f"'{title}" if re.search(_FORMULA, title) else title)
    texts = [column for column in frame.iter_columns() if column.dtype == pl.String]
    quoted = any(column.is_in(MISSING).any() for column in texts)
    frame.write_csv(buffer, quote_style="non_numeric" if quoted else "necessary")
    return buffer.getvalue()
