"""Explanation: one training step, with the numbers and where they come from."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from deltaprop.errors import SettingError
from deltaprop.explaining.batch import Batch, batch_of
from deltaprop.explaining.digits import Line, line_of
from deltaprop.explaining.names import Ref, read_ref
from deltaprop.explaining.selection import n_numbers, strongest
from deltaprop.explaining.steps import Derivation, Step, Update
from deltaprop.model.backprop import Trace, backpropagate
from deltaprop.model.files import write_atomically
from deltaprop.model.gradcheck import EntryCheck, GradientReport, check_gradients
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.training.optimizers import GradientDescent, Optimizer
from deltaprop.training.schedules import as_schedule

__all__ = ["Explanation", "Names", "explain"]

# A step of more numbers is told by its strongest ones and their ancestry.
_MOST_STEPS = 4000


@dataclass(frozen=True)
class Names:
    """What the user calls things.

    Attributes
    ----------
    title : str
        What is explained.
    inputs : tuple of str
        A name per input; empty for x1, x2, ...
    outputs : tuple of str
        A name per output: the classes, or the targets.
    """

    title: str = ""
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """One forward pass, backward pass and update, ready to be shown.

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
            Ids such as "dW.1[0,2]" (or "dW1[0,2]"), "delta.2[0,1]", "loss". A weight is read as
            its gradient, "W1[0,2]" as "dW.1[0,2]": that is where its change comes from.

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
            if ref.quantity in ("W", "b") and not ref.after:
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

    def to_json(self, *, digits: int = 6) -> str:
        """Return every number, its arithmetic and its origin as JSON text.

        Parameters
        ----------
        digits : int
            Significant digits of what is shown; values are whole.

        Returns
        -------
        str
            In the format deltaprop-explanation/1.
        """
        from deltaprop.explaining.to_json import render

        return render(self, digits)

    @cached_property
    def batch(self) -> Batch:
        """Return what each sample adds to the gradient, and which samples pull apart."""
        return batch_of(self.trace)

    @property
    def predicted_change(self) -> float:
        """Return the change of the loss that the gradient promises: g . (new - old)."""
        old, new = self.trace.parameters.flat, self.update.after.parameters.flat
        return float(self.trace.gradients.flat @ (new - old))

    @property
    def actual_change(self) -> float:
        """Return the change of the loss that the step brought."""
        return self.update.after.loss - self.trace.loss

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
        trace = self.trace
        return check_gradients(
            trace.network,
            trace.parameters,
            trace.a[0],
            trace.targets,
            gradients=trace.gradients,
            loss=trace.loss,
            sample_weight=trace.shares,
            reduction="sum",  # the shares are what the trace weighed the samples with
            tolerance=tolerance,
        )

    @cached_property
    def proof(self) -> dict[str, EntryCheck]:
        """Return what the referee found for each gradient, by its id, "dW.1[0,2]"; and "loss"."""
        entries = self.verify().entries
        return {e.name if e.name == "loss" else f"d{e.name}": e for e in entries}

    def to_terminal(
        self,
        *,
        detail: str | None = None,
        digits: int = 6,
        width: int = 80,
        color: bool = False,
        language: str = "en",
        notation: str = "standard",
    ) -> str:
        """Return the explanation as text for a terminal.

        Parameters
        ----------
        detail : {"overview", "layers", "neurons"}, optional
            One altitude; all that fit when left out.
        digits : int
            Significant digits; a line whose rounding would break it shows more.
        width : int
            Columns.
        color : bool
            With ANSI colours: the sign of each number.
        language : {"en", "zh"}
            Of the words.
        notation : {"standard", "tutorial"}
            W of layer l with one number, or with the layers on both sides.

        Returns
        -------
        str
            Lines of at most ``width`` columns.
        """
        from deltaprop.explaining.terminal import render

        return render(
            self,
            detail=detail,
            digits=digits,
            width=width,
            color=color,
            language=language,
            notation=notation,
        )

    def to_latex(
        self,
        *,
        detail: str | None = None,
        digits: int = 6,
        language: str = "en",
        notation: str = "standard",
    ) -> str:
        """Return the explanation as a LaTeX document.

        Parameters
        ----------
        detail : {"overview", "layers", "neurons"}, optional
            One altitude; all that fit when left out.
        digits : int
            Significant digits; a line whose rounding would break it shows more.
        language : {"en", "zh"}
            Of the words.
        notation : {"standard", "tutorial"}
            W of layer l with one number, or with the layers on both sides.

        Returns
        -------
        str
            It compiles with pdflatex; in Chinese with xelatex and ctex.
        """
        from deltaprop.explaining.latex import render

        return render(self, digits, language, notation, detail)

    def to_markdown(
        self,
        *,
        detail: str | None = None,
        digits: int = 6,
        language: str = "en",
        notation: str = "standard",
    ) -> str:
        """Return the explanation as Markdown.

        Parameters
        ----------
        detail : {"overview", "layers", "neurons"}, optional
            One altitude; all that fit when left out.
        digits : int
            Significant digits; a line whose rounding would break it shows more.
        language : {"en", "zh"}
            Of the words.
        notation : {"standard", "tutorial"}
            W of layer l with one number, or with the layers on both sides.

        Returns
        -------
        str
            For notes and issues.
        """
        from deltaprop.explaining.markdown import render

        return render(self, digits, language, notation, detail)

    def to_notebook(
        self,
        *,
        detail: str | None = None,
        digits: int = 6,
        language: str = "en",
        notation: str = "standard",
    ) -> str:
        """Return the explanation as a Jupyter notebook.

        Parameters
        ----------
        detail : {"overview", "layers", "neurons"}, optional
            One altitude; all that fit when left out.
        digits : int
            Significant digits; a line whose rounding would break it shows more.
        language : {"en", "zh"}
            Of the words.
        notation : {"standard", "tutorial"}
            W of layer l with one number, or with the layers on both sides.

        Returns
        -------
        str
            The text of an .ipynb file whose cells check every number they show.
        """
        from deltaprop.explaining.notebook import render

        return render(self, digits, language, notation, detail)

    def to_html(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        detail: str | None = None,
        digits: int = 6,
        language: str = "en",
        notation: str = "standard",
    ) -> str:
        """Return the explanation as one HTML page that needs nothing else.

        Parameters
        ----------
        path : path, optional
            Where to write it.
        detail : {"overview", "layers", "neurons"}, optional
            One altitude; all that fit when left out.
        digits : int
            Significant digits; a line whose rounding would break it shows more.
        language : {"en", "zh"}
            Of the words.
        notation : {"standard", "tutorial"}
            W of layer l with one number, or with the layers on both sides.

        Returns
        -------
        str
            The page; readable without scripts and without a network.
        """
        from deltaprop.explaining.html import render

        page = render(self, digits, language, notation, detail)
        if path is not None:
            write_atomically(path, page.encode("utf-8"))
        return page

    def to_svg(self, *, digits: int = 6, language: str = "en", notation: str = "standard") -> str:
        """Return the network with its values, deltas and gradients as an SVG picture.

        Parameters
        ----------
        digits : int
            Significant digits.
        language : {"en", "zh"}
            Of the words.
        notation : {"standard", "tutorial"}
            W of layer l with one number, or with the layers on both sides.

        Returns
        -------
        str
            A picture that stands alone.
        """
        from deltaprop.explaining.diagram import render_svg

        return render_svg(self, digits, language, notation=notation)

    def _repr_html_(self) -> str:
        from deltaprop.explaining.notebook import to_html_fragment

        return to_html_fragment(self)


def explain(
    network: Network,
    parameters: Parameters,
    x: npt.ArrayLike,
    targets: npt.ArrayLike,
    *,
    learning_rate: float = 0.1,
    optimizer: Optimizer | None = None,
    train_biases: bool = True,
    reduction: str = "mean",
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
        Another rule; its first step is shown.
    train_biases : bool
        False leaves the biases as they are, as some textbooks do.
    reduction : {"mean", "sum"}
        Over samples.
    names : Names, optional
        What to call inputs and outputs.

    Returns
    -------
    Explanation
        Read it with ``to_terminal()``.
    """
    rule: Optimizer = GradientDescent(learning_rate) if optimizer is None else optimizer
    trace = backpropagate(network, parameters, x, targets, reduction=reduction)
    after = parameters.copy()
    eta = as_schedule(rule.learning_rate)(0, 1)
    weights = network.layout.penalized()
    state = rule.init(after.flat.size)
    before = {name: np.copy(value) for name, value in state.items()}
    rule.step(state, after.flat, trace.gradients.flat, eta, weights)
    if not train_biases:
        after.flat[:] = np.where(weights, after.flat, parameters.flat)
    with np.errstate(over="ignore", invalid="ignore"):  # a step too far shows as inf or nan
        again = backpropagate(network, after, x, targets, reduction=reduction)
    update = Update(rule, eta, again, before, state, train_biases)
    chosen = names or Names()
    _check_names("input", chosen.inputs, network.n_in)
    _check_names("output", chosen.outputs, network.n_out)
    return Explanation(trace, update, chosen, reduction)


def _check_names(what: str, names: Sequence[str], expected: int) -> None:
    if names and len(names) != expected:
        raise SettingError(f"{len(names)} {what} names for {expected} {what}s.")
