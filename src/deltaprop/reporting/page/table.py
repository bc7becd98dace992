"""The sections about the table and the run: summary, warnings, columns, rows, the command."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import numpy as np

from deltaprop.notation.image import Image
from deltaprop.notation.image_svg import image_svg
from deltaprop.notation.mathml import escape
from deltaprop.reporting.figures.figures import (
    MOST_LOOKED_AT,
    ColumnFacts,
    ColumnImportance,
    Figures,
    HardRow,
    Importance,
)
from deltaprop.reporting.page.plot import bar
from deltaprop.reporting.page.writer import Writer
from deltaprop.table_models import Evaluation
from deltaprop.tabular import described_in

__all__ = ["again", "columns", "findings", "hardest", "importance", "summary"]

_MOST_CLASSES = 8  # named in a line
_MOST_OPEN, _MOST_LISTED = 40, 1000
_FIGURES = {
    "classification": ("accuracy", "majority", "log_loss", "auc", "balanced_accuracy", "f1"),
    "multilabel": ("accuracy", "majority", "label_accuracy", "log_loss"),
    "regression": ("r2", "rmse", "baseline_rmse", "mae", "poisson_deviance"),
}
_MEASURED = {True: ("accuracy", "log_loss"), False: ("r2", "rmse")}  # of classes, of numbers
_SHORT = 20  # characters that stay on one line
_SHARES = ("accuracy", "majority", "balanced_accuracy", "label_accuracy")
_TILES = 4


def summary(report: Figures, writer: Writer) -> Iterator[str]:
    """Yield the most important figures, and what was learnt from what."""
    judged = report.judged
    names = [name for name in _FIGURES[report.task] if name in judged.figures]
    yield '<dl class="tiles">'
    for name in names[:_TILES]:
        more = ""
        if name == judged.headline and report.interval is not None:
            shown = writer.share if name in _SHARES else writer.figure
            low, high = map(shown, report.interval)
            more = f"<small>{writer.text('interval', low=low, high=high)}</small>"
        value = _value(judged, name, writer)
        yield f"<div><dt>{_named(report, name, writer)}{more}</dt><dd>{value}</dd></div>"
    yield "</dl>"
    if report.validation is not None:
        head = writer.texts("figure", "training rows", "validation rows")
        both = (report.training, judged)
        rows = [
            (_named(report, name, writer), *(_value(each, name, writer) for each in both))
            for name in names
        ]
        yield from writer.table("summary", head, rows)
    yield from writer.facts(_facts(report, writer))


def _named(report: Figures, name: str, writer: Writer) -> str:
    several = report.task == "multilabel" and f"{name} of labels" in writer.words
    return writer.text(f"{name} of labels" if several else name)


def _value(evaluation: Evaluation, name: str, writer: Writer) -> str:
    value = evaluation.figures[name]
    return writer.share(value) if name in _SHARES else writer.figure(value)


def _facts(report: Figures, writer: Writer) -> Iterator[tuple[str, str]]:
    origin, history = report.origin, report.history
    if origin.source:
        yield "fact table", escape(origin.source)
    yield "fact target", escape(writer.listed(origin.target))
    named = writer.listed(origin.classes[:_MOST_CLASSES])
    if len(origin.classes) > _MOST_CLASSES:
        count = writer.count(len(origin.classes) - _MOST_CLASSES)
        named = writer.words["more classes"].format(classes=named, count=count)
    yield "fact task", writer.text(report.task, classes=named)
    tempered = report.calibration is not None and report.calibration.temperature != 1.0
    also = writer.words["also temperature"] if tempered else ""
    split = "rows given" if origin.own_validation else "rows held" if origin.n_val else "rows only"
    members = writer.count(origin.n_members)
    if origin.folded:
        split = "rows folded"
    train, val = writer.count(origin.n_train), writer.count(origin.n_val)
    yield "fact rows", writer.text(split, train=train, val=val, also=also, members=members)
    n_columns, n_inputs = writer.count(origin.n_columns), writer.count(origin.n_inputs)
    yield "fact columns", writer.text("inputs", columns=n_columns, inputs=n_inputs)
    sizes = " → ".join(map(writer.count, origin.sizes))
    parameters = writer.count(origin.n_parameters)
    yield "fact network", writer.text("network", sizes=sizes, parameters=parameters)
    training = writer.text(
        "epochs",
        epochs=writer.count(history.n_epochs),
        steps=writer.count(history.n_steps),
        seconds=f"{origin.seconds:.1f}",
        why=writer.words[f"stopped {history.stopped_because}"],
    )
    if history.best_epoch is not None:
        training += writer.text("kept", epoch=history.best_epoch + 1)
    if origin.n_members > 1:
        training += writer.text("members", members=members)
    yield "fact training", training
    yield "fact engine", writer.text("engine", engine=history.engine, dtype=history.dtype)
    yield "fact seed", str(history.seed)
    yield "fact versions", escape(writer.listed(f"{k} {v}" for k, v in origin.versions.items()))


def findings(report: Figures, writer: Writer) -> Iterator[str]:
    """Yield what is worth a look, and what was said while the table was read."""
    if report.findings:
        yield '<ul class="findings">'
        for finding in report.findings:
            first = f"<strong>{writer.text('serious')}</strong> " if finding.serious else ""
            kind = ' class="serious"' if finding.serious else ""
            yield f"<li{kind}>{first}{escape(writer.sentence(finding))}</li>"
        yield "</ul>"
    else:
        yield writer.paragraph("nothing found")
    if report.importance.n_candidates > MOST_LOOKED_AT:
        count = writer.count(report.importance.n_candidates)
        shown = writer.count(MOST_LOOKED_AT)
        yield writer.paragraph("leak limit", "note", count=count, shown=shown)
    if report.remarks:
        said = "".join(map(writer.remark, report.remarks))
        yield from writer.folded(
            "remarks", [f'<ul class="findings">{said}</ul>'], count=len(report.remarks)
        )


def importance(report: Figures, writer: Writer) -> Iterator[str]:
    """Yield what each column is worth, with its spread."""
    found = report.importance
    classes = report.task != "regression"
    score, loss = (writer.words[key] for key in _MEASURED[classes])
    facts = {"rows": writer.count(found.rows), "shuffles": found.shuffles}
    facts |= {"score": score, "loss": loss}
    yield writer.paragraph("importance note", "note", **facts)
    if found.grid:
        yield writer.paragraph("importance image", "note")
        yield f'<figure class="map">{_map(found, writer)}</figure>'
    elif found.n_candidates > len(found.columns):
        count, shown = writer.count(found.n_candidates), len(found.columns)
        yield writer.paragraph("importance limit", "note", count=count, shown=shown)
    scale = [c.loss_rise + sign * c.loss_spread for c in found.columns for sign in (-1, 1)]
    limits = min([0.0, *scale]), max([0.0, *scale])

    def table(columns: Sequence[ColumnImportance]) -> Iterator[str]:
        head = [writer.text("patch" if found.grid else "column"), ""]
        head += [writer.text("loss rise", loss=loss), writer.text("score drop", score=score)]
        rows = [
            (
                escape(c.name),
                bar(c.loss_rise, c.loss_spread, *limits),
                writer.signed(c.loss_rise, c.loss_spread),
                writer.signed(c.score_drop, c.score_spread, percent=classes),
            )
            for c in columns
        ]
        return writer.table(
            "importance", head, rows, ("name", "graph", "figure", "figure"), wide=True
        )

    yield from writer.opened(found.columns, 12 if found.grid else _MOST_OPEN, table)


def _map(found: Importance, writer: Writer) -> str:
    ink = np.zeros(found.grid)
    for column, place in zip(found.columns, found.places, strict=True):
        ink.flat[place] = max(column.loss_rise, 0.0)
    ink /= ink.max() if ink.max() > 0 else 1.0
    return image_svg(Image(writer.words["importance map"], ink, False))


def hardest(report: Figures, writer: Writer) -> Iterator[str]:
    """Yield the rows with the largest loss and their cells."""
    rows = report.hardest
    if not rows:
        return
    where = writer.words["in validation"] if report.origin.own_validation else ""
    yield writer.paragraph("hardest note", "note", where=where)
    classes = report.task == "classification"
    image = bool(rows[0].image)
    names = [name for name, _ in rows[0].cells]
    measure = "p true" if classes else "absolute error"
    head = writer.texts("row", *["image"] * image, "true", "predicted", measure)
    head += map(escape, names)
    parts = zip(*([cell for _, cell in row.cells] for row in rows), strict=True)
    answers = [[row.true for row in rows], [row.predicted for row in rows]]
    kinds = ("figure", *["cell"] * image, *map(_kind, answers), "figure", *map(_kind, parts))
    table = [_hard_row(row, classes, writer) for row in rows]
    yield from writer.table("hardest", head, table, kinds)
    if rows[0].n_more:
        yield writer.paragraph("cells note", "note", count=writer.count(rows[0].n_more))


def _kind(cells: Iterable[str]) -> str:
    """Return the class of a column by its longest cell: broken into lines, or not."""
    longest = max(map(len, cells), default=0)
    return "cell short" if longest <= _SHORT else "cell long"


def _hard_row(row: HardRow, classes: bool, writer: Writer) -> list[str]:
    drawn = [image_svg(Image(str(row.row), np.array(row.image), False))] if row.image else []
    predicted, measure = escape(row.predicted), writer.figure(row.loss, 3)
    if classes:
        measure = escape(writer.probability(row.probability))
        if row.predicted != row.true:
            predicted = f"<strong>{predicted}</strong>"
    cells = [escape(cell) if cell else _absent(writer) for _, cell in row.cells]
    return [writer.count(row.row), *drawn, escape(row.true), predicted, measure, *cells]


def _absent(writer: Writer) -> str:
    return f'<span class="absent">{writer.text("missing cell")}</span>'


def columns(report: Figures, writer: Writer) -> Iterator[str]:
    """Yield what was made of each column."""
    shown = report.columns[:_MOST_LISTED]
    yield from writer.opened(shown, _MOST_OPEN, partial(_column_table, writer))
    if len(report.columns) > len(shown):
        count = writer.count(len(report.columns) - len(shown))
        yield writer.paragraph("not listed", "note", count=count)


def _column_table(writer: Writer, shown: Sequence[ColumnFacts]) -> Iterator[str]:
    head = writer.texts("column", "kind", "done", "missing")
    rows = [
        (
            escape(c.name),
            *map(escape, described_in(writer.language, c.kind, c.done)),
            writer.count(c.missing) if c.missing else "",
        )
        for c in shown
    ]
    return writer.table("columns", head, rows, ("name", "cell short", "done", "figure"))


def again(report: Figures, writer: Writer) -> Iterator[str]:
    """Yield the command that repeats the run, and the settings."""
    origin = report.origin
    if origin.command:
        yield writer.paragraph("again note")
        yield f"<pre><code>{escape(origin.command)}</code></pre>"
        if "-" in shlex.split(origin.command):
            yield writer.paragraph("again stdin", "note")
    yield writer.paragraph("again python")
    settings = f"dp.TableModel.fit(features, target, recipe=dp.{origin.recipe})"
    yield f"<pre><code>{escape(settings)}</code></pre>"
