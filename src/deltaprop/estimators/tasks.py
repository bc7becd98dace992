"""The callbacks of scikit-learn 1.9 and newer (``set_callbacks``) hear of networks and epochs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from deltaprop.estimators.inputs import Given
from deltaprop.estimators.sklearn import BaseEstimator, with_callbacks
from deltaprop.training.loop import TrainingState

__all__ = ["Tasks", "tell_callbacks"]


@contextmanager
def tell_callbacks(
    estimator: BaseEstimator, begin: Callable[[], Any], given: Given
) -> Iterator[tuple[Tasks, ...]]:
    """Tell the callbacks that have been set that a fit begins and ends; yield what tells epochs.

    Nothing is yielded, nor costs anything, where none are set, here or on what this is part of.
    ``begin`` gives scikit-learn's context of the fit.
    """
    known = vars(estimator)
    if with_callbacks is None or not {"_skl_callbacks", "_parent_callback_ctx"} & set(known):
        yield ()
        return
    try:
        tasks = Tasks(estimator, begin(), given)
        yield (tasks,)
        tasks.end()
    finally:
        with_callbacks(lambda _: None)(estimator)  # it tears down what has been set up


class Tasks:
    """A callback of the training that tells those of scikit-learn.

    A fit is a task, each network one within it, and each epoch one within that. Several networks
    may be at work at once; the callbacks hear of one after the other.

    Attributes
    ----------
    fitted : callable
        Gives the attributes of an estimator that ends with an epoch, from its ``TrainingState``;
        None where there is none.
    """

    def __init__(self, estimator: BaseEstimator, fit: Any, given: Given) -> None:
        self._estimator, self._fit, weights = estimator, fit, given.sample_weight
        self._about: dict[str, Any] = {
            "estimator": estimator, "X": given.X, "y": given.y,
            "metadata": None if weights is None else {"sample_weight": weights},
        }  # fmt: skip
        self._open: dict[
            int, tuple[Any, Any, Any]
        ] = {}  # history, task of the network, of an epoch
        self._lock = threading.Lock()
        self.fitted: Callable[[TrainingState], dict[str, Any] | None] = lambda _: None
        fit.call_on_fit_task_begin(**self._about)

    def __call__(self, state: TrainingState) -> bool:
        """Tell that an epoch is over and the next one begins; return whether one asks to stop."""
        with self._lock:
            history, network, epoch = self._open.get(id(state.history)) or self._network(state)
            stop: bool = epoch.call_on_fit_task_end(
                **self._about, reconstruction_attributes=lambda: self.fitted(state)
            )
            last = stop or state.epoch + 1 >= state.n_epochs
            self._open[id(history)] = history, network, None if last else self._epoch(network)
            return stop

    def end(self) -> None:
        """Tell that the networks and the fit are over."""
        for _, network, epoch in self._open.values():
            for task in filter(None, (epoch, network)):  # the epoch was not run any more
                task.call_on_fit_task_end(estimator=self._estimator)
        self._fit.call_on_fit_task_end(**self._about, reconstruction_attributes={})

    def _network(self, state: TrainingState) -> tuple[Any, Any, Any]:
        task = self._fit.subcontext(task_name="network", max_subtasks=state.n_epochs)
        task.call_on_fit_task_begin(**self._about)
        return state.history, task, self._epoch(task)

    def _epoch(self, network: Any) -> Any:
        return network.subcontext(task_name="epoch").call_on_fit_task_begin(**self._about)
