"""``deltaprop train``: a table in, a model and its figures out."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deltaprop.cli.began import command_began
from deltaprop.cli.language import language_of
from deltaprop.cli.options import (
    EncodingOption,
    LanguageOption,
    MissingOption,
    finite,
    option,
    parse_missing,
    parse_task,
    recipe_of,
    switch,
    whole,
)
from deltaprop.cli.show import labelled, plain, print_json, remark, say, say_wrapped
from deltaprop.cli.trained import (
    as_data,
    describe_data,
    describe_plan,
    describe_training,
    print_figures,
)

if TYPE_CHECKING:
    from deltaprop.cli.report import Wanted
    from deltaprop.model.spec import Network
    from deltaprop.table_models import Recipe, TableModel, TargetModels
    from deltaprop.table_models.budget import Budget
    from deltaprop.tabular import Dataset, Encoder, TargetEncoder

__all__ = ["EXAMPLE", "train"]

EXAMPLE = """\b
Example:
  deltaprop train penguins.csv --target species --model penguins.safetensors

\b
With a report for the browser:
  deltaprop train penguins.csv --target species --report report.html"""
_MOST_READING = 0.5  # share of a time budget that is not worth a word
_SHARE_OF_PIECES = 0.35  # of it for reading a file of which there is no time to read all
_SHARE_OF_REPORT, _SHARE_OF_SAVING = 0.09, 0.05  # of a time budget
_SHARE_OF_READING = 0.25  # what a report takes of all its rows
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
    language: LanguageOption = None,
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
    wanted = Wanted(report, language_of(language), repeating(context.obj), inputs=inputs)
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
    return _Training(dataset, judged, recipe, reading, model, resume, json, wanted).run()


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


@dataclass(frozen=True)
class _Rows:
    """The rows of some targets that share a network, those that judge it, and its report."""

    dataset: Dataset
    judged: Mapping[str, Dataset | None]
    report: Wanted


@dataclass(frozen=True)
class _Training:
    """Tables that were read, and what is to be done with them."""

    dataset: Dataset
    judged: Mapping[str, Dataset | None]
    recipe: Recipe
    reading: Mapping[str, Any]
    path: str | None
    resume: bool
    as_json: bool
    wanted: Wanted

    def run(self) -> int:
        """Learn, save and tell; return the exit status."""
        from deltaprop.table_models import TargetModels
        from deltaprop.training.progress import phase

        budget, rows = self._budget(), self._rows()
        path = None if self.path is None else Path(self.path)
        to_file = path is not None and (path.is_file() or not path.exists())
        checkpoint = f"{path}.checkpoint" if to_file else None
        several = len(rows) > 1
        ends = [f".target{i}" for i in range(1, len(rows) + 1)] if several else [""]
        checkpoints = [Path(f"{checkpoint}{end}") for end in ends if checkpoint is not None]
        for each in checkpoints:
            self._say_what_is_there(each)
        try:
            fitted = self._fitted(rows, budget, checkpoint)
        except KeyboardInterrupt:
            if not several:
                raise
            left = "; the same command with --resume goes on" if checkpoint is not None else ""
            remark(f"Interrupted before all targets were learnt: nothing is saved{left}.")
            return _INTERRUPTED
        if self.path is not None:
            with phase(not self.as_json, f"saving {plain(self.path)}"):
                fitted.save(self.path)
        left_over = [file for each in checkpoints for file in _files_of(each)]
        if not fitted.interrupted:
            for file in left_over:
                file.unlink(missing_ok=True)
        elif left_over:
            remark(f"Interrupted; the same command with --resume goes on from {checkpoints[-1]}.")
        parts = fitted.parts if isinstance(fitted, TargetModels) else (fitted,)
        facts = []
        for i, (model, own) in enumerate(zip(parts, rows, strict=True)):
            seconds = budget.rest / (len(parts) - i) if budget.limited else None
            saved = self.path if self.as_json or model is parts[-1] else None
            facts.append(self._described(model, own, seconds, saved, several=several))
        if self.as_json:
            print_json({"targets": facts} if several else facts[0])
        if fitted.interrupted:
            return _INTERRUPTED
        return int(any(h.stopped_because == "diverged" for part in parts for h in part.histories))

    def _budget(self) -> Budget:
        """Return what is left of the time for the whole command, with what comes after learning."""
        from deltaprop.table_models.budget import Budget

        budget = Budget(self.recipe.time_budget, command_began(), pieces=self.dataset.pieces)
        if budget.seconds is None:
            return budget
        took = time.perf_counter() - budget.began
        budget.reserved = budget.seconds * _SHARE_OF_SAVING
        if self.wanted.path:  # what is long in reading is long in reporting
            budget.reserved += _SHARE_OF_REPORT * budget.seconds + _SHARE_OF_READING * took
        if took > _MOST_READING * budget.seconds:
            remark(
                f"Reading the table took {took:.1f} s of the time budget of {budget.seconds:g} s: "
                "what follows learns from fewer rows, for fewer epochs"
                f"{', and will end later' if took > budget.seconds else ''}."
            )
        return budget

    def _rows(self) -> list[_Rows]:
        """Return the rows of each model; check that its report can be written."""
        from deltaprop.table_models.several_targets import columns_together

        data, task = self.dataset, self.reading["task"]
        groups = columns_together(
            data.target, data.target_names, task, self.recipe, where=data.source
        )
        found = []
        for group in groups:
            own = data.of_targets(group)
            report = self.wanted.of(own.target_names) if len(groups) > 1 else self.wanted
            judged = {n: None if d is None else d.of_targets(group) for n, d in self.judged.items()}
            found.append(_Rows(own, judged, report))
        return found

    def _say_what_is_there(self, checkpoint: Path) -> None:
        if bool(_files_of(checkpoint)) != self.resume:
            remark(
                f"There is no {checkpoint} to resume from; training starts at the beginning."
                if self.resume
                else f"{checkpoint} of an unfinished run is replaced; --resume would go on from it."
            )

    def _fitted(
        self, rows: Sequence[_Rows], budget: Budget, checkpoint: str | None
    ) -> TableModel | TargetModels:
        """Learn all targets, and tell of the table and the plan."""
        from deltaprop.table_models import TableModel, TargetModels
        from deltaprop.training.progress import phase

        data, validation = self.dataset, self.judged["validation"]

        def announce(inputs: Encoder, target: TargetEncoder, network: Network) -> None:
            own = next(each for each in rows if each.dataset.target_names == target.names)
            if own.judged["test"] is not None:
                began = time.perf_counter()
                with phase(not self.as_json, "looking at the test rows"):
                    _refuse_rows_that_do_not_fit(own.judged["test"], inputs, target)
                budget.reserved += 2 * (time.perf_counter() - began)  # they are judged, too
            if not self.as_json:
                describe_data(own.dataset)
                describe_plan(inputs, target, network)

        kind: type[TableModel | TargetModels] = TargetModels if len(rows) > 1 else TableModel
        return kind.fit(
            data.features,
            data.target,
            target_names=data.target_names,
            validation=None if validation is None else (validation.features, validation.target),
            task=self.reading["task"],
            missing=self.reading["missing"],
            recipe=self.recipe,
            where=data.source,
            validation_where="" if validation is None else validation.source,
            checkpoint=checkpoint,
            resume=self.resume,
            progress=not self.as_json,
            announce=announce,
            budget=budget,
        )

    def _described(
        self,
        model: TableModel,
        own: _Rows,
        seconds: float | None,
        saved: str | None,
        *,
        several: bool,
    ) -> dict[str, Any]:
        """Write a model's report in about so many seconds, and print its figures or return them."""
        from deltaprop.training.progress import phase

        with phase(not self.as_json, "working out the report"):
            own.report.write(model, own.dataset, own.judged["validation"], seconds)
        evaluations = {}
        for name, rows in own.judged.items():
            if rows is not None:
                with phase(not self.as_json, f"judging the {name} rows"):
                    evaluations[name] = model.evaluate(
                        rows.features, rows.target, where=rows.source
                    )
        if self.as_json:
            return {**as_data(own.dataset, model, evaluations, saved), "report": own.report.path}
        if several:
            say_wrapped("target      ", ", ".join(own.dataset.target_names))
        describe_training(model)
        print_figures(model, own.dataset, evaluations, saved)
        if own.report.path is not None:
            say(labelled("report      ", plain(own.report.path)), result=True)
        return {}


def _files_of(checkpoint: Path) -> list[Path]:
    """Return the checkpoint, or those of several members and their plan, as far as they exist."""
    from deltaprop.training.checkpoint import before

    endings = ("plan", *range(1, _MOST_MEMBERS + 1))
    each = (checkpoint.with_name(f"{checkpoint.name}.{ending}") for ending in endings)
    return [path for own in (checkpoint, *each) for path in (own, before(own)) if path.exists()]


def _refuse_rows_that_do_not_fit(test: Dataset, inputs: Encoder, target: TargetEncoder) -> None:
    """Find out before training, not after it, that the test rows cannot be judged."""
    import warnings

    target.encode(test.target, where=test.source)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they come again with the figures
        inputs.transform(test.features, where=test.source, ignore=target.names)
