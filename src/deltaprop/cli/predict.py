"""``deltaprop predict``: a model and new rows in, classes or numbers out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from deltaprop.cli.answers import Answers, answers_to
from deltaprop.cli.options import EncodingOption, LanguageOption, MissingOption, option, switch
from deltaprop.cli.show import plain, remark, say
from deltaprop.languages import told

if TYPE_CHECKING:
    from deltaprop.cli.answers import Columns
    from deltaprop.cli.model_file import Model, ModelFile
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
    language: LanguageOption = None,
    json: Annotated[bool, switch("--json", "Print the answers as JSON.")] = False,
) -> int:
    """Print a model's answer for each row, as CSV."""
    from deltaprop.cli.model_file import open_model
    from deltaprop.cli.outputs import check_outputs
    from deltaprop.errors import SettingError
    from deltaprop.tabular import MISSING, Surprises, load_features
    from deltaprop.tabular.reading.parts import by_parts
    from deltaprop.training.progress import phase

    if first is not None and first < 1:
        raise SettingError(f"--first is {first}; it is a whole number of at least 1.")
    if out is not None and not out.lower().endswith((".csv", ".parquet")):
        raise SettingError(f"--out is {out!r}; its name must end in .csv or .parquet.")
    check_outputs({"--out": out}, {"MODEL": model, "DATA": data})
    file = open_model(model)
    if proba and file.several is None and file.models[0].task == "regression":
        raise SettingError(f"--proba needs classes, but {model} predicts numbers.")

    how = file.reading(encoding, missing)
    # a class may be called as a missing value is in files
    words = any(name in MISSING for one in file.models for name in one.class_names)
    found = Surprises()

    def read() -> Table:
        return load_features(data, **how)

    def answer(tables: Iterator[Table]) -> Answers:
        found.clear()
        left = first
        with answers_to(out, json=json, formulas=formulas, words=words) as answers:
            for table in tables:
                features = table.features if left is None else table.features[:left]
                answers.add(_answers(file, features, table.source, proba, found))
                left = None if left is None else left - len(features)
                if left == 0:
                    break
        return answers

    with phase(not json, f"reading {plain(data)} and predicting"):
        if file.estimator is None:
            answers, remarks = by_parts(data, answer, read, lambda table: table, **how)
        else:  # it judges columns by all their cells
            table = read()
            answers, remarks = answer(iter([table])), [*table.notes, *table.warnings]
    for note in remarks:
        remark(note)
    found.warn(data)
    answers.show()
    if out is not None:
        say(plain(told(f"{answers.n_rows:,} answers written to {out}")))
    return 0


def _answers(
    file: ModelFile, features: object, where: str, proba: bool, found: Surprises
) -> Columns:
    """Return the columns of the answer; of several models first the targets, in their order."""
    if file.several is None:
        return _answers_of(file.models[0], features, where, proba, found)
    every: Columns = {}
    features = file.several.without_targets(features)
    for model in file.models:
        shown = proba and model.task != "regression"
        of_one = f"{model.target.names[0]}=" if model.task == "classification" else ""
        for name, column in _answers_of(model, features, where, shown, found).items():
            known = name in model.target.names or not of_one
            every[name if known else f"P({of_one}{name[2:]}"] = column
    return {name: every[name] for name in (*file.targets, *every)}


def _answers_of(
    model: Model, features: object, where: str, proba: bool, found: Surprises
) -> Columns:
    names = model.target.names
    if not proba:
        answers = model.predict(features, where=where, found=found)
        if answers.ndim == 1:
            return {names[0]: answers}
        return {name: answers[:, k] for k, name in enumerate(names)}
    p = model.predict_proba(features, where=where, found=found)
    labels = model.task == "multilabel"
    said = model.target.decode(p if labels else p.argmax(axis=1))
    columns = {name: said[:, k] if labels else said for k, name in enumerate(names)}
    return columns | {f"P({name})": p[:, k] for k, name in enumerate(model.class_names)}
