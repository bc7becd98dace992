"""``deltaprop evaluate``: a model judged on rows whose answers are known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from deltaprop.cli.judged import print_doubts, print_overlap
from deltaprop.cli.options import EncodingOption, LanguageOption, MissingOption, option, switch
from deltaprop.cli.show import labelled, plain, print_json, print_table, remark, say
from deltaprop.errors import SettingError
from deltaprop.languages import current_language, told
from deltaprop.widths import pad, text_width

if TYPE_CHECKING:
    from deltaprop.cli.model_file import Model
    from deltaprop.table_models import Evaluation
    from deltaprop.tabular import Dataset

__all__ = ["EXAMPLE", "evaluate"]

EXAMPLE = "Example: deltaprop evaluate penguins.safetensors test.csv"
_MOST_CLASSES = 40


def evaluate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A file saved by train.")],
    data: Annotated[
        str, typer.Argument(metavar="DATA", help="Rows with the target, as for train.")
    ],
    target: Annotated[str | None, option("COL", "The target, if called otherwise here.")] = None,
    encoding: EncodingOption = None,
    missing: MissingOption = None,
    unseen: Annotated[
        bool, switch("--unseen", "Judge by those rows only that the training has not seen.")
    ] = False,
    language: LanguageOption = None,
    json: Annotated[bool, switch("--json", "Print the figures as JSON.")] = False,
) -> int:
    """Print how good a model is on rows whose answers are known."""
    from deltaprop.cli.model_file import open_model
    from deltaprop.table_models.judge import Judge
    from deltaprop.tabular import Surprises
    from deltaprop.tabular.reading.parts import by_parts, datasets_of
    from deltaprop.training.progress import phase

    file = open_model(model)
    if unseen:
        for one in file.models:
            _refuse_unseen(one)
    names = [",".join(one.target.names) for one in file.models]
    strange = Surprises()

    def judge(tables: Iterator[Dataset]) -> dict[str, Evaluation]:
        strange.clear()
        judges = [Judge(one, strange) for one in file.table_models]
        for rows in tables:
            for each, own in zip(judges, file.rows_of_each(rows), strict=True):
                each.add(own.features, own.target, where=own.source, unseen=unseen)
        return dict(zip(names, [each.figures() for each in judges], strict=True))

    def read() -> Dataset:
        return file.read_rows(data, target, encoding, missing)

    with phase(not json, f"reading {plain(data)} and judging the model"):
        if file.estimator is not None:
            rows = read()
            result = file.estimator.evaluate(rows.features, rows.target, where=rows.source)
            found, remarks = {names[0]: result}, [*rows.notes, *rows.warnings]
        else:
            split = datasets_of(*file.target_in(data, target))
            found, remarks = by_parts(data, judge, read, split, **file.reading(encoding, missing))
    for note in remarks:
        remark(note)
    strange.warn(data)
    if json:
        each = {name: result.to_dict() for name, result in found.items()}
        print_json({"targets": each} if len(each) > 1 else next(iter(each.values())))
        return 0
    for name, result in found.items():
        if len(found) > 1:
            say(labelled("target     ", plain(name)), result=True)
        _print(result)
        if len(found) > 1:
            say(result=True)
    return 0


def _print(result: Evaluation) -> None:
    from deltaprop.reporting.language import words_of

    words = words_of(current_language())
    names = {**words, "majority": told("commonest"), "baseline_rmse": told("of mean")}
    figures = {name: names[name] for name in result.figures}
    wide = max(10, *map(text_width, figures.values())) if current_language() == "zh" else 10
    say(f"{pad(words['rows'], wide)} {result.rows:,}", result=True)
    for name, value in result.figures.items():
        say(f"{pad(figures[name], wide)} {value:.6g}", result=True)
    if result.interval is not None:
        low, high = result.interval
        between = told(f"{names[result.headline]} between {low:.4f} and {high:.4f}")
        say(f"{pad('95 %', wide)} {between}", result=True)
    print_overlap(result)
    print_doubts(result)
    if result.classes:
        say(result=True)
        shown = sorted(result.classes, key=lambda c: -c.rows)[:_MOST_CLASSES]
        print_table(
            tuple(words[key] for key in ("class", "rows", "precision", "recall")),
            [(c.name, f"{c.rows:,}", _share(c.precision), _share(c.recall)) for c in shown],
            result=True,
            right=(1, 2, 3),
        )
        if len(result.classes) > len(shown):
            say(told(f"... and {len(result.classes) - len(shown):,} more classes"), result=True)


def _refuse_unseen(model: Model) -> None:
    """Raise a SettingError where a model cannot tell which rows it has not seen."""
    known = getattr(model, "learnt_rows", None)
    if known is None or known.one_in > 1:
        raise SettingError(
            "The model does not know all rows it was trained on, so it cannot tell which of these "
            "are new (--forget-rows, an older file, or very many rows). Leave --unseen out."
        )


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
