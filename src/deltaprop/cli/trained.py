"""What ``deltaprop train`` tells of a table, a plan, a training and its figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deltaprop.cli.judged import print_doubts, print_evaluation, print_overlap
from deltaprop.cli.show import count, labelled, plain, print_table, remark, say, say_wrapped
from deltaprop.languages import current_language, told

if TYPE_CHECKING:
    from deltaprop.model.spec import Network
    from deltaprop.table_models import Evaluation, TableModel
    from deltaprop.tabular import Dataset, Encoder, TargetEncoder
    from deltaprop.tabular.encoding.encoder import ReportRow

__all__ = ["as_data", "describe_data", "describe_plan", "describe_training", "print_figures"]

_MOST_COLUMNS = 40  # of the report
_MOST_CLASSES = 8  # named in a line


def describe_data(dataset: Dataset) -> None:
    """Tell of the table, and what is odd in it."""
    for note in dataset.notes:
        remark(note)
    for warning in dataset.warnings:
        remark(warning)
    n = dataset.n_rows
    say_wrapped("data        ", f"{dataset.source}: {n:,} rows, target {dataset.target_name}")


def describe_plan(inputs: Encoder, target: TargetEncoder, network: Network) -> None:
    """Tell what is predicted, what was done to each column, and the network."""
    names = target.class_names
    listed = f" ({', '.join(names)})" if 0 < len(names) <= _MOST_CLASSES else ""
    classes = "a number"
    if names:
        several = target.task == "multilabel"
        classes = f"{len(names)} labels{listed}" if several else f"{len(names)} classes{listed}"
    say_wrapped("predicts    ", f"{classes}, because {target.reason}")
    say()
    report = inputs.report()
    shown = report[:_MOST_COLUMNS]
    print_table(
        ("column", "kind", "what was done", "missing"),
        [(row.column, *_told_of(row), f"{row.missing:,}" if row.missing else "") for row in shown],
        right=(3,),
    )
    if len(report) > len(shown):
        say(told(f"... and {len(report) - len(shown):,} more columns"))
    for warning in inputs.warnings:
        remark(warning)
    say()
    say_wrapped("network     ", _network(network))


def _network(network: Network) -> str:
    """Return the network in a line."""
    language = current_language()
    if language == "en":
        return network.describe()
    from deltaprop.explaining.document.labels import shape_in_words
    from deltaprop.languages.names import name_and_term

    loss = name_and_term("loss", network.loss_name, language)
    return f"{shape_in_words(network, language)}，{loss}，{network.n_parameters:,} 个参数"


def _told_of(row: ReportRow) -> tuple[str, str]:
    """Return a column's kind and what was done to it."""
    from deltaprop.tabular.encoding.wording import described_in

    return (
        (row.kind, row.done)
        if current_language() == "en"
        else described_in("zh", row.kind, row.done)
    )


def describe_training(fitted: TableModel) -> None:
    """Tell how long was learnt, from what, and why it ended."""
    history, k = fitted.history, len(fitted.members)
    n_steps = sum(each.n_steps for each in fitted.histories)
    parts = [
        count(fitted.n_train, "row"),
        *([count(k, "member")] if k > 1 else []),
        count(history.n_epochs, "epoch"),
        count(n_steps, "step"),
        f"{fitted.seconds:.1f} s",
        f"engine {history.engine}",
    ]
    say_wrapped("training    ", told(", ").join(map(told, parts)))
    if k == 1:
        say_wrapped("            ", history.message)
    else:
        others = [each for each in fitted.histories if each.stopped_because != "epochs"]
        whole = f"{k - len(others)} of {k} members ran all their epochs."
        if others:
            rest = f"{k - len(others)} of {k} members ran all their epochs; {others[0].message}"
        say_wrapped("            ", rest if others else whole)
    say()


def _held_out(fitted: TableModel) -> dict[str, Any] | None:
    """Return the figures of the rows that chose the epochs; the one that is judged, first."""
    held = fitted.held_out
    if held is None:
        return None
    return {"metric": held.headline, "figure": held.figures[held.headline], **held.to_dict()}


def print_figures(
    fitted: TableModel, dataset: Dataset, evaluations: dict[str, Evaluation], path: str | None
) -> None:
    """Print how good the model is, on the rows that tell it."""
    held, metric, given = fitted.held_out, fitted.recipe.metric, "validation" in evaluations
    chosen = metric if isinstance(metric, str) else None
    if held is not None:
        how = " given; they chose the epoch" if given else " held out; they chose the epoch"
        if fitted.folded:
            how = " held out, each judged by the member that has not learnt it"
        print_evaluation("validation", held, how, chosen)
    elif fitted.history.loss and not evaluations:
        learnt = fitted.evaluate(dataset.features, dataset.target, where=dataset.source)
        print_evaluation("training", learnt, " learnt from; nothing was held out", chosen)
    for name, evaluation in evaluations.items():
        if name != "validation":  # these are the figures of ``held_out``, once more
            print_evaluation(name, evaluation, chosen=chosen)
            print_overlap(evaluation)
    judged = evaluations.get("test", held)
    if judged is not None:
        print_doubts(judged)
    if path is not None:
        say(labelled("saved       ", plain(path)), result=True)


def as_data(
    dataset: Dataset, fitted: TableModel, evaluations: dict[str, Evaluation], path: str | None
) -> dict[str, Any]:
    """Return all that is told as plain data."""
    return {
        "data": dataset.source,
        "target": list(fitted.target.names),
        "task": fitted.task,
        "classes": list(fitted.class_names),
        "rows": {"training": fitted.n_train, "validation": fitted.n_val},
        "columns": [row._asdict() for row in fitted.inputs.report()],
        "notes": list(dataset.notes),
        "warnings": [*dataset.warnings, *fitted.inputs.warnings],
        "network": fitted.network.describe(),
        "members": len(fitted.members),
        "history": fitted.history.to_dict(),
        "held_out": _held_out(fitted),
        **{name: evaluation.to_dict() for name, evaluation in evaluations.items()},
        "model": path,
    }
