"""Losses: the value beside delta^L = dL/dz^L, both from the logits, one registry row each.

A loss owns its output activation. It is also the only place where the mean over samples is
taken: each sample has a *share* of the loss, 1/n without weights and w_i / sum(w) with them, so
that an integer weight equals repetition and a zero weight equals absence. Sums over outputs,
mean over samples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError, SettingError
from deltaprop.functional.activations import sigmoid, softplus
from deltaprop.functional.arithmetic import Operand, evaluate, parse
from deltaprop.functional.registry import Registry
from deltaprop.functional.settings import positive

__all__ = [
    "LOSSES",
    "OUTPUTS",
    "Loss",
    "Output",
    "huber",
    "register_loss",
    "sample_shares",
    "softmax",
    "weighted_sum",
]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Output:
    """The function a loss applies to the logits: p = f(z^L), row by row.

    Parameters
    ----------
    name : str
        "softmax", "sigmoid", "identity" or "exp".
    f : callable
        ``f(logits) -> p``, both of shape (n, n_L).
    latex : str
        p_i in terms of z.
    """

    name: str
    f: Callable[[Array], Array]
    latex: str


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
        outputs (the Jacobian of the output tells it then). Without it an explanation only names
        the loss.
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

    def value(self, logits: Array, targets: Array, shares: Array | None = None) -> float:
        """Return L = sum_i share_i * l_i; the shares are 1/n unless given."""
        return weighted_sum(_shares_or_mean(shares, logits), self.per_sample(logits, targets))

    def delta(self, logits: Array, targets: Array, shares: Array | None = None) -> Array:
        """Return delta^L = dL/dz^L = share_i * dl_i/dz_i, of shape (n, n_L)."""
        factor = _shares_or_mean(shares, logits)[:, None]
        return _absent_where_zero(factor, self.delta_per_sample(logits, targets))

    def predict(self, logits: Array) -> Array:
        """Return p, the network's output for these logits."""
        return OUTPUTS[self.output].f(logits)


def sample_shares(
    n: int,
    sample_weight: npt.ArrayLike | None = None,
    *,
    total: float | None = None,
    reduction: str = "mean",
) -> Array:
    """Return the factor with which each sample's loss enters L.

    Without weights 1/n each; with weights w_i / sum(w); with ``reduction="sum"`` 1 or w_i.

    Parameters
    ----------
    n : int
        How many samples.
    sample_weight : array_like of shape (n,), optional
        Weights >= 0, not all zero.
    total : float, optional
        What to divide by instead of sum(w). Mini-batches pass (rows in the batch) * (mean weight
        of the whole table), so that a weight keeps its meaning even in a batch of one.
    reduction : {"mean", "sum"}
        "mean" divides, "sum" does not.

    Returns
    -------
    ndarray of shape (n,)
        The shares; with the mean they sum to 1.

    Raises
    ------
    DataError
        When a weight is negative or not finite, all are zero, or their number is not n.
    """
    if reduction not in ("mean", "sum"):
        raise SettingError(f"reduction is {reduction!r}; it is 'mean' or 'sum'.")
    weights = np.ones(n) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if weights.shape != (n,):
        raise DataError(f"sample_weight has shape {weights.shape}; expected one per row: ({n},).")
    bad = ~(np.isfinite(weights) & (weights >= 0))
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(
            f"sample_weight of row {row} is {weights[row]:g}; weights are finite numbers >= 0."
        )
    if reduction == "sum":
        return weights
    divisor = float(weights.sum()) if total is None else total
    if not divisor > 0:
        raise DataError("All sample weights are zero, so there is nothing to learn from.")
    shares: Array = weights / divisor
    return shares


def weighted_sum(shares: Array, per_sample: Array) -> float:
    """Return sum_i share_i * l_i; a sample of share 0 is absent, even if its loss is infinite."""
    return float(np.sum(_absent_where_zero(shares, per_sample)))


def _absent_where_zero(shares: Array, values: Array) -> Array:
    with np.errstate(invalid="ignore"):  # 0 * infinity
        product: Array = shares * values
    return product if shares.all() else np.where(shares == 0, 0.0, product)


def _shares_or_mean(shares: Array | None, logits: Array) -> Array:
    return sample_shares(len(logits)) if shares is None else shares


def softmax(z: Array) -> Array:
    """Return p_i = exp(z_i) / sum_k exp(z_k) for each row, the row maximum subtracted first."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    p: Array = e / e.sum(axis=-1, keepdims=True)
    return p


def _exp(z: Array) -> Array:
    with np.errstate(over="ignore"):  # beyond 709 infinity is the right float64
        return np.exp(z)


OUTPUTS: Registry[Output] = Registry(
    "output activation",
    (
        Output("softmax", softmax, r"\frac{e^{z_i}}{\sum_k e^{z_k}}"),
        Output("sigmoid", sigmoid, r"\frac{1}{1 + e^{-z_i}}"),
        Output("identity", np.copy, r"z_i"),
        Output("exp", _exp, r"e^{z_i}"),
    ),
)


def _cross_entropy(logits: Array, targets: Array) -> Array:
    # sum_i t_i (logsumexp(z) - z_i), from differences only, so that no large z cancels another
    rows, top = np.arange(len(logits)), logits.argmax(axis=1)
    below = logits - logits[rows, top][:, None]
    others = np.exp(below)
    others[rows, top] = 0.0
    log_sum = np.log1p(others.sum(axis=1, keepdims=True))
    per_sample: Array = np.sum(targets * (log_sum - below), axis=1)
    return per_sample


def _cross_entropy_delta(logits: Array, targets: Array) -> Array:
    delta: Array = softmax(logits) - targets
    return delta


def _smooth_distribution(targets: Array, e: float) -> Array:
    smoothed: Array = (1.0 - e) * targets + e / targets.shape[1]
    return smoothed


def _binary_cross_entropy(logits: Array, targets: Array) -> Array:
    # softplus(z) - t z, written so that t = 1 with a large z cancels nothing
    terms = targets * softplus(-logits) + (1.0 - targets) * softplus(logits)
    return np.asarray(terms.sum(axis=1))


def _binary_cross_entropy_delta(logits: Array, targets: Array) -> Array:
    return sigmoid(logits) - targets


def _smooth_unit(targets: Array, e: float) -> Array:
    return (1.0 - e) * targets + e / 2.0


def _half_squared_error(logits: Array, targets: Array) -> Array:
    return np.asarray(0.5 * np.sum((targets - logits) ** 2, axis=1))


def _half_squared_error_delta(logits: Array, targets: Array) -> Array:
    return logits - targets


def _half_squared_error_sigmoid(logits: Array, targets: Array) -> Array:
    return _half_squared_error(sigmoid(logits), targets)


def _half_squared_error_sigmoid_delta(logits: Array, targets: Array) -> Array:
    p = sigmoid(logits)
    return (p - targets) * p * (1.0 - p)


def _half_squared_error_softmax(logits: Array, targets: Array) -> Array:
    return _half_squared_error(softmax(logits), targets)


def _half_squared_error_softmax_delta(logits: Array, targets: Array) -> Array:
    p = softmax(logits)
    upstream = p - targets
    # J^T (p - t) with J_ij = p_i ([i=j] - p_j), without writing J out
    delta: Array = p * (upstream - np.sum(p * upstream, axis=1, keepdims=True))
    return delta


def _poisson(logits: Array, targets: Array) -> Array:
    return np.asarray(np.sum(_exp(logits) - targets * logits, axis=1))


def _poisson_delta(logits: Array, targets: Array) -> Array:
    return _exp(logits) - targets


def _check_delta(row: Loss) -> None:
    """Compare delta_per_sample with central differences of per_sample, for 1, 2 and 5 outputs."""
    OUTPUTS[row.output]
    rng = np.random.default_rng(20240607)
    h = 1e-3
    for k in (1, 2, 5):
        logits = rng.normal(scale=1.5, size=(7, k))
        targets = _example_targets(row.targets, logits, rng)
        claimed = np.asarray(row.delta_per_sample(logits, targets))
        if claimed.shape != logits.shape:
            raise SettingError(
                f"Loss {row.name!r}: delta_per_sample has shape {claimed.shape} "
                f"for logits of shape {logits.shape}; expected the same shape."
            )
        value_shape = np.shape(row.per_sample(logits, targets))
        if value_shape != (len(logits),):
            raise SettingError(
                f"Loss {row.name!r}: per_sample has shape {value_shape} for logits of shape "
                f"{logits.shape}; expected one value per row, ({len(logits)},)."
            )
        for j in range(k):
            step = h * np.eye(k)[j]
            nearer = row.per_sample(logits + step, targets) - row.per_sample(logits - step, targets)
            further = row.per_sample(logits + 2 * step, targets) - row.per_sample(
                logits - 2 * step, targets
            )
            measured = (8.0 * nearer - further) / (12.0 * h)
            error = np.abs(measured - claimed[:, j]) / np.maximum(1.0, np.abs(measured))
            i = int(np.argmax(np.where(np.isnan(error), np.inf, error)))
            if not error[i] <= 1e-7:
                raise SettingError(
                    f"Loss {row.name!r}: delta_per_sample is not the derivative of per_sample by "
                    f"the logits. With {k} output{'s' * (k > 1)}, output {j}: it gives "
                    f"{claimed[i, j]:g}, central differences give {measured[i]:g}."
                )


def _example_targets(kind: str, logits: Array, rng: np.random.Generator) -> Array:
    if kind == "distribution":
        return softmax(rng.normal(size=logits.shape))
    if kind == "unit":
        return rng.uniform(size=logits.shape)
    if kind == "count":
        return rng.poisson(2.0, size=logits.shape).astype(np.float64)
    if kind == "real":
        return logits + rng.choice([-1, 1], size=logits.shape) * rng.uniform(0.1, 3, logits.shape)
    raise SettingError(f"targets={kind!r}; expected 'distribution', 'unit', 'real' or 'count'.")


def _check_row(row: Loss) -> None:
    _check_delta(row)
    _check_arithmetic(row)


def _check_arithmetic(row: Loss) -> None:
    """Evaluate the written formulas and compare them with value and delta."""
    if row.arithmetic is None:
        return
    rng = np.random.default_rng(20240607)
    logits = rng.normal(scale=1.5, size=(4, 3))
    targets = _example_targets(row.targets, logits, rng)
    p = OUTPUTS[row.output].f(logits)
    written = np.zeros((2, *logits.shape))
    for index in np.ndindex(logits.shape):
        names = {
            name: Operand(name, float(array[index]))
            for name, array in (("z", logits), ("t", targets), ("p", p))
        }
        for k, text in enumerate(row.arithmetic):
            if text:
                written[(k, *index)] = evaluate(parse(text, names))
    pairs = [("its value", written[0].sum(axis=1), row.per_sample(logits, targets))]
    if row.arithmetic[1]:
        pairs.append(("its delta", written[1], row.delta_per_sample(logits, targets)))
    for what, got, right in pairs:
        if not np.allclose(got, right, rtol=1e-12, atol=1e-12):
            raise SettingError(
                f"Loss {row.name!r}: the formula of {what} does not give its numbers."
            )


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
    c = positive(threshold, "The Huber threshold")

    def per_sample(logits: Array, targets: Array) -> Array:
        r = np.abs(logits - targets)
        inner = np.minimum(r, c)
        return np.asarray(np.sum(0.5 * inner**2 + c * (r - inner), axis=1))

    def delta(logits: Array, targets: Array) -> Array:
        return np.clip(logits - targets, -c, c)

    inner, outer = f"(abs(z - t) <= {c!r})", f"(abs(z - t) > {c!r})"
    pieces = r"\sum_j \tfrac{1}{2} r_j^2\,[|r_j| \le c] + c (|r_j| - \tfrac{c}{2})\,[|r_j| > c]"
    return Loss(
        name, "identity", per_sample, delta, "real",
        (pieces + r",\ r = z - t", r"\max(-c, \min(c, z_i - t_i))"),
        f"half squared error up to {c:g}, linear beyond: outliers pull with bounded force",
        arithmetic=(
            inner + f" * (z - t)**2 / 2 + {outer} * {c!r} * (abs(z - t) - {c / 2!r})",
            inner + f" * (z - t) + (z - t > {c!r}) * {c!r} - (t - z > {c!r}) * {c!r}",
        ),
    )  # fmt: skip


_BUILT_IN = (
    Loss(
        "cross_entropy", "softmax", _cross_entropy, _cross_entropy_delta, "distribution",
        (r"\ln \sum_k e^{z_k} - \sum_i t_i z_i", r"p_i - t_i"),
        "k classes, one of them true", _smooth_distribution,
        arithmetic=("-(t * log(p))", "p - t"),
    ),
    Loss(
        "binary_cross_entropy", "sigmoid", _binary_cross_entropy, _binary_cross_entropy_delta,
        "unit", (r"\sum_j \ln(1 + e^{z_j}) - t_j z_j", r"p_i - t_i"),
        "yes or no for each output, independently", _smooth_unit,
        arithmetic=("-(t * log(p) + (1 - t) * log(1 - p))", "p - t"),
    ),
    Loss(
        "half_squared_error", "identity", _half_squared_error, _half_squared_error_delta, "real",
        (r"\tfrac{1}{2} \sum_j (t_j - z_j)^2", r"z_i - t_i"), "regression",
        arithmetic=("(t - z)**2 / 2", "z - t"),
    ),
    Loss(
        "half_squared_error_sigmoid", "sigmoid", _half_squared_error_sigmoid,
        _half_squared_error_sigmoid_delta, "unit",
        (r"\tfrac{1}{2} \sum_j (t_j - p_j)^2", r"(p_i - t_i)\, p_i (1 - p_i)"),
        "squared error on sigmoid outputs, as older textbooks have it",
        arithmetic=("(t - p)**2 / 2", "(p - t) * p * (1 - p)"),
    ),
    Loss(
        "half_squared_error_softmax", "softmax", _half_squared_error_softmax,
        _half_squared_error_softmax_delta, "distribution",
        (r"\tfrac{1}{2} \sum_j (t_j - p_j)^2", r"\sum_j (p_j - t_j)\, p_j ([i = j] - p_i)"),
        "squared error (Brier score) on softmax outputs",
        arithmetic=("(t - p)**2 / 2", ""),
    ),
    huber(),
    Loss(
        "poisson", "exp", _poisson, _poisson_delta, "count",
        (r"\sum_j e^{z_j} - t_j z_j", r"e^{z_i} - t_i"),
        "counts; the term ln t!, which no weight changes, is left out",
        arithmetic=("exp(z) - t * z", "exp(z) - t"),
    ),
)  # fmt: skip

LOSSES: Registry[Loss] = Registry("loss", _BUILT_IN, _check_row)

register_loss = LOSSES.register
