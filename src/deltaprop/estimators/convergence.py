"""When scikit-learn's MLP stops, and how its learning rate falls."""

from __future__ import annotations

from dataclasses import dataclass, field

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
    """A learning rate that a ``Watch`` divides by 5 instead of stopping.

    Parameters
    ----------
    learning_rate : float
        eta from now on.
    """

    learning_rate: float

    def __call__(self, step: int, n_steps: int) -> float:
        """Return eta as it is now."""
        return self.learning_rate


@dataclass(frozen=True)
class InverseScaling:
    """eta / (rows seen before this epoch + 1)^power; eta itself in a first epoch.

    Parameters
    ----------
    learning_rate : float
        eta.
    power : float
        The exponent.
    seen : int
        Rows seen before the first epoch.
    n : int
        Rows of an epoch.
    steps_per_epoch : int
        Updates of an epoch.
    fresh : bool
        Whether the first epoch is taken at eta itself.
    """

    learning_rate: float
    power: float
    seen: int
    n: int
    steps_per_epoch: int
    fresh: bool

    def __call__(self, step: int, n_steps: int) -> float:
        """Return eta of this step."""
        epoch = step // self.steps_per_epoch
        if epoch == 0 and self.fresh:
            return self.learning_rate
        eta: float = self.learning_rate / (self.seen + epoch * self.n + 1) ** self.power
        return eta


@dataclass(frozen=True)
class Later:
    """A schedule some way on: where ``partial_fit`` is after its earlier calls.

    Parameters
    ----------
    schedule : Schedule
        The whole of it.
    first : int
        Updates done already.
    n_steps : int
        Updates of the whole; afterwards its last value stays.
    """

    schedule: Schedule
    first: int
    n_steps: int

    def __call__(self, step: int, n_steps: int) -> float:
        """Return eta of this step."""
        return self.schedule(min(self.first + step, self.n_steps - 1), self.n_steps)


@dataclass(frozen=True)
class Shorter:
    """A schedule of which every learning rate is multiplied by a share.

    Parameters
    ----------
    schedule : Schedule
        What is multiplied.
    share : float
        By how much.
    """

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

    Attributes
    ----------
    network : Network
        Whose penalty is part of the loss, and is not divided.
    divisor : int
        The outputs the mean is taken over; 1 for a sum.
    constant : float
        What is added.
    whole : bool
        Whether one step is a whole epoch, so that its penalty is known exactly.
    penalty : float
        The penalty when the epoch began.
    """

    network: Network
    divisor: int
    constant: float
    whole: bool
    penalty: float

    def __call__(self, loss: float, parameters: Parameters) -> float:
        """Return scikit-learn's loss of an epoch that ended at these parameters."""
        if self.divisor == 1:
            return loss + self.constant
        before, self.penalty = self.penalty, sum(penalties(self.network, parameters))
        penalty = before if self.whole else (before + self.penalty) / 2
        return (loss - penalty) / self.divisor + penalty + self.constant


@dataclass
class Watch:
    """Counts the epochs without improvement, and ends training after too many; a callback.

    Attributes
    ----------
    tol : float
        What counts as improvement.
    n_iter_no_change : float
        Epochs without one that are borne.
    by_score : bool
        Whether the validation score is looked at, or the training loss.
    rate : AdaptiveRate or None
        Divided by 5 instead of stopping, down to 1e-6.
    verbose : bool
        Whether each epoch is told on standard output.
    objective : Objective
        The loss as it is reported.
    losses, scores : list of float
        The curves; added to.
    best_loss, best_score : float
        The least and the highest so far.
    without : int
        Epochs without improvement so far.
    epochs : int
        Seen in this run.
    """

    tol: float
    n_iter_no_change: float
    by_score: bool
    rate: AdaptiveRate | None
    verbose: bool
    objective: Objective
    losses: list[float]
    scores: list[float] = field(default_factory=list)
    best_loss: float = float("inf")
    best_score: float = float("-inf")
    without: int = 0
    epochs: int = 0

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
        self._tell(silent, f"Iteration {self.epochs}, loss = {loss:.8f}")
        if score is not None:
            self._tell(silent, f"Validation score: {score:.6f}")
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
            self._tell(silent, f"{why}: training stops.")
            return True
        self.rate.learning_rate /= _SLOWER
        self.without = 0
        self._tell(silent, f"{why}: the learning rate is {self.rate.learning_rate:g} from now on.")
        return False

    def _tell(self, silent: bool, line: str) -> None:
        if self.verbose and not silent:
            print(line)
