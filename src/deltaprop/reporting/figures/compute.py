"""From a model and its rows to the figures of a report."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import isfinite
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from deltaprop._version import __version__
from deltaprop.reporting.figures.figures import (
    MOST_LOOKED_AT,
    ClassRow,
    ColumnFacts,
    Confusion,
    Figures,
    Finding,
    NumberFigures,
    Origin,
)
from deltaprop.reporting.figures.hardest_rows import hardest_rows
from deltaprop.reporting.figures.importance import permutation_importance, strongest
from deltaprop.reporting.figures.rows import Rows, blocks_of, split_as_fitted
from deltaprop.reporting.figures.warnings import (
    SMALL_VALIDATION,
    doubtful,
    leakage,
    repeated_rows,
    small_samples,
)
from deltaprop.table_models import Evaluation, TableModel
from deltaprop.table_models.calibration import Calibration, calibrate
from deltaprop.table_models.evaluation import evaluate_numbers
from deltaprop.table_models.judge import judge_rows
from deltaprop.table_models.rows import Portion
from deltaprop.training.history import History
from deltaprop.training.predict import logits

__all__ = ["compute_report"]

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
F = TypeVar("F", bound=Figures)

_MOST_ROWS, _FEWEST_ROWS = 200_000, 1000  # of training and of validation
_MOST_CELLS = 25_000_000  # of x
_WHOLE_EFFORT = 20.0  # seconds, of a large table
_SHARE_OF_A_PASS = 0.08  # of the time, for the model to answer for the rows once
_MOST_IN_MATRIX = 30  # classes
_MOST_MISTAKES = 20  # kinds of mistakes that are listed
_MOST_POINTS = 800
_MOSTLY = 0.9  # of the rows; those without weight were not learnt


def compute_report(
    kind: type[F],
    model: TableModel,
    features: Any,
    target: Any,
    *,
    validation: tuple[Any, Any] | None,
    source: str,
    command: str,
    remarks: Sequence[str],
    seed: int,
    numbers: npt.NDArray[np.int64] | None,
    seconds: float | None,
) -> F:
    """Return all figures about a training, given what ``report`` is given.

    They are judged on the validation rows; without such, on the rows that were learnt.
    """
    rng = np.random.default_rng(seed)
    effort = 1.0 if seconds is None else min(1.0, max(0.0, seconds) / _WHOLE_EFFORT)
    train, held = split_as_fitted(model, features, target, validation, numbers)
    classify, k = model.task == "classification", model.target.n_outputs
    most = min(_MOST_ROWS, _MOST_CELLS // max(model.network.n_in, 1))
    most = max(_FEWEST_ROWS, int(effort * most))
    if seconds is not None:
        most = min(most, _rows_in(seconds, model, train, rng))
    sample = train.sample(most, rng).prepared(model)
    judged = held.sample(most, rng).prepared(model) if len(held) else sample
    outputs = model.outputs_of(judged.encoded(), judged.member)
    apart = len(held) > 0 and held.member is None  # else every row is learnt by some member
    blocks, grid = blocks_of(model)
    importance = permutation_importance(model, judged, blocks, grid, seed, effort)
    evaluation = judge_rows(model, judged.encoded(), judged.y, judged.member)
    if model.held_out is not None and len(judged) < len(held):
        evaluation = replace(model.held_out, classes=evaluation.classes)  # it is of all rows
    looked_at = strongest(model, sample.encoded(), blocks, MOST_LOOKED_AT)
    findings = [
        *_of_other_rows(model, sample),
        *_of_the_training(model, len(held), evaluation),
        *leakage(model, sample, [blocks[place] for place in looked_at], seed),
        *(repeated_rows(sample.encoded(), judged.encoded()) if apart else ()),
    ]
    numbers_found: tuple[NumberFigures, ...] = ()
    class_rows: tuple[ClassRow, ...] = ()
    confusion = calibration = None
    if model.task == "regression":
        numbers_found = _numbers(model, outputs, judged.y, rng)
    else:
        right, n = round(evaluation.figures["accuracy"] * len(judged)), len(judged)
        learnt, support = (_of_each_class(y, k) for y in (train.y, judged.y))
        findings += small_samples(learnt, support, model.class_names, len(held), (right, n))
        class_rows = _class_rows(evaluation, learnt)
        confusion = _confusion(judged.y, outputs.argmax(axis=1), k) if classify else None
        calibration = _calibration(model, judged) if len(held) else None
    return kind(
        task=model.task,
        origin=_origin(model, validation is not None, source, command),
        history=model.history,
        training=judge_rows(model, sample.encoded(), sample.y) if len(held) else evaluation,
        validation=evaluation if len(held) else None,
        interval=evaluation.interval,
        classes=class_rows,
        confusion=confusion,
        numbers=numbers_found,
        calibration=calibration,
        importance=importance,
        hardest=hardest_rows(model, judged, outputs, importance),
        columns=tuple(ColumnFacts(*row) for row in model.inputs.report()),
        findings=tuple(sorted(findings, key=lambda finding: not finding.serious)),
        remarks=tuple(dict.fromkeys((*remarks, *model.inputs.warnings))),
    )


def _origin(model: TableModel, own_validation: bool, source: str, command: str) -> Origin:
    network = model.network
    return Origin(
        source=source,
        target=tuple(model.target.names),
        classes=model.class_names,
        n_train=model.n_train,
        n_val=model.n_val,
        own_validation=own_validation,
        n_columns=getattr(model.inputs, "n_columns", len(model.inputs.report())),
        n_inputs=network.n_in,
        sizes=tuple(network.sizes),
        n_parameters=network.n_parameters,
        recipe=repr(model.recipe),
        seconds=model.seconds,
        n_members=len(model.members),
        command=command,
        versions={
            "deltaprop": __version__,
            "Python": platform.python_version(),
            "NumPy": np.__version__,
        },
    )


def _rows_in(seconds: float, model: TableModel, rows: Rows, rng: np.random.Generator) -> int:
    """Return how many rows there is time to judge, as far as a few of them tell."""
    few = rows.sample(_FEWEST_ROWS, rng)
    began = time.perf_counter()
    judge_rows(model, few.prepared(model).encoded(), few.y)
    each = (time.perf_counter() - began) / len(few)
    return max(_FEWEST_ROWS, int(_SHARE_OF_A_PASS * seconds / max(each, 1e-9)))


def _of_each_class(y: npt.NDArray[Any], k: int) -> Labels:
    """Return how many rows are of each class, or have each label."""
    counts = np.bincount(y, minlength=k) if y.ndim == 1 else y.sum(axis=0)
    return counts.astype(np.int64)


def _of_other_rows(model: TableModel, rows: Rows) -> Iterator[Finding]:
    """Yield that these are not the rows the model has learnt, where it remembers them."""
    known = model.learnt_rows
    if known is None:
        return
    seen = known.overlap(model.marks(Portion(rows.features, rows.y)))
    if not seen.about and seen.learnt < _MOSTLY * len(rows):
        yield Finding("other rows", {"rows": seen.learnt, "of": len(rows)}, True)


def _of_the_training(model: TableModel, n_val: int, evaluation: Evaluation) -> Iterator[Finding]:
    history = model.history
    diverged = [h.n_epochs for h in model.histories if h.stopped_because == "diverged"]
    if diverged:
        yield Finding("diverged", {"epochs": diverged[0]}, True)
    if n_val == 0:
        yield Finding("no validation", {"rows": model.n_train}, True)
    elif history.stopped_because == "epochs" and _still_improves(history):
        yield Finding("still improving", {"epochs": history.n_epochs})
    if model.task == "regression" and 0 < n_val < SMALL_VALIDATION:
        yield Finding("few numbers", {"rows": n_val})
    yield from doubtful(evaluation)


def _still_improves(history: History) -> bool:
    """Return whether the last epoch was the best one, and the loss fell to the end.

    By less than a hundredth over the last tenth is no fall: where the learning rate ends at zero
    the last epoch is often the best, and there is no more to be had.
    """
    n = history.n_epochs
    earlier = history.val_loss[: n - max(1, n // 10)]
    falls = not earlier or history.val_loss[-1] < 0.99 * min(earlier)
    return history.best_epoch == n - 1 and falls


def _class_rows(evaluation: Evaluation, learnt: Labels) -> tuple[ClassRow, ...]:
    rows = []
    for part, n in zip(evaluation.classes, learnt.tolist(), strict=True):
        f1 = None
        if part.precision is not None or part.recall is not None:
            p, r = part.precision or 0.0, part.recall or 0.0
            f1 = 2 * p * r / (p + r) if p + r > 0 else 0.0
        rows.append(ClassRow(part.name, n, part.rows, part.precision, part.recall, f1))
    return tuple(rows)


def _confusion(true: Labels, predicted: Labels, k: int) -> Confusion:
    matrix: tuple[tuple[int, ...], ...] = ()
    if k <= _MOST_IN_MATRIX:
        counted = np.bincount(true * k + predicted, minlength=k * k).reshape(k, k)
        matrix = tuple(tuple(row) for row in counted.tolist())
    wrong = true != predicted
    pairs, counts = np.unique(true[wrong] * k + predicted[wrong], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:_MOST_MISTAKES]
    commonest = tuple(
        (pair // k, pair % k, count)
        for pair, count in zip(pairs[order].tolist(), counts[order].tolist(), strict=True)
    )
    return Confusion(matrix, commonest, int(wrong.sum()))


def _calibration(model: TableModel, held: Rows) -> Calibration | None:
    """Return what the model was calibrated with; where it was not, its curve as it is."""
    if model.calibration is not None:
        return model.calibration
    x, y = held.encoded(), held.y
    if held.member is None:  # every member was validated on all of them
        z = np.concatenate([logits(model.network, member, x) for member in model.members])
        y = np.concatenate([y] * len(model.members))
    else:
        z = np.empty((len(held), model.network.n_out))
        for i, member in enumerate(model.members):
            own = np.flatnonzero(held.member == i)
            z[own] = logits(model.network, member, x[own])
    found = calibrate(z, y)
    if found is None:
        return None
    return replace(
        found,
        temperature=1.0,
        loss_after=found.loss_before,
        error_after=found.error_before,
        after=found.before,
    )


def _numbers(
    model: TableModel, outputs: Array, y: npt.NDArray[Any], rng: np.random.Generator
) -> tuple[NumberFigures, ...]:
    predicted, true = model.target.decode(outputs), model.target.decode(y)
    places = np.arange(len(y))
    if len(y) > _MOST_POINTS:
        places = np.sort(rng.choice(len(y), _MOST_POINTS, replace=False))
    found, counts = [], model.network.loss.targets == "count"
    for k, name in enumerate(model.target.names):
        p, t = predicted[:, k], true[:, k]
        figures = evaluate_numbers(p[:, None], t[:, None], counts=counts).figures
        points = tuple(
            (a, b)
            for a, b in zip(t[places].tolist(), p[places].tolist(), strict=True)
            if isfinite(a) and isfinite(b)
        )
        r2, rmse, mae = (figures[key] for key in ("r2", "rmse", "mae"))
        deviance = figures.get("poisson_deviance")
        found.append(NumberFigures(name, r2, rmse, mae, points, len(y), deviance))
    return tuple(found)
