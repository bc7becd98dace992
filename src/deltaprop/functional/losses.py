"""Losses: the value beside delta^L = dL/dz^L, both from the logits, one registry row each.

A loss owns its output activation. It is also the only place where the mean over samples is
taken: each sample has a *share* of the loss, 1/n without weights and w_i / sum(w) with them, so
that an integer weight equals repetition and a zero weight equals absence. Sums over outputs,
mean over samples.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError
from deltaprop.functional.activations import ACTIVATIONS, sigmoid, softplus
from deltaprop.functional.arrays import by_formula
from deltaprop.functional.loss_checks import check_loss
from deltaprop.functional.outputs import OUTPUTS, exp, softmax
from deltaprop.functional.registry import Registry
from deltaprop.functional.settings import positive
from deltaprop.functional.shares import absent_where_zero, sample_shares, weighted_sum

__all__ = [
    "BUILT_IN",
    "LOSSES",
    "Loss",
    "huber",
    "register_loss",
    "sample_shares",
    "weighted_sum",
]

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Loss:
    """One row: a loss of the logits, beside its delta.

    Parameters
    ----------
    name : str
        What it is called in ``Network(loss=...)``, files and commands. It states its factor.
    output : str
        The output activation it brings: a key of ``OUTPUTS``.
    per_sample : callable
        ``per_sample(logits, targets) -> (n,)``: the loss of each sample, summed over outputs.
    delta_per_sample : callable
        ``delta_per_sample(logits, targets) -> (n, n_L)``: its derivative by the logits.
    targets : {"distribution", "unit", "real", "count"}
        What a row of targets may be: probabilities that sum to 1, values in [0, 1], any number,
        or a number >= 0.
    latex : tuple of str
        The loss of one sample, and its delta.
    doc : str
        One line for lists and help.
    smooth : callable, optional
        ``smooth(targets, e) -> targets``: label smoothing, where it has a meaning.
    arithmetic : tuple of str, optional
        What one output adds to the loss of its sample, and its delta, in the language of
        ``arithmetic.parse``, in terms of its own z, t and p. The delta is "" where it takes all
        outputs (``by_output`` and the Jacobian of the output tell it then). Without it an
        explanation only names the loss.
    per_label : callable, optional
        ``per_label(logits, labels, e) -> (n,)``: what ``per_sample`` gives for labels smoothed by
        e, without writing a row of targets for each.
    kinks : tuple of float
        The z_i - t_i at which some derivative of the loss jumps; gradient checks stay away from
        them.
    by_output : str, optional
        dl/dp of one output, in the language of ``arithmetic``, in terms of its t and p: what the
        Jacobian of the output activation is multiplied by. Needed where the delta has no formula of
        its own; without it an explanation does not tell delta^L by way of the Jacobian.
    elsewhere : tuple of str
        Further forms of what one output adds, for where the first overflows or has no digit left.
        Not with an output activation that joins the outputs, such as softmax.
    takes_any : bool
        Whether targets that the outputs cannot reach have a least loss all the same: squared
        errors. They are warned of, not refused.
    stably : str, optional
        What one output adds as it is computed, right wherever z is, in a language that has log1p
        and largest (of a row) besides: what works it out where there is no Python. Left out where
        ``arithmetic`` is that already, or nothing else is known.
    factor : Fraction
        What loss and delta are multiplied by, of what the formulas tell: 2 where a squared error
        has no 1/2.
    """

    name: str
    output: str
    per_sample: Callable[[Array, Array], Array]
    delta_per_sample: Callable[[Array, Array], Array]
    targets: str
    latex: tuple[str, str]
    doc: str
    smooth: Callable[[Array, float], Array] | None = None
    arithmetic: tuple[str, str] | None = None
    per_label: Callable[[Array, Labels, float], Array] | None = None
    by_output: str | None = None
    kinks: tuple[float, ...] = ()
    elsewhere: tuple[str, ...] = ()
    takes_any: bool = False
    factor: Fraction = Fraction(1)
    stably: str | None = None

    def times(self, factor: Fraction) -> Loss:
        """Return the loss multiplied by a factor, and with it its delta."""
        c, per_sample, delta = float(factor), self.per_sample, self.delta_per_sample
        return replace(
            self,
            per_sample=lambda logits, targets: c * per_sample(logits, targets),
            delta_per_sample=lambda logits, targets: c * delta(logits, targets),
            per_label=None,
            factor=self.factor * factor,
        )

    def value(self, logits: Array, targets: Array, shares: Array | None = None) -> float:
        """Return L = sum_i share_i * l_i; the shares are 1/n unless given."""
        return weighted_sum(_shares_or_mean(shares, logits), self.per_sample(logits, targets))

    def value_of_labels(self, logits: Array, labels: Labels, e: float, shares: Array) -> float:
        """Return the value for labels smoothed by e; only where there is ``per_label``."""
        assert self.per_label is not None
        return weighted_sum(shares, self.per_label(logits, labels, e))

    def delta(self, logits: Array, targets: Array, shares: Array | None = None) -> Array:
        """Return delta^L = dL/dz^L = share_i * dl_i/dz_i, of shape (n, n_L)."""
        factor = _shares_or_mean(shares, logits)[:, None]
        return absent_where_zero(factor, self.delta_per_sample(logits, targets))

    def predict(self, logits: Array) -> Array:
        """Return p, the network's output for these logits."""
        return OUTPUTS[self.output].f(logits)

    # from p alone, which somebody may have worked out who wrote no logits down

    @property
    def is_given_by_outputs(self) -> bool:
        """Return whether its formulas need nothing but p and t."""
        formulas = (*(self.arithmetic or ("z",)), self.by_output or "z")
        return not any(re.search(r"\bz\b", formula) for formula in formulas)

    def of_outputs(self, p: Array, targets: Array) -> Array:
        """Return the loss of each sample by its formula in p and t; 0 ln 0 counts as 0."""
        assert self.arithmetic is not None
        terms = by_formula(self.arithmetic[0], p=p, t=targets)
        terms = np.where((targets == 0) & ~np.isfinite(terms), 0.0, terms)
        total: Array = terms.sum(axis=1)
        return total

    def delta_of_outputs(self, p: Array, targets: Array) -> Array:
        """Return dl/dz by its formula, or through the Jacobian of softmax: p (g - sum of p g)."""
        assert self.arithmetic is not None
        if self.arithmetic[1]:
            return by_formula(self.arithmetic[1], p=p, t=targets)
        assert self.by_output is not None
        g = by_formula(self.by_output, p=p, t=targets)
        delta: Array = p * (g - np.sum(p * g, axis=1, keepdims=True))
        return delta


def _shares_or_mean(shares: Array | None, logits: Array) -> Array:
    return sample_shares(len(logits)) if shares is None else shares


def _cross_entropy(logits: Array, targets: Array) -> Array:
    # sum_i t_i (logsumexp(z) - z_i)
    below, log_sum = _below_the_largest(logits)
    with np.errstate(invalid="ignore"):  # 0 times the infinite distance from -1e308 to 1e308
        terms = targets * (log_sum[:, None] - below)
    per_sample: Array = np.sum(terms, axis=1)
    if np.isnan(per_sample).any():
        per_sample = np.sum(np.where(targets == 0, 0.0, terms), axis=1)
    return per_sample


def _cross_entropy_of_labels(logits: Array, labels: Labels, e: float) -> Array:
    # the same for t_i = (1 - e) [i = label] + e / k
    below, log_sum = _below_the_largest(logits)
    of_label = (1.0 - e) * (log_sum - below[np.arange(len(labels)), labels])
    return of_label + e * (log_sum - below.mean(axis=1)) if e else of_label


def _below_the_largest(logits: Array) -> tuple[Array, Array]:
    """Return z_i - max z, and logsumexp(z) - max z: differences, so that no large z cancels."""
    rows, top = np.arange(len(logits)), logits.argmax(axis=1)
    with np.errstate(over="ignore"):
        below = logits - logits[rows, top][:, None]
    others = np.exp(below)
    others[rows, top] = 0.0
    return below, np.log1p(others.sum(axis=1))


def _binary_cross_entropy(logits: Array, targets: Array) -> Array:
    # softplus(z) - t z, written so that t = 1 with a large z cancels nothing
    terms = targets * softplus(-logits) + (1.0 - targets) * softplus(logits)
    return np.asarray(terms.sum(axis=1))


def _half_squared_error(logits: Array, targets: Array) -> Array:
    return np.asarray(0.5 * np.sum((targets - logits) ** 2, axis=1))


def _half_squared_error_sigmoid_delta(logits: Array, targets: Array) -> Array:
    p = sigmoid(logits)
    return (p - targets) * p * (1.0 - p)


def _half_squared_error_softmax_delta(logits: Array, targets: Array) -> Array:
    p = softmax(logits)
    upstream = p - targets
    # J^T (p - t) with J_ij = p_i ([i=j] - p_j), without writing J out
    delta: Array = p * (upstream - np.sum(p * upstream, axis=1, keepdims=True))
    return delta


def huber(threshold: float = 1.0, name: str = "huber") -> Loss:
    """Return the Huber loss: half squared error up to ``threshold``, linear beyond.

    sum_j 1/2 r_j^2 where |r_j| <= c, else c (|r_j| - c/2), with r = z - t (Huber 1964).

    Parameters
    ----------
    threshold : float
        c > 0, in the unit of the target.
    name : str
        The name to register it under; "huber" itself has threshold 1.

    Returns
    -------
    Loss
        A row for ``LOSSES.register``.
    """
    threshold = positive(threshold, "threshold")
    c = repr(threshold).removesuffix(".0")

    def per_sample(logits: Array, targets: Array) -> Array:
        r = np.abs(logits - targets)
        inner = np.minimum(r, threshold)
        return np.asarray(np.sum(0.5 * inner**2 + threshold * (r - inner), axis=1))

    def delta(logits: Array, targets: Array) -> Array:
        return np.clip(logits - targets, -threshold, threshold)

    inner, outer = f"(abs(z - t) <= {c})", f"(abs(z - t) > {c})"
    slope = f"{inner} * (z - t) + (z - t > {c}) * {c} - (t - z > {c}) * {c}"
    pieces = (
        rf"\sum_j \tfrac{{1}}{{2}} r_j^2\,[|r_j| \le {c}] + "
        rf"{c} (|r_j| - \tfrac{{{c}}}{{2}})\,[|r_j| > {c}]"
    )
    return Loss(
        name, "identity", per_sample, delta, "real",
        (pieces + r",\ r = z - t", rf"\max(-{c}, \min({c}, z_i - t_i))"),
        f"half squared error up to {c}, linear beyond: outliers pull with bounded force",
        arithmetic=(
            inner + f" * (z - t)**2 / 2 + {outer} * {c} * (abs(z - t) - {threshold / 2!r})",
            slope,
        ),
        by_output=slope.replace("z", "p"), kinks=(-threshold, threshold),
    )  # fmt: skip


BUILT_IN = (
    Loss(
        "cross_entropy", "softmax", _cross_entropy, lambda z, t: softmax(z) - t, "distribution",
        (r"\ln \sum_k e^{z_k} - \sum_i t_i z_i", r"p_i - t_i"),
        "k classes, one of them true", lambda t, e: (1.0 - e) * t + e / t.shape[1],
        arithmetic=("-(t * log(p))", "p - t"), per_label=_cross_entropy_of_labels,
        by_output="-(t / p)",
        stably="t * (log(total(exp(z - largest(z)))) - (z - largest(z)))",
    ),
    Loss(
        "binary_cross_entropy", "sigmoid", _binary_cross_entropy, lambda z, t: sigmoid(z) - t,
        "unit", (r"\sum_j \ln(1 + e^{z_j}) - t_j z_j", r"p_i - t_i"),
        "yes or no for each output, independently", lambda t, e: (1.0 - e) * t + e / 2.0,
        arithmetic=("-(t * log(p) + (1 - t) * log(1 - p))", "p - t"),
        by_output="(p - t) / (p * (1 - p))",
        elsewhere=(
            "max(0, z) - t * z + log(1 + exp(-abs(z)))",
            "max(0, z) - t * z + (exp(-abs(z)) - exp(-abs(z))**2 / 2 + exp(-abs(z))**3 / 3)",
        ),
        stably="t * max(0, -z) + (1 - t) * max(0, z) + log1p(exp(-abs(z)))",
    ),
    Loss(
        "half_squared_error", "identity", _half_squared_error, lambda z, t: z - t, "real",
        (r"\tfrac{1}{2} \sum_j (t_j - z_j)^2", r"z_i - t_i"), "regression",
        arithmetic=("(t - z)**2 / 2", "z - t"), by_output="p - t",
    ),
    Loss(
        "half_squared_error_sigmoid", "sigmoid",
        lambda z, t: _half_squared_error(sigmoid(z), t), _half_squared_error_sigmoid_delta, "unit",
        (r"\tfrac{1}{2} \sum_j (t_j - p_j)^2", r"(p_i - t_i)\, p_i (1 - p_i)"),
        "squared error on sigmoid outputs, as older textbooks have it",
        arithmetic=("(t - p)**2 / 2", "(p - t) * p * (1 - p)"), by_output="p - t", takes_any=True,
    ),
    Loss(
        "half_squared_error_softmax", "softmax",
        lambda z, t: _half_squared_error(softmax(z), t), _half_squared_error_softmax_delta,
        "distribution",
        (r"\tfrac{1}{2} \sum_j (t_j - p_j)^2", r"\sum_j (p_j - t_j)\, p_j ([i = j] - p_i)"),
        "squared error (Brier score) on softmax outputs",
        arithmetic=("(t - p)**2 / 2", ""), by_output="p - t", takes_any=True,
    ),
    huber(),
    Loss(
        "poisson", "exp", lambda z, t: np.asarray(np.sum(exp(z) - t * z, axis=1)),
        lambda z, t: exp(z) - t, "count",
        (r"\sum_j e^{z_j} - t_j z_j", r"e^{z_i} - t_i"),
        "counts; the term ln t!, which no weight changes, is left out",
        arithmetic=("exp(z) - t * z", "exp(z) - t"), by_output="1 - t / p",
    ),
)  # fmt: skip

# Errors of an output, whatever gives it: what one output adds, and its derivative by the output.
_ERRORS = {row.name: (row.arithmetic[0].replace("z", "p"), row) for row in BUILT_IN
           if row.arithmetic and row.by_output and row.name in
           ("half_squared_error", "huber", "cross_entropy", "binary_cross_entropy")}  # fmt: skip


def _on_activation(name: str) -> Loss | None:
    """Return half_squared_error_tanh: an error of the outputs a = f(z) of a registered activation.

    Its delta is dl/da f'(z), each output by itself.
    """
    found = next((error for error in _ERRORS if name.startswith(f"{error}_")), None)
    activation = name.removeprefix(f"{found}_")
    if found is None or activation not in ACTIVATIONS:
        return None
    (formula, error), row = _ERRORS[found], ACTIVATIONS[activation]
    slope = error.by_output
    assert slope is not None

    def per_sample(z: Array, t: Array) -> Array:
        p = row.f(z)
        terms = by_formula(formula, p=p, t=t)
        terms = np.where((t == 0) & ~np.isfinite(terms), 0.0, terms)
        if np.isnan(terms).any():
            output = float(p[np.isnan(terms)][0])
            raise DataError(
                f"{name} takes the logarithm of an output that is {output:.6g}; expected outputs "
                "from 0 to 1. Choose an activation with such outputs, or half_squared_error."
            )
        return np.asarray(terms.sum(axis=1))

    def delta(z: Array, t: Array) -> Array:
        a = row.f(z)
        f_prime = row.f_prime(z, a)
        with np.errstate(all="ignore"):  # where f' is 0, nothing passes
            return np.where(f_prime == 0, 0.0, by_formula(slope, p=a, t=t) * f_prime)

    slope_of_a = row.arithmetic and re.sub(r"\ba\b", "p", row.arithmetic[1])
    squared = error.targets == "real"
    return Loss(
        name, activation, per_sample, delta, "real" if squared else "unit",
        (rf"\text{{{found.replace('_', ' ')}}}(t, p)", r"\frac{\partial l}{\partial p_i} f'(z_i)"),
        f"{found} on {activation} outputs",
        arithmetic=(formula, f"({slope}) * ({slope_of_a})") if slope_of_a else None,
        by_output=slope, takes_any=squared,
    )  # fmt: skip


_ALSO = {"mse": "half_squared_error", "sse": "half_squared_error", "nll": "cross_entropy",
         "bce": "binary_cross_entropy", "mae": "huber"}  # fmt: skip

LOSSES: Registry[Loss] = Registry("loss", BUILT_IN, check_loss, _on_activation, _ALSO)

register_loss = LOSSES.register
