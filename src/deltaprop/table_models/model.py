"""TableModel: a network that knows its table, from raw columns to classes or numbers."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError, SettingError, of
from deltaprop.memory import saying_when_memory_ends
from deltaprop.model.parameters import Parameters
from deltaprop.model.serialize import Contents, save_model
from deltaprop.model.spec import Network
from deltaprop.table_models.budget import Budget
from deltaprop.table_models.calibration import Calibration
from deltaprop.table_models.evaluation import Evaluation
from deltaprop.table_models.files import contents_of, table_model_of
from deltaprop.table_models.fitting import Announce, fit
from deltaprop.table_models.judge import Judge
from deltaprop.table_models.learnt_rows import LearntRows
from deltaprop.table_models.parts import Job
from deltaprop.table_models.predictor import Predictor
from deltaprop.table_models.recipe import Recipe
from deltaprop.table_models.rows import (
    Array,
    Indices,
    Marks,
    Portion,
    Rows,
    decoded_answers,
    encoded_targets,
    flat_rows,
    marks_of,
)
from deltaprop.tabular import (
    Encoder,
    Features,
    ImageEncoder,
    SparseRows,
    Surprises,
    TargetEncoder,
    as_features,
)
from deltaprop.training.history import History
from deltaprop.training.loop import Callback
from deltaprop.training.optimizers import Optimizer

if TYPE_CHECKING:
    from deltaprop.explaining import Explanation

__all__ = ["TableModel"]


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
        features: object,
        target: object,
        *,
        target_names: Sequence[str] = (),
        validation: tuple[object, object] | None = None,
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
        job = Job(
            recipe, as_features(features), target,
            budget or Budget(recipe.time_budget, time.perf_counter()), target_names, validation,
            sample_weight, task, where, validation_where, checkpoint, resume, callbacks, progress,
            n_threads,
        )  # fmt: skip
        return fit(cls, job, announce, missing)

    def __post_init__(self) -> None:
        # predictions keep the weights as the kernels want them: nobody may change them beside that
        frozen = [m if not m.flat.flags.writeable else m.frozen_copy() for m in self.members]
        object.__setattr__(self, "members", tuple(frozen))

    @cached_property
    def predictor(self) -> Predictor:
        """Return what computes outputs, some rows at a time."""
        return Predictor(self)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "predictor"}

    def __repr__(self) -> str:
        """Return what it predicts, and with what."""
        several = f"{len(self.members)} x " if len(self.members) > 1 else ""
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
    def interrupted(self) -> bool:
        """Return whether somebody interrupted the training."""
        return any(history.stopped_because == "interrupted" for history in self.histories)

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

    def encode(self, features: object, *, where: str = "", ignore: Collection[str] = ()) -> Rows:
        """Return x for a table or images, of shape (n, n_0); sparse where columns are free text."""
        known = {*self.target.names, *ignore}
        return flat_rows(self.inputs.transform(as_features(features), where=where, ignore=known))

    def predict_proba(
        self, features: object, *, where: str = "", found: Surprises | None = None
    ) -> Array:
        """Return the calibrated probability of each class, or label, of shape (n, k).

        They are computed in the precision the networks learnt in; of float32 they differ from those
        of float64 by about 1e-7. Rows of which that could change the class are computed in float64.
        """
        if self.task == "regression":
            raise SettingError("Probabilities belong to classes; this model predicts numbers.")
        features = as_features(features)
        answers = self.outputs_in_blocks(features, where, found)
        return self.predictor.together(answers, len(features))

    def predict(
        self, features: object, *, where: str = "", found: Surprises | None = None
    ) -> npt.NDArray[Any]:
        """Return the class, the labels, or the number in the target's unit, of each row.

        What is to be said of the rows is warned of, or, where they are a part of a table, added to
        ``found``.
        """
        classes = self.task == "classification"
        outputs = self.outputs_in_blocks(features, where, found)
        answers = np.concatenate([p.argmax(axis=1) if classes else p for _, p in outputs])
        decoded = decoded_answers(self.target, answers)
        return decoded[:, 0] if decoded.ndim > 1 and decoded.shape[1] == 1 else decoded

    def outputs_in_blocks(
        self, features: object, where: str = "", found: Surprises | None = None
    ) -> Iterator[tuple[slice, Array]]:
        """Yield some rows after another and their p, as ``outputs_of`` has them.

        Encoded at once, a table may need much more room. What is to be said of the rows is warned
        of, or added to ``found``.
        """
        rows = as_features(features)
        if len(rows) == 0:
            raise DataError(f"There are no rows to predict{of(where)}.")
        strange = Surprises() if found is None else found
        yield from self.predictor.of_table(rows, where, strange)
        if found is None:
            strange.warn(where)

    def outputs_of(self, x: Rows, member: Indices | None = None) -> Array:
        """Return p for encoded rows: calibrated probabilities, or standardized numbers, (n, n_L).

        ``member`` says which member alone answers for each row, such as the one that has not learnt
        it; left out, p is the mean of all.
        """
        return self.predictor.together(self.predictor.of_rows(x, member), len(x))

    def evaluate(self, features: object, target: object, *, where: str = "") -> Evaluation:
        """Return accuracy and the like on rows whose answers are known.

        It tells, too, how many of the rows the model has learnt, where it remembers its rows.
        """
        found = Surprises()
        judge = Judge(self, found)
        judge.add(features, target, where=where)
        found.warn(where)
        return judge.figures()

    def known(self, features: object, target: object, where: str = "") -> Portion[Features]:
        """Return rows whose answers are known, these encoded."""
        rows = as_features(features)
        encoded = encoded_targets(self.target, self.network.loss_name, target, where)
        if len(rows) != len(encoded):
            raise DataError(f"There are {len(rows)} rows but {len(encoded)} targets{of(where)}.")
        return Portion(rows, encoded)

    def seen(self, features: object, target: object, *, where: str = "") -> npt.NDArray[np.bool_]:
        """Return which rows the model has learnt, or chosen its epoch by, of shape (n,)."""
        if self.learnt_rows is None:
            raise SettingError("The model does not remember its rows: remember_rows was False.")
        return self.learnt_rows.seen(self.marks(self.known(features, target, where)))

    def marks(self, rows: Portion[Features]) -> Marks:
        """Return by what each row is known again."""
        return marks_of(rows, self.inputs, self.target)

    def explain(
        self,
        features: object,
        target: object,
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
        shape = self.inputs.shape if isinstance(self.inputs, ImageEncoder) else ()
        names = Names.of_step(
            self.inputs.output_names, self.class_names or self.target.names, where,
            image=shape if len(shape) in (2, 3) else (), member=(member + 1, len(self.members)),
        )  # fmt: skip
        return explain(*learnt, learning_rate=learning_rate, optimizer=optimizer, names=names)

    def network_and_rows(
        self, features: object, target: object, *, member: int = 0, where: str = ""
    ) -> tuple[Network, Parameters, Array, npt.NDArray[Any]]:
        """Return the network, parameters of a member (from 0), x of shape (n, n_0) and its targets.

        They are what every function about a network and its rows is given first:
        ``check_gradients(*model.network_and_rows(features, target))`` proves the gradients of these
        rows; ``explain`` and ``backpropagate`` take the same four.
        """
        k = len(self.members)
        if not 0 <= member < k:
            raise SettingError(f"member is {member!r}; the model has {k}, from 0 to {k - 1}.")
        rows = self.known(features, target, where)
        x = self.encode(rows.x, where=where)
        dense = x.toarray() if isinstance(x, SparseRows) else x
        return self.network, self.members[member], dense, rows.y

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write one safetensors file, if it can be opened again; else the one there stays."""
        save_model(
            path, self.network, self.parameters, **self.contents(),
            restore=lambda saved: table_model_of(saved, type(self)).contents(),
        )  # fmt: skip

    def contents(self) -> Contents:
        """Return what a file of the model holds beside its network, as ``save_model`` takes it."""
        return contents_of(self)
