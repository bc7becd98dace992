"""A network that learns step by step, and goes back to the same bits.

Every step is decided by its number: which rows are its batch, and which learning rate. So a step
is repeated by beginning at a snapshot before it; the older snapshots are, the farther apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from deltaprop.engines import choose_engine
from deltaprop.engines.base import Engine, EpochPlan, Problem, Run, State
from deltaprop.model.backprop import Trace, backpropagate, smoothed_targets
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.model.targets import dense_targets
from deltaprop.training.batches import epoch_order
from deltaprop.training.optimizers import Optimizer, optimizer_from_dict, optimizer_to_dict
from deltaprop.training.schedules import as_schedule

__all__ = ["Change", "Figures", "Learning", "Rows"]

Array = npt.NDArray[np.float64]

_EVERY = 64  # steps from one snapshot to the next
_MOST_SNAPSHOTS = 64
_MOST_NUMBERS = 16_000_000  # of all snapshots together
_JUDGED = 2_000  # rows at most that a figure is taken of
_HEAVY = 20_000_000  # products of a figure: then the curve has a point every few steps
_POINTS = 512  # of a curve


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows with their targets: labels (n,) or values (n, n_L)."""

    x: Array
    t: npt.NDArray[np.int64] | Array

    def __len__(self) -> int:
        return len(self.x)

    def first(self, n: int) -> Rows:
        """Return so many of them."""
        return Rows(self.x[:n], self.t[:n])


@dataclass(frozen=True)
class Figures:
    """What rows come to at one step: the mean loss without penalties, and the share that is right.

    ``right`` is None where there are no classes.
    """

    loss: float
    right: float | None


@dataclass(frozen=True)
class Change:
    """What was changed by hand besides parameters: the learning rate, and rows to learn from.

    A row is its x, with its targets behind them where those are numbers.
    """

    learning_rate: float | None = None
    rows: Mapping[int, tuple[float, ...]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class _Snapshot:
    step: int
    flat: Array
    state: State


@dataclass(eq=False)
class Learning:
    """A network on its way through its steps.

    ``step`` is how many were taken; ``diverged`` says which quantity is no longer finite.
    ``curve`` are rows of (step, loss, held loss, right, held right), NaN where there is none.
    ``edits`` are the parameters that were set by hand, by the number of steps taken before, and
    ``changes`` what else was changed; steps are repeated with them.
    """

    network: Network
    parameters: Parameters
    optimizer: Optimizer
    rows: Rows
    held: Rows | None
    batch_size: int
    seed: int
    shuffle: bool = True
    edits: dict[int, Array] = field(default_factory=dict)
    changes: dict[int, Change] = field(default_factory=dict)
    engine: Engine = field(init=False)
    step: int = field(init=False, default=0)
    diverged: str | None = field(init=False, default=None)
    curve: list[tuple[float, ...]] = field(init=False, default_factory=list)
    _run: Run = field(init=False)
    _snapshots: list[_Snapshot] = field(init=False, default_factory=list)
    _points_apart: int = field(init=False, default=1)
    _order: tuple[int, npt.NDArray[np.int64]] | None = field(init=False, default=None)
    _given: tuple[Rows, Optimizer] = field(init=False)

    def __post_init__(self) -> None:
        self.engine = choose_engine("auto", self.network, self.optimizer)
        self._given = self.rows, self.optimizer
        self._run = self._started()
        if min(len(self.rows), _JUDGED) * self.network.n_parameters > _HEAVY:
            self._points_apart = 16
        self._edit()
        self._keep()
        self._enter()

    def _started(self) -> Run:
        problem = Problem(
            self.network, self.rows.x, self.rows.t, None, self.optimizer, self.batch_size,
            "float64", None,
        )  # fmt: skip
        return self.engine.start(problem, self.parameters)

    @property
    def steps_per_epoch(self) -> int:
        """How many batches there are."""
        return -(-len(self.rows) // self.batch_size)

    def batch(self, step: int) -> npt.NDArray[np.int64]:
        """Return which rows a step learns from."""
        epoch, place = divmod(step, self.steps_per_epoch)
        if self._order is None or self._order[0] != epoch:
            self._order = epoch, epoch_order(self.seed, epoch, len(self.rows), self.shuffle)
        return self._order[1][place * self.batch_size : (place + 1) * self.batch_size]

    def go(self, n: int) -> None:
        """Take n steps, or as many as stay finite."""
        end = self.step + n
        while self.step < end and self.diverged is None:
            kept = _next(self.step, _EVERY)
            entered = _next(self.step, self._points_apart)
            by_hand = (step for step in (*self.edits, *self.changes) if step > self.step)
            edited = min(by_hand, default=end)
            self._take(min(end, kept, entered, edited))
            if self.diverged is None:
                self._edit()
                if self.step == kept:
                    self._keep()
                if self.step == entered:
                    self._enter()

    def go_to(self, step: int) -> None:
        """Go back, or forward, to where so many steps have been taken: to the same bits."""
        if step < self.step:
            last = max((s for s in self._snapshots if s.step <= step), key=lambda s: s.step)
            self._snapshots = [s for s in self._snapshots if s.step <= last.step]
            self.curve = [point for point in self.curve if point[0] <= last.step]
            self.diverged = None
            self._restore(last)
        self.go(step - self.step)

    def set_parameters(self, flat: Array) -> None:
        """Go on with other parameters; what was changed from here on before is forgotten."""
        self.edits[self.step] = flat.copy()
        self._go_on_from_here()

    def set_learning_rate(self, eta: float) -> None:
        """Go on with another learning rate; what was changed from here on before is forgotten."""
        own = self.changes.get(self.step, Change())
        self.changes[self.step] = replace(own, learning_rate=eta)
        self._go_on_from_here()

    def set_row(self, row: int, numbers: Sequence[float]) -> None:
        """Go on with another row; what was changed from here on before is forgotten."""
        own = self.changes.get(self.step, Change())
        others = {which: given for which, given in own.rows.items() if which != row}
        self.changes[self.step] = replace(own, rows={**others, row: tuple(numbers)})
        self._go_on_from_here()

    @property
    def in_force(self) -> Change:
        """What has been changed by hand up to here."""
        found = Change()
        for step in sorted(step for step in self.changes if step <= self.step):
            own = self.changes[step]
            rate = found.learning_rate if own.learning_rate is None else own.learning_rate
            found = Change(rate, {**found.rows, **own.rows})
        return found

    def _go_on_from_here(self) -> None:
        self.edits = {step: own for step, own in self.edits.items() if step <= self.step}
        self.changes = {step: own for step, own in self.changes.items() if step <= self.step}
        self._edit()
        self.diverged = None
        self._snapshots = [one for one in self._snapshots if one.step < self.step]
        self._keep()
        if self.curve[-1][0] == self.step:
            del self.curve[-1]
            self._enter()

    def _edit(self) -> None:
        """Set what was set by hand at this step, if anything was."""
        flat = self.edits.get(self.step)
        if flat is not None:
            state = self._run.state
            self.parameters.flat[:] = flat
            self._run = self._started()
            self._run.state = state
        if self.step in self.changes:
            self._apply()

    def _apply(self) -> None:
        """Learn by the learning rate, and from the rows, that there are now."""
        change = self.in_force
        given, rule = self._given
        self.rows, self.optimizer = given, rule
        if change.learning_rate is not None:
            settings = optimizer_to_dict(rule)
            self.optimizer = optimizer_from_dict(
                {**settings, "learning_rate": change.learning_rate}
            )
        if change.rows:
            x, t = given.x.copy(), given.t.copy()
            for row, numbers in change.rows.items():
                x[row] = numbers[: x.shape[1]]
                if len(numbers) > x.shape[1]:
                    t[row] = numbers[x.shape[1] :]
            self.rows = Rows(x, t)
        state = self._run.state
        self._run = self._started()
        self._run.state = state

    @property
    def state(self) -> State:
        """The optimizer's state after the steps taken."""
        return self._run.state

    def learning_rate(self) -> float:
        """Return the learning rate of the next step."""
        return float(as_schedule(self.optimizer.learning_rate)(self.step, self.step + 1))

    def trace(self) -> Trace:
        """Return forward and backward pass of the next step, before it is taken."""
        rows = self.batch(self.step)
        return backpropagate(self.network, self.parameters, self.rows.x[rows], self.rows.t[rows])

    def figures(self, rows: Rows) -> Figures:
        """Return what rows come to now; of many, the first."""
        x, t = rows.x[:_JUDGED], rows.t[:_JUDGED]
        logits = self._run.logits(x)
        network = self.network
        with np.errstate(over="ignore", invalid="ignore"):
            dense = smoothed_targets(network, dense_targets(t, network.n_out))
            loss = network.loss.value(logits, dense)
        return Figures(float(loss), _share_right(network, logits, t))

    def outputs(self, rows: Rows) -> Array:
        """Return p of rows, (n, n_L)."""
        return self.network.loss.predict(self._run.logits(rows.x))

    def _take(self, end: int) -> None:
        """Take the steps up to ``end``, epoch by epoch."""
        while self.step < end:
            place = self.step % self.steps_per_epoch
            n = min(end - self.step, self.steps_per_epoch - place)
            self.batch(self.step)
            assert self._order is not None
            order = self._order[1][place * self.batch_size : (place + n) * self.batch_size]
            rate = as_schedule(self.optimizer.learning_rate)
            rates = np.array([rate(self.step + k, self.step + n) for k in range(n)])
            outcome = self._run.epoch(EpochPlan(order, None, rates, lambda _done: False))
            self.step += outcome.n_steps
            if outcome.diverged is not None:
                self.diverged = outcome.diverged
                return

    def _keep(self) -> None:
        """Remember this step; of too many snapshots the one is forgotten that is missed least."""
        state: State = {
            name: value.copy() if isinstance(value, np.ndarray) else value
            for name, value in self._run.state.items()
        }
        self._snapshots.append(_Snapshot(self.step, self.parameters.flat.copy(), state))
        arrays = 1 + sum(isinstance(value, np.ndarray) for value in state.values())
        most = max(3, min(_MOST_SNAPSHOTS, _MOST_NUMBERS // (arrays * self.parameters.flat.size)))
        kept = self._snapshots
        if len(kept) > most:
            # how far one would have to be repeated without it, beside how long ago that is
            missed = [
                (after.step - before.step) / (self.step - before.step)
                for before, after in zip(kept, kept[2:], strict=False)
            ]
            del kept[1 + missed.index(min(missed))]

    def _restore(self, snapshot: _Snapshot) -> None:
        self.parameters.flat[:] = snapshot.flat
        self.step = snapshot.step
        self._run.state = dict(snapshot.state)
        self._apply()

    def _enter(self) -> None:
        own = self.figures(self.rows)
        held = Figures(np.nan, None) if self.held is None else self.figures(self.held)
        right, held_right = (np.nan if f.right is None else f.right for f in (own, held))
        self.curve.append((float(self.step), own.loss, held.loss, right, held_right))
        if len(self.curve) > _POINTS:
            self._points_apart *= 2
            self.curve = [p for p in self.curve if p[0] % self._points_apart == 0]


def _next(step: int, apart: int) -> int:
    """Return the first multiple that lies behind a step."""
    return (step // apart + 1) * apart


def _share_right(network: Network, logits: Array, t: npt.NDArray[np.int64] | Array) -> float | None:
    if network.loss.targets == "distribution":
        labels = t if t.ndim == 1 else t.argmax(axis=1)
        return float(np.mean(logits.argmax(axis=1) == labels))
    if network.loss.targets == "unit":
        return float(np.mean((network.loss.predict(logits) > 0.5) == (t > 0.5)))
    return None
