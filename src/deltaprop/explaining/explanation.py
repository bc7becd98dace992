"""Explanation: one training step in every form; explain takes the step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.checking.conventions import Conventions, asked_for
from deltaprop.checking.gradients import of_infinite_loss
from deltaprop.checking.step import Step
from deltaprop.engines.base import take_step
from deltaprop.errors import DataError, SettingError
from deltaprop.explaining.derivation.update_record import Update
from deltaprop.explaining.derivation.written import Written
from deltaprop.explaining.document.blocks import Document
from deltaprop.explaining.document.labels import Names
from deltaprop.explaining.document.outline import MOST_NUMBERS
from deltaprop.explaining.document.outline import document as document_of
from deltaprop.explaining.document.style import Style
from deltaprop.explaining.renderers.registry import InEveryForm
from deltaprop.explaining.worked_step import WorkedStep
from deltaprop.interop.models import takes_models
from deltaprop.model.backprop import Trace, backpropagate, penalty_gradient, retrace
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.training.optimizers import GradientDescent, Optimizer, require_optimizer
from deltaprop.training.schedules import as_schedule

__all__ = ["Explanation", "explain"]


class Explanation(WorkedStep, InEveryForm):
    """One forward pass, backward pass and update, ready to be shown.

    Every ``to_*`` method takes the fields of ``Style`` as keyword arguments: ``detail``
    ("overview", "layers" or "neurons"; all that fit when left out), ``digits`` (6), ``language``
    ("en" or "zh") and ``notation`` ("standard" or "tutorial").

    Attributes
    ----------
    trace : Trace
        The pass before the update.
    update : Update
        The step, and the pass after it.
    names : Names
        What the user calls things.
    reduction : str
        "mean" or "sum" over samples.
    wanted : tuple of Ref
        The numbers asked for; empty for all.
    written : Written
        In which conventions it is written. ``trace`` and ``update`` have the loss of these
        conventions, and delta and gradients as derivatives of it.
    given : tuple of (Trace, str), optional
        The pass with the loss that was asked for, before conventions, and its reduction.
    """

    def in_convention(self, convention: object) -> Explanation:
        """Return the same step as another convention writes it.

        Parameters
        ----------
        convention : str, list of str or mapping
            As for ``explain``; "house" for the library's own.

        Raises
        ------
        SettingError, UnknownNameError
            When there is no such convention, or two contradict each other.
        """
        trace, reduction = self.as_given
        found = _explained(trace, self.update, self.names, reduction, asked_for(convention))
        return replace(found, wanted=self.wanted)

    def document(
        self, style: Style, *, most: int = MOST_NUMBERS, shortened: bool = False
    ) -> Document:
        """Return what is said about the step, as ``explaining.document.outline`` does."""
        return document_of(self, style, most=most, shortened=shortened)


@takes_models
def explain(
    network: Network,
    parameters: Parameters,
    x: npt.ArrayLike,
    targets: npt.ArrayLike,
    *,
    learning_rate: float = 0.1,
    optimizer: Optimizer | None = None,
    state: Mapping[str, Any] | None = None,
    step: int = 0,
    n_steps: int = 1,
    train_biases: bool = True,
    reduction: str = "mean",
    convention: object = None,
    sample_weight: npt.ArrayLike | None = None,
    rng: np.random.Generator | None = None,
    names: Names | None = None,
) -> Explanation:
    """Take one training step and return it with every number accounted for.

    Parameters
    ----------
    network : Network
        The layers and the loss. Or a module of PyTorch, or a fitted multilayer perceptron of
        scikit-learn, as ``from_torch`` and ``from_sklearn`` read it; then the parameters are left
        out: ``explain(module, x, targets)``.
    parameters : Parameters
        The old parameters; left as they are.
    x : array_like of shape (n, n_0)
        A few rows.
    targets : array_like of shape (n,) or (n, n_L)
        What they should have given.
    learning_rate : float
        eta of plain gradient descent, when no optimizer is given.
    optimizer : Optimizer, optional
        Another rule; its first step is shown unless ``state`` is given.
    state : mapping, optional
        The optimizer's state before the step, as its ``init`` and ``step`` leave it; left as it
        is. With it a step in the middle of a run is shown.
    step, n_steps : int
        Which step of how many, for a learning rate that is a schedule.
    train_biases : bool
        False leaves the biases as they are, as some textbooks do.
    reduction : {"mean", "sum"}
        Over samples.
    convention : str, list of str or mapping, optional
        How the step is written: "per-sample-delta", ["squared_error", "t_minus_y"],
        {"weights": "out_in"}; a choice of ``CONVENTIONS``. One that changes nothing here is told.
    sample_weight : array_like of shape (n,), optional
        As for ``backpropagate``.
    rng : numpy.random.Generator, optional
        Draws one set of dropout masks, for the pass before the step and the one after it;
        without it nothing is dropped.
    names : Names, optional
        What to call inputs and outputs.

    Returns
    -------
    Explanation
        Read it with ``to_terminal()``.

    Raises
    ------
    SettingError
        When the state is not one of this optimizer for this network, or the names do not fit.
    DataError
        When a number of the step is infinite or NaN; the message names the first.
    """
    chosen = names or Names()
    chosen.require_fit(network.n_in, network.n_out)
    rule: Optimizer = GradientDescent(learning_rate) if optimizer is None else optimizer
    require_optimizer(rule)
    asked = asked_for(convention)
    with np.errstate(over="ignore", invalid="ignore"):  # refused before anything is shown
        trace = backpropagate(
            network, parameters, x, targets,
            sample_weight=sample_weight, reduction=reduction, rng=rng,
        )  # fmt: skip
    eta = as_schedule(rule.learning_rate)(step, n_steps)
    before = _state_before(rule, state, parameters.flat.size)
    update = Update(rule, eta, trace, before, before, train_biases)
    return _explained(trace, update, chosen, reduction, asked)


def _explained(
    given: Trace, plan: Update, names: Names, reduction: str, asked: Conventions
) -> Explanation:
    """Return the explanation of a step that is planned, with the loss of some conventions."""
    network, rule, before = given.network, plan.rule, plan.state
    step = Step(
        network, given.parameters, given.a[0], given.targets, given.shares, plan.learning_rate,
        inertia=float(getattr(rule, "momentum", 0.0)),
    )  # fmt: skip
    written = Written.of(asked, step)
    with np.errstate(over="ignore", invalid="ignore"):
        trace, over_samples = written.objective(given, step, reduction)
    _refuse_overflow(trace)
    after, changed = given.parameters.copy(), _copy(before)
    pull, towards = written.pull(network), trace.gradients.flat
    if pull.l2 or pull.l1:
        whole = network.with_penalties_times(trace.network.penalty_factor)
        towards = towards + penalty_gradient(whole, given.parameters)
    if pull.averaged:
        towards = (1.0 - step.inertia) * towards
    with np.errstate(over="ignore", invalid="ignore"):  # a step too far shows as inf or nan
        take_step(rule, network.layout, changed, after.flat, towards, plan.learning_rate)
    if not plan.train_biases:
        for slot in network.layout.slots:
            if slot.name == "b":
                kept = slice(slot.start, slot.stop)
                after.flat[kept] = given.parameters.flat[kept]
    with np.errstate(over="ignore", invalid="ignore"):
        again = retrace(trace, after)
    update = replace(plan, after=again, new_state=changed, pull=pull)
    return Explanation(
        trace, update, names, over_samples, written=written, given=(given, reduction)
    )


def _refuse_overflow(trace: Trace) -> None:
    """Raise DataError where the numbers of a step are beyond all floats: none follows from them."""
    layers = range(len(trace.z))
    arrays = [part for k in layers for part in (("z", k, trace.z[k]), ("a", k, trace.a[k + 1]))]
    arrays += [("delta", k, trace.delta[k]) for k in reversed(layers)]
    arrays += [
        (f"d{name}", k, gradient)
        for k in layers
        for name, gradient in trace.gradients.layers[k].items()
    ]
    for name, k, array in arrays:
        odd = np.argwhere(~np.isfinite(array))
        if len(odd):
            place = ",".join(map(str, odd[0]))
            raise DataError(
                f"{name}.{k + 1}[{place}] is {array[tuple(odd[0])]}, beyond all numbers, so "
                "nothing of this step can be shown. Are the inputs or the weights very large? "
                "Scale the inputs, or train again with a smaller learning rate."
            )
    if not np.isfinite(trace.loss):
        raise DataError(of_infinite_loss(trace.loss, "nothing of this step can be shown"))


def _state_before(rule: Optimizer, state: Mapping[str, Any] | None, n: int) -> dict[str, Any]:
    """Return a copy of the state; that of a first step where there is none."""
    fresh = rule.init(n)
    if state is None:
        return _copy(fresh)
    given = _copy(state)
    shapes = {name: np.shape(value) for name, value in given.items()}
    expected = {name: np.shape(value) for name, value in fresh.items()}
    if shapes != expected:
        raise SettingError(
            f"The state has {_text_of(shapes)}, but {type(rule).__name__} keeps "
            f"{_text_of(expected)}."
        )
    return given


def _copy(state: Mapping[str, Any]) -> dict[str, Any]:
    return {n: np.copy(v) if isinstance(v, np.ndarray) else v for n, v in state.items()}


def _text_of(shapes: Mapping[str, tuple[int, ...]]) -> str:
    shown = [f"{name} of shape {shape}" if shape else name for name, shape in shapes.items()]
    return ", ".join(shown) or "nothing"
