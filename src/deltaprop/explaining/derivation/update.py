"""What the new parameters are made of: the optimizer's own arithmetic, with its state."""

from __future__ import annotations

from collections.abc import Iterator
from math import pi

import numpy as np
import numpy.typing as npt

from deltaprop.explaining.derivation.operands import operand, sign_of_entry, with_penalties
from deltaprop.explaining.derivation.sums import entry
from deltaprop.explaining.derivation.update_record import Update
from deltaprop.functional.arithmetic import parse
from deltaprop.functional.arrays import values
from deltaprop.functional.expressions import (
    Expression,
    Matrix,
    Operand,
    multiplied,
    substituted,
    times,
)
from deltaprop.model.backprop import Trace
from deltaprop.model.parameters import Slot
from deltaprop.notation.ids import Ref, grid
from deltaprop.notation.steps import DerivationStep
from deltaprop.training.optimizers import OfMatrices, hyperparameters

__all__ = ["DescribedUpdate", "moves", "with_signs"]

Array = npt.NDArray[np.float64]

_LONGEST_FACTOR = 8  # characters


def moves(update: Update, name: str) -> bool:
    """Return whether the step changes an array; biases may be left as they are."""
    return name != "b" or update.train_biases


def _rate_factor(slot: Slot) -> Expression | None:
    """Return what an array's learning rate is multiplied by, as a constant; None for 1."""
    factor = slot.learning_rate_factor
    if factor == 1:
        return None
    turns = f"{factor / (2 * pi):.12g}"
    if len(repr(factor)) > _LONGEST_FACTOR and len(turns) <= _LONGEST_FACTOR:
        # so many times 2 pi, the factor of a frequency
        return parse(f"{'' if turns == '1' else f'{turns} * '}2 * {pi!r}", {})
    return parse(str(int(factor)) if factor == int(factor) else repr(factor), {})


def with_signs(tree: Expression, w: Matrix) -> Expression:
    """Return a tree in which the signs of weights w are a formula of their entries."""

    def of(part: Operand | Matrix) -> Expression:
        if isinstance(part, Matrix) and part.applied == "sign":
            return sign_of_entry(w)
        return part

    return substituted(tree, of)


class DescribedUpdate:
    """Any number that the optimizer sets in a step."""

    def __init__(self, trace: Trace, update: Update) -> None:
        self.trace, self.update = trace, update
        layout, rule = trace.network.layout, update.rule
        self._slots = {(slot.layer, slot.name): slot for slot in layout.slots}
        matrices = rule.matrices(layout) if isinstance(rule, OfMatrices) else ()
        self._matrices: dict[tuple[int, str], dict[str, tuple[Expression, Matrix]]] = {
            (slot.layer, slot.name): {} for slot in matrices
        }

    def refs(self) -> Iterator[Ref]:
        """Yield the name of every number that is set, in order."""
        for layer in range(len(self.trace.z), 0, -1):
            for name, array in self.trace.parameters.layers[layer - 1].items():
                slot = self._slots[(layer - 1, name)]
                if (layer - 1, name) in self._matrices:
                    for key, (_, found) in self.of_matrix(slot).items():
                        shape = found.values.shape if found.origin else ()
                        own = name if key == "w" else f"{key}_{name}"
                        yield from grid(own, layer, shape, after=True)
                    continue
                kept = self._state_names()
                if not moves(self.update, name) or self._formulas(slot) is None:
                    kept = []
                for own in (*(f"{state}_{name}" for state in kept), name):
                    yield from grid(own, layer, array.shape, after=True, absent=slot.absent)

    def step(self, ref: Ref) -> DerivationStep:
        """Return the step of a new parameter, or of what the optimizer keeps for one."""
        state, _, name = ref.quantity.rpartition("_")
        slot = self._slots[(ref.layer - 1, name)]
        if (ref.layer - 1, name) in self._matrices:
            tree, found = self.of_matrix(slot)[state or "w"]
            if len(ref.index) != len(found.origin):
                raise IndexError
            i, j = ref.index or (0, 0)
            w = Matrix(Ref(name, ref.layer).id, self.trace.parameters.layers[slot.layer][name])
            told = entry(with_signs(tree, w), i, j)
            return DerivationStep(ref, told, float(found.values[i, j]))
        if len(ref.index) != len(slot.shape):
            raise IndexError
        place = slot.start + int(np.ravel_multi_index(ref.index, slot.shape))
        old = float(self.trace.parameters.flat[place])
        new = float(self.update.after.parameters.flat[place])
        value = float(self.update.new_state[state][place]) if state else new
        before = operand(Ref(name, ref.layer, ref.index), old)
        if not moves(self.update, name):
            return DerivationStep(ref, before, value)
        formulas = self._formulas(slot)
        if formulas is None:
            return DerivationStep(ref, operand(ref, value), value)
        g = operand(Ref(f"d{name}", ref.layer, ref.index), self.trace.gradients.flat[place])
        names: dict[str, Expression] = {
            "w": before,
            "g": self.pull(slot, g, before),
            "learning_rate": self.learning_rate(slot),
            **self._hyperparameters(),
        }
        # a state that was set before this one is meant with its new value
        fresh = list(formulas)[: list(formulas).index(state or "w")]
        for key in self._state_names():
            values = self.update.new_state if key in fresh else self.update.state
            own = Ref(f"{key}_{name}", ref.layer, ref.index, after=key in fresh)
            names[key] = operand(own, values[key][place])
        return DerivationStep(ref, parse(formulas[state or "w"], names), value)

    def of_matrix(self, slot: Slot) -> dict[str, tuple[Expression, Matrix]]:
        """Return what is set in an array that moves as a matrix, in order: its tree and itself.

        Empty for an array that moves number by number. State and w are those of the step; a number
        between is worked out by its formula.
        """
        known, rule = self._matrices.get((slot.layer, slot.name)), self.update.rule
        if known is None or known or not isinstance(rule, OfMatrices):
            return known or {}

        def matrix(key: str, flat: Array, *, after: bool) -> Matrix:
            ref = Ref(f"{key}{slot.name}", slot.layer + 1, (), after)
            return Matrix(ref.id, flat[slot.start : slot.stop].reshape(slot.shape))

        before, update = self.trace, self.update
        w = matrix("", before.parameters.flat, after=False)
        names: dict[str, Expression] = {
            "w": w,
            "g": self.pull(slot, matrix("d", before.gradients.flat, after=False), w),
            "learning_rate": self.learning_rate(slot),
            **self._hyperparameters(),
            **{n: matrix(f"{n}_", update.state[n], after=False) for n in self._state_names()},
        }
        set_to = {n: update.new_state[n] for n in self._state_names()}
        for key, formula in rule.matrix_arithmetic(slot.shape):
            tree = parse(formula, names)
            if key == "w":
                found = matrix("", update.after.parameters.flat, after=True)
            elif key in set_to:
                found = matrix(f"{key}_", set_to[key], after=True)
            else:
                between = values(tree)
                origin = () if between.size == 1 else (0, 0)
                ref = Ref(f"{key}_{slot.name}", slot.layer + 1, (), after=True)
                found = Matrix(ref.id, between, origin)
            names[key] = found
            known[key] = tree, found
        return known

    def pull(self, slot: Slot, g: Expression, w: Expression) -> Expression:
        """Return what the step takes in the place of the gradient of an array."""
        pull, taken = self.update.pull, g
        if slot.penalized:
            factor = self.trace.network.penalty_factor
            taken = with_penalties(g, w, pull.l2, pull.l1, factor)
        if pull.averaged:
            share = parse("1 - momentum", self._hyperparameters())
            taken = times(share, taken)
        return taken

    def learning_rate(self, slot: Slot) -> Expression:
        """Return eta times what an array's is multiplied by."""
        eta, factor = operand(Ref("learning_rate"), self.update.learning_rate), _rate_factor(slot)
        return eta if factor is None else multiplied(factor, eta)

    def _state_names(self) -> list[str]:
        return [n for n, v in self.update.new_state.items() if isinstance(v, np.ndarray)]

    def _formulas(self, slot: Slot) -> dict[str, str] | None:
        """Return the optimizer's formulas for an array, or None where it does not tell them."""
        arithmetic = getattr(self.update.rule, "arithmetic", None)
        return None if arithmetic is None else dict(arithmetic(slot.penalized))

    def _hyperparameters(self) -> dict[str, Expression]:
        numbers = hyperparameters(self.update.rule)
        numbers |= {n: v for n, v in self.update.new_state.items() if not isinstance(v, np.ndarray)}
        return {
            name: operand(Ref(name), float(value))
            for name, value in numbers.items()
            if isinstance(value, int | float)
        }
