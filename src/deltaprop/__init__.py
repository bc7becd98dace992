"""Feed-forward networks trained by back-propagation, with every number accounted for.

>>> import deltaprop as dp
>>> net = dp.Network([2, 2, 1], hidden="identity", loss="half_squared_error", bias=False)
>>> params = net.parameters(W=[[[0.5, 2.3], [1.5, 3.0]], [[1.0], [1.0]]])
>>> trace = dp.backpropagate(net, params, [[1, 0.5]], [[4]])
>>> round(trace.loss, 5)
0.55125

Nothing is imported before it is first used, not even NumPy, so that the command line answers at
once and a missing optional part hurts only those who ask for it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from deltaprop._version import __version__

if TYPE_CHECKING:
    from deltaprop import errors
    from deltaprop.checking.gradients import GradientReport, check_gradients
    from deltaprop.checking.mistakes import MISTAKES
    from deltaprop.engines import ENGINES
    from deltaprop.estimators.classifier import MLPClassifier
    from deltaprop.estimators.loading import load
    from deltaprop.estimators.regressor import MLPRegressor
    from deltaprop.explaining import Explanation, explain
    from deltaprop.exporting.onnx_out import to_onnx
    from deltaprop.exporting.sql import to_sql
    from deltaprop.functional.activations import ACTIVATIONS, Activation, register_activation
    from deltaprop.functional.initializers import INITIALIZERS, Initializer, register_initializer
    from deltaprop.functional.losses import LOSSES, Loss, huber, register_loss
    from deltaprop.interop.c import to_c
    from deltaprop.interop.keras_in import from_keras
    from deltaprop.interop.onnx_in import from_onnx
    from deltaprop.interop.pytorch import from_torch, to_torch
    from deltaprop.interop.scikit import from_sklearn, to_sklearn
    from deltaprop.interop.scripts import to_code
    from deltaprop.model.backprop import Trace, backpropagate
    from deltaprop.model.layers import (
        LAYERS,
        CategoryEmbedding,
        Dense,
        Dropout,
        LayerNorm,
        ParametricActivation,
        PeriodicEmbedding,
        Scaling,
    )
    from deltaprop.model.parameters import Parameters
    from deltaprop.model.serialize import save_model as save
    from deltaprop.model.spec import Network
    from deltaprop.practice import Exercise, Marking, exercise, mark
    from deltaprop.reporting import report
    from deltaprop.table_models import Recipe, TableModel, TargetModels
    from deltaprop.training import schedules
    from deltaprop.training.history import History
    from deltaprop.training.loop import TrainingState, train
    from deltaprop.training.members import train_members
    from deltaprop.training.optimizers import (
        OPTIMIZERS,
        Adam,
        AdamW,
        GradientDescent,
        Lion,
        Momentum,
        Muon,
        RMSProp,
        register_optimizer,
    )
    from deltaprop.training.predict import predict

# The same names once more, by module, for the interpreter; a test holds the two lists together.
_HOMES = {
    "": "errors",
    "checking.gradients": "GradientReport check_gradients",
    "checking.mistakes": "MISTAKES",
    "engines": "ENGINES",
    "estimators.classifier": "MLPClassifier",
    "estimators.loading": "load",
    "estimators.regressor": "MLPRegressor",
    "explaining": "Explanation explain",
    "exporting.onnx_out": "to_onnx",
    "exporting.sql": "to_sql",
    "functional.activations": "ACTIVATIONS Activation register_activation",
    "functional.initializers": "INITIALIZERS Initializer register_initializer",
    "functional.losses": "LOSSES Loss huber register_loss",
    "interop.c": "to_c",
    "interop.keras_in": "from_keras",
    "interop.onnx_in": "from_onnx",
    "interop.pytorch": "from_torch to_torch",
    "interop.scikit": "from_sklearn to_sklearn",
    "interop.scripts": "to_code",
    "model.backprop": "Trace backpropagate",
    "model.layers": (
        "LAYERS CategoryEmbedding Dense Dropout LayerNorm ParametricActivation PeriodicEmbedding "
        "Scaling"
    ),
    "model.parameters": "Parameters",
    "model.serialize": "save",
    "model.spec": "Network",
    "practice": "Exercise Marking exercise mark",
    "reporting": "report",
    "table_models": "Recipe TableModel TargetModels",
    "training": "schedules",
    "training.history": "History",
    "training.loop": "TrainingState train",
    "training.members": "train_members",
    "training.optimizers": (
        "OPTIMIZERS Adam AdamW GradientDescent Lion Momentum Muon RMSProp register_optimizer"
    ),
    "training.predict": "predict",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}
_RENAMED = {"save": "save_model"}

__all__ = [
    "ACTIVATIONS",
    "ENGINES",
    "INITIALIZERS",
    "LAYERS",
    "LOSSES",
    "MISTAKES",
    "OPTIMIZERS",
    "Activation",
    "Adam",
    "AdamW",
    "CategoryEmbedding",
    "Dense",
    "Dropout",
    "Exercise",
    "Explanation",
    "GradientDescent",
    "GradientReport",
    "History",
    "Initializer",
    "LayerNorm",
    "Lion",
    "Loss",
    "MLPClassifier",
    "MLPRegressor",
    "Marking",
    "Momentum",
    "Muon",
    "Network",
    "Parameters",
    "ParametricActivation",
    "PeriodicEmbedding",
    "RMSProp",
    "Recipe",
    "Scaling",
    "TableModel",
    "TargetModels",
    "Trace",
    "TrainingState",
    "__version__",
    "backpropagate",
    "check_gradients",
    "errors",
    "exercise",
    "explain",
    "from_keras",
    "from_onnx",
    "from_sklearn",
    "from_torch",
    "huber",
    "load",
    "mark",
    "predict",
    "register_activation",
    "register_initializer",
    "register_loss",
    "register_optimizer",
    "report",
    "save",
    "schedules",
    "to_c",
    "to_code",
    "to_onnx",
    "to_sklearn",
    "to_sql",
    "to_torch",
    "train",
    "train_members",
]


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'deltaprop' has no attribute {name!r}")
    home = _HOME_OF[name]
    if name in ("errors", "schedules"):
        value: object = import_module(f"deltaprop.{home}.{name}".replace("..", "."))
    else:
        value = getattr(import_module(f"deltaprop.{home}"), _RENAMED.get(name, name))
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})
