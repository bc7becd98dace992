"""What MLPClassifier and MLPRegressor share: rows in, epochs, coefficients and explanations out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError, SettingError
from deltaprop.estimators.files import save_estimator
from deltaprop.estimators.fitting import Sample, fit_lbfgs, fit_stochastic
from deltaprop.estimators.inputs import (
    check_weights,
    has_preset,
    read_new_rows,
    read_training_rows,
    take,
    target_names,
)
from deltaprop.estimators.parameters import (
    OUTPUT_NAMES,
    check_parameters,
    hidden_activations,
    hidden_sizes,
    result_dtype,
    settings_of,
    uses_lbfgs,
)
from deltaprop.estimators.recipes import check_preset
from deltaprop.estimators.several_targets import refuse_several
from deltaprop.estimators.sklearn import (
    BaseEstimator,
    CallbackSupportMixin,
    check_is_fitted,
    check_random_state,
)
from deltaprop.estimators.targets import plain_targets, refuse_unlearnt
from deltaprop.estimators.tasks import told_to_callbacks
from deltaprop.estimators.with_preset import (
    explain_preset,
    fit_preset,
    preset_outputs,
    table_as_known,
)
from deltaprop.explaining import Explanation, Names, explain
from deltaprop.memory import saying_when_memory_ends
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.table_models.model import TableModel
from deltaprop.training.loop import Callback
from deltaprop.training.optimizers import Optimizer
from deltaprop.training.predict import predict, refuse_overflow

__all__ = ["BaseMLP", "is_stochastic"]

Array = npt.NDArray[Any]


def is_stochastic(estimator: Any) -> bool:
    """Return True where there are epochs of mini-batches, or raise AttributeError.

    scikit-learn's ``available_if`` hides ``partial_fit`` where this raises.
    """
    if has_preset(estimator):
        raise AttributeError(
            f"partial_fit is there without a preset; {estimator.preset!r} plans a whole training."
        )
    if uses_lbfgs(estimator):
        raise AttributeError(
            "partial_fit belongs to solver='adam' and 'sgd'; 'lbfgs' works on all rows at once."
        )
    return True


class BaseMLP(BaseEstimator, CallbackSupportMixin):
    """The half of the estimators that does not depend on what y is."""

    _y_numeric = False

    def _keep(self, given: dict[str, Any]) -> None:
        # scikit-learn asks that __init__ stores what it is given, untouched and under its name
        for name in self._get_param_names():
            setattr(self, name, given[name])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = has_preset(self)
        return tags

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        X_val: Any = None,
        y_val: Any = None,
    ) -> Any:
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
        check_parameters(self)
        check_preset(self)
        held = X_val, y_val
        self._forget_several()
        with saying_when_memory_ends(), told_to_callbacks(self, X, y, sample_weight) as tasks:
            if has_preset(self):
                return self._fit_preset(X, y, sample_weight, held, tasks)
            first = not (self.warm_start and self._has_begun)
            return self._fit(X, y, sample_weight, held, tasks, first=first, incremental=False)

    def _fit_preset(self, X: Any, y: Any, *others: Any) -> Any:
        return fit_preset(self, X, y, *others)

    def _forget_several(self) -> None:
        """Forget what an earlier fit learnt of several targets."""
        if self.__dict__.pop("estimators_", None) is not None:
            del self.classes_

    @property
    def _has_begun(self) -> bool:
        """Return whether there are weights to go on from; a preset's are of another kind."""
        return hasattr(self, "coefs_") and not hasattr(self, "model_")

    def _partial_fit(self, X: Any, y: Any, sample_weight: Any) -> Any:
        check_parameters(self)
        if self.early_stopping:
            raise SettingError(
                "partial_fit does not support early_stopping=True: one epoch cannot tell when to "
                "stop. Set early_stopping=False, or take fit."
            )
        if self.checkpoint is not None:
            raise SettingError("partial_fit writes no checkpoint; save the estimator instead.")
        first = not self._has_begun
        return self._fit(X, y, sample_weight, (None, None), (), first=first, incremental=True)

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        validation: tuple[Any, Any],
        callbacks: Sequence[Callback],
        *,
        first: bool,
        incremental: bool,
    ) -> Any:
        if (validation[0] is None) != (validation[1] is None):
            raise SettingError("X_val and y_val belong together; one of them is missing.")
        self.__dict__.pop("model_", None)
        names = target_names(y)
        rows, answers = read_training_rows(self, X, y, reset=first, y_numeric=self._y_numeric)
        targets = self._targets(answers, first=first, incremental=incremental)
        n = rows.shape[0]
        weights = self._weigh(answers, check_weights(sample_weight, n))
        sample = Sample(rows, targets, answers, check_weights(weights, n))
        if sample.weights is not None and not sample.weights.all():
            # a row of weight zero is absent: from the batches' size and the rows held out, too
            kept = np.flatnonzero(sample.weights)
            sample = Sample(*take(kept, rows, targets, answers, sample.weights))
        held = self._validation(*validation)
        if first and held is not None and hasattr(self, "classes_") and answers.ndim == 1:
            refuse_unlearnt(held.y, sample.y)
        rng = check_random_state(self.random_state)
        if first:
            self._target_names = names
            self._initialize(rows, rng)
        if uses_lbfgs(self):
            if held is not None:
                raise SettingError(
                    "solver='lbfgs' has no epochs to score X_val after; leave X_val out."
                )
            fit_lbfgs(self, sample)
        else:
            callbacks = (*callbacks, *self.callbacks)
            fit_stochastic(self, sample, held, rng, callbacks, incremental=incremental)
        return self

    def _validation(self, X_val: Any, y_val: Any) -> Sample | None:
        if X_val is None:
            return None
        rows, answers = read_new_rows(self, X_val), self._answers(y_val, "y_val")
        if len(answers) != rows.shape[0]:
            raise DataError(f"X_val has {rows.shape[0]} rows but y_val has {len(answers)}.")
        return Sample(rows, self._targets(answers, first=False, incremental=True), answers, None)

    def _initialize(self, rows: Any, rng: np.random.RandomState) -> None:
        """Draw the weights scikit-learn would draw from the same generator (Glorot 2010)."""
        sizes = (rows.shape[1], *hidden_sizes(self), self.n_outputs_)
        names = hidden_activations(self)
        last = names[-1] if names else settings_of(self).activation
        dtype = result_dtype(self, rows)[1]
        self.coefs_, self.intercepts_ = [], []
        for n_in, n_out, name in zip(sizes, sizes[1:], (*names, last), strict=False):
            bound = np.sqrt((2.0 if name in ("sigmoid", "logistic") else 6.0) / (n_in + n_out))
            self.coefs_.append(rng.uniform(-bound, bound, (n_in, n_out)).astype(dtype))
            self.intercepts_.append(rng.uniform(-bound, bound, n_out).astype(dtype))
        self.n_layers_ = len(sizes)
        self.n_iter_ = self.t_ = self._n_steps = self._no_improvement_count = 0
        self._rate = float(settings_of(self).learning_rate_init)
        self._state: dict[str, Any] = {}
        self.network_ = self._network(1.0)
        output = self.network_.loss.output
        self.out_activation_ = OUTPUT_NAMES.get(output, output)
        self._begin_curves()

    def _begin_curves(self) -> None:
        curves = ("loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_")
        if uses_lbfgs(self):
            for name in (*curves, "history_"):
                self.__dict__.pop(name, None)
            return
        self.loss_curve_: list[float] = []
        self.best_loss_ = None if self.early_stopping else np.inf
        self.validation_scores_: list[float] | None = [] if self.early_stopping else None
        self.best_validation_score_ = -np.inf if self.early_stopping else None

    def _network(self, rows_per_step: float) -> Network:
        """Return the network whose steps take this many rows, weights counted.

        scikit-learn divides its penalty by them: alpha / (2 n) sum(W^2).
        """
        n_in, settings = self.coefs_[0].shape[0], settings_of(self)
        return Network(
            [n_in, *hidden_sizes(self), self.n_outputs_],
            hidden=hidden_activations(self),
            loss=self._loss_name(),
            dropout=settings.dropout,
            label_smoothing=getattr(settings, "label_smoothing", 0.0),
            l2=float(settings.alpha) / rows_per_step,
        )

    def _outputs(self, X: Any) -> Array:
        """Return p of shape (n, n_outputs), in the precision of rows and coefficients."""
        check_is_fitted(self, "network_")
        if "_scored" in vars(self):  # during training with a preset, of one of its networks
            rows, outputs = self._scored
            if X is not rows:
                raise SettingError("A scorer may ask for predictions of the rows it is given only.")
            return np.array(outputs)
        if hasattr(self, "model_"):
            return preset_outputs(self, X)
        rows = self._rows(X)
        parameters = self.network_.parameters(self.coefs_, self.intercepts_)
        dtype = "float32" if self.coefs_[0].dtype == np.float32 else "float64"
        p = predict(self.network_, parameters, rows, engine=self.engine, dtype=dtype)
        with np.errstate(over="ignore"):
            p = p.astype(np.result_type(rows.dtype, self.coefs_[0].dtype), copy=False)
        if "_held" not in self.__dict__:  # whoever scores an epoch knows that it may have diverged
            refuse_overflow(p, "X")
        return p

    def _rows(self, X: Any) -> Any:
        held = self.__dict__.get("_held")
        if held is not None and X is held:
            return X  # scored during training, and read already
        return read_new_rows(self, X)

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
        refuse_several(self, "explain")
        check_is_fitted(self, "network_")
        if hasattr(self, "model_"):
            return explain_preset(self, X, y, learning_rate, optimizer, feature_names)
        if self.encoder_ is not None:
            inputs = tuple(self.encoder_.output_names)
        else:
            known = getattr(self, "feature_names_in_", ())
            inputs = tuple(map(str, known if feature_names is None else feature_names))
        title = "The step these rows would cause"
        return explain(
            *self.network_and_rows(X, y),
            learning_rate=learning_rate,
            optimizer=optimizer,
            names=Names(title, inputs, self._output_names(), titles={"zh": "这些行会引起的一步"}),
        )

    def network_and_rows(
        self, X: Any, y: Any = None
    ) -> tuple[Network, Parameters, Array, npt.NDArray[Any]]:
        """Return what every function about a network and its rows is given first.

        ``check_gradients(*estimator.network_and_rows(X, y))`` proves the gradients of these rows;
        ``explain`` and ``backpropagate`` take the same four.

        Parameters
        ----------
        X : array_like, sparse matrix or data frame of shape (n, n_features)
            A row, or more.
        y : array_like, optional
            What they should have given; left out, what is predicted for them.

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
        refuse_several(self, "network_and_rows")
        check_is_fitted(self, "network_")
        if hasattr(self, "model_"):
            model: TableModel = self.model_
            return model.network_and_rows(*table_as_known(self, X, y))
        rows = self._rows(X)
        answers = self._answers(self.predict(X) if y is None else y)
        if len(answers) != rows.shape[0]:
            raise DataError(f"X has {rows.shape[0]} rows but y has {len(answers)}.")
        parameters = self.network_.parameters(self.coefs_, self.intercepts_)
        dense = rows.toarray() if hasattr(rows, "toarray") else rows
        targets = self._targets(answers, first=False, incremental=True)
        return self.network_, parameters, dense, targets

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
        save_estimator(self, path)

    # what depends on y

    def _answers(self, y: Any, name: str = "y") -> Array:
        """Return targets as an array; a single column as a vector."""
        y = y.toarray() if hasattr(y, "tocsr") else y
        answers = np.asarray(plain_targets(y, numeric=self._y_numeric, name=name))
        return answers[:, 0] if answers.ndim == 2 and answers.shape[1] == 1 else answers

    def _targets(self, y: Array, *, first: bool, incremental: bool) -> Array:
        """Return what the network learns, and remember classes or outputs the first time."""
        raise NotImplementedError

    def _weigh(self, y: Array, weights: npt.NDArray[np.float64] | None) -> Any:
        """Return the weights of the rows, classes considered."""
        return weights

    def _loss_name(self) -> str:
        """Return deltaprop's name of the loss."""
        raise NotImplementedError

    def _splits_in_proportion(self) -> bool:
        """Return whether rows are held out in the proportion of their targets."""
        return False

    def _output_names(self) -> tuple[str, ...]:
        """Return what the user calls the outputs."""
        return ()
