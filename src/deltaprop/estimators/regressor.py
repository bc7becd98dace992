"""MLPRegressor: scikit-learn's estimator for numbers, on deltaprop's engines."""

from __future__ import annotations

import os
from collections.abc import Sequence
from numbers import Integral
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from deltaprop.estimators.base import BaseMLP, is_stochastic
from deltaprop.estimators.documentation import documented
from deltaprop.estimators.sklearn import RegressorMixin, available_if
from deltaprop.training.loop import Callback
from deltaprop.training.optimizers import Optimizer
from deltaprop.training.schedules import Schedule

__all__ = ["MLPRegressor"]

Array = npt.NDArray[Any]


@documented
class MLPRegressor(RegressorMixin, BaseMLP):
    """A multi-layer perceptron for numbers: a drop-in for scikit-learn's, and more.

    It minimizes the mean loss plus alpha / (2 n) sum(W^2) over mini-batches of n rows, from the
    weights that scikit-learn would draw for the same ``random_state``. With "poisson", where the
    rates of that start are not near the mean of y, the output begins at the mean instead; and where
    training runs away, as with unscaled inputs, it is run again with a learning rate of a tenth, a
    hundredth, ..., and a ``ConvergenceWarning`` says so.

    A setting that is None is as scikit-learn has it or, with a preset, as the preset has it; both
    are named below (free text and sparse rows have a plan of their own, see docs/tables.md). What
    is given is used, or refused with a sentence.

    Parameters
    ----------
    loss : str
        "squared_error", "poisson" (with an exponential output, for counts), "huber" or any other
        loss for numbers that is registered in deltaprop. As first arguments, widths and an
        activation are understood, too: scikit-learn had no loss before 1.7.
    activation : str or sequence of str, optional
        "relu", "logistic", "tanh", "identity" or any other that is registered in deltaprop, for
        all hidden layers or one each. None: "relu"; a preset "mish".
    learning_rate_init : float, optional
        eta; of a preset the highest of its waves. None: 0.001; a preset 0.07, "best" without
        ranges 0.2.
    preset : {"fast", "best", "plain"}, optional
        None learns as scikit-learn does, by the settings. A preset learns as ``TableModel`` does:
        columns encoded and scaled, rows held out; "best" is an ensemble, "plain" the textbook; see
        ``Recipe``. What is given takes the place of their own, or is refused where they have
        nothing like it.
    scoring : str or callable, optional
        A metric of scikit-learn, or ``scoring(estimator, X, y)``, that scores the validation rows;
        R^2 when left out. With a preset it chooses the epoch of each network that is kept (of
        probabilities those before they are calibrated).

    Attributes
    ----------
    out_activation_ : str
        "identity" or "exp".

    Examples
    --------
    >>> import numpy as np
    >>> X = np.linspace(-1, 1, 50)[:, None]
    >>> model = MLPRegressor(hidden_layer_sizes=(16,), solver="lbfgs", max_iter=500, random_state=0)
    >>> bool(model.fit(X, X[:, 0] ** 2).score(X, X[:, 0] ** 2) > 0.99)
    True
    """

    def __init__(
        self,
        loss: str | int | Sequence[int] = "squared_error",
        hidden_layer_sizes: int | Sequence[int] | None = None,
        activation: str | Sequence[str] | None = None,
        *,
        solver: str | None = None,
        alpha: float | None = None,
        batch_size: int | str | None = None,
        learning_rate: str | Schedule | None = None,
        learning_rate_init: float | None = None,
        power_t: float | None = None,
        max_iter: int | None = None,
        shuffle: bool = True,
        random_state: int | np.random.RandomState | None = None,
        tol: float | None = None,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float | None = None,
        nesterovs_momentum: bool | None = None,
        early_stopping: bool | None = None,
        validation_fraction: float | None = None,
        beta_1: float | None = None,
        beta_2: float | None = None,
        epsilon: float | None = None,
        n_iter_no_change: float | None = None,
        max_fun: int | None = None,
        preset: str | None = None,
        members: int | None = None,
        ranges: int | None = None,
        dropout: float | None = None,
        optimizer: str | Optimizer | None = None,
        scoring: Any = None,
        callbacks: Sequence[Callback] = (),
        checkpoint: str | os.PathLike[str] | None = None,
        resume: bool = False,
        time_budget: float | None = None,
        n_threads: int | None = None,
        engine: str = "auto",
        dtype: str | None = None,
    ) -> None:
        if isinstance(loss, (Integral, Sequence, np.ndarray)) and not isinstance(loss, str):
            # the widths came first before scikit-learn 1.7 had a loss: they are no loss's name
            if isinstance(hidden_layer_sizes, str) and activation is None:
                activation, hidden_layer_sizes = hidden_layer_sizes, None
            if hidden_layer_sizes is None:
                hidden_layer_sizes, loss = loss, "squared_error"
        self._keep(locals())

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    @available_if(is_stochastic)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn for a single epoch, going on from where the estimator is.

        Parameters
        ----------
        X : array_like, sparse matrix or data frame of shape (n, n_features)
            The rows.
        y : array_like of shape (n,) or (n, n_outputs)
            The numbers.
        sample_weight : array_like of shape (n,), optional
            Weights >= 0.

        Returns
        -------
        MLPRegressor
            Itself.
        """
        return self._partial_fit(X, y, sample_weight)
