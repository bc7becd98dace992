"""WorkedStep: one training step, with the numbers and where they come from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, islice
from typing import Self

import numpy as np
import numpy.typing as npt

from deltaprop.checking.curvature import second_order_change
from deltaprop.checking.gradients import EntryCheck, GradientReport, check_trace
from deltaprop.explaining.derivation.any_number import Derivation
from deltaprop.explaining.derivation.samples import Batch, batch_of
from deltaprop.explaining.derivation.strongest import n_numbers, strongest, strongest_described
from deltaprop.explaining.derivation.update_record import Update
from deltaprop.explaining.derivation.written import AS_IN_THE_HOUSE, Written
from deltaprop.explaining.document.labels import Names
from deltaprop.model.backprop import Trace, retrace
from deltaprop.model.layers import ARRAYS
from deltaprop.notation.digits import Line, line_of
from deltaprop.notation.ids import Ref, grid, read_ref
from deltaprop.notation.naming import NOTATIONS
from deltaprop.notation.steps import DerivationStep
from deltaprop.notation.unicode import plain_symbol, symbol_of

__all__ = ["WorkedStep"]

# A step of more numbers is described by its strongest ones and their ancestry.
_MOST_STEPS = 4000


@dataclass(frozen=True, repr=False)
class WorkedStep:
    """One forward pass, backward pass and update: what a document is made of.

    Its attributes are those of ``Explanation``, which adds the forms.
    """

    trace: Trace
    update: Update
    names: Names = field(default_factory=Names)
    reduction: str = "mean"
    wanted: tuple[Ref, ...] = ()
    written: Written = AS_IN_THE_HOUSE
    given: tuple[Trace, str] | None = None

    @cached_property
    def steps(self) -> tuple[DerivationStep, ...]:
        """Return every number, in the order it is worked out."""
        if self.wanted:
            return self.derivation.ancestry(self.wanted)
        if self.is_large:
            return self.derivation.ancestry(strongest(self.derivation))
        return self.derivation.all_steps()

    @cached_property
    def is_large(self) -> bool:
        """Return whether only the strongest numbers and their ancestry are described."""
        return self.n_numbers > _MOST_STEPS

    @cached_property
    def n_numbers(self) -> int:
        """Return how many numbers the whole step consists of, described or not."""
        return n_numbers(self.derivation)

    def only(self, *names: str) -> Self:
        """Return the explanation of some numbers and of everything they are made of.

        Parameters
        ----------
        *names : str
            Ids such as "dW.1[0,2]" (or "dW1[0,2]"), "delta.2[0,1]", "loss", "dx[0,2]"; or symbols
            as they are printed, raised or not: "w5", "h₁", "dE/dw5". A parameter is read as its
            gradient, "W1[0,2]" as "dW.1[0,2]": that is where its change comes from.

        Returns
        -------
        WorkedStep
            The same step; its list holds these numbers and their ancestry.

        Raises
        ------
        SettingError
            When the network has no such number, or it is given and not worked out.
        """
        wanted = []
        for name in names:
            ref = self._printed_as(name) or read_ref(name)
            if ref.quantity in ARRAYS and not ref.after:
                ref = replace(ref, quantity=f"d{ref.quantity}")
            self.derivation.known(ref)
            wanted.append(ref)
        return replace(self, wanted=tuple(wanted))

    def _printed_as(self, name: str) -> Ref | None:
        """Return the number with this symbol; None where no number has it."""
        plain, trace = plain_symbol(name), self.trace
        if plain in ("E", "L", "loss"):  # of a single sample it is what its line tells
            return Ref("loss", 0, (0,) if len(trace.a[0]) == 1 else ())
        naming = NOTATIONS[self.names.notation].of_network(trace.network)
        slots = trace.network.layout.slots
        parameters = (grid(slot.name, slot.layer + 1, slot.shape) for slot in slots)
        for ref in islice(chain(*parameters, self.derivation.refs()), _MOST_STEPS):
            if plain_symbol(symbol_of(ref, len(trace.a[0]), naming)) == plain:
                return ref
        return None

    @cached_property
    def shortened(self) -> Self:
        """Return the explanation of its strongest numbers, as many as fit on a page."""
        return replace(self, wanted=tuple(strongest_described(self.derivation)))

    @cached_property
    def derivation(self) -> Derivation:
        """Return what describes any single number."""
        return Derivation(self.trace, self.update, self.written)

    @property
    def as_given(self) -> tuple[Trace, str]:
        """Return the pass with the loss that was asked for, and its reduction."""
        return self.given or (self.trace, self.reduction)

    @cached_property
    def shown(self) -> Trace:
        """Return the numbers of the pass before the step as they are written down."""
        return self.written.shown(self.trace)

    @cached_property
    def shown_after(self) -> Trace:
        """Return the numbers of the pass after the step as they are written down."""
        return self.written.shown(self.update.after)

    def lines(self, digits: int = 6) -> tuple[Line, ...]:
        """Return the steps as they are displayed, each with enough digits to hold."""
        if digits not in self._lines:
            self._lines[digits] = tuple(line_of(step, digits) for step in self.steps)
        return self._lines[digits]

    @cached_property
    def _lines(self) -> dict[int, tuple[Line, ...]]:
        return {}

    # what the step did

    @cached_property
    def batch(self) -> Batch:
        """Return what each sample adds to the gradient, and which samples are in conflict."""
        return batch_of(self.trace)

    @property
    def moved(self) -> npt.NDArray[np.float64]:
        """Return the step itself: new minus old parameters."""
        old, new = self.trace.parameters.flat, self.update.after.parameters.flat
        moved: npt.NDArray[np.float64] = new - old
        return moved

    @property
    def predicted_change(self) -> float:
        """Return the change of the loss that the gradient promises: g . (new - old)."""
        with np.errstate(over="ignore", invalid="ignore"):
            return float(self._of_whole_loss.gradients.flat @ self.moved)

    @cached_property
    def second_order_change(self) -> float:
        """Return what bending adds to the promise: step . H step / 2."""
        return second_order_change(self._of_whole_loss, self.moved)

    @cached_property
    def _of_whole_loss(self) -> Trace:
        """Return the pass with gradients of the whole loss, also where a convention has others."""
        network = self.trace.network
        if network.penalty_in_gradient:
            return self.trace
        whole = network.with_penalties_in_gradient(True)
        return retrace(replace(self.trace, network=whole), self.trace.parameters)

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

        The report is true when no relative error is larger than ``tolerance``.
        """
        return check_trace(self.trace, tolerance=tolerance)

    @cached_property
    def proof(self) -> dict[str, EntryCheck]:
        """Return what the referee found for each gradient of the steps, by its id; and "loss"."""
        layout = self.trace.network.layout
        slots = {(slot.layer + 1, f"d{slot.name}"): slot for slot in layout.slots}
        places = []
        for step in self.steps:
            slot = slots.get((step.ref.layer, step.quantity))
            if slot is not None and not step.ref.after:
                places.append(slot.start + int(np.ravel_multi_index(step.ref.index, slot.shape)))
        entries = check_trace(self.trace, entries=places).entries
        return {e.name if e.name == "loss" else f"d{e.name}": e for e in entries}
