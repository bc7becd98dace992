"""MLPRegressor: scikit-learn's estimator for numbers, on deltaprop's engines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from deltaprop.estimators.base import BaseMLP, is_stochastic
from deltaprop.estimators.documentation import documented
from deltaprop.estimators.sklearn import RegressorMixin, available_if
from deltaprop.masked import refuse_masked

__all__ = ["MLPRegressor"]

Array = npt.NDArray[Any]


@documented
@dataclass(eq=False, repr=False)
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

    loss: str | int | Sequence[int] = "squared_error"
    hidden_layer_sizes: int | Sequence[int] | None = None
    activation: str | Sequence[str] | None = None

    def __post_init__(self) -> None:
        loss, widths = self.loss, self.hidden_layer_sizes
        if isinstance(loss, (Integral, Sequence, np.ndarray)) and not isinstance(loss, str):
            # the widths came first before scikit-learn 1.7 had a loss: they are no loss's name
            if isinstance(widths, str) and self.activation is None:
                self.activation, widths = widths, None
            if widths is None:
                self.hidden_layer_sizes, self.loss = loss, "squared_error"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    @available_if(is_stochastic)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn for a single epoch, going on from where the estimator is; return the estimator.

        What is given is as for ``fit``.
        """
        return self._partial_fit(X, y, sample_weight)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return R^2 of the predictions; of several targets their mean.

        ``sample_weight`` of shape (n,) is what each row counts.
        """
        refuse_masked(y, "y")
        refuse_masked(sample_weight, "sample_weight")
        return float(super().score(X, y, sample_weight))
