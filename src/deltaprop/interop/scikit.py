"""from_sklearn and to_sklearn: fitted estimators of scikit-learn as networks, and back."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import MissingExtraError, SettingError, shown
from deltaprop.interop.chain import (
    Affine,
    Columns,
    Function,
    Reading,
    Step,
    assembled,
    unreadable,
)
from deltaprop.interop.functions import PLAIN
from deltaprop.model.backprop import require_fit
from deltaprop.model.layers import Dense
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

__all__ = ["from_sklearn", "is_of_sklearn", "to_sklearn"]

Array = npt.NDArray[np.float64]
_LINEAR = (
    "LinearRegression", "Ridge", "RidgeCV", "Lasso", "LassoCV", "ElasticNet", "ElasticNetCV",
)  # fmt: skip


def from_sklearn(estimator: BaseEstimator) -> tuple[Network, Parameters]:
    """Return a fitted estimator of scikit-learn as a network and its parameters.

    Parameters
    ----------
    estimator : estimator
        An ``MLPClassifier``, ``MLPRegressor``, ``LogisticRegression`` or a linear regression; or a
        ``Pipeline`` that ends in one and scales columns before (``StandardScaler``,
        ``MinMaxScaler``, ``MaxAbsScaler``, ``RobustScaler``), which is folded into the first layer.

    Returns
    -------
    network : Network
        Softmax and cross_entropy for several classes; one output with a sigmoid and
        binary_cross_entropy for two, the probability of the second, or for each label of several;
        half_squared_error, or poisson, for a regression. Its l2 is 0: scikit-learn's ``alpha``
        depends on the number of rows.
    parameters : Parameters
        Copies of the numbers, float64.

    Raises
    ------
    SettingError
        When the estimator is another one, is not fitted, or a step of the pipeline is no scaling
        of columns; the message names it.
    """
    reading = _read(estimator)
    return reading.network, reading.parameters


def to_sklearn(network: Network, parameters: Parameters) -> BaseEstimator:
    """Return a network as a fitted estimator of scikit-learn that predicts the same.

    Parameters
    ----------
    network, parameters
        Dense layers, the hidden ones all with the same activation: identity, sigmoid, tanh or relu.
        Dropout, penalties and label smoothing, which no prediction needs, do not come along.

    Returns
    -------
    MLPClassifier or MLPRegressor
        With softmax a classifier of the classes 0, 1, ...; with a sigmoid one of 0 and 1, or of
        several labels; with identity, or exp, a regressor. scikit-learn has one output for two
        classes, so two softmax outputs become their difference.

    Raises
    ------
    MissingExtraError
        When scikit-learn is not installed.
    SettingError
        When scikit-learn has no such network; the message says what of it.
    """
    if find_spec("sklearn") is None:
        raise MissingExtraError("to_sklearn needs scikit-learn, which", "deltaprop[sklearn]")
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    require_fit(network, parameters)
    settings: dict[str, Any] = {
        "hidden_layer_sizes": network.sizes[1:-1],
        "activation": _shared_activation(network),
        "max_iter": 1,
        "random_state": 0,
    }
    W = [np.array(each) for each in parameters.W]
    b = [
        np.zeros(n) if each is None else np.array(each)
        for n, each in zip(network.sizes[1:], parameters.b, strict=True)
    ]
    k = network.n_out
    y: npt.NDArray[Any]
    match network.loss.output:
        case "softmax" if k > 1:
            made, y = MLPClassifier(**settings), np.arange(k)
            if k == 2:
                W[-1], b[-1] = W[-1][:, 1:] - W[-1][:, :1], b[-1][1:] - b[-1][:1]
        case "sigmoid":
            made = MLPClassifier(**settings)
            y = np.arange(2) if k == 1 else np.arange(2)[:, None].repeat(k, 1)
        case "identity":
            made, y = MLPRegressor(**settings), np.zeros((2, k))
        case "exp":
            made, y = MLPRegressor(loss="poisson", **settings), np.ones((2, k))
        case output:
            raise SettingError(
                f"scikit-learn has no output activation {output!r} for {k} outputs; it has softmax "
                "for classes, sigmoid, identity and exp."
            )
    with warnings.catch_warnings():  # one step, for everything else that a fitted one has
        warnings.simplefilter("ignore")
        made.fit(np.zeros((len(y), network.n_in)), y.ravel() if k == 1 else y)
    made.coefs_, made.intercepts_ = W, b
    vars(made).pop("_optimizer", None)  # training on begins afresh
    return made


def is_of_sklearn(model: object) -> bool:
    """Return whether something is an object of scikit-learn's own; nothing is imported for it."""
    return type(model).__module__.startswith("sklearn.")


def _read(estimator: BaseEstimator) -> Reading:
    loss, steps = _steps_of(estimator, type(estimator).__name__)
    n_in = getattr(estimator, "n_features_in_", None)
    return assembled(steps, n_in, loss, type(estimator).__name__)


def _steps_of(estimator: BaseEstimator, where: str) -> tuple[str, list[Step]]:
    """Return what an estimator computes, and the loss it belongs to."""
    name = type(estimator).__name__
    if is_of_sklearn(estimator) and name == "Pipeline":
        *before, (last_name, last) = estimator.steps
        steps = [step for one, scaler in before for step in _scaled(scaler, one)]
        loss, further = _steps_of(last, f"Step {last_name!r} ({type(last).__name__})")
        return loss, steps + further
    read = _READ.get(name) if is_of_sklearn(estimator) else None
    if read is None:
        what = where if is_of_sklearn(estimator) else shown(estimator)
        raise unreadable(what, f"a network can be {', '.join(sorted(_READ))} or a Pipeline of one")
    if not (hasattr(estimator, "coefs_") or hasattr(estimator, "coef_")):
        raise unreadable(where, "it is not fitted")
    return read(estimator, where)


def _multilayer(estimator: BaseEstimator, where: str) -> tuple[str, list[Step]]:
    steps: list[Step] = []
    last = len(estimator.coefs_)
    layers = zip(estimator.coefs_, estimator.intercepts_, strict=True)
    for number, (W, b) in enumerate(layers, 1):
        at = f"{where}, layer {number},"
        steps.append(Affine(at, _numbers(W), _numbers(b)))
        if number < last:
            name = PLAIN.get(estimator.activation)
            if name is None:
                raise unreadable(at, f"no activation is {estimator.activation}")
            steps.append(Function(at, name))
    losses = {
        "softmax": "cross_entropy", "logistic": "binary_cross_entropy",
        "identity": "half_squared_error", "exp": "poisson",
    }  # fmt: skip
    loss = losses.get(estimator.out_activation_)
    if loss is None:
        raise unreadable(where, f"no output is {estimator.out_activation_}")
    return loss, steps


def _logistic(estimator: BaseEstimator, where: str) -> tuple[str, list[Step]]:
    W, several = _numbers(estimator.coef_).T, len(estimator.classes_) > 2
    one_for_each = getattr(estimator, "multi_class", "deprecated") == "ovr"
    if several and (one_for_each or estimator.solver == "liblinear"):
        raise unreadable(where, "it is one model for each class, not one softmax")
    if not several and getattr(estimator, "multi_class", "") == "multinomial":
        W, b = 2.0 * W, 2.0 * _numbers(estimator.intercept_)  # softmax of -z and z
    else:
        b = _numbers(estimator.intercept_)
    step = Affine(where, W, np.broadcast_to(b, W.shape[1]))
    return "cross_entropy" if several else "binary_cross_entropy", [step]


def _linear(estimator: BaseEstimator, where: str) -> tuple[str, list[Step]]:
    W = np.atleast_2d(_numbers(estimator.coef_)).T
    b = np.broadcast_to(_numbers(estimator.intercept_), W.shape[1])
    return "half_squared_error", [Affine(where, W, b)]


_READ: dict[str, Callable[[BaseEstimator, str], tuple[str, list[Step]]]] = {
    "MLPClassifier": _multilayer,
    "MLPRegressor": _multilayer,
    "LogisticRegression": _logistic,
    "LogisticRegressionCV": _logistic,
    **dict.fromkeys(_LINEAR, _linear),
}


def _scaled(scaler: Any, name: str) -> Iterable[Step]:
    """Return what a step of a pipeline does to columns, none where it passes them."""
    if scaler is None or (isinstance(scaler, str) and scaler == "passthrough"):
        return []
    kind = type(scaler).__name__
    where = f"Step {name!r} ({kind})"
    if not is_of_sklearn(scaler) or kind not in _SCALERS:
        raise unreadable(where, f"what can be folded is {', '.join(_SCALERS)}")
    if not hasattr(scaler, "scale_"):
        raise unreadable(where, "it is not fitted")
    if getattr(scaler, "clip", False):
        raise unreadable(where, "it clips numbers outside its range")
    offset, factor = _SCALERS[kind](scaler)
    return [Columns(where, factor, offset)]


def _centred(centre: Any, scale: Any) -> tuple[Array | float, Array | float]:
    factor = 1.0 if scale is None else 1.0 / _numbers(scale)
    return (0.0 if centre is None else -_numbers(centre) * factor), factor


# shift and scale of x * scale + shift
_SCALERS: dict[str, Callable[[Any], tuple[Array | float, Array | float]]] = {
    "StandardScaler": lambda s: _centred(s.mean_ if s.with_mean else None, s.scale_),
    "MinMaxScaler": lambda s: (_numbers(s.min_), _numbers(s.scale_)),
    "MaxAbsScaler": lambda s: _centred(None, s.scale_),
    "RobustScaler": lambda s: _centred(s.center_, s.scale_),
}


def _numbers(given: Any) -> Array:
    """Return an array as float64, a sparse one whole."""
    whole = given.toarray() if hasattr(given, "toarray") else given
    return np.asarray(whole, dtype=np.float64)


def _shared_activation(network: Network) -> str:
    """Return scikit-learn's name of the activation that all hidden layers have."""
    known = {"identity": "identity", "sigmoid": "logistic", "tanh": "tanh", "relu": "relu"}
    for number, layer in enumerate(network.computing_layers, 1):
        if not isinstance(layer, Dense) or layer.parametrization != "standard":
            raise SettingError(
                f"Layer {number} is {layer!r}; scikit-learn has nothing but dense layers, "
                "z = a W + b."
            )
    names = [row.name for row in network.activations]
    for name in names:
        if name not in known:
            raise SettingError(
                f"scikit-learn has no hidden activation {name!r}; it has {', '.join(known)}."
            )
    if len({*names}) > 1:
        raise SettingError(
            f"The hidden layers have {', '.join(names)}; scikit-learn has one activation for all."
        )
    return known[names[0]] if names else "identity"
