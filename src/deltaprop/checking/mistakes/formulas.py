"""What mistakes in dense layers make of a number, as formulas of arrays: for a page without Python.

Each stands beside the rules of ``common.py``, ``further.py``, ``forms.py`` and ``operands.py``; a
test holds it to what they give in random networks, and tells any that has no formula here. It says
what the mistake makes of one quantity, from everything before it as it stands: nothing is carried
on.

The names are those of layer l: ``below`` is a of the layer below or x, ``delta_up``, ``W_up``,
``dW_up``, ``W_up_after`` are of layer l + 1, ``up`` is dL/da, ``slope`` f'(z), ``p`` the output,
``right`` the right numbers, ``data`` the right ones without the penalty, ``penalty`` that of the
loss, ``pen`` that of dW; ``share`` is 1/n, ``n`` counts samples, ``k`` outputs. ``_next`` and
``_before`` is the array of the same shape of another layer, of t the one-hot target of the next
class; ``_first`` and ``_last`` one sample; ``_shifted`` has each number one column to the left.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FORMULAS", "Formula"]

_CE, _BCE, _HSE = "cross_entropy", "binary_cross_entropy", "half_squared_error"
_BY_SIGMOID, _BY_SOFTMAX = f"{_HSE}_sigmoid", f"{_HSE}_softmax"
_SQUARED = (_HSE, _BY_SIGMOID, _BY_SOFTMAX)

# what stands in the place of softmax(z)
_OTHER_OUTPUTS = (
    ("softmax_index", 0, "1 / k"),
    ("softmax_index", 1, "exp(z) / sum(exp(z))"),
    ("softmax_index", 2, "exp(z) / total(sum(exp(z)))"),
    ("softmax_without_exp", 0, "z / total(z)"),
    ("sigmoid_for_softmax", 0, "sigmoid(z)"),
)


@dataclass(frozen=True)
class Formula:
    """What a form of a mistake makes of a quantity.

    Attributes
    ----------
    quantity : {"z", "a", "output", "loss", "output_delta", "delta", "dW", "db", "after"}
        Of which it is: "output" is a of the last layer, "output_delta" its delta, "after" W or b
        after the step.
    name : str
        The mistake's, as in ``MISTAKES``.
    rank : int
        0 for its commonest form, as in ``Form``.
    text : str
        The formula.
    losses : tuple of str
        With which losses it is made; with any when empty.
    when : str
        What the layer must be: "square" (of dW, z and db the weights of the layer, of delta those
        above), "oblong", "last", "bias" (b itself), or the name of its activation; "not relu" is
        any other one that is not linear. Or the network: "penalized", "bent" or "sloped" (some
        hidden layer is not linear, is a sigmoid or tanh).
    """

    quantity: str
    name: str
    rank: int
    text: str
    losses: tuple[str, ...] = ()
    when: str = ""


def _entropy(output: str, targets: str = "t") -> str:
    """Return the loss for another output."""
    return f"penalty - sum(share * total(({targets} > 0) * {targets} * log({output})))"


def _through_softmax(targets: str) -> str:
    return f"share * p * ((p - {targets}) - total(p * (p - {targets})))"


_FORWARD = (
    Formula("z", "bias_ignored", 0, "below @ W"),
    Formula("z", "swapped_weights", 0, "below @ W.T + b", when="square"),
    Formula("z", "wrong_operand", 2, "below @ W_next + b"),
    Formula("z", "wrong_operand", 4, "below_before @ W + b"),
    Formula("z", "wrong_operand", 9, "below @ W_before + b"),
    Formula("a", "activation_forgotten", 0, "z"),
    Formula("output", "activation_forgotten", 1, "z"),
    *(Formula("output", name, rank, text, (_CE,)) for name, rank, text in _OTHER_OUTPUTS),
    Formula("output", "softmax_twice", 1, "softmax(softmax(z))", (_CE,)),
)

_LOSS = (
    *(Formula("loss", name, rank, _entropy(text), (_CE,)) for name, rank, text in _OTHER_OUTPUTS),
    Formula("loss", "softmax_twice", 0, _entropy("softmax(p)"), (_CE,)),
    Formula("loss", "log10", 0, "data / log(10) + penalty", (_CE, _BCE)),
    Formula("loss", "log2", 0, "data / log(2) + penalty", (_CE, _BCE)),
    Formula("loss", "second_term_missing", 0, _entropy("p"), (_BCE,)),
    Formula("loss", "half", 1, "2 * data + penalty", _SQUARED),
    Formula("loss", "square_missing", 0, "sum(share * total(abs(t - p))) / 2 + penalty", _SQUARED),
    Formula("loss", "root_taken", 0, "sqrt(2 * data) + penalty", _SQUARED),
    Formula("loss", "root_taken", 1, "sqrt(2 * data / k) + penalty", _SQUARED),
    Formula("loss", "one_hot_shifted", 0, _entropy("p", "t_next"), (_CE,)),
    Formula("loss", "one_hot_shifted", 1, _entropy("p", "t_before"), (_CE,)),
    Formula("loss", "one_hot_shifted", 0, "sum(share * total((t_next - p)**2)) / 2 + penalty",
            (_BY_SOFTMAX,)),
    Formula("loss", "one_hot_shifted", 1, "sum(share * total((t_before - p)**2)) / 2 + penalty",
            (_BY_SOFTMAX,)),
    Formula("loss", "batch_mean", 3, "n * data + penalty"),
    Formula("loss", "batch_mean", 4, "data / n + penalty"),
    Formula("loss", "batch_mean", 5, "data / k + penalty"),
    Formula("loss", "penalty", 3, "data + 2 * penalty", when="penalized"),
    Formula("loss", "penalty", 5, "data", when="penalized"),
    Formula("loss", "penalty", 7, "data - penalty", when="penalized"),
    Formula("loss", "penalty", 8, "data + l2 / 2 * all_squares + l1 * all_sizes",
            when="penalized"),
    Formula("loss", "penalty", 10, "data + penalty / n", when="penalized"),
)  # fmt: skip

_OUTPUT_DELTA = (
    Formula("output_delta", "softmax_diagonal", 0, "share * (0 - t) * (1 - p)", (_CE,)),
    Formula("output_delta", "softmax_diagonal", 0, "share * (p - t) * p * (1 - p)",
            (_BY_SOFTMAX,)),
    Formula("output_delta", "extra_output_prime", 0, "right * p * (1 - p)", (_CE, _BCE)),
    *(
        Formula("output_delta", name, rank, f"share * ({text} - t)", (_CE,))
        for name, rank, text in _OTHER_OUTPUTS
    ),
    Formula("output_delta", "softmax_twice", 0,
            "share * p * ((softmax(p) - t) - total((softmax(p) - t) * p))", (_CE,)),
    Formula("output_delta", "sign", 0, "0 - right"),
    Formula("output_delta", "half", 0, "2 * right", _SQUARED),
    Formula("output_delta", "batch_mean", 0, "n * right"),
    Formula("output_delta", "batch_mean", 1, "right / n"),
    Formula("output_delta", "batch_mean", 2, "right / k"),
    Formula("output_delta", "one_hot_shifted", 0, "share * (p - t_next)", (_CE,)),
    Formula("output_delta", "one_hot_shifted", 1, "share * (p - t_before)", (_CE,)),
    Formula("output_delta", "one_hot_shifted", 0, _through_softmax("t_next"), (_BY_SOFTMAX,)),
    Formula("output_delta", "one_hot_shifted", 1, _through_softmax("t_before"), (_BY_SOFTMAX,)),
    Formula("output_delta", "second_term_missing", 1, "share * t * (p - 1)", (_BCE,)),
    Formula("output_delta", "missing_f_prime", 1, "share * (p - t)", (_BY_SIGMOID, _BY_SOFTMAX)),
    Formula("output_delta", "half_a_slope", 2, "share * (p - t) * p", when="sloped"),
    Formula("output_delta", "half_a_slope", 3, "share * (p - t) * (1 - p)", when="sloped"),
    Formula("output_delta", "delta_by_a", 2, "0 - share * t / p", (_CE,)),
    Formula("output_delta", "f_prime_wrong_point", 2,
            "share * (p - t) * sigmoid(p) * (1 - sigmoid(p))", (_BY_SIGMOID,)),
    Formula("output_delta", "f_prime_wrong_point", 3, "share * (p - t) * z * (1 - z)",
            (_BY_SIGMOID,)),
)  # fmt: skip

_DELTA = (
    Formula("delta", "missing_f_prime", 0, "up"),
    Formula("delta", "f_prime_wrong_point", 0, "up * f'(a)"),
    Formula("delta", "f_prime_wrong_point", 1, "up * f'(z_near)"),
    Formula("delta", "f_prime_wrong_point", 2, "up * slope_fed_with_z"),
    Formula("delta", "transpose", 0, "delta_up @ W_up * slope", when="square"),
    Formula("delta", "updated_weights", 0, "delta_up @ W_up_after.T * slope"),
    Formula("delta", "updated_weights", 1, "delta_up @ (W_up - learning_rate * dW_up).T * slope",
            when="penalized"),
    Formula("delta", "relu_gate", 0, "up * (up > 0)", when="relu"),
    Formula("delta", "relu_gate", 1, "up * (up < 0)", when="relu"),
    Formula("delta", "other_slope", 0, "up * sigmoid_slope", when="not sigmoid"),
    Formula("delta", "other_slope", 1, "up * tanh_slope", when="not tanh"),
    Formula("delta", "other_slope", 2, "up * relu_slope", when="not relu"),
    Formula("delta", "other_slope", 3, "up * a", when="bent"),
    Formula("delta", "half_a_slope", 0, "up * (1 - a)", when="sigmoid"),
    Formula("delta", "half_a_slope", 1, "up * a", when="sigmoid"),
    Formula("delta", "half_a_slope", 0, "up * (1 - a)", when="tanh"),
    Formula("delta", "half_a_slope", 1, "up * a**2", when="tanh"),
    Formula("delta", "weights_left_out", 0, "total(delta_up) * slope"),
    Formula("delta", "weights_left_out", 1, "delta_up * slope", when="square"),
    Formula("delta", "gradient_for_weights", 0, "delta_up @ dW_up.T * slope"),
    Formula("delta", "wrong_operand", 1, "delta_up @ W_up_next.T * slope"),
    Formula("delta", "wrong_operand", 8, "delta_up @ W_up_before.T * slope"),
)  # fmt: skip

_GRADIENTS = (
    Formula("dW", "transpose", 1, "delta.T @ below + pen", when="square"),
    Formula("dW", "transpose", 2, "right.T", when="square"),
    Formula("dW", "delta_by_a", 0, "below.T @ up + pen"),
    Formula("dW", "delta_by_a", 1, "below.T @ (share * (p - t)) + pen",
            (_BY_SIGMOID, _BY_SOFTMAX), "last"),
    Formula("dW", "stale_gradients", 0, "2 * right"),
    Formula("dW", "penalty", 0, "data + 2 * pen", when="penalized"),
    Formula("dW", "penalty", 1, "data + pen / 2", when="penalized"),
    Formula("dW", "penalty", 4, "data", when="penalized"),
    Formula("dW", "penalty", 6, "data - pen", when="penalized"),
    Formula("dW", "penalty", 9, "data + pen / n", when="penalized"),
    Formula("dW", "z_for_a", 0, "z_below.T @ delta + pen"),
    Formula("dW", "input_left_out", 0, "0 * data + sum(delta) + pen"),
    Formula("dW", "one_sample", 0, "below_first.T @ delta_first + pen"),
    Formula("dW", "one_sample", 1, "below_last.T @ delta_last + pen"),
    Formula("dW", "batch_mean", 6, "data / n + pen"),
    Formula("dW", "batch_mean", 7, "n * data + pen"),
    Formula("dW", "batch_mean", 8, "data / k + pen"),
    Formula("dW", "wrong_operand", 0, "any_below_before.T @ delta + pen"),
    Formula("dW", "wrong_operand", 3, "any_below_next.T @ delta + pen"),
    Formula("dW", "wrong_operand", 5, "below.T @ delta_next + pen"),
    Formula("dW", "wrong_entry", 0, "below_shifted.T @ delta + pen"),
    Formula("dW", "wrong_entry", 1, "below.T @ delta_shifted + pen"),
    Formula("dW", "swapped_entries", 0, "data_columns_turned + pen"),
    Formula("dW", "swapped_entries", 1, "data_rows_turned + pen"),
    Formula("db", "bias_frozen", 0, "0 * right"),
    Formula("db", "bias_per_weight", 0, "n_in * right"),
    Formula("db", "bias_mean", 0, "right / n"),
    Formula("db", "bias_times_input", 0, "sum(below * delta)", when="square"),
    Formula("db", "bias_times_input", 0, "sum(below_column * delta)", when="oblong"),
    Formula("db", "bias_over_everything", 0, "0 * right + total(sum(delta))"),
    Formula("db", "one_sample", 0, "delta_first"),
    Formula("db", "one_sample", 1, "delta_last"),
    Formula("db", "delta_by_a", 0, "sum(up)"),
    Formula("db", "delta_by_a", 1, "sum(share * (p - t))", (_BY_SIGMOID, _BY_SOFTMAX), "last"),
    Formula("db", "stale_gradients", 0, "2 * right"),
    Formula("db", "batch_mean", 6, "right / n"),
    Formula("db", "batch_mean", 7, "n * right"),
    Formula("db", "batch_mean", 8, "right / k"),
    Formula("db", "penalty", 2, "right + l2 * b + l1 * ((b > 0) - (b < 0))", when="penalized"),
)  # fmt: skip

_UPDATE = (
    Formula("after", "sign", 1, "2 * w - right"),
    Formula("after", "learning_rate", 0, "w - learning_rate * (w - right)"),
    Formula("after", "learning_rate", 1, "w - (w - right) / learning_rate"),
    Formula("after", "not_updated", 0, "w"),
    Formula("after", "bias_frozen", 1, "w", when="bias"),
    Formula("after", "plain_step", 0, "w - learning_rate * g"),
    Formula("after", "wrong_operand", 6, "right_by_next"),
    Formula("after", "wrong_operand", 7, "right_by_before"),
)

FORMULAS = (*_FORWARD, *_LOSS, *_OUTPUT_DELTA, *_DELTA, *_GRADIENTS, *_UPDATE)
