"""What MLPClassifier and MLPRegressor share: rows in, epochs, coefficients and explanations out."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from deltaprop.errors import SettingError
from deltaprop.estimators.answers import Answers, encoded_answers
from deltaprop.estimators.files import save_estimator
from deltaprop.estimators.inputs import Given, read_new_rows
from deltaprop.estimators.parameters import Settings, settings_of
from deltaprop.estimators.recipes import checked_settings
from deltaprop.estimators.scoring import Scored
from deltaprop.estimators.several_targets import refuse_several
from deltaprop.estimators.sklearn import BaseEstimator, CallbackSupportMixin, check_is_fitted
from deltaprop.estimators.state import FitState, adopt, fitted_state, state_of
from deltaprop.estimators.tasks import Tasks, tell_callbacks
from deltaprop.estimators.with_preset import (
    explain_preset,
    fit_with_preset,
    preset_outputs,
    table_as_known,
)
from deltaprop.estimators.without_preset import fit_without_preset
from deltaprop.explaining import Explanation, Names, explain
from deltaprop.memory import saying_when_memory_ends
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.table_models.model import TableModel
from deltaprop.table_models.several_targets import side_by_side
from deltaprop.tabular import Encoder
from deltaprop.training.history import History
from deltaprop.training.loop import Callback
from deltaprop.training.optimizers import Optimizer
from deltaprop.training.predict import predict, refuse_overflow
from deltaprop.training.schedules import Schedule

if TYPE_CHECKING:
    from deltaprop.estimators.classifier import MLPClassifier

__all__ = ["BaseMLP", "is_stochastic"]

Array = npt.NDArray[Any]


def is_stochastic(estimator: BaseEstimator) -> bool:
    """Return True where there are epochs of mini-batches, or raise AttributeError.

    scikit-learn's ``available_if`` hides ``partial_fit`` where this raises.
    """
    settings = settings_of(estimator)
    if settings.preset is not None:
        raise AttributeError(
            f"partial_fit is there without a preset; {settings.preset!r} plans a whole training."
        )
    if settings.lbfgs:
        raise AttributeError(
            "partial_fit belongs to solver='adam' and 'sgd'; 'lbfgs' works on all rows at once."
        )
    return True


class _Fitted(BaseEstimator, CallbackSupportMixin):
    """What an estimator knows after a fit; see ``documentation``."""

    classes_: Array
    coefs_: list[Array]
    intercepts_: list[Array]
    loss_: float
    best_loss_: float | None
    loss_curve_: list[float]
    validation_scores_: list[float] | None
    best_validation_score_: float | None
    n_iter_: int
    t_: int
    n_layers_: int
    n_outputs_: int
    out_activation_: str
    network_: Network
    encoder_: Encoder | None
    model_: TableModel
    history_: History
    estimators_: list[MLPClassifier]


@dataclass(kw_only=True, eq=False, repr=False)  # keeps what it is given, as scikit-learn asks
class BaseMLP(_Fitted):
    """The half of the estimators that does not depend on what y is."""

    solver: str | None = None
    alpha: float | None = None
    batch_size: int | str | None = None
    learning_rate: str | Schedule | None = None
    learning_rate_init: float | None = None
    power_t: float | None = None
    max_iter: int | None = None
    shuffle: bool = True
    random_state: int | np.random.RandomState | None = None
    tol: float | None = None
    verbose: bool | int = False
    warm_start: bool = False
    momentum: float | None = None
    nesterovs_momentum: bool | None = None
    early_stopping: bool | None = None
    validation_fraction: float | None = None
    beta_1: float | None = None
    beta_2: float | None = None
    epsilon: float | None = None
    n_iter_no_change: float | None = None
    max_fun: int | None = None
    preset: str | None = None
    members: int | None = None
    ranges: int | None = None
    dropout: float | None = None
    optimizer: str | Optimizer | None = None
    scoring: Any = None
    callbacks: Sequence[Callback] = ()
    checkpoint: str | os.PathLike[str] | None = None
    resume: bool = False
    time_budget: float | None = None
    n_threads: int | None = None
    engine: str = "auto"
    dtype: str | None = None

    @classmethod
    @functools.cache  # scikit-learn reads the signature each time, and every epoch asks
    def _get_param_names(cls) -> list[str]:
        names: list[str] = super()._get_param_names()
        return names

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = self.preset is not None
        return tags

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        X_val: Any = None,
        y_val: Any = None,
    ) -> Self:
        """Learn from rows whose answers are known.

        Parameters
        ----------
        X : array_like, sparse matrix or data frame of shape (n, n_features)
            Numbers are taken as they are. A data frame with words, categories, dates or missing
            cells is encoded first. A preset encodes and scales all columns; of a
            sparse matrix without writing its zeros out.
        y : array_like of shape (n,) or (n, n_outputs)
            Classes or numbers, one per row; several columns for several outputs. Columns of more
            than two classes, or of different kinds, are learnt by a preset, each by itself.
        sample_weight : array_like of shape (n,), optional
            Weights >= 0. A weight of 2 counts as two rows, a weight of 0 as none.
        X_val, y_val : array_like, optional
            Rows that are scored after each epoch; with ``early_stopping`` they choose the epoch
            that is kept, instead of rows held out. A preset always keeps the best epoch.

        Returns
        -------
        estimator
            Itself.

        Raises
        ------
        ValueError
            When the rows, the targets or a setting do not fit, or training diverges; one
            paragraph says what and where.
        """
        settings, given = checked_settings(self), Given(X, y, sample_weight, X_val, y_val)
        self._forget_several()

        def begin() -> Any:
            return self._init_callback_context(max_subtasks=None)

        with saying_when_memory_ends(), tell_callbacks(self, begin, given) as tasks:
            adopt(self, self._learn(settings, given, tasks))
        return self

    def _learn(self, settings: Settings, given: Given, tasks: tuple[Tasks, ...]) -> dict[str, Any]:
        """Return what a fit comes to, as attributes."""
        if settings.preset is not None:
            return fit_with_preset(self, settings, given, tasks).attributes
        begun = self._begun if settings.warm_start else None
        return fit_without_preset(self, settings, given, tasks, begun=begun).attributes

    def _forget_several(self) -> None:
        """Forget what an earlier fit learnt of several targets."""
        if vars(self).pop("estimators_", None) is not None:
            del vars(self)["classes_"]

    @property
    def _begun(self) -> FitState | None:
        """Return what there is to go on from; a preset's weights are of another kind."""
        state = state_of(self)
        return state if state is not None and state.model is None else None

    def _partial_fit(
        self, X: Any, y: Any, sample_weight: Any, answers: Answers | None = None
    ) -> Self:
        settings, given = checked_settings(self), Given(X, y, sample_weight)
        if settings.early_stopping:
            raise SettingError(
                "partial_fit does not support early_stopping=True: one epoch cannot tell when to "
                "stop. Set early_stopping=False, or take fit."
            )
        if settings.checkpoint is not None:
            raise SettingError("partial_fit writes no checkpoint; save the estimator instead.")
        found = fit_without_preset(
            self, settings, given, begun=self._begun, answers=answers, incremental=True
        )
        adopt(self, found.attributes)
        return self

    def _outputs(self, X: Any) -> tuple[Answers, Array]:
        """Return p of shape (n, n_outputs), in the precision of rows and coefficients, and of what.

        During training a copy is asked, which knows what a network says of some rows.
        """
        scored: Scored | None = vars(self).get("_scored")
        if scored is not None and X is scored.rows:
            return scored.answers, np.array(scored.outputs)
        state = fitted_state(self)
        if state.model is not None:
            return state.answers, preset_outputs(self, state, state.model, X)
        rows = read_new_rows(self, state.columns, X)
        kind = state.coefs[0].dtype
        dtype = "float32" if kind == np.float32 else "float64"
        engine = settings_of(self).engine
        p = predict(state.network, state.parameters, rows, engine=engine, dtype=dtype)
        with np.errstate(over="ignore"):
            p = p.astype(np.result_type(rows.dtype, kind), copy=False)
        if scored is None:  # whoever scores an epoch knows that it may have diverged
            refuse_overflow(p, "X")
        return state.answers, p

    def explain(
        self,
        X: Any,
        y: Any = None,
        *,
        learning_rate: float = 0.1,
        optimizer: Optimizer | None = None,
        feature_names: Sequence[str] | None = None,
    ) -> Explanation:
        """Return the training step these rows would cause, in the user's names.

        Parameters
        ----------
        X : array_like, sparse matrix or data frame of shape (n, n_features)
            A row, or a few.
        y : array_like, optional
            What they should have given; left out, what is predicted for them.
        learning_rate : float
            eta of the step that is shown.
        optimizer : Optimizer, optional
            What takes it; plain gradient descent when left out.
        feature_names : sequence of str, optional
            What the columns of a sparse matrix, or of an array, are called, such as
            ``vectorizer.get_feature_names_out()``.

        Returns
        -------
        Explanation
            Without dropout: the step on the network as it predicts.

        Raises
        ------
        SettingError
            When the estimator learnt several classes of each row: ask one of ``estimators_``.
        """
        refuse_several(getattr(self, "estimators_", ()), "explain")
        state = fitted_state(self)
        if state.model is not None:
            rows, known = table_as_known(self, state, X, self.predict(X) if y is None else y)
            return explain_preset(
                state, state.model, rows, known, learning_rate, optimizer, feature_names
            )
        if state.encoder is not None:
            inputs = tuple(state.encoder.output_names)
        else:
            own = getattr(self, "feature_names_in_", ())
            inputs = tuple(map(str, own if feature_names is None else feature_names))
        return explain(
            *self.network_and_rows(X, y),
            learning_rate=learning_rate,
            optimizer=optimizer,
            names=Names.of_step(inputs, state.answers.output_names),
        )

    def network_and_rows(
        self, X: Any, y: Any = None
    ) -> tuple[Network, Parameters, Array, npt.NDArray[Any]]:
        """Return what every function about a network and its rows is given first; see ``explain``.

        ``check_gradients(*estimator.network_and_rows(X, y))`` proves the gradients of these rows;
        ``explain`` and ``backpropagate`` take the same four.

        Returns
        -------
        tuple
            The network, its parameters (of several members the first one's), x of shape (n, n_0)
            and the encoded targets.

        Raises
        ------
        SettingError
            When the estimator learnt several classes of each row: ask one of ``estimators_``.
        """
        refuse_several(getattr(self, "estimators_", ()), "network_and_rows")
        state, y = fitted_state(self), self.predict(X) if y is None else y
        if state.model is not None:
            return state.model.network_and_rows(*table_as_known(self, state, X, y))
        rows = read_new_rows(self, state.columns, X)
        _, targets = encoded_answers(state.answers, y, rows.shape[0])
        dense = rows.toarray() if hasattr(rows, "toarray") else rows
        return state.network, state.parameters, dense, targets

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the estimator to one safetensors file, which ``deltaprop.load`` reads.

        Parameters
        ----------
        path : path
            Where. ``checkpoint`` and ``resume`` are not kept: they name files of this machine.

        Raises
        ------
        DataError
            When a coefficient is infinite or NaN.
        OutputError
            When the file cannot be written; what stood there before stays.

        Warns
        -----
        UserWarning
            About settings that cannot be written down: callbacks, a scorer of your own, a
            generator as ``random_state``.
        """
        check_is_fitted(self, ["network_", "estimators_"], all_or_any=any)
        kinds = {kind.__name__: kind for kind in type(self).__mro__ if issubclass(kind, BaseMLP)}
        save_estimator(self, path, kinds)

    def predict(self, X: Any) -> Array:
        """Return the answer for each row.

        Parameters
        ----------
        X : array_like, sparse matrix or data frame of shape (n, n_features)
            The rows.

        Returns
        -------
        ndarray of shape (n,), (n, n_labels), (n, n_targets) or (n, n_outputs)
            The most probable class; of a multi-label task 1 where a label is more probable than
            not, else 0; of several targets a column for each, as objects where their kinds differ;
            or the number, which is float32 where rows and coefficients are.
        """
        if hasattr(self, "estimators_"):
            return side_by_side([part.predict(X) for part in self.estimators_])
        answers, p = self._outputs(X)
        return answers.decode(p)
