"""MLPRegressor: scikit-learn's estimator for numbers, on deltaprop's engines."""

from __future__ import annotations

import os
from collections.abc import Sequence
from numbers import Integral
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from deltaprop.estimators.base import BaseMLP, is_stochastic
from deltaprop.estimators.sklearn import RegressorMixin, available_if
from deltaprop.training.loop import Callback
from deltaprop.training.optimizers import Optimizer
from deltaprop.training.schedules import Schedule

__all__ = ["MLPRegressor"]

Array = npt.NDArray[Any]


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
    hidden_layer_sizes : int or sequence of int, optional
        The width of each hidden layer; empty for none. None: (100,); "fast" (96, 96, 96), "best"
        (128, 128, 128).
    activation : str or sequence of str, optional
        "relu", "logistic", "tanh", "identity" or any other that is registered in deltaprop, for
        all hidden layers or one each. None: "relu"; a preset "mish".
    solver : {"adam", "sgd", "lbfgs"}, optional
        Adam, gradient descent with momentum, or L-BFGS over all rows. None: "adam". No preset takes
        one: "fast" has Adam, "best" AdamW.
    alpha : float, optional
        Strength of the penalty alpha / (2 n) sum(W^2) on the weights. None: 0.0001; a preset 0.
    batch_size : int or "auto", optional
        Rows per step; "auto" is min(200, n). None: "auto"; a preset about 256.
    learning_rate : {"constant", "invscaling", "adaptive"} or Schedule, optional
        With "sgd": constant, divided by (rows seen + 1)^power_t, or divided by 5 wherever training
        would stop, down to 1e-6. A schedule of deltaprop is taken with every solver. None:
        "constant". No preset takes one: its waves are part of it.
    learning_rate_init : float, optional
        eta; of a preset the highest of its waves. None: 0.001; a preset 0.07, "best" without
        ranges 0.2.
    power_t : float, optional
        The exponent of "invscaling". None: 0.5. No preset takes it.
    max_iter : int, optional
        Epochs at most; of "lbfgs" iterations. None: 200; "fast" 128, "best" 200, both fewer from
        16,000 rows on.
    shuffle : bool
        Visit the rows in a new order each epoch, as a preset always does.
    random_state : int, RandomState or None
        Where initial weights, rows held out, orders and dropout come from.
    tol : float, optional
        What counts as improvement; of "lbfgs" the largest entry of the gradient it ends with. None:
        0.0001. No preset takes it.
    verbose : bool or int
        Print a line for each epoch; of a preset some ten lines in all, or on a terminal a bar.
    warm_start : bool
        Let ``fit`` go on from the weights of the previous call, as a preset never does.
    momentum : float, optional
        mu of "sgd", from 0 to 1. None: 0.9. No preset takes it.
    nesterovs_momentum : bool, optional
        Whether "sgd" looks ahead along the velocity. None: True. No preset takes it.
    early_stopping : bool, optional
        Hold rows out, stop when their score no longer improves, and keep the best epoch. None:
        False. No preset takes it: it holds rows out and keeps the best epoch always.
    validation_fraction : float, optional
        The share of the rows held out. None: 0.1; of k members with a preset each holds out a
        k-th, a single one 0.15. With several members a preset takes only 0: none are held out.
    beta_1, beta_2, epsilon : float, optional
        Of "adam"; epsilon is added to sqrt(v / (1 - beta_2^t)). None: 0.9, 0.999, 1e-8. No preset
        takes them: it has 0.9, 0.95, 1e-8.
    n_iter_no_change : int or infinity, optional
        Epochs without improvement that are borne. None: 10; a preset any number.
    max_fun : int, optional
        Evaluations of "lbfgs", at most. None: 15000. No preset takes it.
    preset : {"fast", "best", "plain"}, optional
        None learns as scikit-learn does, by the settings. A preset learns as ``TableModel`` does:
        columns encoded and scaled, rows held out; "best" is an ensemble, "plain" the textbook; see
        ``Recipe``. What is given takes the place of their own, or is refused where they have
        nothing like it.
    members : int, optional
        Networks whose outputs are averaged, with a preset; each holds out another part of the rows.
        None: "fast" 6, "best" 8.
    ranges : int, optional
        Into how many ranges numbers are divided, too, with a preset; 0 for none. None: the rows
        decide whether "fast" has 16 and "best" 32, or none.
    dropout : float, optional
        Probability of dropping a hidden activation in training. None: 0; "fast" 0, "best" 0.15 in
        every other network.
    optimizer : str or Optimizer, optional
        An optimizer of deltaprop, with its own learning rate or schedule, instead of ``solver``;
        by its name it takes ``learning_rate_init``.
    scoring : str or callable, optional
        A metric of scikit-learn, or ``scoring(estimator, X, y)``, that scores the validation rows;
        R^2 when left out. With a preset it chooses the epoch of each network that is kept (of
        probabilities those before they are calibrated).
    callbacks : sequence of callable
        Called with a ``TrainingState`` after each epoch; one that returns True stops training.
        Those of scikit-learn 1.9 are given by ``set_callbacks``; they are told of the fit, of each
        network, and of each epoch but those of "lbfgs".
    checkpoint : path, optional
        A file to save the run to after each epoch.
    resume : bool
        Go on from ``checkpoint`` if it exists.
    time_budget : float, optional
        Seconds after which to stop, between two steps.
    n_threads : int, optional
        At most this many threads.
    engine : str
        "auto", or a key of ``ENGINES``.
    dtype : {"float32", "float64", "bfloat16"}, optional
        Precision of the steps; that of X when left out. Coefficients are float64 where it is, else
        float32.

    Attributes
    ----------
    coefs_, intercepts_ : list of ndarray
        W of shape (n_in, n_out) and b of shape (n_out,) of each layer.
    loss_, best_loss_ : float
        The training loss of the last epoch, and the least; None with early stopping.
    loss_curve_ : list of float
        The training loss of each epoch, the mean over its rows, each taken before its step.
    validation_scores_ : list of float or None
        The score of the validation rows after each epoch.
    best_validation_score_ : float or None
        The highest of them.
    n_iter_, t_ : int
        Epochs of the last call, and rows seen in all.
    n_features_in_ : int
        Columns of X.
    feature_names_in_ : ndarray of str
        Their names, where X was a data frame with such.
    n_layers_, n_outputs_ : int
        Layers, the input counted, and outputs.
    out_activation_ : str
        "identity" or "exp".
    network_ : Network
        The description of the network.
    encoder_ : TableEncoder or None
        What turns a data frame into numbers; None where X was numbers.
    model_ : TableModel
        What was learnt with a preset; the other attributes tell of the first of its networks
        (``coefs_`` of the dense layers), the curves and scores of their mean.
    history_ : History
        The record of the last call, with losses and seconds of each epoch.

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
