"""When scikit-learn's MLP stops, and how its learning rate falls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deltaprop.estimators.sample import Sample
from deltaprop.model.backprop import penalties
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.training.loop import TrainingState
from deltaprop.training.schedules import Schedule

__all__ = ["AdaptiveRate", "InverseScaling", "Later", "Objective", "Shorter", "Watch"]

_SLOWEST = 1e-6
_SLOWER = 5.0


@dataclass
class AdaptiveRate:
    """A learning rate, eta from now on, that a ``Watch`` divides by 5 instead of stopping."""

    learning_rate: float

    def __call__(self, step: int, n_steps: int) -> float:
        """Return eta as it is now."""
        return self.learning_rate


@dataclass(frozen=True)
class InverseScaling:
    """eta / (rows seen before this epoch + 1)^power; eta itself in a first epoch."""

    learning_rate: float
    power: float
    seen: int  # rows before the first epoch
    n: int  # rows of an epoch
    steps_per_epoch: int
    fresh: bool  # whether the first epoch is taken at eta itself

    def __call__(self, step: int, n_steps: int) -> float:
        """Return eta of this step."""
        epoch = step // self.steps_per_epoch
        if epoch == 0 and self.fresh:
            return self.learning_rate
        eta: float = self.learning_rate / (self.seen + epoch * self.n + 1) ** self.power
        return eta


@dataclass(frozen=True)
class Later:
    """A schedule some way on: where ``partial_fit`` is after its earlier calls."""

    schedule: Schedule
    first: int  # updates done already
    n_steps: int  # updates of the whole; afterwards its last value stays

    def __call__(self, step: int, n_steps: int) -> float:
        """Return eta of this step."""
        return self.schedule(min(self.first + step, self.n_steps - 1), self.n_steps)


@dataclass(frozen=True)
class Shorter:
    """A schedule of which every learning rate is multiplied by a share."""

    schedule: Schedule
    share: float

    def __call__(self, step: int, n_steps: int) -> float:
        """Return eta of this step."""
        return self.share * self.schedule(step, n_steps)


@dataclass
class Objective:
    """The training loss as scikit-learn counts it.

    Its squared error is the mean over outputs where deltaprop's is the sum (the gradients are the
    same), and its Poisson loss is half the deviance, which adds what no weight changes.
    """

    network: Network  # whose penalty is part of the loss, and is not divided
    divisor: int  # the outputs the mean is taken over; 1 for a sum
    constant: float  # is added
    whole: bool  # whether one step is a whole epoch, so that its penalty is known exactly
    penalty: float  # when the epoch began

    @classmethod
    def of(
        cls, network: Network, parameters: Parameters, sample: Sample, *, whole: bool
    ) -> Objective:
        """Return that of a training which begins at these parameters."""
        divisor, constant = 1, 0.0
        if network.loss_name == "half_squared_error":
            divisor = network.n_out
        elif network.loss_name == "poisson":
            t = sample.targets.reshape(sample.n, -1)
            deviance = np.sum(t * np.log(np.where(t > 0, t, 1.0)) - t, axis=1)
            constant = float(np.average(deviance, weights=sample.weights))
        return cls(network, divisor, constant, whole, sum(penalties(network, parameters)))

    def __call__(self, loss: float, parameters: Parameters) -> float:
        """Return scikit-learn's loss of an epoch that ended at these parameters."""
        if self.divisor == 1:
            return loss + self.constant
        before, self.penalty = self.penalty, sum(penalties(self.network, parameters))
        penalty = before if self.whole else (before + self.penalty) / 2
        return (loss - penalty) / self.divisor + penalty + self.constant


@dataclass
class Watch:
    """Counts the epochs without improvement, and ends training after too many; a callback."""

    tol: float  # what counts as improvement
    n_iter_no_change: float  # epochs without one that are borne
    by_score: bool  # whether the validation score is looked at, or the training loss
    rate: AdaptiveRate | None  # divided by 5 instead of stopping, down to 1e-6
    verbose: bool  # whether each epoch is printed
    objective: Objective  # the loss as it is reported
    losses: list[float]  # the curves; added to
    scores: list[float]
    best_loss: float
    best_score: float
    without: int  # epochs without improvement so far
    epochs: int = 0  # seen in this run

    def __call__(self, state: TrainingState) -> bool:
        """Enter the epoch; return whether training is to stop."""
        history = state.history
        loss = self.objective(history.loss[-1], state.parameters)
        score = history.val_metric[-1] if history.val_metric else None
        return self.see(loss, score)

    def see(self, loss: float, score: float | None, *, silent: bool = False) -> bool:
        """Do what a call does, with the figures themselves."""
        self.epochs += 1
        self.losses.append(loss)
        if score is not None:
            self.scores.append(score)
        self._print(silent, f"Iteration {self.epochs}, loss = {loss:.8f}")
        if score is not None:
            self._print(silent, f"Validation score: {score:.6f}")
        # written so that NaN counts as no improvement
        if self.by_score and score is not None:
            improved = score >= self.best_score + self.tol
        else:
            improved = loss <= self.best_loss - self.tol
        self.without = 0 if improved else self.without + 1
        self.best_loss = min(self.best_loss, loss)
        if score is not None and score > self.best_score:
            self.best_score = score
        return self.without > self.n_iter_no_change and self._stop(silent)

    def _stop(self, silent: bool) -> bool:
        what = "validation score" if self.by_score else "training loss"
        why = f"The {what} has not improved by {self.tol:g} for {self.n_iter_no_change} epochs"
        if self.rate is None or self.rate.learning_rate <= _SLOWEST:
            self._print(silent, f"{why}: training stops.")
            return True
        self.rate.learning_rate /= _SLOWER
        self.without = 0
        self._print(silent, f"{why}: the learning rate is {self.rate.learning_rate:g} from now on.")
        return False

    def _print(self, silent: bool, line: str) -> None:
        if self.verbose and not silent:
            print(line)
