"""TableModel: a network that knows its table, from raw columns to classes or numbers."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError, SettingError, of
from deltaprop.memory import saying_when_memory_ends
from deltaprop.model.parameters import Parameters
from deltaprop.model.serialize import Contents
from deltaprop.model.spec import Network
from deltaprop.table_models.budget import Budget
from deltaprop.table_models.calibration import Calibration, calibrate
from deltaprop.table_models.evaluation import (
    Evaluation,
    evaluate_classes,
    evaluate_labels,
    evaluate_numbers,
)
from deltaprop.table_models.files import save_table_model
from deltaprop.table_models.judge import Judge
from deltaprop.table_models.learnt_rows import LearntRows, Overlap
from deltaprop.table_models.predictor import Predictor
from deltaprop.table_models.prepare import (
    Encoder,
    Prepared,
    Rows,
    encoded_targets,
    flat_rows,
    learn,
    marks_of,
    prepare,
    starts,
)
from deltaprop.table_models.recipe import Recipe
from deltaprop.tabular import (
    ImageEncoder,
    SparseRows,
    Surprises,
    TargetEncoder,
    as_features,
)
from deltaprop.training.history import History
from deltaprop.training.loop import Callback
from deltaprop.training.optimizers import Optimizer
from deltaprop.training.predict import refuse_overflow
from deltaprop.training.progress import phase

if TYPE_CHECKING:
    from deltaprop.explaining import Explanation

__all__ = ["TableModel"]

_MOST_CLASSES_KEPT = 100  # whose figures a file keeps
_MOST_LOGITS = 8_000_000  # of the rows that calibrate

Array = npt.NDArray[np.float64]
Announce: TypeAlias = Callable[[Encoder, TargetEncoder, Network], object]


@dataclass(frozen=True, repr=False)
class TableModel:
    """A trained network, or several, together with what turns a table into their inputs.

    Attributes
    ----------
    network : Network
        The description.
    members : tuple of Parameters
        The numbers of each network; their outputs are averaged.
    inputs : TableEncoder or ImageEncoder
        From columns (or pixels) to x.
    target : TargetEncoder
        From the target column to classes or standardized numbers, and back.
    histories : tuple of History
        How each member was trained.
    recipe : Recipe
        The settings it was trained with.
    n_train, n_val : int
        Rows learnt from, and rows that chose the best epoch. Each of several members learns from
        most rows and is validated on the others, so that both are all rows together.
    calibration : Calibration or None
        The temperature of the probabilities; None for numbers, and where no rows were held out.
    limits : ndarray of shape (2, n_outputs) or None
        The least and the largest number that was learnt from, standardized; predictions stay
        between them.
    seconds : float
        How long the training took.
    missing : tuple of str or None
        The words that stood for a missing value in the file that was learnt from; None for the
        usual ones. Files for this model are read the same way.
    learnt_rows : LearntRows or None
        Which rows those were, in a few bytes each; None where ``recipe.remember_rows`` is False.
    rows_given : int or None
        How many rows there were, where a time budget was too short for all.
    held_out : Evaluation or None
        How good the model is on the rows that chose the epoch: of several members that hold out
        different rows, what the one says that has not learnt the row; each row counts once. None
        where no rows were held out.
    """

    network: Network
    members: tuple[Parameters, ...]
    inputs: Encoder
    target: TargetEncoder
    histories: tuple[History, ...]
    recipe: Recipe
    n_train: int
    n_val: int
    calibration: Calibration | None = None
    limits: Array | None = None
    seconds: float = 0.0
    missing: tuple[str, ...] | None = None
    learnt_rows: LearntRows | None = None
    held_out: Evaluation | None = None
    rows_given: int | None = None

    @classmethod
    @saying_when_memory_ends()
    def fit(
        cls,
        features: Any,
        target: Any,
        *,
        target_names: Sequence[str] = (),
        validation: tuple[Any, Any] | None = None,
        sample_weight: npt.ArrayLike | None = None,
        task: str | None = None,
        recipe: Recipe | None = None,
        where: str = "",
        validation_where: str = "the validation rows",
        checkpoint: str | os.PathLike[str] | None = None,
        resume: bool = False,
        callbacks: Sequence[Callback] = (),
        progress: bool = False,
        n_threads: int | None = None,
        announce: Announce | None = None,
        missing: Sequence[str] | None = None,
        budget: Budget | None = None,
    ) -> TableModel:
        """Learn a table.

        Parameters
        ----------
        features : data frame, dict of columns, 2-D array, or images of shape (n, height, width)
            Columns as they come: numbers, strings, booleans, dates, with missing cells.
        target : array_like
            One entry per row: classes, or numbers (several columns for several outputs).
        target_names : sequence of str
            What the target is called.
        validation : tuple of (features, target), optional
            Rows that choose the best epoch. Without them a share is held out, each class in
            proportion; from fewer than 20 rows nothing is.
        sample_weight : array_like of shape (n,), optional
            Weights >= 0 of the rows in the loss.
        task : {"classification", "regression", "multilabel"}, optional
            Decided by the target when left out: several columns of truth values, or of 0 and 1,
            are labels, other columns of numbers are numbers.
        recipe : Recipe, optional
            How to learn.
        where, validation_where : str
            What messages call the table, and the validation table.
        checkpoint, resume, callbacks, progress, n_threads : optional
            As for ``train``; of several members each has a checkpoint of its own, ``.1``, ``.2``,
            ... behind the name, and ``.plan`` says what was planned for the time budget, which a
            run that goes on takes over.
        announce : callable, optional
            Given the encoders and the network when all is ready and training is about to begin;
            what it raises stops there.
        missing : sequence of str, optional
            The words that stood for a missing value where the table was read from a file; kept
            with the model.
        budget : Budget, optional
            Since when the recipe's time budget counts, and what of it is to be left; from now on,
            and nothing, when left out.

        Returns
        -------
        TableModel
            Ready to predict.

        Raises
        ------
        DataError
            When the table cannot be learnt from; the message says where and why.
        """
        recipe = recipe or Recipe()
        if budget is None:
            budget = Budget(recipe.time_budget, time.perf_counter())
        prepared = prepare(
            recipe, as_features(features), target, target_names, validation, sample_weight,
            task, where, validation_where, n_threads, checkpoint, resume, budget, progress,
        )  # fmt: skip
        members = starts(prepared, recipe)
        if announce is not None:
            announce(prepared.inputs, prepared.target, prepared.network)
        began = time.perf_counter()
        network = prepared.network
        histories = learn(
            prepared, recipe, members, checkpoint=checkpoint, resume=resume, callbacks=callbacks,
            progress=progress, n_threads=n_threads,
        )  # fmt: skip
        calibration = None
        numbers = prepared.target.task == "regression"
        if recipe.calibrate is not False and not numbers and prepared.n_val:
            n_judged = prepared.n_val * (1 if prepared.folds is not None else len(members))
            most = min(n_judged, max(1, _MOST_LOGITS // network.n_out))
            with phase(progress, "calibrating the probabilities"):
                most = len(
                    budget.rows_for_judging(
                        most,
                        lambda few: calibrate(
                            *prepared.held_out_logits(members, len(few), recipe.seed)
                        ),
                        recipe.seed,
                    )
                )
                calibration = calibrate(*prepared.held_out_logits(members, most, recipe.seed))
        limits = None
        if prepared.plan.squashes and numbers:
            y = prepared.y.reshape(len(prepared.y), -1)
            limits = np.stack([y.min(axis=0), y.max(axis=0)])
        model = cls(
            prepared.network, tuple(members), prepared.inputs, prepared.target, tuple(histories),
            recipe, prepared.n_train, prepared.n_val, calibration, limits,
            prepared.choosing_took + time.perf_counter() - began,
            None if missing is None else tuple(missing), learnt_rows=prepared.learnt_rows,
            rows_given=prepared.rows_given,
        )  # fmt: skip
        with phase(progress, "judging the model on the rows held out"):
            return replace(model, held_out=_judged(model, prepared))

    def __post_init__(self) -> None:
        # predictions keep the weights as the kernels want them: nobody may change them beside that
        frozen = [m if not m.flat.flags.writeable else m.frozen_copy() for m in self.members]
        object.__setattr__(self, "members", tuple(frozen))

    @cached_property
    def _predictor(self) -> Predictor:
        return Predictor(self)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_predictor"}

    def __repr__(self) -> str:
        """Return what it predicts, and with what."""
        k = len(self.members)
        several = f"{k} x " if k > 1 else ""
        return f"<TableModel of {', '.join(self.target.names)}: {several}{self.network.describe()}>"

    @property
    def parameters(self) -> Parameters:
        """Return the numbers of the first member."""
        return self.members[0]

    @property
    def history(self) -> History:
        """Return how the first member was trained."""
        return self.histories[0]

    @property
    def task(self) -> str:
        """Return "classification", "regression" or "multilabel"."""
        return self.target.task

    @property
    def class_names(self) -> tuple[str, ...]:
        """Return the classes, or the labels, as text; empty for regression."""
        return self.target.class_names

    @property
    def folded(self) -> bool:
        """Return whether each of several members held out other rows, so that all were learnt."""
        return len(self.members) > 1 and 0 < self.n_val == self.n_train

    def encode(self, features: Any, *, where: str = "", ignore: Collection[str] = ()) -> Rows:
        """Return x for a table or images, of shape (n, n_0); sparse where columns are free text."""
        known = {*self.target.names, *ignore}
        return flat_rows(self.inputs.transform(as_features(features), where=where, ignore=known))

    def predict_proba(
        self, features: Any, *, where: str = "", found: Surprises | None = None
    ) -> Array:
        """Return the calibrated probability of each class, or label, of shape (n, k).

        They are computed in the precision the networks learnt in; of float32 they differ from those
        of float64 by about 1e-7. Rows of which that could change the class are computed in float64.
        """
        if self.task == "regression":
            raise SettingError("Probabilities belong to classes; this model predicts numbers.")
        features = as_features(features)
        answers = self.outputs_in_blocks(features, where=where, found=found)
        return self._together(answers, len(features))

    def predict(
        self, features: Any, *, where: str = "", found: Surprises | None = None
    ) -> npt.NDArray[Any]:
        """Return the class, the labels, or the number in the target's unit, of each row.

        What is to be said of the rows is warned of, or, where they are a part of a table, added to
        ``found``.
        """
        features = as_features(features)
        answers = self.outputs_in_blocks(features, where=where, found=found)
        if self.task == "classification":
            likeliest = [p.argmax(axis=1) for _, p in answers]
            return self.target.decode(np.concatenate(likeliest))
        decoded = self._decoded(self._together(answers, len(features)))
        return decoded[:, 0] if decoded.shape[1] == 1 else decoded

    def outputs_in_blocks(
        self, features: Any, *, where: str = "", found: Surprises | None = None
    ) -> Iterator[tuple[slice, Array]]:
        """Yield p of some rows after another: encoded, a table may need much more room.

        Parameters
        ----------
        features : data frame or images
            The rows.
        where : str
            What messages call them.
        found : Surprises, optional
            Gets what is to be said of them; they are warned of when it is left out.

        Yields
        ------
        rows : slice
            Which rows.
        p : ndarray of shape (n_rows, n_outputs)
            Calibrated probabilities, or standardized numbers.
        """
        features = as_features(features)
        if len(features) == 0:
            raise DataError(f"There are no rows to predict{of(where)}.")
        strange = Surprises() if found is None else found
        yield from self._predictor.of_table(features, where, strange)
        if found is None:
            strange.warn(where)

    def evaluate(self, features: Any, target: Any, *, where: str = "") -> Evaluation:
        """Return accuracy and the like on rows whose answers are known.

        It tells, too, how many of the rows the model has learnt, where it remembers its rows.
        """
        found = Surprises()
        judge = Judge(self, found)
        judge.add(features, target, where=where)
        found.warn(where)
        return judge.figures()

    def judge(
        self, x: Rows, encoded: npt.NDArray[Any], member: npt.NDArray[np.int64] | None = None
    ) -> Evaluation:
        """Return the figures of encoded rows.

        Parameters
        ----------
        x : ndarray or SparseRows of shape (n, n_0)
            From ``encode``.
        encoded : ndarray
            Their targets, encoded.
        member : ndarray of int of shape (n,), optional
            Which member alone answers for each row; the mean of all when left out.
        """
        if self.task != "classification":
            return self.evaluate_outputs(self.outputs_of(x, member), encoded)
        predicted, p_true = np.empty_like(encoded), np.empty(len(encoded))
        for rows, p in self._predictor.of_rows(x, member):
            predicted[rows] = p.argmax(axis=1)
            p_true[rows] = p[np.arange(len(p)), encoded[rows]]
        return evaluate_classes(predicted, p_true, encoded, self.class_names)

    def evaluate_outputs(self, outputs: Array, encoded: npt.NDArray[Any]) -> Evaluation:
        """Return the figures of outputs, as ``outputs_of`` gives them, beside encoded targets."""
        if self.task == "classification":
            p_true = outputs[np.arange(len(encoded)), encoded]
            return evaluate_classes(outputs.argmax(axis=1), p_true, encoded, self.class_names)
        if self.task == "multilabel":
            return evaluate_labels(outputs, encoded, self.class_names)
        with np.errstate(over="ignore"):
            decoded = self.target.decode(outputs)
        refuse_overflow(decoded)
        counts = self.network.loss.targets == "count"
        return evaluate_numbers(decoded, self.target.decode(encoded), counts=counts)

    def seen(self, features: Any, target: Any, *, where: str = "") -> npt.NDArray[np.bool_]:
        """Return which rows the model has learnt, or chosen its epoch by, of shape (n,).

        Raises
        ------
        SettingError
            When the model does not remember its rows.
        """
        if self.learnt_rows is None:
            raise SettingError("The model does not remember its rows: remember_rows was False.")
        encoded = encoded_targets(self.target, self.network.loss_name, target, where)
        features = as_features(features)
        return self.learnt_rows.seen(marks_of(features, self.inputs, self.target, encoded))

    def overlap(self, features: Any, encoded: npt.NDArray[Any]) -> Overlap | None:
        """Return how many of these rows the model has seen in its training, if it remembers."""
        if self.learnt_rows is None:
            return None
        return self.learnt_rows.overlap(
            marks_of(as_features(features), self.inputs, self.target, encoded)
        )

    def explain(
        self,
        features: Any,
        target: Any,
        *,
        learning_rate: float = 0.1,
        optimizer: Optimizer | None = None,
        member: int = 0,
        where: str = "",
    ) -> Explanation:
        """Return the training step these rows would cause, in the user's names.

        Parameters
        ----------
        features : data frame or images
            A row, or a few.
        target : array_like
            What they should have given.
        learning_rate : float
            eta of the step that is shown.
        optimizer : Optimizer, optional
            What takes it; plain gradient descent when left out.
        member : int
            Which of several networks is shown, from 0; each takes a step of its own.
        where : str
            What messages call the rows.

        Returns
        -------
        Explanation
            Without dropout: the step on the network as it predicts, with its own probabilities,
            before the temperature.
        """
        from deltaprop.explaining import Names, explain  # a tenth of a second that others need not

        learnt = self.network_and_rows(features, target, member=member, where=where)
        outputs = self.class_names or self.target.names
        k = len(self.members)
        which = {"en": "", "zh": ""}
        if k > 1:
            which = {
                "en": f", in network {member + 1} of {k}",
                "zh": f"（{k} 个网络中的第 {member + 1} 个）",
            }
        names = Names(
            f"The step {where or 'these rows'} would cause{which['en']}",
            tuple(self.inputs.output_names),
            outputs,
            image=_image_shape(self.inputs),
            titles={"zh": f"{where or '这些行'} 会引起的一步{which['zh']}"},
        )
        return explain(*learnt, learning_rate=learning_rate, optimizer=optimizer, names=names)

    def network_and_rows(
        self, features: Any, target: Any, *, member: int = 0, where: str = ""
    ) -> tuple[Network, Parameters, Array, npt.NDArray[Any]]:
        """Return what every function about a network and its rows is given first.

        ``check_gradients(*model.network_and_rows(features, target))`` proves the gradients of
        these rows; ``explain`` and ``backpropagate`` take the same four.

        Parameters
        ----------
        features : data frame or images
            A row, or more.
        target : array_like
            What they should have given.
        member : int
            Which of several networks, from 0.
        where : str
            What messages call the rows.

        Returns
        -------
        tuple
            The network, the member's parameters, x of shape (n, n_0) and the encoded targets.
        """
        k = len(self.members)
        if not 0 <= member < k:
            raise SettingError(f"member is {member!r}; the model has {k}, from 0 to {k - 1}.")
        x = self.encode(features, where=where)
        targets = encoded_targets(self.target, self.network.loss_name, target, where)
        if x.shape[0] != len(targets):
            raise DataError(f"There are {x.shape[0]} rows but {len(targets)} targets{of(where)}.")
        dense = x.toarray() if isinstance(x, SparseRows) else x
        return self.network, self.members[member], dense, targets

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to one safetensors file, once that can be opened again.

        Raises
        ------
        OutputError
            When the file cannot be written; what stood there before stays.
        """
        save_table_model(self, path)

    def contents(self) -> Contents:
        """Return what a file of the model holds beside its network, as ``save_model`` takes it."""
        others: dict[str, npt.NDArray[Any]] = {
            f"member.{i}": member.flat for i, member in enumerate(self.members[1:], start=2)
        }
        if self.limits is not None:
            others["limits"] = self.limits
        if self.learnt_rows is not None:
            others |= self.learnt_rows.to_arrays()
        held_out = self.held_out
        if held_out is not None and not held_out.finite:
            held_out = None
        if held_out is not None and len(held_out.classes) > _MOST_CLASSES_KEPT:
            held_out = replace(held_out, classes=())
        return {
            "table": {"inputs": self.inputs.to_dict(), "target": self.target.to_dict()},
            "training": {
                "history": self.history.to_dict(),
                "other_histories": [history.to_dict() for history in self.histories[1:]],
                "recipe": self.recipe.to_dict(),
                "n_train": self.n_train,
                "n_val": self.n_val,
                "seconds": self.seconds,
                **({} if self.rows_given is None else {"rows_given": self.rows_given}),
                **({} if self.missing is None else {"missing": list(self.missing)}),
                "calibration": self.calibration and self.calibration.to_dict(),
                "held_out": held_out and asdict(held_out),
            },
            "arrays": others,
        }

    def outputs_of(self, x: Rows, member: npt.NDArray[np.int64] | None = None) -> Array:
        """Return p for encoded rows: calibrated probabilities, or standardized numbers.

        Parameters
        ----------
        x : ndarray or SparseRows of shape (n, n_0)
            From ``encode``.
        member : ndarray of int of shape (n,), optional
            Which member alone answers for each row, such as the one that has not learnt it; the
            mean of all when left out.

        Returns
        -------
        ndarray of shape (n, n_L)
            The outputs.
        """
        return self._together(self._predictor.of_rows(x, member), x.shape[0])

    def _together(self, answers: Iterator[tuple[slice, Array]], n: int) -> Array:
        outputs = np.zeros((n, self.network.n_out))
        for rows, p in answers:
            outputs[rows] = p
        return outputs

    def _decoded(self, outputs: Array) -> Array:
        """Return the numbers in the target's unit, of shape (n, k)."""
        with np.errstate(over="ignore"):
            decoded = self.target.decode(outputs)
        refuse_overflow(decoded)
        return decoded


def _judged(model: TableModel, prepared: Prepared) -> Evaluation | None:
    """Return the figures of the rows held out: each judged by whoever has not learnt it."""
    rows, answers = prepared.X_val, prepared.y_val
    if prepared.folds is not None:
        rows, answers = prepared.X, prepared.y
    if rows is None or answers is None or not len(answers):
        return None
    x, y, folds = rows, answers, prepared.folds

    def judge(some: npt.NDArray[np.int64]) -> Evaluation:
        if len(some) == len(y):
            return model.judge(x, y, folds)
        return model.judge(x[some], y[some], None if folds is None else folds[some])

    with suppress(DataError):  # of a network that diverged nothing can be said
        return judge(prepared.budget.rows_for_judging(len(y), judge, model.recipe.seed))
    return None


def _image_shape(encoder: Encoder) -> tuple[int, ...]:
    """Return height, width (and channels) where a row is an image."""
    shape = encoder.shape if isinstance(encoder, ImageEncoder) else ()
    return shape if len(shape) in (2, 3) else ()
