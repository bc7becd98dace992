"""Explanation: one training step, with the numbers and where they come from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Unpack

import numpy as np
import numpy.typing as npt

from deltaprop.checking.curvature import second_order_change
from deltaprop.checking.gradients import EntryCheck, GradientReport, check_trace
from deltaprop.errors import DataError, SettingError
from deltaprop.explaining.derivation.any_number import Derivation
from deltaprop.explaining.derivation.samples import Batch, batch_of
from deltaprop.explaining.derivation.strongest import n_numbers, strongest
from deltaprop.explaining.derivation.update_record import Update
from deltaprop.explaining.document.labels import Names
from deltaprop.explaining.document.style import Style, StyleSettings
from deltaprop.model.backprop import Trace, backpropagate, retrace
from deltaprop.model.files import write_atomically
from deltaprop.model.layers import ARRAYS
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.notation.digits import Line, line_of
from deltaprop.notation.ids import Ref, read_ref
from deltaprop.notation.steps import Step
from deltaprop.training.optimizers import GradientDescent, Optimizer
from deltaprop.training.schedules import as_schedule

__all__ = ["Explanation", "explain"]

# A step of more numbers is told by its strongest ones and their ancestry.
_MOST_STEPS = 4000


@dataclass(frozen=True)
class Explanation:
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
    """

    trace: Trace
    update: Update
    names: Names = field(default_factory=Names)
    reduction: str = "mean"
    wanted: tuple[Ref, ...] = ()

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Return every number, in the order it is worked out."""
        if self.wanted:
            return self.derivation.ancestry(self.wanted)
        if self.is_large:
            return self.derivation.ancestry(strongest(self.derivation))
        return self.derivation.all_steps()

    @cached_property
    def is_large(self) -> bool:
        """Return whether only the strongest numbers and their ancestry are told."""
        return n_numbers(self.derivation) > _MOST_STEPS

    @property
    def n_numbers(self) -> int:
        """Return how many numbers the whole step consists of, told or not."""
        return n_numbers(self.derivation)

    def only(self, *names: str) -> Explanation:
        """Return the explanation of some numbers and of everything they are made of.

        Parameters
        ----------
        *names : str
            Ids such as "dW.1[0,2]" (or "dW1[0,2]"), "delta.2[0,1]", "loss", "dx[0,2]". A parameter
            is read as its gradient, "W1[0,2]" as "dW.1[0,2]": that is where its change comes from.

        Returns
        -------
        Explanation
            The same step; its list holds these numbers and their ancestry.

        Raises
        ------
        SettingError
            When the network has no such number, or it is given and not worked out.
        """
        wanted = []
        for name in names:
            ref = read_ref(name)
            if ref.quantity in ARRAYS and not ref.after:
                ref = replace(ref, quantity=f"d{ref.quantity}")
            self.derivation.known(ref)
            wanted.append(ref)
        return replace(self, wanted=tuple(wanted))

    @cached_property
    def derivation(self) -> Derivation:
        """Return what tells any single number."""
        return Derivation(self.trace, self.update)

    def lines(self, digits: int = 6) -> tuple[Line, ...]:
        """Return the steps with their numbers as they are displayed.

        Parameters
        ----------
        digits : int
            Significant digits; a line whose rounding would break it shows more.

        Returns
        -------
        tuple of Line
            What every renderer writes down.
        """
        return tuple(line_of(step, digits) for step in self.steps)

    # what the step did

    @cached_property
    def batch(self) -> Batch:
        """Return what each sample adds to the gradient, and which samples pull apart."""
        return batch_of(self.trace)

    @property
    def moved(self) -> npt.NDArray[np.float64]:
        """Return the step itself: new minus old parameters."""
        moved: npt.NDArray[np.float64] = (
            self.update.after.parameters.flat - self.trace.parameters.flat
        )
        return moved

    @property
    def predicted_change(self) -> float:
        """Return the change of the loss that the gradient promises: g . (new - old)."""
        with np.errstate(over="ignore", invalid="ignore"):
            return float(self.trace.gradients.flat @ self.moved)

    @cached_property
    def second_order_change(self) -> float:
        """Return what bending adds to the promise: step . H step / 2."""
        return second_order_change(self.trace, self.moved)

    @property
    def actual_change(self) -> float:
        """Return the change of the loss that the step brought."""
        return self.update.after.loss - self.trace.loss

    @property
    def n_crossed_kinks(self) -> int:
        """Return how many hidden values passed a kink of their activation from before to after."""
        passes = zip(self.trace.activated(), self.update.after.activated(), strict=True)
        return sum(
            int(np.count_nonzero((old > kink) != (new > kink)))
            for (row, old), (_, new) in passes
            for kink in row.kinks
        )

    # the proof

    def verify(self, tolerance: float = 1e-6) -> GradientReport:
        """Compare the loss, and every gradient with central differences.

        Parameters
        ----------
        tolerance : float
            Relative error up to which a gradient is right.

        Returns
        -------
        GradientReport
            True when all are right.
        """
        return check_trace(self.trace, tolerance=tolerance)

    @cached_property
    def proof(self) -> dict[str, EntryCheck]:
        """Return what the referee found for each gradient that is told, by its id; and "loss"."""
        layout = self.trace.network.layout
        slots = {(slot.layer + 1, f"d{slot.name}"): slot for slot in layout.slots}
        places = []
        for step in self.steps:
            slot = slots.get((step.ref.layer, step.quantity))
            if slot is not None and not step.ref.after:
                places.append(slot.start + int(np.ravel_multi_index(step.ref.index, slot.shape)))
        entries = check_trace(self.trace, entries=places).entries
        return {e.name if e.name == "loss" else f"d{e.name}": e for e in entries}

    # the forms

    def to_terminal(
        self, *, width: int = 80, color: bool = False, **style: Unpack[StyleSettings]
    ) -> str:
        """Return the explanation as text for a terminal.

        Parameters
        ----------
        width : int
            Columns.
        color : bool
            With ANSI colours: the sign of each number.
        **style
            The fields of ``Style``.

        Returns
        -------
        str
            Lines of at most ``width`` columns.
        """
        from deltaprop.explaining.renderers.terminal import render

        return render(self, Style(**style), width=width, color=color)

    def to_html(
        self, path: str | os.PathLike[str] | None = None, **style: Unpack[StyleSettings]
    ) -> str:
        """Return the explanation as one HTML page that needs nothing else.

        Parameters
        ----------
        path : path, optional
            Where to write it.
        **style
            The fields of ``Style``.

        Returns
        -------
        str
            The page; readable without scripts and without a network.
        """
        from deltaprop.explaining.renderers.html.page import render

        page = render(self, Style(**style))
        if path is not None:
            write_atomically(path, page.encode("utf-8"))
        return page

    def to_latex(self, **style: Unpack[StyleSettings]) -> str:
        """Return a LaTeX document: for pdflatex; in Chinese for xelatex with ctex."""
        from deltaprop.explaining.renderers.latex.document import render

        return render(self, Style(**style))

    def to_markdown(self, **style: Unpack[StyleSettings]) -> str:
        """Return the explanation as Markdown, for notes and issues."""
        from deltaprop.explaining.renderers.markdown import render

        return render(self, Style(**style))

    def to_notebook(self, **style: Unpack[StyleSettings]) -> str:
        """Return the text of a Jupyter notebook whose cells check every number they show."""
        from deltaprop.explaining.renderers.notebook.document import render

        return render(self, Style(**style))

    def to_svg(self, **style: Unpack[StyleSettings]) -> str:
        """Return the network with its values, deltas and gradients as a picture of its own."""
        from deltaprop.explaining.renderers.html.network import render_svg

        return render_svg(self, Style(**style))

    def to_json(self, **style: Unpack[StyleSettings]) -> str:
        """Return every number, its arithmetic and its origin: format deltaprop-explanation/1."""
        from deltaprop.explaining.renderers.json import render

        return render(self, Style(**style))

    def _repr_html_(self) -> str:
        from deltaprop.explaining.renderers.notebook.document import to_html_fragment

        return to_html_fragment(self, Style())


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
    sample_weight: npt.ArrayLike | None = None,
    rng: np.random.Generator | None = None,
    names: Names | None = None,
) -> Explanation:
    """Take one training step and return it with every number accounted for.

    Parameters
    ----------
    network : Network
        The layers and the loss.
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
    with np.errstate(over="ignore", invalid="ignore"):  # refused in the next line
        trace = backpropagate(
            network, parameters, x, targets,
            sample_weight=sample_weight, reduction=reduction, rng=rng,
        )  # fmt: skip
    _refuse_overflow(trace)
    after = parameters.copy()
    before = _state_before(rule, state, after.flat.size)
    changed = _copy(before)
    eta = as_schedule(rule.learning_rate)(step, n_steps)
    factors = network.layout.learning_rate_factors()
    rates = eta if factors is None else eta * factors
    rule.step(changed, after.flat, trace.gradients.flat, rates, network.layout.penalized())
    if not train_biases:
        for slot in network.layout.slots:
            if slot.name == "b":
                after.flat[slot.start : slot.stop] = parameters.flat[slot.start : slot.stop]
    with np.errstate(over="ignore", invalid="ignore"):  # a step too far shows as inf or nan
        again = retrace(trace, after)
    update = Update(rule, eta, again, before, changed, train_biases)
    return Explanation(trace, update, chosen, reduction)


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
            f"The state has {_told(shapes)}, but {type(rule).__name__} keeps {_told(expected)}."
        )
    return given


def _copy(state: Mapping[str, Any]) -> dict[str, Any]:
    return {n: np.copy(v) if isinstance(v, np.ndarray) else v for n, v in state.items()}


def _told(shapes: Mapping[str, tuple[int, ...]]) -> str:
    shown = [f"{name} of shape {shape}" if shape else name for name, shape in shapes.items()]
    return ", ".join(shown) or "nothing"
