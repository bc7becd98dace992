"""train: one network, the only member of its training."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy.typing as npt

from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.model.targets import ClassWeight
from deltaprop.training.history import History
from deltaprop.training.members import Member, train_each
from deltaprop.training.metrics import Metric, Score
from deltaprop.training.optimizers import Adam, Optimizer, State
from deltaprop.training.run import TrainingState
from deltaprop.training.settings import Callback, Checkpointing, Computing, Stopping, TrainingData

__all__ = ["Callback", "Metric", "TrainingState", "train"]


def train(
    network: Network,
    parameters: Parameters,
    X: Any,
    y: npt.ArrayLike,
    *,
    optimizer: Optimizer | None = None,
    batch_size: int | None = 128,
    epochs: int = 10,
    engine: str = "auto",
    dtype: str = "float32",
    seed: int = 0,
    shuffle: bool = True,
    X_val: Any = None,
    y_val: npt.ArrayLike | None = None,
    weight_val: npt.ArrayLike | None = None,
    sample_weight: npt.ArrayLike | None = None,
    class_weight: ClassWeight = None,
    monitor: str | None = None,
    metric: Metric | Score | None = None,
    patience: int | None = None,
    min_improvement: float = 0.0,
    keep_best: bool = True,
    prefer_latest: bool = False,
    time_budget: float | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: float | None = 0.0,
    checkpoint_steps: int | None = None,
    resume: bool = False,
    state: State | None = None,
    callbacks: Sequence[Callback] = (),
    progress: bool = False,
    n_threads: int | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> History:
    """Train a network by back-propagation, updating ``parameters`` in place.

    Parameters
    ----------
    network : Network
        Layers, loss and penalties.
    parameters : Parameters
        Where to start; holds the result afterwards.
    X : array_like of shape (n, n_0) or scipy CSR matrix
        The rows.
    y : array_like of shape (n,) or (n, n_L)
        Integer labels, one-hot rows, or values.
    optimizer : Optimizer, optional
        ``Adam(1e-3)`` when left out.
    batch_size : int or None
        Rows per step; None takes all rows in every step.
    epochs : int
        Passes over the rows, at most.
    engine : str
        "auto", or a key of ``ENGINES``: "native" (which "auto" takes), "reference", or "torch", on
        a GPU where there is one.
    dtype : {"float32", "float64", "bfloat16"}
        Precision of a fast engine; the reference always computes in float64. "bfloat16" rounds
        what products read to it and keeps all else in float32: faster where the processor has
        such products.
    seed : int
        Of shuffling and dropout. The same seed gives the same bits.
    shuffle : bool
        Visit the rows in a new random order each epoch.
    X_val, y_val : array_like, optional
        Rows to validate on after each epoch.
    weight_val : array_like, optional
        What each of them counts in ``val_loss`` and ``val_metric``, >= 0.
    sample_weight : array_like of shape (n,), optional
        Weights >= 0; rows of weight zero are left out.
    class_weight : dict, sequence or "balanced", optional
        A further factor of each row's weight, by its class.
    monitor : {"val_loss", "val_metric", "loss"}, optional
        What decides which epoch is best, and early stopping; "val_loss" with validation rows,
        else "loss".
    metric : callable, optional
        ``metric(logits, targets)`` gives ``history.val_metric`` after each epoch, higher being
        better, from z^L of the validation rows and their targets; left out it is the accuracy, or
        R^2. A ``Score`` of ``deltaprop.training.metrics`` has a name and may be better when lower.
    patience : int, optional
        Stop after this many epochs without improvement.
    min_improvement : float
        What counts as improvement.
    keep_best : bool
        With validation rows: end with the parameters of the best epoch instead of the last.
    prefer_latest : bool
        Of epochs that are equally good, take the last instead of the first.
    time_budget : float, optional
        Seconds after which to stop, counted from the call. The first step is always done.
    checkpoint : path, optional
        A file to save the run to after each epoch, and where it is cut short. The one before is
        kept beside it as ``.before``, and used where the file turns out damaged.
    checkpoint_every : float or None
        Seconds that pass at least between two savings, also within an epoch if not 0; the last
        epoch is saved in any case. None: as often as saving takes no more than a twentieth of the
        time.
    checkpoint_steps : int, optional
        After so many steps, and as many more, and so on, the run is saved, too.
    resume : bool
        Go on from ``checkpoint`` if it exists; the result equals an uninterrupted run's, to the
        last bit.
    state : dict, optional
        The optimizer's state. What an earlier run left in it is where this one begins; an empty
        one is a new start. Holds the state after the last step afterwards; nothing where that has
        overflowed, for nobody could go on from it.
    callbacks : sequence of callable
        Called with a ``TrainingState`` after each epoch; one that returns True stops training.
    progress : bool
        Show a bar, if standard error is a terminal.
    n_threads : int, optional
        At most this many threads, for engines with their own; the reference leaves it to NumPy.
    clock : callable
        Gives the time in seconds.

    Returns
    -------
    History
        Losses, figures and seconds per epoch, and why training stopped. Ctrl-C stops between two
        steps and keeps the best so far. A diverging run warns with ``DivergedWarning`` and leaves
        the last parameters whose loss and gradient were finite.

    Raises
    ------
    ShapeError, DataError, SettingError
        When an array or a setting does not fit; nothing has been changed then.
    """
    stopping = Stopping(  # the checks below take their share of the budget
        epochs, patience, min_improvement, keep_best, prefer_latest, time_budget, callbacks, clock
    )
    member = Member(
        network, parameters, Adam() if optimizer is None else optimizer, seed, metric,
        Checkpointing(checkpoint, checkpoint_every, resume, checkpoint_steps), state=state,
    )  # fmt: skip
    (history,) = train_each(
        [member],
        TrainingData(X, y, sample_weight, class_weight, X_val, y_val, weight_val),
        Computing(engine, dtype, batch_size, shuffle, n_threads),
        stopping, monitor, progress=progress,
    )  # fmt: skip
    return history
