"""The presets: how a table is learnt when nobody says how, from the textbook to the best there is.

``plain`` is the textbook. ``fast`` follows RealMLP-TD-S and ``best`` RealMLP-TD with an ensemble
(Holzmüller, Grinsztajn, Steinwart, "Better by default: strong pre-tuned MLPs and boosted trees on
tabular data", 2024); where they differ from it, the line that differs says why.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, log2
from typing import Any

from deltaprop.model.layers import (
    CategoryEmbedding,
    Dense,
    Dropout,
    Layer,
    ParametricActivation,
    PeriodicEmbedding,
    Scaling,
)
from deltaprop.model.spec import Network
from deltaprop.training.optimizers import Adam, AdamW, GradientDescent, Optimizer
from deltaprop.training.schedules import Cosine, LogCosine

__all__ = ["PRESETS", "Facts", "Plan", "plan_for"]

PRESETS = ("fast", "best", "plain")
_LOSSES = {
    "classification": "cross_entropy",
    "multilabel": "binary_cross_entropy",
    "regression": "half_squared_error",
}


@dataclass(frozen=True)
class Facts:
    """What a preset looks at before it decides.

    Attributes
    ----------
    n_rows : int
        Rows to learn from.
    n_in, n_out : int
        Inputs and outputs of the network.
    task : {"classification", "regression", "multilabel"}
        What is predicted.
    columns : bool
        Whether the inputs are columns of numbers and categories; not the pixels of images, nor
        the thousands of terms of a text, of which a row has few.
    n_numbers : int
        How many of the first inputs are numbers.
    categories : tuple of int
        The sizes of the one-hot groups that the last inputs are, those with many categories.
    divided : bool
        Whether numbers have their shares of ranges beside them.
    sparse : bool
        Whether the inputs are a sparse matrix.
    """

    n_rows: int
    n_in: int
    n_out: int
    task: str
    columns: bool = True
    n_numbers: int = 0
    categories: tuple[int, ...] = ()
    divided: bool = False
    sparse: bool = False


@dataclass(frozen=True)
class Plan:
    """Every setting of a fit, decided.

    Attributes
    ----------
    form : {"textbook", "compact", "scaled", "embedded"}
        How the layers are made: plain dense ones; the same with Adam and dropout, for pixels and
        texts; in NTK parametrization behind a learnt scale; with embeddings before them, too.
    hidden, activation, dropout, learning_rate, l2, batch_size, epochs, patience, members
        As for ``Recipe``.
    label_smoothing, weight_decay : float
        As for ``Network`` and ``AdamW``.
    range_choices : tuple of int
        Into how many ranges numbers may be divided (``TableEncoder.with_ranges``), 0 for none;
        of several the rows choose.
    alternates : bool
        Whether every other member has no dropout.
    loss : str or None
        As for ``Recipe``.
    """

    form: str
    hidden: tuple[int, ...]
    activation: str
    dropout: float
    learning_rate: float
    l2: float
    batch_size: int
    epochs: int
    patience: int | None
    members: int = 1
    label_smoothing: float = 0.0
    weight_decay: float = 0.0
    range_choices: tuple[int, ...] = (0,)
    alternates: bool = False
    loss: str | None = None

    @property
    def squashes(self) -> bool:
        """Return whether numbers stay between the least and the largest that were learnt."""
        return self.form in ("scaled", "embedded")

    def counts_errors(self, task: str) -> bool:
        """Return whether the best epoch is the one with the fewest errors, the last of equals.

        Else it is the one with the lowest loss: of several labels, of which a row is hardly ever
        right in all, and wherever a loss was chosen.
        """
        usual = self.loss in (None, "half_squared_error")
        return self.squashes and task != "multilabel" and usual

    def networks(self, facts: Facts) -> list[Network]:
        """Return each member's network; all have the same parameters."""
        network = self.network(facts)
        if not self.alternates:
            return [network] * self.members
        other = replace(self, dropout=0.0).network(facts)
        return [(network, other)[i % 2] for i in range(self.members)]

    def network(self, facts: Facts) -> Network:
        """Return the network of the first member."""
        loss = self.loss or _LOSSES[facts.task]
        smoothing = self.label_smoothing if facts.task != "regression" else 0.0
        if self.form in ("textbook", "compact"):
            return Network(
                [facts.n_in, *self.hidden, facts.n_out],
                hidden=self.activation,
                loss=loss,
                dropout=self.dropout,
                l2=self.l2,
                label_smoothing=smoothing,
            )
        layers: list[Layer | Dropout] = []
        embeds = self.form == "embedded"
        waves = embeds and not facts.divided  # ranges do what waves do, at once
        if waves and 0 < facts.n_numbers <= _MOST_WAVES:
            layers.append(PeriodicEmbedding(facts.n_numbers, learning_rate_factor=0.1))
        if embeds and facts.categories:
            layers.append(CategoryEmbedding(facts.categories, 8))
        layers.append(Scaling(learning_rate_factor=6.0))
        for width in self.hidden:
            layers.append(_dense(width, None if embeds else self.activation, "standard_normal"))
            if embeds:
                layers.append(ParametricActivation(self.activation, learning_rate_factor=0.1))
            if self.dropout:
                layers.append(Dropout(self.dropout))
        layers.append(_dense(facts.n_out, None, "zeros"))
        return Network.from_layers(facts.n_in, layers, loss, l2=self.l2, label_smoothing=smoothing)

    def optimizer(self) -> Optimizer:
        """Return what takes the steps."""
        eta = self.learning_rate
        if self.form == "textbook":
            return GradientDescent(eta)
        if self.form == "compact":
            return Adam(Cosine(eta))
        waves = LogCosine(eta)
        if self.weight_decay:
            return AdamW(waves, self.weight_decay, beta_2=0.95)
        return Adam(waves, beta_2=0.95)


def _dense(width: int, activation: str | None, initializer: str) -> Dense:
    return Dense(
        width,
        activation,
        initializer=initializer,
        parametrization="ntk",
        bias_initializer="zeros" if initializer == "zeros" else "standard_normal",
        bias_learning_rate_factor=0.1,
    )


def plan_for(preset: str, facts: Facts, chosen: dict[str, Any]) -> Plan:
    """Return the preset's settings for a table, with those that somebody chose in their place."""
    if preset == "plain":
        plan = _textbook(facts)
    elif not facts.columns:
        members = _SPARSE_MEMBERS if facts.sparse else 1
        plan = _compact(facts, members if preset == "fast" else _COMPACT_MEMBERS)
    else:
        plan = _scaled(facts) if preset == "fast" else _embedded(facts)
    chosen = {name: value for name, value in chosen.items() if value is not None}
    alternates = plan.alternates and "dropout" not in chosen
    return replace(plan, **chosen, alternates=alternates)


def _textbook(facts: Facts) -> Plan:
    epochs = 200 if facts.n_rows < 2_000 else 100 if facts.n_rows < 20_000 else 30
    return Plan("textbook", (32,), "tanh", 0.0, 0.1, 0.0, 32, epochs, epochs // 4)


def _compact(facts: Facts, members: int) -> Plan:
    batch_size = int(2 ** round(log2(min(max(facts.n_rows / 64, 32), 256))))
    epochs = 120 if facts.n_rows < 2_000 else 60 if facts.n_rows < 20_000 else 30
    width = 128
    if facts.sparse and facts.n_in > _MANY_COLUMNS:  # every step moves all weights
        width, batch_size = 64, max(batch_size, 128)
        members = max(1, min(members, _MOST_WEIGHTS // (width * facts.n_in)))
    return Plan(
        "compact", (width, width), "silu", 0.1, 3e-3, 1e-5, batch_size, epochs, epochs // 3, members
    )


# Six networks of 96 take less than half the work of one of 256, each keeps a core busy by itself,
# and their mean is better on nearly every table; see benchmarks/accuracy.py.
_FAST_WIDTHS, _FAST_MEMBERS, _FAST_EPOCHS = (96, 96, 96), 6, 128
_BEST_WIDTHS, _BEST_MEMBERS, _BEST_EPOCHS = (128, 128, 128), 8, 200
_BATCH = 256
_COMPACT_MEMBERS, _SPARSE_MEMBERS = 6, 6  # of fewer each would hold out too many rows
_MANY_COLUMNS, _MOST_WEIGHTS = 20_000, 16_000_000
_FAST_RANGES, _BEST_RANGES = (0, 16), (0, 32)
_MOST_WAVES = 512  # numbers that may have them; a layer reads five for one
_ROWS_OF_ALL_EPOCHS, _FEWEST_EPOCHS = 16_000, 24


def _scaled(facts: Facts) -> Plan:
    classes = facts.task != "regression"
    return Plan(
        "scaled", _FAST_WIDTHS, "selu" if classes else "mish", 0.0, 0.04 if classes else 0.07, 0.0,
        _even_batch(facts.n_rows, _FAST_MEMBERS, 2), _epochs(facts.n_rows, _FAST_EPOCHS), None,
        members=_FAST_MEMBERS, label_smoothing=_smoothing(facts), range_choices=_FAST_RANGES,
    )  # fmt: skip


def _embedded(facts: Facts) -> Plan:
    classes = facts.task != "regression"
    eta = 0.04 if classes else 0.07 if facts.divided else 0.2
    return Plan(
        "embedded", _BEST_WIDTHS, "selu" if classes else "mish", 0.15, eta, 0.0,
        _even_batch(facts.n_rows, _BEST_MEMBERS, 1), _epochs(facts.n_rows, _BEST_EPOCHS), None,
        members=_BEST_MEMBERS, label_smoothing=_smoothing(facts), weight_decay=0.02,
        range_choices=_BEST_RANGES, alternates=True,
    )  # fmt: skip


def _smoothing(facts: Facts) -> float:
    # of several labels most are false, and smoothing would make all of them likelier
    return 0.0 if facts.task == "multilabel" else 0.1


def _even_batch(n_rows: int, members: int, steps: int) -> int:
    """Return about 256 rows, so many that no step of a member is left with a few.

    Of few rows an epoch has so many ``steps`` at least, as far as each gets 64 or more.
    """
    learnt = n_rows - n_rows // members
    steps = max(round(learnt / _BATCH), min(steps, ceil(learnt / (_BATCH // 2))))
    return max(1, ceil(learnt / max(1, steps)))


def _epochs(n_rows: int, most: int) -> int:
    """Return the passes: fewer over a table that has more rows."""
    return max(_FEWEST_EPOCHS, min(most, round(most * _ROWS_OF_ALL_EPOCHS / max(n_rows, 1))))
