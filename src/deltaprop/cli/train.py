"""``deltaprop train``: a table in, a model and its figures out."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deltaprop.cli.began import command_began
from deltaprop.cli.judged import print_doubts, print_evaluation, print_overlap
from deltaprop.cli.options import (
    EncodingOption,
    MissingOption,
    finite,
    option,
    parse_missing,
    parse_task,
    recipe_of,
    switch,
    whole,
)
from deltaprop.cli.show import count, plain, print_json, print_table, remark, say, say_wrapped

if TYPE_CHECKING:
    from deltaprop.cli.report import Wanted
    from deltaprop.model.spec import Network
    from deltaprop.table_models import Evaluation, Recipe, TableModel
    from deltaprop.table_models.budget import Budget
    from deltaprop.tabular import (
        Dataset,
        ImageEncoder,
        SparseEncoder,
        TableEncoder,
        TargetEncoder,
    )

    Encoder = TableEncoder | ImageEncoder | SparseEncoder

__all__ = ["EXAMPLE", "train"]

EXAMPLE = """\b
Example:
  deltaprop train penguins.csv --target species --model penguins.safetensors

\b
With a report for the browser:
  deltaprop train penguins.csv --target species --report report.html"""
_MOST_COLUMNS = 40  # of the report
_MOST_READING = 0.5  # share of a time budget that is not worth a word
_SHARE_OF_PIECES = 0.35  # of it for reading a file of which there is no time to read all
_SHARE_OF_REPORT, _SHARE_OF_SAVING = 0.09, 0.05  # of a time budget
_SHARE_OF_READING = 0.25  # what a report takes of all its rows
_MOST_CLASSES = 8  # named in a line
_INTERRUPTED = 130
_MOST_MEMBERS = 1000  # whose checkpoints are looked for


def train(
    context: typer.Context,
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="CSV (also .gz, .tsv), Parquet, a glob of them, IDX, .npy, .npz, or - for CSV on "
            "standard input.",
        ),
    ],
    target: Annotated[str, option("COL", "The column to predict (for images: the label file).")],
    model: Annotated[str | None, option("OUT", "Save the model to this file.")] = None,
    report: Annotated[
        str | None, option("HTML", "Write what there is to know as one offline page.")
    ] = None,
    language: Annotated[str, option("LANG", "Of the report: en or zh.")] = "en",
    val: Annotated[str | None, option("DATA", "Rows that choose the best epoch.")] = None,
    val_target: Annotated[str | None, option("COL", "Their target, if called otherwise.")] = None,
    test: Annotated[str | None, option("DATA", "Rows that only judge the finished model.")] = None,
    test_target: Annotated[str | None, option("COL", "Their target, if called otherwise.")] = None,
    hold_out: Annotated[
        float | None,
        finite("SHARE", "Share of the rows that only judge the finished model, such as 0.2."),
    ] = None,
    task: Annotated[
        str | None,
        option("TASK", "classification, regression or multilabel; found out when left out."),
    ] = None,
    encoding: EncodingOption = None,
    missing: MissingOption = None,
    preset: Annotated[str, option("NAME", "{presets}.")] = "fast",
    hidden: Annotated[
        str | None, option("W,W,...", "Widths of the hidden layers, or none.")
    ] = None,
    activation: Annotated[str | None, option("NAME", "Of every hidden layer.")] = None,
    dropout: Annotated[float | None, finite("P", "From 0 up to below 1.")] = None,
    learning_rate: Annotated[float | None, finite("ETA", "The highest there is.")] = None,
    l2: Annotated[float | None, finite("LAMBDA", "Penalty on the weights.")] = None,
    batch_size: Annotated[int | None, whole("N", "Rows per step.")] = None,
    epochs: Annotated[int | None, whole("N", "Passes, at most.")] = None,
    patience: Annotated[int | None, whole("N", "Epochs without improvement.")] = None,
    members: Annotated[int | None, whole("K", "Networks that are averaged.")] = None,
    ranges: Annotated[int | None, whole("K", "Of each number, or 0 for none.")] = None,
    loss: Annotated[
        str | None, option("NAME", "Of numbers: poisson for counts, huber for outliers, ...")
    ] = None,
    metric: Annotated[
        str | None,
        option(
            "NAME", "Chooses epochs: accuracy, balanced-accuracy, f1, auc, log-loss, r2, rmse, mae."
        ),
    ] = None,
    class_weight: Annotated[
        str | None, option("NAME=W,...", "What rows of a class count; or balanced.")
    ] = None,
    forget_rows: Annotated[
        bool, switch("--forget-rows", "Keep nothing by which a learnt row is known again.")
    ] = False,
    seed: Annotated[int, whole("N", "The same seed gives the same model.")] = 0,
    time_budget: Annotated[str | None, option("30s", "By then the whole command ends.")] = None,
    resume: Annotated[
        bool, switch("--resume", "Go on with a run that was killed (needs --model).")
    ] = False,
    engine: Annotated[str, option("NAME", "What runs the steps.")] = "auto",
    json: Annotated[bool, switch("--json", "Print the result as JSON.")] = False,
) -> int:
    """Train a model on a table and print how good it is."""
    from deltaprop.cli.judged import hold_rows_out
    from deltaprop.cli.outputs import check_outputs
    from deltaprop.cli.report import Wanted, repeating
    from deltaprop.engines import engine_named
    from deltaprop.errors import SettingError
    from deltaprop.tabular import load_dataset
    from deltaprop.training.progress import phase

    recipe = recipe_of(context.params, remember_rows=not forget_rows)
    engine_named(engine)
    parse_task(task)
    if resume and model is None:
        raise SettingError("--resume goes on from the checkpoint beside --model; give --model too.")
    if hold_out is not None and (test is not None or not 0 < hold_out < 1):
        raise SettingError(
            f"--hold-out is {hold_out:g}; it is a share of the rows between 0 and 1, such as 0.2, "
            "and takes the place of --test."
        )
    outputs = {"--model": model, "--report": report}
    inputs = {"DATA": data, "--val": val, "--test": test}
    wanted = Wanted(report, language, repeating(context.obj), inputs=inputs)
    check_outputs(outputs, inputs, model=model)
    reading: dict[str, Any] = {
        "task": task,
        "missing": parse_missing(missing),
        "encoding": encoding,
    }

    def read(source: str | None, its_target: str | None, **part: Any) -> Dataset | None:
        if source is None:
            return None
        with phase(not json, f"reading {plain(source)}"):
            return load_dataset(source, its_target or target, **reading, **part)

    dataset = read(data, target, **_part_to_read(recipe, model if resume else None))
    assert dataset is not None
    judged = {"validation": read(val, val_target), "test": read(test, test_target)}
    given = {"--target": target, "--val-target": val_target, "--test-target": test_target}
    labels = {name: path for name, path in given.items() if path not in dataset.target_names}
    check_outputs(outputs, labels, model=model)  # of arrays, files of their own
    if hold_out is not None:
        dataset, judged["test"], rows = hold_rows_out(dataset, hold_out, task, seed)
        wanted = replace(wanted, rows=rows)
    return _fit_and_report(dataset, judged, recipe, reading, model, resume, json, wanted)


def _part_to_read(recipe: Recipe, resumed: str | None) -> dict[str, Any]:
    """Return how long reading may take, or how many pieces a run has read that goes on."""
    from deltaprop.table_models.resumed_plan import Begun

    if recipe.time_budget is None:
        return {}
    for name in ("checkpoint", "checkpoint.target1") if resumed is not None else ():
        begun = Begun.read(f"{resumed}.{name}")
        if begun is not None:
            return {"pieces": begun.pieces}
    left = recipe.time_budget - (time.perf_counter() - command_began())
    return {"seconds": _SHARE_OF_PIECES * left}


def _fit_and_report(
    dataset: Dataset,
    judged: dict[str, Dataset | None],
    recipe: Recipe,
    reading: dict[str, Any],
    path: str | None,
    resume: bool,
    as_json: bool,
    wanted: Wanted,
) -> int:
    from deltaprop.table_models.budget import Budget
    from deltaprop.table_models.several_targets import TargetModels, columns_together
    from deltaprop.training.progress import phase

    budget = Budget(recipe.time_budget, command_began())
    if budget.seconds is not None:
        budget.reserved = budget.seconds * _SHARE_OF_SAVING
        if wanted.path:  # what is long in reading is long in reporting
            read = time.perf_counter() - budget.began
            budget.reserved += _SHARE_OF_REPORT * budget.seconds + _SHARE_OF_READING * read
        _say_what_reading_took(budget)
    names, task = dataset.target_names, reading["task"]
    groups = columns_together(dataset.target, names, task, recipe, where=dataset.source)
    several = len(groups) > 1
    rows = [(_of_targets(dataset, g), _of_targets_each(judged, g)) for g in groups]
    plain_file = path is not None and (Path(path).is_file() or not Path(path).exists())
    checkpoints = [
        Path(f"{path}.checkpoint{f'.target{i}' if several else ''}") if plain_file else None
        for i in range(1, len(groups) + 1)
    ]
    reports = [wanted.of(own.target_names) if several else wanted for own, _ in rows]
    parts: list[TableModel] = []
    for (own, its_judged), checkpoint in zip(rows, checkpoints, strict=True):
        budget.pieces = own.pieces
        its_budget = budget
        if several and budget.limited:  # what is left is shared out
            share = budget.left / (len(rows) - len(parts))
            its_budget = Budget(share, time.perf_counter(), pieces=own.pieces)
        its_recipe = replace(recipe, time_budget=its_budget.seconds)
        fitted = _fit(own, its_judged, its_recipe, reading, checkpoint, resume, as_json, its_budget)
        parts.append(fitted)
        if _was_interrupted(fitted) and len(parts) < len(rows):
            left = "; the same command with --resume goes on" if checkpoint is not None else ""
            remark(f"Interrupted before all targets were learnt: nothing is saved{left}.")
            return _INTERRUPTED
    if path is not None:
        with phase(not as_json, f"saving {plain(path)}"):
            (TargetModels(tuple(parts), names) if several else parts[0]).save(path)
    left_over = [file for each in checkpoints if each is not None for file in _files_of(each)]
    if not _was_interrupted(parts[-1]):
        for file in left_over:
            file.unlink(missing_ok=True)
    elif left_over:
        remark(f"Interrupted; the same command with --resume goes on from {checkpoints[-1]}.")
    facts: list[dict[str, Any]] = []
    for i, (fitted, (own, its_judged)) in enumerate(zip(parts, rows, strict=True)):
        its_report = reports[i]
        with phase(not as_json, "working out the report"):
            seconds = budget.rest / (len(parts) - i) if budget.limited else None
            its_report.write(fitted, own, its_judged["validation"], seconds)
        evaluations = {}
        for name, some in its_judged.items():
            if some is not None:
                with phase(not as_json, f"judging the {name} rows"):
                    evaluations[name] = fitted.evaluate(
                        some.features, some.target, where=some.source
                    )
        if as_json:
            facts.append({**_as_data(own, fitted, evaluations, path), "report": its_report.path})
            continue
        if several:
            say_wrapped("target      ", ", ".join(own.target_names))
        _describe_training(fitted)
        _print_figures(fitted, own, evaluations, path if fitted is parts[-1] else None)
        if its_report.path is not None:
            say(f"report      {plain(its_report.path)}", result=True)
    if as_json:
        print_json({"targets": facts} if several else facts[0])
    if _was_interrupted(parts[-1]):
        return _INTERRUPTED
    return int(any(h.stopped_because == "diverged" for fitted in parts for h in fitted.histories))


def _was_interrupted(fitted: TableModel) -> bool:
    return any(history.stopped_because == "interrupted" for history in fitted.histories)


def _of_targets(dataset: Dataset, group: tuple[int, ...]) -> Dataset:
    """Return the rows with some of their targets."""
    if len(group) == len(dataset.target_names):
        return dataset
    target = dataset.target[:, list(group)] if len(group) > 1 else dataset.target[:, group[0]]
    return replace(
        dataset, target=target, target_names=tuple(dataset.target_names[i] for i in group)
    )


def _of_targets_each(
    judged: dict[str, Dataset | None], group: tuple[int, ...]
) -> dict[str, Dataset | None]:
    return {n: None if rows is None else _of_targets(rows, group) for n, rows in judged.items()}


def _fit(
    dataset: Dataset,
    judged: dict[str, Dataset | None],
    recipe: Recipe,
    reading: dict[str, Any],
    checkpoint: Path | None,
    resume: bool,
    as_json: bool,
    budget: Budget,
) -> TableModel:
    """Learn the targets that share a network, and tell of the table and the plan."""
    from deltaprop.table_models import TableModel
    from deltaprop.training.progress import phase

    validation = judged["validation"]
    if checkpoint is not None and bool(_files_of(checkpoint)) != resume:
        remark(
            f"There is no {checkpoint} to resume from; training starts at the beginning."
            if resume
            else f"{checkpoint} of an unfinished run is replaced; --resume would go on from it."
        )

    def announce(inputs: Encoder, target: TargetEncoder, network: Network) -> None:
        if judged["test"] is not None:
            began = time.perf_counter()
            with phase(not as_json, "looking at the test rows"):
                _refuse_rows_that_do_not_fit(judged["test"], inputs, target)
            budget.reserved += 2 * (time.perf_counter() - began)  # they are judged, too
        if not as_json:
            _describe_data(dataset)
            _describe_plan(inputs, target, network)

    return TableModel.fit(
        dataset.features,
        dataset.target,
        target_names=dataset.target_names,
        validation=None if validation is None else (validation.features, validation.target),
        task=reading["task"],
        missing=reading["missing"],
        recipe=recipe,
        where=dataset.source,
        validation_where="" if validation is None else validation.source,
        checkpoint=checkpoint,
        resume=resume,
        progress=not as_json,
        announce=announce,
        budget=budget,
    )


def _say_what_reading_took(budget: Budget) -> None:
    """Tell at once that a time budget cannot be kept, or leaves little for learning."""
    assert budget.seconds is not None
    took = time.perf_counter() - budget.began
    if took > _MOST_READING * budget.seconds:
        remark(
            f"Reading the table took {took:.1f} s of the time budget of {budget.seconds:g} s: what "
            "follows learns from fewer rows, for fewer epochs"
            f"{', and will end later' if took > budget.seconds else ''}."
        )


def _files_of(checkpoint: Path) -> list[Path]:
    """Return the checkpoint, or those of several members and their plan, as far as they exist."""
    endings = ("plan", *range(1, _MOST_MEMBERS + 1))
    each = (checkpoint.with_name(f"{checkpoint.name}.{ending}") for ending in endings)
    return [path for path in (checkpoint, *each) if path.exists()]


def _refuse_rows_that_do_not_fit(test: Dataset, inputs: Encoder, target: TargetEncoder) -> None:
    """Find out before training, not after it, that the test rows cannot be judged."""
    import warnings

    target.encode(test.target, where=test.source)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they come again with the figures
        inputs.transform(test.features, where=test.source, ignore=target.names)


def _describe_data(dataset: Dataset) -> None:
    for note in dataset.notes:
        remark(note)
    for warning in dataset.warnings:
        remark(warning)
    n = dataset.n_rows
    say_wrapped("data        ", f"{dataset.source}: {n:,} rows, target {dataset.target_name}")


def _describe_plan(inputs: Encoder, target: TargetEncoder, network: Network) -> None:
    names = target.class_names
    kind = "labels" if target.task == "multilabel" else "classes"
    classes = f"{len(names)} {kind}" if names else "a number"
    if 0 < len(names) <= _MOST_CLASSES:
        classes += f" ({', '.join(names)})"
    say_wrapped("predicts    ", f"{classes}, because {target.reason}")
    say()
    report = inputs.report()
    shown = report[:_MOST_COLUMNS]
    print_table(
        ("column", "kind", "what was done", "missing"),
        [
            (row.column, row.kind, row.done, f"{row.missing:,}" if row.missing else "")
            for row in shown
        ],
        right=(3,),
    )
    if len(report) > len(shown):
        say(f"... and {len(report) - len(shown):,} more columns")
    for warning in inputs.warnings:
        remark(warning)
    say()
    say_wrapped("network     ", network.describe())


def _describe_training(fitted: TableModel) -> None:
    history, k = fitted.history, len(fitted.members)
    n_steps = sum(each.n_steps for each in fitted.histories)
    members = f"{count(k, 'member')}, " if k > 1 else ""
    say_wrapped(
        "training    ",
        f"{count(fitted.n_train, 'row')}, {members}{count(history.n_epochs, 'epoch')}, "
        f"{count(n_steps, 'step')}, {fitted.seconds:.1f} s, engine {history.engine}",
    )
    if k == 1:
        say_wrapped("            ", history.message)
    else:
        others = [each for each in fitted.histories if each.stopped_because != "epochs"]
        told = f"{k - len(others)} of {k} members ran all their epochs"
        say_wrapped("            ", f"{told}; {others[0].message}" if others else f"{told}.")
    say()


def _held_out(fitted: TableModel) -> dict[str, Any] | None:
    """Return the figures of the rows that chose the epochs; the one that is judged, first."""
    held = fitted.held_out
    if held is None:
        return None
    return {"metric": held.headline, "figure": held.figures[held.headline], **held.to_dict()}


def _print_figures(
    fitted: TableModel, dataset: Dataset, evaluations: dict[str, Evaluation], path: str | None
) -> None:
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
        say(f"saved       {plain(path)}", result=True)


def _as_data(
    dataset: Dataset, fitted: TableModel, evaluations: dict[str, Evaluation], path: str | None
) -> dict[str, Any]:
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
