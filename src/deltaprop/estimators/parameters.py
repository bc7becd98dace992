"""The settings of an MLP estimator: checked, then read as a network and an optimizer."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from numbers import Integral, Real
from typing import Any, TypeAlias

import numpy as np

from deltaprop.engines import engine_named
from deltaprop.errors import SettingError
from deltaprop.estimators.convergence import AdaptiveRate, InverseScaling, Later, Shorter
from deltaprop.estimators.sklearn import BaseEstimator
from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.functional.losses import LOSSES
from deltaprop.training.loop import Callback
from deltaprop.training.optimizers import (
    OPTIMIZERS,
    Adam,
    GradientDescent,
    Momentum,
    Optimizer,
    require_optimizer,
)
from deltaprop.training.schedules import LearningRate, Schedule

__all__ = [
    "DEFAULTS", "IN_RECIPES", "Settings", "check_parameters", "continued", "defaults_of",
    "settings_of", "shortened",
]  # fmt: skip

_Test: TypeAlias = Callable[[Any], bool]
_inf = float("inf")
_SOLVERS = ("adam", "lbfgs", "sgd")
_RATES = ("constant", "invscaling", "adaptive")
_DTYPES = ("float32", "float64", "bfloat16")
_ALIASES = {"logistic": "sigmoid"}


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


def _functions(value: Any) -> bool:
    return isinstance(value, Sequence) and all(map(callable, value))


def _anything(_: object) -> bool:
    return True


_ANYTHING = _anything, ""
_AT_LEAST_1 = _whole, "a whole number of at least 1"
_AT_LEAST_0 = _real(0, _inf, open_high=True), "a number >= 0"
_ABOVE_0 = _real(0, _inf, open_low=True, open_high=True), "a number > 0"
_SHARE = _real(0, 1, open_high=True), "a number from 0 up to below 1"
_TRUTH = _truth, "True or False"


def _usual(default: Any, test: _Test = _anything, expected: str = "") -> Any:
    """Return a setting that scikit-learn and the presets decide differently: None is the default.

    A default that is no value of its own shows what was given, and stays what it is in clones and
    files.
    """
    return field(default=default, metadata={"rule": (test, expected), "usual": True})


def _own(default: Any, test: _Test = _anything, expected: str = "") -> Any:
    return field(default=default, metadata={"rule": (test, expected)})


def _or_none(test: _Test, expected: str) -> Any:
    return _own(None, lambda value: value is None or test(value), f"None{expected}")


@dataclass(frozen=True)
class Settings:
    """What an estimator is set to, by the names it is given; no preset's, where it says None.

    Each row is a setting: what None stands for, which values it can have, and how a message says
    so. Of what has no rule here whoever uses it says what is wrong.
    """

    solver: str = _usual("adam", lambda v: v in _SOLVERS, f"one of {', '.join(_SOLVERS)}")
    alpha: float = _usual(0.0001, *_AT_LEAST_0)
    batch_size: int | str = _usual(
        "auto",
        lambda v: (isinstance(v, str) and v == "auto") or _whole(v),
        "'auto' or a whole number of at least 1",
    )
    learning_rate: str | Schedule = _usual(
        "constant", _rate, f"one of {', '.join(_RATES)}, or a schedule of deltaprop"
    )
    learning_rate_init: float = _usual(0.001, *_ABOVE_0)
    power_t: float = _usual(0.5, *_AT_LEAST_0)
    max_iter: int = _usual(200, *_AT_LEAST_1)
    tol: float = _usual(1e-4, _real(0, _inf), "a number >= 0")
    verbose: bool | int = _own(
        False,
        lambda v: _truth(v) or (isinstance(v, Integral) and int(v) >= 0),
        "True, False or a whole number >= 0",
    )
    momentum: float = _usual(0.9, _real(0, 1), "a number from 0 to 1")
    validation_fraction: float = _usual(0.1, *_SHARE)
    beta_1: float = _usual(0.9, *_SHARE)
    beta_2: float = _usual(0.999, *_SHARE)
    epsilon: float = _usual(1e-8, *_ABOVE_0)
    n_iter_no_change: float = _usual(
        10,
        lambda v: _whole(v) or (isinstance(v, Real) and v == _inf),
        "a whole number of at least 1, or infinity",
    )
    max_fun: int = _usual(15000, *_AT_LEAST_1)
    dropout: float = _usual(0.0, *_SHARE)
    label_smoothing: float = _usual(0.0, *_SHARE)
    members: int | None = _or_none(_whole, " or a whole number of at least 1")
    ranges: int | None = _or_none(
        lambda v: _whole(v) or (type(v) is int and v == 0), " or a whole number >= 0"
    )
    calibrate: bool | None = _or_none(_truth, ", True or False")
    optimizer: str | Optimizer | None = _or_none(
        lambda v: isinstance(v, str) or hasattr(v, "step"),
        ", the name of an optimizer, or an optimizer of deltaprop",
    )
    callbacks: Sequence[Callback] = _own((), _functions, "a list of functions")
    time_budget: float | None = _or_none(_ABOVE_0[0], " or a number of seconds > 0")
    n_threads: int | None = _or_none(_whole, " or a whole number of at least 1")
    dtype: str | None = _or_none(lambda v: v in _DTYPES, ", 'float32', 'float64' or 'bfloat16'")
    shuffle: bool = _own(True, *_TRUTH)
    warm_start: bool = _own(False, *_TRUTH)
    nesterovs_momentum: bool = _usual(True, *_TRUTH)
    early_stopping: bool = _usual(False, *_TRUTH)
    resume: bool = _own(False, *_TRUTH)
    hidden_layer_sizes: int | Sequence[int] = _usual((100,))
    activation: str | Sequence[str] = _usual("relu")
    loss: str = "log_loss"
    random_state: int | np.random.RandomState | None = None
    preset: str | None = None
    class_weight: Mapping[Any, float] | str | Sequence[Any] | None = None
    scoring: str | Callable[..., Any] | None = None
    checkpoint: str | os.PathLike[str] | None = None
    engine: str = "auto"
    numeric: bool = False  # whether y is numbers; no setting: the kind of estimator says it

    @property
    def lbfgs(self) -> bool:
        """Return whether all rows are learnt from at once, instead of epochs of mini-batches."""
        return self.solver == "lbfgs" and self.optimizer is None

    @property
    def widths(self) -> tuple[int, ...]:
        """Return the width of each hidden layer."""
        given: Any = self.hidden_layer_sizes  # whatever it is
        sizes = list(given) if isinstance(given, Iterable) else [given]
        if isinstance(given, str) or not all(_whole(size) for size in sizes):
            raise SettingError(
                f"hidden_layer_sizes is {given!r}; it holds the width of each hidden layer, whole "
                "numbers > 0, such as (100, 50)."
            )
        return tuple(int(size) for size in sizes)

    @property
    def activations(self) -> tuple[str, ...]:
        """Return deltaprop's name of the activation of each hidden layer."""
        n = len(self.widths)
        given: Any = self.activation  # whatever it is
        names = [given] * n if isinstance(given, str) else list(given)
        if len(names) != n:
            raise SettingError(
                f"activation names {len(names)} activations but there are {n} hidden layers; "
                "give one name for all of them or one each."
            )
        for name in [given] if isinstance(given, str) else names:
            _ = ACTIVATIONS[_ALIASES.get(name, name) if isinstance(name, str) else name]
        return tuple(_ALIASES.get(name, name) for name in names)

    @property
    def loss_of_numbers(self) -> str:
        """Return deltaprop's name of a regressor's loss."""
        known = {name: name for name, row in LOSSES.items() if row.targets in ("real", "count")}
        known["squared_error"] = "half_squared_error"
        if self.loss not in known:
            names = ", ".join(sorted(known))
            raise SettingError(f"loss is {self.loss!r}; for numbers it is one of {names}.")
        return known[self.loss]

    def dtypes(self, rows: Any) -> tuple[str, type[np.floating[Any]]]:
        """Return what steps are computed in, and what coefficients are kept in."""
        dtype = self.dtype
        if dtype is None:
            dtype = "float32" if rows.dtype == np.float32 else "float64"
        return dtype, np.float64 if dtype == "float64" else np.float32

    def optimizer_at(self, rate: LearningRate) -> Optimizer:
        """Return the optimizer that is asked for; an object of its own brings its own rate."""
        chosen = self.optimizer
        if isinstance(chosen, str):
            if chosen not in OPTIMIZERS:
                raise SettingError(
                    f"optimizer is {chosen!r}; it is one of {', '.join(sorted(OPTIMIZERS))}, or "
                    "such an optimizer with settings of your own: "
                    "optimizer=deltaprop.AdamW(1e-3)."
                )
            named: Optimizer = OPTIMIZERS[chosen](rate)
            return named
        if chosen is not None:
            require_optimizer(chosen)
            return chosen
        if self.solver == "adam":
            return Adam(rate, self.beta_1, self.beta_2, self.epsilon)
        if self.momentum == 0:
            return GradientDescent(rate)
        # scikit-learn allows a velocity that never fades; the nearest float below is the same to it
        momentum = min(float(self.momentum), float(np.nextafter(1.0, 0.0)))
        return Momentum(rate, momentum, bool(self.nesterovs_momentum))

    def rate_for(self, n: int, n_steps: int, seen: int, begun_at: float | None) -> LearningRate:
        """Return eta, or its schedule, for ``n_steps`` updates an epoch over ``n`` rows.

        ``seen`` rows have been learnt from; ``begun_at`` is where an adaptive rate has come to in
        earlier calls of ``partial_fit``, None of ``fit``.
        """
        chosen, eta = self.learning_rate, float(self.learning_rate_init)
        if not isinstance(chosen, str):
            return chosen
        if self.solver == "adam" and self.optimizer is None:
            return eta
        if chosen == "invscaling":
            fresh = begun_at is None or seen == 0
            return InverseScaling(eta, self.power_t, seen, n, n_steps, fresh)
        if chosen == "adaptive":
            return AdaptiveRate(eta if begun_at is None else begun_at)
        return eta


DEFAULTS: dict[str, Any] = {
    item.name: item.default for item in fields(Settings) if "usual" in item.metadata
}
# what a preset's recipe calls a setting; nothing where it has it beside its recipe
IN_RECIPES: dict[str, str | None] = {
    "loss": "loss", "hidden_layer_sizes": "hidden", "activation": "activation",
    "dropout": "dropout", "learning_rate_init": "learning_rate", "batch_size": "batch_size",
    "max_iter": "epochs", "n_iter_no_change": "patience",
    "validation_fraction": "validation_share", "alpha": "l2",
    "label_smoothing": "label_smoothing", "members": "members", "ranges": "ranges",
    "calibrate": "calibrate", "time_budget": "time_budget", "engine": "engine",
    "preset": None, "random_state": None, "class_weight": None, "scoring": None,
    "callbacks": None, "checkpoint": None, "resume": None, "n_threads": None, "verbose": None,
}  # fmt: skip
_ONLY_STOCHASTIC = ("time_budget", "checkpoint", "callbacks", "dropout")


def settings_of(estimator: BaseEstimator) -> Settings:
    """Return what an estimator is set to, scikit-learn's defaults in the place of None."""
    names = [item.name for item in fields(Settings) if hasattr(estimator, item.name)]
    given = {name: getattr(estimator, name) for name in names}
    known = {name: v for name, v in given.items() if v is not None or name not in DEFAULTS}
    return Settings(**known, numeric=not hasattr(type(estimator), "predict_proba"))


def defaults_of(estimator: BaseEstimator | type[BaseEstimator]) -> dict[str, Any]:
    """Return the settings of a kind of estimator with their defaults, in alphabetical order."""
    kind = estimator if isinstance(estimator, type) else type(estimator)
    parameters = inspect.signature(kind).parameters
    return {name: parameters[name].default for name in sorted(parameters)}


def check_parameters(estimator: BaseEstimator) -> Settings:
    """Return the settings; raise SettingError where one is out of range, or for a contradiction."""
    settings = settings_of(estimator)
    for item in fields(Settings):
        value, (test, expected) = getattr(settings, item.name), item.metadata.get("rule", _ANYTHING)
        if not test(value):
            raise SettingError(f"{item.name} is {value!r}; it is {expected}.")
    if settings.numeric:
        _ = settings.loss_of_numbers
    _check_activation(
        settings, layers_given=getattr(estimator, "hidden_layer_sizes", 0) is not None
    )
    engine_named(settings.engine)
    settings.optimizer_at(1e-3)
    if settings.resume and settings.checkpoint is None:
        raise SettingError("resume=True goes on from a checkpoint; name its file: checkpoint=...")
    for name in _ONLY_STOCHASTIC if settings.lbfgs else ():
        if getattr(settings, name):
            raise SettingError(
                f"solver='lbfgs' has no {name}: it works on all rows at once, and on one "
                "fixed function. Take solver='adam' or 'sgd', or leave it out."
            )
    return settings


def _check_activation(settings: Settings, *, layers_given: bool) -> None:
    given: object = settings.activation
    _ = settings.widths
    if not isinstance(given, (str, Sequence)):
        raise SettingError(
            f"activation is {given!r}; it is the name of an activation, or one for each layer."
        )
    if not layers_given and settings.preset is not None and not isinstance(given, str):
        raise SettingError(
            f"activation is {given!r}, one for each layer, but how many layers there are is left "
            f"to preset={settings.preset!r}. Name one activation for all, or give "
            "hidden_layer_sizes."
        )
    _ = settings.activations


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
