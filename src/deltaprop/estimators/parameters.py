"""The settings of an MLP estimator: checked, then read as a network and an optimizer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from numbers import Integral, Real
from types import SimpleNamespace
from typing import Any, TypeAlias

import numpy as np

from deltaprop.engines import engine_named
from deltaprop.errors import SettingError
from deltaprop.estimators.convergence import AdaptiveRate, InverseScaling, Later, Shorter
from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.training.optimizers import OPTIMIZERS, Adam, GradientDescent, Momentum, Optimizer
from deltaprop.training.schedules import LearningRate

__all__ = [
    "DEFAULTS",
    "OUTPUT_NAMES",
    "check_parameters",
    "hidden_activations",
    "hidden_sizes",
    "optimizer_of",
    "rate_of",
    "result_dtype",
    "settings_of",
    "shortened",
    "uses_lbfgs",
]

# What None stands for in a setting that scikit-learn and the presets decide differently. A default
# that is no value of its own shows what was given, and stays what it is in clones and files.
DEFAULTS: dict[str, Any] = {
    "hidden_layer_sizes": (100,),
    "activation": "relu",
    "solver": "adam",
    "alpha": 0.0001,
    "batch_size": "auto",
    "learning_rate": "constant",
    "learning_rate_init": 0.001,
    "power_t": 0.5,
    "max_iter": 200,
    "tol": 1e-4,
    "momentum": 0.9,
    "nesterovs_momentum": True,
    "early_stopping": False,
    "validation_fraction": 0.1,
    "beta_1": 0.9,
    "beta_2": 0.999,
    "epsilon": 1e-8,
    "n_iter_no_change": 10,
    "max_fun": 15000,
    "dropout": 0.0,
    "label_smoothing": 0.0,
}

_Test: TypeAlias = Callable[[Any], bool]
_SOLVERS = ("adam", "lbfgs", "sgd")
_RATES = ("constant", "invscaling", "adaptive")
_DTYPES = (None, "float32", "float64", "bfloat16")
_ALIASES = {"logistic": "sigmoid"}
OUTPUT_NAMES = {"sigmoid": "logistic"}  # of scikit-learn


def _real(low: float, high: float, *, open_low: bool = False, open_high: bool = False) -> _Test:
    def test(value: Any) -> bool:
        if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
            return False
        number = float(value)
        above = number > low if open_low else number >= low
        return above and (number < high if open_high else number <= high)

    return test


def _whole(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, Integral) and int(value) >= 1


def _truth(value: Any) -> bool:
    return isinstance(value, (bool, np.bool_))


def _rate(value: Any) -> bool:
    return callable(value) or (isinstance(value, str) and value in _RATES)


def _optimizer(value: Any) -> bool:
    return value is None or isinstance(value, str) or hasattr(value, "step")


def _functions(value: Any) -> bool:
    return isinstance(value, Sequence) and all(map(callable, value))


_inf = float("inf")
_truths = dict.fromkeys(
    ("shuffle", "warm_start", "nesterovs_momentum", "early_stopping", "resume"),
    (_truth, "True or False"),
)
_RULES: dict[str, tuple[_Test, str]] = {
    "solver": (lambda v: v in _SOLVERS, f"one of {', '.join(_SOLVERS)}"),
    "alpha": (_real(0, _inf, open_high=True), "a number >= 0"),
    "batch_size": (
        lambda v: (isinstance(v, str) and v == "auto") or _whole(v),
        "'auto' or a whole number of at least 1",
    ),
    "learning_rate": (_rate, f"one of {', '.join(_RATES)}, or a schedule of deltaprop"),
    "learning_rate_init": (_real(0, _inf, open_low=True, open_high=True), "a number > 0"),
    "power_t": (_real(0, _inf, open_high=True), "a number >= 0"),
    "max_iter": (_whole, "a whole number of at least 1"),
    "tol": (_real(0, _inf), "a number >= 0"),
    "verbose": (
        lambda v: _truth(v) or (isinstance(v, Integral) and int(v) >= 0),
        "True, False or a whole number >= 0",
    ),
    "momentum": (_real(0, 1), "a number from 0 to 1"),
    "validation_fraction": (_real(0, 1, open_high=True), "a number from 0 up to below 1"),
    "beta_1": (_real(0, 1, open_high=True), "a number from 0 up to below 1"),
    "beta_2": (_real(0, 1, open_high=True), "a number from 0 up to below 1"),
    "epsilon": (_real(0, _inf, open_low=True, open_high=True), "a number > 0"),
    "n_iter_no_change": (
        lambda v: _whole(v) or (isinstance(v, Real) and v == _inf),
        "a whole number of at least 1, or infinity",
    ),
    "max_fun": (_whole, "a whole number of at least 1"),
    "dropout": (_real(0, 1, open_high=True), "a number from 0 up to below 1"),
    "label_smoothing": (_real(0, 1, open_high=True), "a number from 0 up to below 1"),
    "members": (lambda v: v is None or _whole(v), "None or a whole number of at least 1"),
    "ranges": (
        lambda v: v is None or _whole(v) or (type(v) is int and v == 0),
        "None or a whole number >= 0",
    ),
    "calibrate": (lambda v: v is None or _truth(v), "None, True or False"),
    "optimizer": (_optimizer, "None, the name of an optimizer, or an optimizer of deltaprop"),
    "callbacks": (_functions, "a list of functions"),
    "time_budget": (
        lambda v: v is None or _real(0, _inf, open_low=True, open_high=True)(v),
        "None or a number of seconds > 0",
    ),
    "n_threads": (lambda v: v is None or _whole(v), "None or a whole number of at least 1"),
    "dtype": (lambda v: v in _DTYPES, "None, 'float32', 'float64' or 'bfloat16'"),
    **_truths,
}
_ONLY_STOCHASTIC = ("time_budget", "checkpoint", "callbacks", "dropout")


def settings_of(estimator: Any) -> SimpleNamespace:
    """Return the settings by their names, scikit-learn's defaults in the place of None."""
    settings = estimator.get_params(deep=False)
    known = {name: DEFAULTS[name] for name in DEFAULTS if settings.get(name, 0) is None}
    return SimpleNamespace(**(settings | known))


def uses_lbfgs(estimator: Any) -> bool:
    """Return whether all rows are learnt from at once, instead of epochs of mini-batches."""
    return bool(estimator.solver == "lbfgs" and estimator.optimizer is None)


def check_parameters(estimator: Any) -> None:
    """Raise SettingError for the first setting outside its range, or for a contradiction."""
    settings = vars(settings_of(estimator))
    for name, (test, expected) in _RULES.items():
        if name in settings and not test(settings[name]):
            raise SettingError(f"{name} is {settings[name]!r}; it is {expected}.")
    if "loss" in settings:
        estimator._loss_name()  # noqa: SLF001
    hidden_activations(estimator)
    engine_named(estimator.engine)
    optimizer_of(estimator, 1e-3)
    if estimator.resume and estimator.checkpoint is None:
        raise SettingError("resume=True goes on from a checkpoint; name its file: checkpoint=...")
    if uses_lbfgs(estimator):
        for name in _ONLY_STOCHASTIC:
            if settings[name]:
                raise SettingError(
                    f"solver='lbfgs' has no {name}: it works on all rows at once, and on one "
                    "fixed function. Take solver='adam' or 'sgd', or leave it out."
                )


def hidden_sizes(estimator: Any) -> tuple[int, ...]:
    """Return the width of each hidden layer."""
    given = settings_of(estimator).hidden_layer_sizes
    sizes = list(given) if isinstance(given, Iterable) else [given]
    if isinstance(given, str) or not all(_whole(size) for size in sizes):
        raise SettingError(
            f"hidden_layer_sizes is {given!r}; it holds the width of each hidden layer, whole "
            "numbers > 0, such as (100, 50)."
        )
    return tuple(int(size) for size in sizes)


def hidden_activations(estimator: Any) -> tuple[str, ...]:
    """Return deltaprop's name of the activation of each hidden layer."""
    sizes, given = hidden_sizes(estimator), settings_of(estimator).activation
    if not isinstance(given, str) and not isinstance(given, Sequence):
        raise SettingError(
            f"activation is {given!r}; it is the name of an activation, or one for each layer."
        )
    by_preset = estimator.hidden_layer_sizes is None and estimator.preset is not None
    if by_preset and not isinstance(given, str):
        raise SettingError(
            f"activation is {given!r}, one for each layer, but how many layers there are is left "
            f"to preset={estimator.preset!r}. Name one activation for all, or give "
            "hidden_layer_sizes."
        )
    names = [given] * len(sizes) if isinstance(given, str) else list(given)
    if len(names) != len(sizes):
        raise SettingError(
            f"activation names {len(names)} activations but there are {len(sizes)} hidden layers; "
            "give one name for all of them or one each."
        )
    checked = [given] if isinstance(given, str) else names
    for name in checked:
        _ = ACTIVATIONS[_ALIASES.get(name, name) if isinstance(name, str) else name]
    return tuple(_ALIASES.get(name, name) for name in names)


def result_dtype(estimator: Any, rows: Any) -> tuple[str, type[np.floating[Any]]]:
    """Return what steps are computed in, and what coefficients are kept in."""
    dtype = estimator.dtype
    if dtype is None:
        dtype = "float32" if rows.dtype == np.float32 else "float64"
    return dtype, np.float64 if dtype == "float64" else np.float32


def optimizer_of(estimator: Any, rate: LearningRate) -> Optimizer:
    """Return the optimizer the settings ask for; an object of its own brings its own rate."""
    chosen = estimator.optimizer
    if isinstance(chosen, str):
        if chosen not in OPTIMIZERS:
            raise SettingError(
                f"optimizer is {chosen!r}; it is one of {', '.join(sorted(OPTIMIZERS))}, or such "
                "an optimizer with settings of your own: optimizer=deltaprop.AdamW(1e-3)."
            )
        named: Optimizer = OPTIMIZERS[chosen](rate)
        return named
    if chosen is not None:
        own: Optimizer = chosen
        return own
    settings = settings_of(estimator)
    if settings.solver == "adam":
        return Adam(rate, settings.beta_1, settings.beta_2, settings.epsilon)
    if settings.momentum == 0:
        return GradientDescent(rate)
    # scikit-learn allows a velocity that never fades; the nearest float below is the same to it
    momentum = min(float(settings.momentum), float(np.nextafter(1.0, 0.0)))
    return Momentum(rate, momentum, bool(settings.nesterovs_momentum))


def rate_of(estimator: Any, n: int, n_steps: int, *, incremental: bool) -> LearningRate:
    """Return eta, or the schedule of eta, for ``n_steps`` updates an epoch over ``n`` rows."""
    settings = settings_of(estimator)
    chosen, eta = settings.learning_rate, float(settings.learning_rate_init)
    if callable(chosen):
        schedule: LearningRate = chosen
        return schedule
    if settings.solver == "adam" and settings.optimizer is None:
        return eta
    if chosen == "invscaling":
        fresh = not incremental or estimator.t_ == 0
        return InverseScaling(eta, settings.power_t, estimator.t_, n, n_steps, fresh)
    if chosen == "adaptive":
        return AdaptiveRate(estimator._rate if incremental else eta)  # noqa: SLF001
    return eta


def continued(optimizer: Optimizer, first: int, n_steps: int) -> Optimizer:
    """Return the optimizer with a schedule that is at update ``first`` of ``n_steps`` already."""
    rate = optimizer.learning_rate
    if not callable(rate) or isinstance(rate, (AdaptiveRate, InverseScaling)):
        return optimizer
    moved: Optimizer = replace(optimizer, learning_rate=Later(rate, first, n_steps))  # type: ignore[type-var]
    return moved


def shortened(optimizer: Optimizer, share: float) -> Optimizer:
    """Return the optimizer with every learning rate multiplied by ``share``."""
    if share == 1:
        return optimizer
    rate = optimizer.learning_rate
    shorter = Shorter(rate, share) if callable(rate) else share * rate
    changed: Optimizer = replace(optimizer, learning_rate=shorter)  # type: ignore[type-var]
    return changed
