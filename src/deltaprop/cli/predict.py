"""``deltaprop predict``: a model and new rows in, classes or numbers out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deltaprop.cli.answers import Answers, answers_to
from deltaprop.cli.options import EncodingOption, MissingOption, option, switch
from deltaprop.cli.show import plain, remark, say

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from deltaprop.tabular import Surprises, Table

__all__ = ["EXAMPLE", "predict"]

EXAMPLE = "Example: deltaprop predict penguins.safetensors new.csv --out answers.csv"


def predict(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A file saved by train.")],
    data: Annotated[str, typer.Argument(metavar="DATA", help="The rows, as for train.")],
    out: Annotated[str | None, option("FILE", "Write to a .csv or .parquet file.")] = None,
    proba: Annotated[
        bool, switch("--proba", "Add the probability of each class or label.")
    ] = False,
    first: Annotated[int | None, option("N", "Only the first N rows.")] = None,
    encoding: EncodingOption = None,
    missing: MissingOption = None,
    formulas: Annotated[
        bool, switch("--formulas", "Leave words as they are that a spreadsheet takes for formulas.")
    ] = False,
    json: Annotated[bool, switch("--json", "Print the answers as JSON.")] = False,
) -> int:
    """Print a model's answer for each row, as CSV."""
    from deltaprop.cli.options import read_model, reading_of
    from deltaprop.cli.outputs import check_outputs
    from deltaprop.errors import SettingError
    from deltaprop.table_models import TableModel, TargetModels
    from deltaprop.tabular import Surprises, load_features
    from deltaprop.tabular.reading.parts import by_parts
    from deltaprop.training.progress import phase

    if first is not None and first < 1:
        raise SettingError(f"--first is {first}; it is a whole number of at least 1.")
    if out is not None and not out.lower().endswith((".csv", ".parquet")):
        raise SettingError(f"--out is {out!r}; its name must end in .csv or .parquet.")
    check_outputs({"--out": out}, {"MODEL": model, "DATA": data})
    fitted = read_model(model)
    if proba and getattr(fitted, "task", "") == "regression":
        raise SettingError(f"--proba needs classes, but {model} predicts numbers.")

    how = reading_of(fitted, encoding, missing)
    found = Surprises()

    def read() -> Table:
        return load_features(data, **how)

    def answer(tables: Iterator[Table]) -> Answers:
        found.clear()
        left = first
        with answers_to(out, json=json, formulas=formulas, words=_says_nothing(fitted)) as answers:
            for table in tables:
                features = table.features if left is None else table.features[:left]
                answers.add(_answers(fitted, features, table.source, proba, found))
                left = None if left is None else left - len(features)
                if left == 0:
                    break
        return answers

    with phase(not json, f"reading {plain(data)} and predicting"):
        if isinstance(fitted, (TableModel, TargetModels)):
            answers, remarks = by_parts(data, answer, read, lambda table: table, **how)
        else:  # it judges columns by all their cells
            table = read()
            answers, remarks = answer(iter([table])), [*table.notes, *table.warnings]
    for note in remarks:
        remark(note)
    found.warn(data)
    answers.show()
    if out is not None:
        say(plain(f"{answers.n_rows:,} answers written to {out}"))
    return 0


def _answers(
    fitted: Any, features: Any, where: str, proba: bool, found: Surprises
) -> dict[str, npt.NDArray[Any]]:
    """Return the columns of the answer; of several models first the targets, in their order."""
    from deltaprop.table_models import TargetModels

    if not isinstance(fitted, TargetModels):
        return _answers_of(fitted, features, where, proba, found)
    every: dict[str, npt.NDArray[Any]] = {}
    features = fitted.without_targets(features)
    for part in fitted.parts:
        shown = proba and part.task != "regression"
        of_one = f"{part.target.names[0]}=" if part.task == "classification" else ""
        for name, column in _answers_of(part, features, where, shown, found).items():
            known = name in part.target.names or not of_one
            every[name if known else f"P({of_one}{name[2:]}"] = column
    return {name: every[name] for name in (*fitted.names, *every)}


def _answers_of(
    fitted: Any, features: Any, where: str, proba: bool, found: Surprises
) -> dict[str, npt.NDArray[Any]]:
    from deltaprop.table_models import TableModel

    told: dict[str, Any] = {"where": where}
    if isinstance(fitted, TableModel):
        told["found"] = found
    names = fitted.target.names
    if not proba:
        answers = fitted.predict(features, **told)
        if answers.ndim == 1:
            return {names[0]: answers}
        return {name: answers[:, k] for k, name in enumerate(names)}
    probabilities = fitted.predict_proba(features, **told)
    if fitted.task == "multilabel":
        said = fitted.target.decode(probabilities)
        columns = {name: said[:, k] for k, name in enumerate(names)}
        return columns | {f"P({name})": probabilities[:, k] for k, name in enumerate(names)}
    best: npt.NDArray[np.int64] = probabilities.argmax(axis=1)
    columns = {names[0]: fitted.target.decode(best)}
    for k, name in enumerate(fitted.class_names):
        columns[f"P({name})"] = probabilities[:, k]
    return columns


def _says_nothing(fitted: Any) -> bool:
    """Return whether a class is called as a missing value is in files."""
    from deltaprop.tabular import MISSING

    parts = getattr(fitted, "parts", (fitted,))
    return any(name in MISSING for part in parts for name in part.class_names)
