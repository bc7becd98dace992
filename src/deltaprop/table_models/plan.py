"""A plan: every setting of a fit, decided, and the networks and steps that come of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias

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
from deltaprop.tabular import Encoder, SparseEncoder, TableEncoder, TargetEncoder
from deltaprop.training.optimizers import Adam, AdamW, Optimizer
from deltaprop.training.schedules import Cosine, LogCosine

__all__ = [
    "LOSSES_OF_TASKS",
    "Facts",
    "Plan",
    "adam_with_cosine",
    "adam_with_waves",
    "adamw_with_waves",
    "dense",
    "embedded",
    "scaled",
]

LOSSES_OF_TASKS = {
    "classification": "cross_entropy",
    "multilabel": "binary_cross_entropy",
    "regression": "half_squared_error",
}
Layers: TypeAlias = list[Layer | Dropout]

_SCALE = Scaling(learning_rate_factor=6.0)
_MOST_WAVES = 512  # numbers that may have them; a layer reads five for one


@dataclass(frozen=True)
class Facts:
    """What a preset looks at before it decides."""

    n_rows: int  # to learn from
    n_in: int  # inputs and outputs of the network
    n_out: int
    task: str  # "classification", "regression" or "multilabel"
    # whether the inputs are columns of numbers and categories; not the pixels of images, nor the
    # thousands of terms of a text, of which a row has few
    columns: bool = True
    n_numbers: int = 0  # how many of the first inputs are numbers
    categories: tuple[int, ...] = ()  # sizes of the one-hot groups at the end, those with many
    divided: bool = False  # whether numbers have their shares of ranges beside them
    sparse: bool = False  # whether the inputs are a sparse matrix
    mean_rate: float = 0.0  # of the targets, where they are counts or rates and learnt as they are

    @classmethod
    def of(cls, inputs: Encoder, target: TargetEncoder, n_rows: int) -> Facts:
        """Return what the encoders of a table tell; of its rows, their number."""
        columns = isinstance(inputs, TableEncoder) and not inputs.is_sparse
        sparse = isinstance(inputs, SparseEncoder)
        return cls(
            n_rows, inputs.n_outputs, target.n_outputs, target.task, columns=columns, sparse=sparse
        )


@dataclass(frozen=True)
class Plan:
    """Every setting of a fit, decided; those without a word here are as for ``Recipe``."""

    layers: Callable[[Plan, Facts], Layers]  # what the network is made of
    steps: Callable[[float], Optimizer]  # of eta, the highest learning rate: what takes the steps
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
    # into how many ranges numbers may be divided, 0 for none; of several the rows choose
    range_choices: tuple[int, ...] = (0,)
    alternates: bool = False  # whether every other member has no dropout
    squashes: bool = False  # whether numbers stay between the least and the largest learnt
    # whether the best epoch has the fewest errors, the last of equals; else the lowest loss
    counts_errors: bool = False
    embeds: bool = False  # whether columns are put in order: numbers first, large categories last
    loss: str | None = None

    def counts_errors_of(self, task: str) -> bool:
        """Return whether the fewest errors choose the epoch of this task.

        Not of several labels, of which a row is hardly ever right in all, nor wherever a loss was
        chosen.
        """
        usual = self.loss in (None, "half_squared_error")
        return self.counts_errors and task != "multilabel" and usual

    def networks(self, facts: Facts) -> list[Network]:
        """Return each member's network; all have the same parameters."""
        network = self.network(facts)
        if not self.alternates:
            return [network] * self.members
        other = replace(self, dropout=0.0).network(facts)
        return [(network, other)[i % 2] for i in range(self.members)]

    def network(self, facts: Facts) -> Network:
        """Return the network of the first member."""
        smoothing = self.label_smoothing if facts.task != "regression" else 0.0
        loss = self.loss or LOSSES_OF_TASKS[facts.task]
        return Network.from_layers(
            facts.n_in, self.layers(self, facts), loss, l2=self.l2, label_smoothing=smoothing
        )

    def optimizer(self) -> Optimizer:
        """Return what takes the steps."""
        return self.steps(self.learning_rate)


def dense(plan: Plan, facts: Facts) -> Layers:
    """Return dense layers, and nothing else but dropout."""
    return [*_hidden(plan, lambda width: [Dense(width, plan.activation)]), Dense(facts.n_out)]


def scaled(plan: Plan, facts: Facts) -> Layers:
    """Return dense layers in NTK parametrization behind a learnt scale."""
    hidden = _hidden(plan, lambda width: [_ntk(width, plan.activation)])
    return [_SCALE, *hidden, _ntk(facts.n_out, None, "zeros")]


def embedded(plan: Plan, facts: Facts) -> Layers:
    """Return the same with embeddings before them, and activations that are learnt, too."""
    layers: Layers = []
    if not facts.divided and 0 < facts.n_numbers <= _MOST_WAVES:  # ranges do what waves do, at once
        layers.append(PeriodicEmbedding(facts.n_numbers, learning_rate_factor=0.1))
    if facts.categories:
        layers.append(CategoryEmbedding(facts.categories, 8))
    learnt = ParametricActivation(plan.activation, learning_rate_factor=0.1)
    hidden = _hidden(plan, lambda width: [_ntk(width, None), learnt])
    return [*layers, _SCALE, *hidden, _ntk(facts.n_out, None, "zeros")]


def _hidden(plan: Plan, layers_of: Callable[[int], Iterable[Layer]]) -> Layers:
    layers: Layers = []
    for width in plan.hidden:
        layers += [*layers_of(width), *([Dropout(plan.dropout)] if plan.dropout else [])]
    return layers


def _ntk(width: int, activation: str | None, initializer: str = "standard_normal") -> Dense:
    return Dense(
        width,
        activation,
        initializer=initializer,
        parametrization="ntk",
        bias_initializer=initializer,
        bias_learning_rate_factor=0.1,
    )


def adam_with_cosine(eta: float) -> Optimizer:
    """Return Adam, its learning rate falling from eta to 0."""
    return Adam(Cosine(eta))


def adam_with_waves(eta: float) -> Optimizer:
    """Return Adam with waves of the learning rate, up to eta."""
    return Adam(LogCosine(eta), beta_2=0.95)


def adamw_with_waves(eta: float) -> Optimizer:
    """Return the same with weight decay."""
    return AdamW(LogCosine(eta), 0.02, beta_2=0.95)
