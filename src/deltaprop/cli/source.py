"""SOURCE of explain and check: a built-in example, a worked-example file, or a model and a row."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from deltaprop.cli.options import option, whole
from deltaprop.cli.show import plain
from deltaprop.errors import DataError, DeltapropError, SettingError, UnknownNameError

if TYPE_CHECKING:
    from deltaprop.explaining import Explanation, WorkedExample
    from deltaprop.explaining.softmax import SoftmaxBesideSigmoid

__all__ = [
    "RowOption",
    "RowsOption",
    "RowsTargetOption",
    "SourceArgument",
    "WantedRow",
    "example_of",
    "explanation_of",
    "explanation_of_example",
    "no_file",
    "softmax_of",
    "source_kind",
]

SourceArgument: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help="A worked-example file, a saved model, or a built-in example: tutorial, mazur, "
        "han_kamber, negnevitsky_xor, generation5_xor, hmkcode, prakash_jay, iamtrask, ng_ex4.",
    ),
]
RowsOption: TypeAlias = Annotated[
    str | None, option("DATA", "Rows for a saved model, with the target.")
]
RowOption: TypeAlias = Annotated[int | None, whole("N", "Which row; 1, the first, if left out.")]
RowsTargetOption: TypeAlias = Annotated[
    str | None,
    option("COL", "The target, if called otherwise; with --scores the true class, from 0."),
]


@dataclass(frozen=True)
class WantedRow:
    """Which row of which table is asked for, and how that table is to be read."""

    data: str | None = None
    row: int | None = None
    target: str | None = None
    encoding: str | None = None
    missing: str | None = None

    @property
    def given(self) -> list[str]:
        """Return the options that were given."""
        return [f"--{name}" for name, value in asdict(self).items() if value is not None]


def source_kind(source: str) -> str:
    """Return what SOURCE is: "example", "worked" (a file) or "model" (a file).

    Raises
    ------
    DataError
        When it is neither a file nor a built-in example.
    """
    from deltaprop.explaining import EXAMPLES

    if Path(source).is_file():
        worked = source.lower().endswith((".json", ".yaml", ".yml"))
        return "worked" if worked else "model"
    if source in EXAMPLES:
        return "example"
    if any(mark in source for mark in "./\\"):
        raise no_file(
            source, "a saved model, a worked-example file (JSON or YAML), or a built-in example"
        )
    raise UnknownNameError("built-in example or file", source, EXAMPLES)


def no_file(source: str, expected: str, other: str | None = None) -> DataError:
    """Return the error about what is no file, with the nearest one, or an ``other`` name."""
    from deltaprop.explaining import EXAMPLES
    from deltaprop.model.files import nearest_file

    what = "does not exist"
    if Path(source).exists():
        what = "is a folder" if Path(source).is_dir() else "is no file"
    near = nearest_file(source) or other if what == "does not exist" else None
    hint = f" Did you mean {near!r}?" if near else ""
    return DataError(f"{source} {what}; expected {expected}: {', '.join(EXAMPLES)}.{hint}")


def explanation_of(source: str, wanted: WantedRow) -> Explanation:
    """Return the explanation of a built-in example, a worked-example file, or a model's row."""
    from deltaprop.cli.model_file import open_model

    kind = source_kind(source)
    if kind != "model":
        if unused := wanted.given:
            verb = "belongs" if len(unused) == 1 else "belong"
            raise SettingError(
                f"{' and '.join(unused)} {verb} to a saved model; {source} brings its own row."
            )
        return explanation_of_example(example_of(source), source)
    file = open_model(source)
    model = file.one(wanted.target)
    if wanted.data is None:
        raise SettingError(f"{source} is a model; --data and --row name the row to explain.")
    rows = file.read_rows(wanted.data, wanted.target, wanted.encoding, wanted.missing)
    row = 1 if wanted.row is None else wanted.row
    if not 1 <= row <= rows.n_rows:
        raise DataError(f"--row is {row}, but {rows.source} has rows 1 to {rows.n_rows:,}.")
    chosen = slice(row - 1, row)
    where = f"row {row} of {rows.source}"
    return _with_plain_names(model.explain(rows.features[chosen], rows.target[chosen], where=where))


def example_of(source: str) -> WorkedExample:
    """Return a built-in example, or what a worked-example file holds."""
    from deltaprop.explaining import built_in_example, read_worked_example

    return (
        built_in_example(source)
        if source_kind(source) == "example"
        else read_worked_example(source)
    )


def explanation_of_example(worked: WorkedExample, source: str) -> Explanation:
    """Return the explanation of a worked example; errors say where it is from."""
    try:
        explained = worked.explain()
    except DeltapropError as error:
        raise DataError(f"{source}: {error}") from error
    return _with_plain_names(explained)


def softmax_of(scores: str | None, model: str | None, wanted: WantedRow) -> SoftmaxBesideSigmoid:
    """Return softmax beside sigmoid, on given scores or on a model's scores of a row."""
    from deltaprop.cli.model_file import open_model
    from deltaprop.cli.options import parse_scores
    from deltaprop.explaining.softmax import SoftmaxBesideSigmoid

    if scores is not None:
        others = [name for name in wanted.given if name != "--target"]
        if model is not None or others:
            raise SettingError("Give --scores, or --model with --data and --row, not both.")
        z = parse_scores(scores)
        return SoftmaxBesideSigmoid(z, target=_true_class(wanted.target, len(z)))
    if model is None or wanted.data is None:
        raise SettingError(
            "softmax needs scores: --scores 2,1,0.1, or --model with --data (and --row)."
        )
    fitted = open_model(model).one(wanted.target)
    if fitted.task == "multilabel":
        raise SettingError(f"{model} predicts labels, each by a sigmoid; softmax needs classes.")
    if fitted.task != "classification":
        raise SettingError(f"{model} predicts numbers; softmax needs a classifier.")
    if fitted.network.n_out == 1:
        raise SettingError(f"{model} has a single output, of a sigmoid; softmax needs several.")
    explained = explanation_of(model, wanted)
    return SoftmaxBesideSigmoid(
        tuple(explained.trace.z[-1][0].tolist()),
        explained.names.outputs,
        int(explained.trace.targets[0].argmax()),
    )


def _true_class(text: str | None, n: int) -> int | None:
    """Return which of the scores is of the true class; None where nobody said."""
    if text is None:
        return None
    place = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else n
    if place >= n:
        raise SettingError(
            f"--target is {text!r}; with --scores it says which of them is of the true class, "
            f"counted from 0: 0 to {n - 1}."
        )
    return place


def _with_plain_names(explanation: Explanation) -> Explanation:
    names = explanation.names
    shown = replace(
        names,
        title=plain(names.title),
        inputs=tuple(map(plain, names.inputs)),
        outputs=tuple(map(plain, names.outputs)),
        source=plain(names.source),
        titles={language: plain(title) for language, title in names.titles.items()},
        changes=tuple((key, plain(text)) for key, text in names.changes),
    )
    return replace(explanation, names=shown)
