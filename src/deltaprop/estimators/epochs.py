"""How an MLP estimator is trained in epochs: ``train``, watched as scikit-learn would."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError, DivergedWarning, warn_user
from deltaprop.estimators.convergence import AdaptiveRate, Objective, Watch
from deltaprop.estimators.learning_rates import SHARES, learn_rates
from deltaprop.estimators.parameters import Settings, continued, shortened
from deltaprop.estimators.sample import Sample
from deltaprop.estimators.scoring import Scored, Scorer
from deltaprop.estimators.sklearn import ConvergenceWarning
from deltaprop.estimators.state import FitState, network_of
from deltaprop.model.parameters import Parameters
from deltaprop.model.serialize import load_model
from deltaprop.model.spec import Network
from deltaprop.training.history import History
from deltaprop.training.loop import Callback, Metric, train
from deltaprop.training.optimizers import Optimizer, optimizer_to_dict
from deltaprop.training.schedules import LearningRate

__all__ = ["Epochs"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Epochs:
    """A training in epochs of mini-batches, until nothing improves, or of a single one."""

    settings: Settings
    sample: Sample  # what is learnt from
    held: Sample | None  # what each epoch is scored on
    seed: int  # of orders and masks
    callbacks: tuple[Callback, ...]
    incremental: bool  # whether it is the one epoch of ``partial_fit``
    scorer: Scorer

    def train(self, state: FitState) -> FitState:
        """Return what training from ``state`` comes to; raise DataError where it diverges."""
        size, n = self.settings.batch_size, self.sample.n
        if not isinstance(size, str) and size > n:
            warn_user(
                f"batch_size is {size} but there are {n} rows; every step takes all of them.",
                UserWarning,
            )
        if state.network.loss.output == "exp":
            begin_with = self._share_of_checkpoint(state)
            patience = self.settings.n_iter_no_change
            learnt = learn_rates(
                state, self.sample, self._run, patience=patience, begin_with=begin_with
            )
        else:
            learnt = self._run(state, 1.0)
        self._say_how_it_ended(learnt)
        return learnt

    def _run(self, state: FitState, share: float) -> FitState:
        """Run the epochs once, every learning rate multiplied by ``share``."""
        settings, sample = self.settings, self.sample
        n_steps = -(-sample.n // self._batch_size)
        rows_per_step = self._batch_size * sample.mean_weight
        network = network_of(settings, state.network.n_in, state.answers, rows_per_step)
        parameters = network.parameters(state.coefs, state.intercepts)
        rate = self._rate(state)
        optimizer = settings.optimizer_at(rate)
        if self.incremental:
            n_all = max(settings.max_iter * n_steps, state.n_steps + 1)
            optimizer = continued(optimizer, state.n_steps, n_all)
            numbers = dict(state.optimizer)
        else:
            state, numbers = replace(state, n_steps=0), {}
        objective = Objective.of(network, parameters, sample, whole=n_steps == 1)
        watch = self._watch(state, rate, objective)
        before, best_before = parameters.flat.copy(), watch.best_score
        self._replay(watch, parameters)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DivergedWarning)  # said later, or raised
            history = train(
                network,
                parameters,
                sample.X,
                sample.targets,
                optimizer=shortened(optimizer, share),
                batch_size=self._batch_size,
                epochs=1 if self.incremental else settings.max_iter,
                seed=self.seed,
                sample_weight=sample.weights,
                callbacks=[watch, *self.callbacks],
                engine=settings.engine,
                dtype=settings.dtypes(sample.X)[0],
                shuffle=bool(settings.shuffle),
                time_budget=settings.time_budget,
                checkpoint=settings.checkpoint,
                resume=bool(settings.resume),
                state=numbers,
                n_threads=settings.n_threads,
                **self._validation(state, network, parameters),
            )
        if self._came_to_nothing(history):
            return replace(state, history=history)
        if settings.early_stopping and not watch.best_score > best_before:
            parameters.flat[:] = before  # an earlier call was better
        learnt = state.with_numbers(network, parameters, settings.dtypes(sample.X)[1])
        scored = self.held is not None or state.scores is not None
        return replace(
            learnt,
            history=history,
            n_iter=history.n_epochs,
            t=state.t + sample.n * history.n_epochs,
            loss=watch.losses[-1] if watch.losses else float("nan"),
            loss_curve=watch.losses,
            best_loss=None if watch.by_score else watch.best_loss,
            scores=watch.scores if scored else None,
            best_score=watch.best_score if scored else state.best_score,
            no_improvement=watch.without,
            optimizer=numbers,
            n_steps=state.n_steps + history.n_steps,
            rate=state.rate if watch.rate is None else watch.rate.learning_rate,
        )

    @property
    def _batch_size(self) -> int:
        n, size = self.sample.n, self.settings.batch_size
        return min(200, n) if size == "auto" else min(int(size), n)

    def _rate(self, state: FitState) -> LearningRate:
        n, begun_at = self.sample.n, state.rate if self.incremental else None
        return self.settings.rate_for(n, -(-n // self._batch_size), state.t, begun_at)

    def _validation(
        self, state: FitState, network: Network, parameters: Parameters
    ) -> dict[str, Any]:
        """Return what ``train`` needs to know of the validation rows."""
        if self.held is None:
            return {}
        return {
            "X_val": self.held.X,
            "y_val": self.held.targets,
            "monitor": "val_metric",
            "metric": self._metric(state, network, parameters, self.held),
            "keep_best": bool(self.settings.early_stopping),
        }

    def _metric(
        self, state: FitState, network: Network, parameters: Parameters, held: Sample
    ) -> Metric | None:
        """Return what scores the validation rows; None where accuracy or R^2 of all rows does."""
        settings = self.settings
        if settings.scoring is None and held.weights is None:
            return None
        kind = np.result_type(held.X.dtype, state.coefs[0].dtype)

        def metric(logits: Array, _targets: Any) -> float:
            if not np.isfinite(logits).all():
                return float("nan")
            with np.errstate(over="ignore"):
                outputs = network.loss.predict(logits).astype(kind, copy=False)
            now = replace(state, network=network, coefs=[W for W in parameters.W if W is not None],
                          intercepts=[b for b in parameters.b if b is not None])  # fmt: skip
            scored = Scored(held.X, outputs, state.answers)
            return self.scorer(now.attributes, scored, held.y, held.weights)

        metric.__name__ = str(settings.scoring or "score")
        return metric

    def _watch(self, state: FitState, rate: LearningRate, objective: Objective) -> Watch:
        settings = self.settings
        return Watch(
            tol=float(settings.tol),
            n_iter_no_change=settings.n_iter_no_change,
            by_score=bool(settings.early_stopping),
            rate=rate if isinstance(rate, AdaptiveRate) else None,
            verbose=bool(settings.verbose),
            objective=objective,
            losses=list(state.loss_curve or ()),
            scores=list(state.scores or ()),
            best_loss=np.inf if state.best_loss is None else state.best_loss,
            best_score=-np.inf if state.best_score is None else state.best_score,
            without=state.no_improvement,
        )

    def _saved(self) -> dict[str, Any]:
        """Return what an interrupted run wrote down of itself."""
        path = self.settings.checkpoint
        if not self.settings.resume or path is None or not Path(path).exists():
            return {}
        return load_model(path).training

    def _replay(self, watch: Watch, parameters: Parameters) -> None:
        """Show the watch the epochs that an interrupted run has done already."""
        saved = self._saved().get("history")
        if saved is None:
            return  # no checkpoint: train says so
        done = History.from_dict(saved)
        for epoch, loss in enumerate(done.loss):
            score = done.val_metric[epoch] if done.val_metric else None
            watch.see(watch.objective(loss, parameters), score, silent=True)

    def _share_of_checkpoint(self, state: FitState) -> float:
        """Return with which share of its learning rates an interrupted run was learning."""
        settings: Any = self._saved().get("settings")
        optimizer: Optimizer = self.settings.optimizer_at(self._rate(state))
        for share in SHARES if settings else ():
            if settings["optimizer"] == optimizer_to_dict(shortened(optimizer, share)):
                return share
        return 1.0  # train says what differs

    def _came_to_nothing(self, history: History) -> bool:
        """Return whether training diverged, and no earlier epoch was kept."""
        kept = self.settings.early_stopping and history.best_epoch is not None
        return history.stopped_because == "diverged" and not kept

    def _say_how_it_ended(self, learnt: FitState) -> None:
        history, max_iter = learnt.history, self.settings.max_iter
        if history is None:
            return
        if self._came_to_nothing(history):
            raise DataError(
                f"Training diverged in epoch {history.n_epochs + 1}: the loss, a gradient or a "
                "weight was no longer a finite number. X or y may hold very large values. Scale "
                "them, for example with StandardScaler, or lower learning_rate_init."
            )
        if history.stopped_because == "diverged":
            warn_user(history.message, DivergedWarning)
        elif history.stopped_because == "interrupted":
            warn_user(history.message, UserWarning)
        elif history.stopped_because == "epochs" and not self.incremental:
            warn_user(
                f"Training has not converged in max_iter={max_iter} epochs. Raise max_iter, "
                "or tol, which says what counts as improvement.",
                ConvergenceWarning,
            )
