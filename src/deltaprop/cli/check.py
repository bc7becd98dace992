"""``deltaprop check``: every gradient against central differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from deltaprop.cli.options import EncodingOption, LanguageOption, MissingOption, finite, switch
from deltaprop.cli.show import print_json, print_table, say
from deltaprop.cli.source import (
    RowOption,
    RowsOption,
    RowsTargetOption,
    SourceArgument,
    WantedRow,
    explanation_of,
    source_kind,
)
from deltaprop.languages import told

if TYPE_CHECKING:
    from deltaprop.checking.gradients import GradientReport
    from deltaprop.cli.model_file import Model

__all__ = ["EXAMPLE", "check"]

EXAMPLE = "Example: deltaprop check tutorial"
_MOST_WRONG = 10


def check(
    source: SourceArgument,
    data: RowsOption = None,
    row: RowOption = None,
    target: RowsTargetOption = None,
    encoding: EncodingOption = None,
    missing: MissingOption = None,
    tolerance: Annotated[float, finite("E", "Relative error up to which it is right.")] = 1e-6,
    language: LanguageOption = None,
    json: Annotated[bool, switch("--json", "Print the result as JSON.")] = False,
) -> int:
    """Compare every gradient with central differences.

    The exit status is 0 when all are right, 1 when one is wrong, 3 when none is wrong but of some
    nothing can be told.
    """
    report = _report(source, WantedRow(data, row, target, encoding, missing), tolerance)
    if json:
        worst = report.worst
        print_json(
            {
                "ok": report.ok,
                "checked": sum(entry.name != "loss" for entry in report.entries),
                "parameters": report.n_parameters,
                "wrong": [entry.name for entry in report.wrong],
                "kinks": report.n_kinks,
                "undecided": [entry.name for entry in report.undecided],
                "tolerance": report.tolerance,
                "worst": None if worst is None else worst.name,
                "worst_relative_error": None if worst is None else worst.relative_error,
            }
        )
        return _status(report)
    say(report.to_terminal(told), result=True)
    if report.wrong:
        print_table(
            ("gradient", "claimed", "measured", "relative error"),
            [
                (
                    f"dL/d{e.name}",
                    f"{e.claimed:.8g}",
                    f"{e.measured:.8g}",
                    f"{e.relative_error:.2g}",
                )
                for e in report.wrong[:_MOST_WRONG]
            ],
            result=True,
            right=(1, 2, 3),
        )
    return _status(report)


def _status(report: GradientReport) -> int:
    return 0 if report.ok else 1 if report.wrong or not report.undecided else 3


def _report(source: str, wanted: WantedRow, tolerance: float) -> GradientReport:
    from deltaprop.cli.model_file import open_model
    from deltaprop.errors import SettingError

    if source_kind(source) == "model" and wanted.data is None:
        model = open_model(source).one(wanted.target)
        its_own = wanted.target in model.target.names  # it may have been one of several
        unused = [name for name in wanted.given if not (name == "--target" and its_own)]
        if unused:
            belong = "belongs" if len(unused) == 1 else "belong"
            raise SettingError(
                f"{' and '.join(unused)} {belong} to --data; give the table with --data."
            )
        return _check_on_random_rows(model, tolerance)
    return explanation_of(source, wanted).verify(tolerance)


def _check_on_random_rows(model: Model, tolerance: float) -> GradientReport:
    import numpy as np

    from deltaprop.checking.gradients import check_gradients

    network, rng = model.network, np.random.default_rng(0)
    x = rng.normal(size=(3, network.n_in))
    if network.loss_name == "cross_entropy":
        targets: Any = rng.integers(network.n_out, size=3)
    elif model.task != "regression":
        targets = rng.integers(2, size=(3, network.n_out)).astype(np.float64)
    else:
        targets = rng.normal(size=(3, network.n_out))
        if network.loss.targets == "count":
            targets = np.abs(targets)
    return check_gradients(network, model.parameters, x, targets, tolerance=tolerance)
