"""Where a function of a network and its parameters takes a model of another library, too."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, Protocol, TypeVar, overload

import numpy as np

from deltaprop.errors import DataError, SettingError
from deltaprop.interop.pytorch import from_torch
from deltaprop.interop.scikit import from_sklearn, is_of_sklearn
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network

__all__ = ["TakesModels", "takes_models"]

P = ParamSpec("P")
R = TypeVar("R", covariant=True)


class TakesModels(Protocol[P, R]):
    """A function of (network, parameters, x, targets), or of (model, x, targets)."""

    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...
    @overload
    def __call__(self, model: object, /, x: object, targets: object, **settings: Any) -> R: ...


def takes_models(function: Callable[P, R]) -> TakesModels[P, R]:
    """Let a function of (network, parameters, x, targets) take (model, x, targets), too.

    A model is a module of PyTorch or a fitted estimator of scikit-learn; it is read when the
    function is called, and neither library is imported for it.
    """

    @wraps(function)
    def taking(*args: Any, **settings: Any) -> R:
        if args and _is_model(args[0]):
            args, settings = _in_place_of(*args, **settings)
        return function(*args, **settings)

    return taking


def _is_model(given: object) -> bool:
    torch = sys.modules.get("torch")
    return is_of_sklearn(given) or (torch is not None and isinstance(given, torch.nn.Module))


def _in_place_of(
    model: Any, *given: Any, **settings: Any
) -> tuple[tuple[Network, Parameters, Any, Any], dict[str, Any]]:
    """Return the network, its parameters, x and targets of a call with a model."""
    rows = dict(zip(("x", "targets"), given, strict=False))
    rows |= {name: settings.pop(name) for name in ("x", "targets") if name in settings}
    if len(given) > 2 or len(rows) < 2 or "parameters" in settings:
        raise SettingError(
            f"{type(model).__name__} brings its own parameters: the arguments are (model, x, "
            "targets), and settings by their names."
        )
    x, targets = _array(rows["x"]), _array(rows["targets"])
    if is_of_sklearn(model):
        network, parameters = from_sklearn(model)
        return (network, parameters, x, _numbered(model, targets)), settings
    network, parameters = from_torch(model)
    if network.loss_name == "half_squared_error" and network.n_out > 1 and _are_labels(targets):
        network, parameters = from_torch(model, "cross_entropy")
    return (network, parameters, x, targets), settings


def _array(given: Any) -> Any:
    """Return a tensor of PyTorch as an array, anything else as it is."""
    return given.detach().to("cpu").numpy() if hasattr(given, "detach") else given


def _are_labels(targets: Any) -> bool:
    found = np.asarray(targets)
    return found.ndim == 1 and found.dtype.kind in "iu"


def _numbered(model: Any, targets: Any) -> Any:
    """Return the places of labels among the classes of a classifier; other targets as they are."""
    classes = getattr(model, "classes_", None)
    found = np.asarray(targets)
    if classes is None or found.ndim != 1:
        return targets
    places = {each: place for place, each in enumerate(np.asarray(classes).tolist())}
    try:
        return np.array([places[each] for each in found.tolist()])
    except KeyError as error:
        known = ", ".join(map(str, places))
        raise DataError(
            f"{error.args[0]!r} is no class of the classifier; it has {known}."
        ) from None
