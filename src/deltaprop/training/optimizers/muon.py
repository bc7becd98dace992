"""Muon: the matrices of hidden layers move by an orthogonal direction, the rest as AdamW says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from deltaprop.functional.settings import from_zero_below_one
from deltaprop.model.parameters import Layout, Slot
from deltaprop.training.optimizers.adam import AdamW
from deltaprop.training.optimizers.base import Array, Flags, Rate, State, array_of
from deltaprop.training.schedules import LearningRate

__all__ = ["Muon"]

# of a polynomial a x + b x^3 + c x^5 that takes singular values in (0, 1] near 1 in five rounds
_A, _B, _C = 3.4445, -4.775, 2.0315
_ROUNDS = 5
_SMALLEST = 1e-7  # added to a norm, so that a matrix of zeros stays one


@dataclass(frozen=True)
class Muon:
    """Momentum orthogonalized by Newton-Schulz (Jordan et al. 2024), beside AdamW.

    For the matrix W of each hidden dense layer: m <- mu m + g, then the direction g + mu m is
    divided by its norm and five times X <- 3.4445 X - 4.775 X X^T X + 2.0315 (X X^T)^2 X brings
    its singular values near 1, and
    W <- W - eta weight_decay W - eta 0.2 sqrt(max(rows, columns)) X. With that factor (Liu et al.
    2025) its entries are as large as those of an AdamW step, so one learning rate suits both.
    The last layer, biases and other arrays follow AdamW.

    Parameters
    ----------
    learning_rate : float or Schedule
        eta.
    weight_decay : float
        Decay per unit of eta, >= 0; of weights, never biases.
    momentum : float
        mu, in [0, 1).
    beta_1, beta_2 : float
        AdamW's, in [0, 1).
    epsilon : float
        AdamW's: keeps the quotient finite.
    """

    learning_rate: LearningRate = 1e-3
    weight_decay: float = 0.01
    momentum: float = 0.95
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    name: ClassVar[str] = "muon"
    latex: ClassVar[str] = (
        r"m \leftarrow \mu m + g,\quad X \leftarrow a X + b X X^T X + c (X X^T)^2 X"
        r"\ (5 \times),\quad W \leftarrow W - \eta (0.2 \sqrt{\max(r, c)} X + \lambda W)"
    )
    doc: ClassVar[str] = (
        "orthogonalized momentum for hidden matrices (Jordan et al. 2024), AdamW for the rest"
    )

    def __post_init__(self) -> None:
        from_zero_below_one(self.momentum, "momentum")
        _ = self._rest  # AdamW refuses the settings that it cannot take

    def arithmetic(self, decayed: bool) -> tuple[tuple[str, str], ...]:
        """Return the step of a number that is in no hidden matrix as formulas."""
        return self._rest.arithmetic(decayed)

    def matrices(self, layout: Layout) -> tuple[Slot, ...]:
        """Return the matrices W of hidden layers."""
        last = layout.n_layers - 1
        return tuple(s for s in layout.slots if s.name == "W" and s.layer < last)

    def matrix_arithmetic(self, shape: tuple[int, ...]) -> tuple[tuple[str, str], ...]:
        """Return the step of a hidden matrix as formulas of arrays.

        n is the direction, o its norm, and X_k, by way of A_k and B_k, what each round makes of it.
        """
        wide = shape[0] <= shape[1]
        formulas = [
            ("m", "momentum * m + g"),
            ("n", "g + momentum * m"),
            ("o", "norm(n)"),
            ("X0", f"n / (o + {_SMALLEST!r})"),
        ]
        for k in range(1, _ROUNDS + 1):
            x, a, b = f"X{k - 1}", f"A{k}", f"B{k}"
            formulas += [
                (a, f"{x} @ {x}.T" if wide else f"{x}.T @ {x}"),
                (b, f"{_C!r} * {a} @ {a} - {-_B!r} * {a}"),
                (f"X{k}", f"{_A!r} * {x} + " + (f"{b} @ {x}" if wide else f"{x} @ {b}")),
            ]
        decay = " - learning_rate * weight_decay * w"
        scale = f"0.2 * sqrt({max(shape)})"
        step = f"w{decay} - learning_rate * {scale} * X{_ROUNDS}"
        return (*formulas, ("w", step))

    def init(self, n: int) -> State:
        """Return the moments m = v = 0 and t = 0."""
        return self._rest.init(n)

    def step(self, state: State, flat: Array, gradient: Array, eta: Rate, decayed: Flags) -> None:
        """Update ``flat``, m, v and t in place, where nothing is known to be a matrix."""
        self._rest.step(state, flat, gradient, eta, decayed)

    def step_on(
        self,
        layout: Layout,
        state: State,
        flat: Array,
        gradient: Array,
        eta: Rate,
        decayed: Flags,
    ) -> None:
        """Update ``flat``, m, v and t in place: hidden matrices by Muon, the rest by AdamW."""
        m, v = array_of(state, "m"), array_of(state, "v")
        hidden = self.matrices(layout)
        kept = [(m[s.start : s.stop].copy(), flat[s.start : s.stop].copy()) for s in hidden]
        self._rest.step(state, flat, gradient, eta, decayed)
        for slot, (momentum, weights) in zip(hidden, kept, strict=True):
            own = slice(slot.start, slot.stop)
            momentum *= self.momentum
            momentum += gradient[own]
            direction = gradient[own] + self.momentum * momentum
            rate = eta if isinstance(eta, float) else eta[own]
            step = 0.2 * np.sqrt(max(slot.shape)) * _orthogonalized(direction.reshape(slot.shape))
            m[own], v[own] = momentum, 0.0
            flat[own] = weights - rate * self.weight_decay * weights - rate * step.ravel()

    @property
    def _rest(self) -> AdamW:
        return AdamW(self.learning_rate, self.weight_decay, self.beta_1, self.beta_2, self.epsilon)


def _orthogonalized(matrix: Array) -> Array:
    """Return a matrix with its singular values near 1, by five rounds of Newton-Schulz."""
    wide = matrix.shape[0] <= matrix.shape[1]
    x = matrix if wide else matrix.T
    x = x / (np.linalg.norm(x) + _SMALLEST)
    for _ in range(_ROUNDS):
        a = x @ x.T
        x = _A * x + (_B * a + _C * a @ a) @ x
    return x if wide else x.T
