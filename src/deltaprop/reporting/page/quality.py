"""The sections that judge: curves, mistakes, classes, numbers, calibration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from math import isfinite, sqrt

from deltaprop.notation.mathml import escape
from deltaprop.reporting.figures.figures import ClassRow, Confusion, Figures, NumberFigures
from deltaprop.reporting.page.plot import Plot
from deltaprop.reporting.page.writer import Writer
from deltaprop.table_models.calibration import ReliabilityBin

__all__ = ["calibration", "classes", "curves", "mistakes", "numbers"]

_MOST_PLAIN = 4  # classes whose mistakes are seen at a glance
_MOST_CLASSES_OPEN, _MOST_CLASSES = 30, 1000
_OF_A_CLASS = ("precision", "recall", "f1")
_LEVELS = 8  # of a cell's colour
_MOST_SCATTERS = 6
_MOST_DOTS = 60  # of a curve; a longer one is a line alone


def curves(report: Figures, writer: Writer) -> Iterator[str]:
    """Yield loss and metric over the epochs, the kept one marked."""
    history = report.history
    if not any(map(isfinite, history.loss)):
        yield writer.paragraph("no curves")
        return
    yield '<div class="figures">'
    series = [("training", "orange", history.loss), ("validation", "blue", history.val_loss)]
    yield from _curve(report, writer, "objective plot", writer.words["objective"], series)
    if history.val_metric:
        metric = writer.words.get(history.metric, history.metric)
        series = [("validation", "blue", history.val_metric)]
        yield from _curve(report, writer, "metric plot", metric, series)
    yield "</div>"
    which = "one network of curves" if report.origin.n_members == 1 else "first network"
    yield writer.paragraph("curves note", "note", which=writer.words[which])


def _curve(
    report: Figures,
    writer: Writer,
    key: str,
    label: str,
    series: list[tuple[str, str, list[float]]],
) -> Iterator[str]:
    known = [value for *_, values in series for value in values if isfinite(value)]
    if not known:
        return
    n, best = report.history.n_epochs, report.history.best_epoch
    title = writer.words[key].format(metric=label)
    plot = Plot(title, writer.words["epoch"], label, (1, max(n, 2)), _roomy(known), whole=True)
    for _, kind, values in series:
        points = [(float(i + 1), value) for i, value in enumerate(values)]
        plot.line(points, kind)
    if best is not None:
        plot.vertical(best + 1, writer.words["kept epoch"].format(epoch=best + 1))
        for name, kind, values in series:
            if best < len(values) and isfinite(values[best]) and name == "validation":
                plot.dots([(best + 1, values[best])], kind, radius=4.5)
    yield _figure(plot, _keys(series, writer) + escape(title))


def _keys(series: Iterable[tuple[str, str, Sized]], writer: Writer, **values: str) -> str:
    """Return which colour is what; nothing of series without numbers."""
    return "".join(
        f'<span class="key {kind}">{writer.text(name, **values)}</span>'
        for name, kind, numbers in series
        if numbers
    )


def _figure(plot: Plot, caption: str) -> str:
    return f"<figure>{plot.svg()}<figcaption>{caption}</figcaption></figure>"


def _roomy(values: list[float]) -> tuple[float, float]:
    """Return the range of the values and a little more."""
    low, high = min(values), max(values)
    room = 0.04 * (high / 2 - low / 2)
    return low - room, high + room


def mistakes(report: Figures, writer: Writer) -> Iterator[str]:
    """Yield the confusion matrix, or for many classes the commonest mistakes."""
    confusion, names = report.confusion, report.origin.classes
    if confusion is None:
        return
    total = writer.count(report.judged.rows)
    yield writer.paragraph("mistakes count", count=writer.count(confusion.n_mistakes), of=total)
    if confusion.matrix:
        yield from _matrix(confusion, names, writer)
    else:
        yield writer.paragraph("no matrix", "note", count=writer.count(len(names)))
    if confusion.commonest and (not confusion.matrix or len(names) > _MOST_PLAIN):
        yield f"<h3>{writer.text('mistakes list')}</h3>"
        head = writer.texts("true", "predicted", "rows")
        rows = [
            (escape(names[true]), escape(names[predicted]), writer.count(count))
            for true, predicted, count in confusion.commonest
        ]
        yield from writer.table("mistakes list", head, rows, ("name", "name", "figure"))


def _matrix(confusion: Confusion, names: tuple[str, ...], writer: Writer) -> Iterator[str]:
    yield writer.region("mistakes")
    corner = writer.text("true predicted")
    yield f'<table class="matrix"><thead><tr><td class="absent">{corner}</td>'
    yield from (f'<th scope="col">{escape(name)}</th>' for name in names)
    yield "</tr></thead><tbody>"
    for i, (name, row) in enumerate(zip(names, confusion.matrix, strict=True)):
        cells = "".join(_matrix_cell(n, sum(row), i == j) for j, n in enumerate(row))
        yield f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>'
    yield "</tbody></table></div>"


def _matrix_cell(n: int, total: int, right: bool) -> str:
    level = 0 if n == 0 else max(1, round(_LEVELS * n / total))
    kinds = ["right"] if right else []
    kinds += [f"{'h' if right else 'w'}{level}"] if level else ["zero"]
    return f'<td class="{" ".join(kinds)}">{n:,}</td>'


def classes(report: Figures, writer: Writer) -> Iterator[str]:
    """Yield precision, recall, F1 and rows of each class, the hardest first."""
    if not report.classes:
        return
    first = "label" if report.task == "multilabel" else "class"
    head = writer.texts(first, "learnt rows", "support", *_OF_A_CLASS)
    ranked = sorted(report.classes, key=lambda row: (row.f1 is None, row.f1 or 0.0))

    def table(rows: list[ClassRow]) -> Iterator[str]:
        cells = []
        for row in rows:
            counts = writer.count(row.learnt), writer.count(row.rows)
            shares = (writer.share(getattr(row, key)) for key in _OF_A_CLASS)
            cells.append((escape(row.name), *counts, *shares))
        return writer.table("classes", head, cells)

    yield writer.paragraph("precision note", "note")
    yield from table(ranked[:_MOST_CLASSES_OPEN])
    means = [
        f"{writer.text(key)} {writer.share(_mean([getattr(row, key) for row in ranked]))}"
        for key in _OF_A_CLASS
    ]
    yield writer.paragraph("mean of classes", figures=writer.listed(means))
    rest = ranked[_MOST_CLASSES_OPEN:_MOST_CLASSES]
    if rest:
        yield from writer.folded("all classes", table(rest), count=writer.count(len(rest)))


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def numbers(report: Figures, writer: Writer) -> Iterator[str]:
    """Yield predicted against true numbers, and the residuals."""
    if not report.numbers:
        return
    keys = ["r2", "rmse", "mae"]
    if report.numbers[0].poisson_deviance is not None:
        keys.insert(0, "poisson_deviance")
    rows = [
        (escape(part.name), *(writer.figure(getattr(part, key)) for key in keys))
        for part in report.numbers
    ]
    yield from writer.table("numbers", writer.texts("target", *keys), rows)
    n_rows, n_points = report.numbers[0].n_rows, len(report.numbers[0].points)
    facts = {"rows": writer.count(n_rows), "points": writer.count(n_points)}
    yield writer.paragraph("numbers note", "note", **facts)
    yield writer.paragraph("residuals note", "note")
    for part in report.numbers[:_MOST_SCATTERS]:
        if part.points:
            yield from _scatter(part, writer)
    if len(report.numbers) > _MOST_SCATTERS:
        count = writer.count(len(report.numbers))
        yield writer.paragraph("more numbers", "note", shown=_MOST_SCATTERS, count=count)


def _scatter(part: NumberFigures, writer: Writer) -> Iterator[str]:
    true, predicted = ([point[i] for point in part.points] for i in (0, 1))
    limits = _roomy([*true, *predicted])
    radius = 3.0 if len(true) < 200 else 2.2
    title = writer.words["scatter"].format(name=part.name)
    plot = Plot(title, writer.words["true"], writer.words["predicted"], limits, limits)
    plot.straight((limits[0], limits[0]), (limits[1], limits[1]))
    plot.dots(part.points, "faint", radius=radius)
    yield '<div class="figures">'
    yield _figure(plot, escape(title))
    residuals = [(p, t - p) for t, p in part.points]
    across, up = _roomy(predicted), _roomy([r for _, r in residuals] + [0.0])
    title = writer.words["residuals"].format(name=part.name)
    difference = f"{writer.words['true']} − {writer.words['predicted']}"
    plot = Plot(title, writer.words["predicted"], difference, across, up)
    plot.straight((across[0], 0.0), (across[1], 0.0))
    plot.dots(residuals, "faint", radius=radius)
    yield _figure(plot, escape(title)) + "</div>"


def calibration(report: Figures, writer: Writer) -> Iterator[str]:
    """Yield the reliability curve before and after, and the error of both."""
    found = report.calibration
    if report.task == "regression":
        return
    if found is None:
        yield writer.paragraph("no calibration")
        return
    changed = found.temperature != 1.0 or found.before != found.after
    temperature = writer.figure(found.temperature, 3)
    yield writer.paragraph("calibration note", "note", confidence="80 %")
    key = "temperature note" if changed else "no temperature"
    yield writer.paragraph(key, "note", temperature=temperature, rows=writer.count(found.rows))
    drawn = [("before", "blue", found.before)]
    if changed:
        drawn = [("before", "orange", found.before), ("after", "blue", found.after)]
    shown = [
        value for *_, bins in drawn for part in bins for value in (part.confidence, part.accuracy)
    ]
    low = max(0.0, min(shown) - 0.05)
    title = writer.words["reliability plot"]
    names = writer.words["confidence"], writer.words["accuracy"]
    plot = Plot(title, *names, (low, 1.0), (low, 1.0))
    plot.straight((low, low), (1.0, 1.0))
    for _, kind, bins in drawn:
        points = [(part.confidence, part.accuracy) for part in bins]
        plot.line(points, kind)
        plot.dots(points, kind, radius=4, titles=[_bin_text(part, writer) for part in bins])
    yield _figure(plot, _keys(drawn, writer, temperature=temperature))
    alone = report.origin.n_members > 1 and not report.origin.folded
    log_loss = "log_loss alone" if alone else "log_loss"
    columns = [writer.text(name, temperature=temperature) for name, *_ in drawn]
    rows = [
        (writer.text(key), *(writer.figure(value) for value in values[: len(drawn)]))
        for key, values in (
            ("ece", (found.error_before, found.error_after)),
            (log_loss, (found.loss_before, found.loss_after)),
        )
    ]
    yield from writer.table("calibration", [writer.text("figure"), *columns], rows)


def _bin_text(part: ReliabilityBin, writer: Writer) -> str:
    confidence, accuracy = writer.words["confidence"], writer.words["accuracy"]
    spread = sqrt(part.accuracy * (1 - part.accuracy) / part.rows)
    return (
        f"{confidence} {writer.share(part.confidence)}, {accuracy} {writer.share(part.accuracy)} "
        f"± {writer.share(spread)}, {part.rows} {writer.words['rows']}"
    )
