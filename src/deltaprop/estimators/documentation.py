"""What is said of both MLP estimators alike: their parameters and attributes, in numpydoc."""

from __future__ import annotations

import inspect
import re
import sys
from typing import TypeVar

__all__ = ["documented"]

_Kind = TypeVar("_Kind", bound=type)

_PARAMETERS = """
hidden_layer_sizes : int or sequence of int, optional
    The width of each hidden layer; empty for none. None: (100,); "fast" (96, 96, 96), "best"
    (128, 128, 128).
solver : {"adam", "sgd", "lbfgs"}, optional
    Adam, gradient descent with momentum, or L-BFGS over all rows. None: "adam". No preset takes
    one: "fast" has Adam, "best" AdamW.
alpha : float, optional
    Strength of the penalty alpha / (2 n) sum(W^2) on the weights. None: 0.0001; a preset 0.
batch_size : int or "auto", optional
    Rows per step; "auto" is min(200, n). None: "auto"; a preset about 256.
learning_rate : {"constant", "invscaling", "adaptive"} or Schedule, optional
    With "sgd": constant, divided by (rows seen + 1)^power_t, or divided by 5 wherever training
    would stop, down to 1e-6. A schedule of deltaprop is taken with every solver. None:
    "constant". No preset takes one: its waves are part of it.
power_t : float, optional
    The exponent of "invscaling". None: 0.5. No preset takes it.
max_iter : int, optional
    Epochs at most; of "lbfgs" iterations. None: 200; "fast" 128, "best" 200, both fewer from
    16,000 rows on.
shuffle : bool
    Visit the rows in a new order each epoch, as a preset always does.
random_state : int, RandomState or None
    Where initial weights, rows held out, orders and dropout come from.
tol : float, optional
    What counts as improvement; of "lbfgs" the largest entry of the gradient it ends with. None:
    0.0001. No preset takes it.
verbose : bool or int
    Print a line for each epoch; of a preset some ten lines in all, or on a terminal a bar.
warm_start : bool
    Let ``fit`` go on from the weights of the previous call, as a preset never does.
momentum : float, optional
    mu of "sgd", from 0 to 1. None: 0.9. No preset takes it.
nesterovs_momentum : bool, optional
    Whether "sgd" looks ahead along the velocity. None: True. No preset takes it.
early_stopping : bool, optional
    Hold rows out, stop when their score no longer improves, and keep the best epoch. None:
    False. No preset takes it: it holds rows out and keeps the best epoch always.
validation_fraction : float, optional
    The share of the rows held out. None: 0.1; of k members with a preset each holds out a
    k-th, a single one 0.15. With several members a preset takes only 0: none are held out.
beta_1, beta_2, epsilon : float, optional
    Of "adam"; epsilon is added to sqrt(v / (1 - beta_2^t)). None: 0.9, 0.999, 1e-8. No preset
    takes them: it has 0.9, 0.95, 1e-8.
n_iter_no_change : int or infinity, optional
    Epochs without improvement that are borne. None: 10; a preset any number.
max_fun : int, optional
    Evaluations of "lbfgs", at most. None: 15000. No preset takes it.
members : int, optional
    Networks whose outputs are averaged, with a preset; each holds out another part of the rows.
    None: "fast" 6, "best" 8.
ranges : int, optional
    Into how many ranges numbers are divided, too, with a preset; 0 for none. None: the rows
    decide whether "fast" has 16 and "best" 32, or none.
dropout : float, optional
    Probability of dropping a hidden activation in training. None: 0; "fast" 0, "best" 0.15 in
    every other network.
optimizer : str or Optimizer, optional
    An optimizer of deltaprop, with its own learning rate or schedule, instead of ``solver``;
    by its name it takes ``learning_rate_init``.
callbacks : sequence of callable
    Called with a ``TrainingState`` after each epoch; one that returns True stops training.
    Those of scikit-learn 1.9 are given by ``set_callbacks``; they are told of the fit, of each
    network, and of each epoch but those of "lbfgs".
checkpoint : path, optional
    A file to save the run to after each epoch.
resume : bool
    Go on from ``checkpoint`` if it exists.
time_budget : float, optional
    Seconds after which to stop, between two steps.
n_threads : int, optional
    At most this many threads.
engine : str
    "auto", or a key of ``ENGINES``.
dtype : {"float32", "float64", "bfloat16"}, optional
    Precision of the steps; that of X when left out. Coefficients are float64 where it is, else
    float32.
"""

_ATTRIBUTES = """
coefs_, intercepts_ : list of ndarray
    W of shape (n_in, n_out) and b of shape (n_out,) of each layer.
loss_, best_loss_ : float
    The training loss of the last epoch, and the least; None with early stopping.
loss_curve_ : list of float
    The training loss of each epoch, the mean over its rows, each taken before its step.
validation_scores_ : list of float or None
    The score of the validation rows after each epoch.
best_validation_score_ : float or None
    The highest of them.
n_iter_, t_ : int
    Epochs of the last call, and rows seen in all.
n_features_in_ : int
    Columns of X.
feature_names_in_ : ndarray of str
    Their names, where X was a data frame with such.
n_layers_, n_outputs_ : int
    Layers, the input counted, and outputs.
network_ : Network
    The description of the network.
encoder_ : TableEncoder or None
    What turns a data frame into numbers; None where X was numbers.
model_ : TableModel
    What was learnt with a preset; the other attributes tell of the first of its networks
    (``coefs_`` of the dense layers), the curves and scores of their mean.
history_ : History
    The record of the last call, with losses and seconds of each epoch.
"""


def documented(kind: _Kind) -> _Kind:
    """Complete a docstring by what is said here, in the order of the signature; return the class.

    What is particular to a class stands in its own docstring.
    """
    if kind.__doc__ is None or sys.flags.optimize > 1:  # python -OO keeps no docstrings
        return kind
    order = {name: place for place, name in enumerate(inspect.signature(kind).parameters)}
    doc = inspect.cleandoc(kind.__doc__)
    for title, shared in (("Parameters", _PARAMETERS), ("Attributes", _ATTRIBUTES)):
        start, own, rest = re.split(rf"({title}\n-+\n(?:.+\n)+)", doc, maxsplit=1)
        heading, entries = own.split("-\n", 1)
        both = re.findall(r"^\S.*\n(?: .*\n)+", entries + shared.lstrip(), re.MULTILINE)
        both.sort(key=lambda entry: order.get(re.split(r"\W", entry, maxsplit=1)[0], 0))
        doc = f"{start}{heading}-\n{''.join(both)}{rest}"
    kind.__doc__ = doc
    return kind
