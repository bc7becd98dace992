"""What a fit of an MLP estimator leaves behind, as one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import SettingError
from deltaprop.estimators.answers import Answers
from deltaprop.estimators.inputs import Columns
from deltaprop.estimators.parameters import Settings
from deltaprop.estimators.sklearn import BaseEstimator, check_is_fitted
from deltaprop.model.layers import Dense
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.table_models.model import TableModel
from deltaprop.tabular import Encoder
from deltaprop.training.history import History
from deltaprop.training.metrics import METRICS

__all__ = ["FIGURES", "FitState", "adopt", "fitted_state", "network_of", "state_of"]

_OUTPUT_NAMES = {"sigmoid": "logistic"}  # of scikit-learn
_STORED = "_fit_state"  # where an estimator has it
# what a state's figures are called by scikit-learn, or with "_" in files alone
_WITHOUT_EPOCHS = {
    "n_iter_": "n_iter", "t_": "t", "loss_": "loss", "_n_steps": "n_steps", "_rate": "rate",
    "_no_improvement_count": "no_improvement",
}  # fmt: skip
FIGURES = _WITHOUT_EPOCHS | {
    "loss_curve_": "loss_curve", "best_loss_": "best_loss", "validation_scores_": "scores",
    "best_validation_score_": "best_score",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class FitState:
    """What a fit leaves behind: training makes another one of it, ``attributes`` are the user's.

    Of several members network and numbers are the first one's, curves and scores their mean.
    """

    columns: Columns  # how rows are read
    answers: Answers  # what was found in y
    network: Network
    coefs: list[npt.NDArray[Any]]  # W of each dense layer
    intercepts: list[npt.NDArray[Any]]
    n_iter: int = 0  # epochs of the last call
    t: int = 0  # rows seen in all
    loss: float = float("nan")  # of the last epoch
    loss_curve: list[float] | None = None  # None of L-BFGS, which has no epochs
    best_loss: float | None = None  # None where a score decides
    scores: list[float] | None = None  # of the validation rows, after each epoch
    best_score: float | None = None
    history: History | None = None  # of the last call
    optimizer: dict[str, Any] = field(default_factory=dict)  # its own numbers, to go on from
    n_steps: int = 0  # updates so far, over all calls of partial_fit
    rate: float = 0.0  # where an adaptive learning rate has come to
    no_improvement: int = 0  # epochs without one so far
    model: TableModel | None = None  # what was learnt with a preset
    places: tuple[int, ...] | None = None  # of the classes it knows, among all

    @classmethod
    def begin(
        cls,
        settings: Settings,
        columns: Columns,
        answers: Answers,
        rows: Any,
        rng: np.random.RandomState,
    ) -> FitState:
        """Draw the weights scikit-learn would draw from the same generator (Glorot 2010)."""
        network = network_of(settings, rows.shape[1], answers, 1.0)
        sizes = (network.n_in, *settings.widths, network.n_out)
        names = settings.activations
        last = names[-1] if names else settings.activation
        dtype = settings.dtypes(rows)[1]
        coefs, intercepts = [], []
        for n_in, n_out, name in zip(sizes, sizes[1:], (*names, last), strict=False):
            bound = np.sqrt((2.0 if name in ("sigmoid", "logistic") else 6.0) / (n_in + n_out))
            coefs.append(rng.uniform(-bound, bound, (n_in, n_out)).astype(dtype))
            intercepts.append(rng.uniform(-bound, bound, n_out).astype(dtype))
        begun = cls(
            columns, answers, network, coefs, intercepts, rate=float(settings.learning_rate_init)
        )
        if settings.lbfgs:
            return begun
        if settings.early_stopping:
            return replace(begun, loss_curve=[], scores=[], best_score=-np.inf)
        return replace(begun, loss_curve=[], best_loss=np.inf)

    @classmethod
    def of_model(
        cls,
        model: TableModel,
        columns: Columns,
        answers: Answers,
        places: tuple[int, ...] | None,
    ) -> FitState:
        """Return what a fit with a preset leaves behind, as far as it has a meaning there."""
        layers = zip(model.network.computing_layers, model.parameters.layers, strict=True)
        dense = [arrays for layer, arrays in layers if isinstance(layer, Dense)]
        histories = model.histories
        curve = _mean_curve([history.loss for history in histories])
        scored = any(history.val_metric for history in histories)
        # a score is the better the higher it is
        named = METRICS.get(model.history.metric)
        sign = -1.0 if named is not None and named.lower_is_better else 1.0
        scores = _mean_curve([[sign * v for v in history.val_metric] for history in histories])
        best = [
            sign * h.val_metric[h.best_epoch]
            for h in histories
            if h.val_metric and h.best_epoch is not None
        ]
        n_iter = max(history.n_epochs for history in histories)
        return cls(
            columns,
            answers,
            model.network,
            [np.array(arrays["W"]) for arrays in dense],
            [np.array(arrays["b"]) for arrays in dense],
            n_iter=n_iter,
            t=model.n_train * n_iter,
            loss=curve[-1] if curve else float("nan"),
            loss_curve=curve,
            best_loss=None if scored else min(curve, default=None),
            scores=scores if scored else None,
            best_score=float(np.mean(best)) if best else None,
            history=model.history,
            model=model,
            places=places,
        )

    def with_numbers(
        self, network: Network, parameters: Parameters, dtype: type[np.floating[Any]]
    ) -> FitState:
        """Return the same with the numbers that a network has come to."""
        coefs = [np.array(W, dtype=dtype) for W in parameters.W]
        intercepts = [np.array(b, dtype=dtype) for b in parameters.b]
        return replace(self, network=network, coefs=coefs, intercepts=intercepts)

    @property
    def parameters(self) -> Parameters:
        """Return the numbers of the network."""
        if self.model is not None:
            return self.model.parameters
        return self.network.parameters(self.coefs, self.intercepts)

    @property
    def encoder(self) -> Encoder | None:
        """Return what turns a table into numbers; None where X was numbers."""
        return self.columns.encoder if self.model is None else self.model.inputs

    @property
    def figures(self) -> dict[str, Any]:
        """Return what there is of ``FIGURES``."""
        known = _WITHOUT_EPOCHS if self.loss_curve is None else FIGURES
        return {name: getattr(self, own) for name, own in known.items()}

    @property
    def attributes(self) -> dict[str, Any]:
        """Return what scikit-learn's contract has an estimator know after a fit, by its names."""
        output = self.network.loss.output
        found = self.columns.attributes | self.answers.attributes | {
            "network_": self.network, "n_outputs_": self.network.n_out,
            "encoder_": self.encoder, "coefs_": self.coefs,
            "intercepts_": self.intercepts, "n_layers_": len(self.coefs) + 1,
            "out_activation_": _OUTPUT_NAMES.get(output, output), _STORED: self,
        }  # fmt: skip
        found |= {name: value for name, value in self.figures.items() if name[0] != "_"}
        if self.history is not None:
            found["history_"] = self.history
        if self.model is not None:
            found["model_"] = self.model
        return found


def adopt(estimator: BaseEstimator, attributes: Mapping[str, Any]) -> None:
    """Make attributes, such as a state's, the estimator's; what an earlier fit left is gone."""
    own = vars(estimator)
    earlier: FitState | None = own.get(_STORED)
    for name in ("estimators_", *(() if earlier is None else earlier.attributes)):
        own.pop(name, None)
    own.update(attributes)


def state_of(estimator: BaseEstimator) -> FitState | None:
    """Return what the last fit left behind; None before there was one, and of several targets.

    Who assigns other coefficients is answered by those.
    """
    state: FitState | None = vars(estimator).get(_STORED)
    if state is None:
        return None
    own = vars(estimator)
    return replace(state, coefs=own["coefs_"], intercepts=own["intercepts_"])


def fitted_state(estimator: BaseEstimator) -> FitState:
    """Return what the last fit left behind; raise where there was none."""
    check_is_fitted(estimator, "network_")
    state = state_of(estimator)
    if state is None and "_n_steps" in vars(estimator):  # kept as it was until version 0.1
        raise SettingError(
            f"This {type(estimator).__name__} was pickled by an earlier version of deltaprop, "
            "which kept what it had learnt in another way. Load it with that version, write a "
            "model file with save(), and read that with deltaprop.load; or fit again."
        )
    if state is None:  # of a copy that is asked in training with a preset
        raise SettingError("A scorer may ask for predictions of the rows it is given only.")
    return state


def network_of(settings: Settings, n_in: int, answers: Answers, rows_per_step: float) -> Network:
    """Return the network whose steps take this many rows, weights counted.

    scikit-learn divides its penalty by them: alpha / (2 n) sum(W^2).
    """
    return Network(
        [n_in, *settings.widths, answers.n_outputs],
        hidden=settings.activations,
        loss=answers.loss_name,
        dropout=settings.dropout,
        label_smoothing=settings.label_smoothing,
        l2=float(settings.alpha) / rows_per_step,
    )


def _mean_curve(curves: list[list[float]]) -> list[float]:
    """Return the mean of the members after each epoch, of those that ran it."""
    longest = max(map(len, curves))
    return [float(np.mean([c[i] for c in curves if i < len(c)])) for i in range(longest)]
