"""The presets: how a table is learnt when nobody says how, from the textbook to the best there is.

``plain`` is the textbook. ``fast`` follows RealMLP-TD-S and ``best`` RealMLP-TD with an ensemble
(Holzmüller, Grinsztajn, Steinwart, "Better by default: strong pre-tuned MLPs and boosted trees on
tabular data", 2024); where they differ from it, the line that differs says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import ceil, log2
from textwrap import fill
from typing import TYPE_CHECKING, Any, TypeVar

from deltaprop.functional.registry import Registry

if TYPE_CHECKING:  # what reads the rows for a list or for help needs no numbers
    from deltaprop.table_models.plan import Facts, Plan

__all__ = ["PRESETS", "Preset", "naming_presets", "plan_for", "presets_in_words"]

Kind = TypeVar("Kind", bound=type)

# Six networks of 96 take less than half the work of one of 256, each keeps a core busy by itself,
# and their mean is better on nearly every table; see benchmarks/accuracy.py.
_FAST_WIDTHS, _FAST_MEMBERS, _FAST_EPOCHS = (96, 96, 96), 6, 128
_BEST_WIDTHS, _BEST_MEMBERS, _BEST_EPOCHS = (128, 128, 128), 8, 200
_BATCH = 256
_MANY_INPUTS_MEMBERS = 6  # of fewer each would hold out too many rows
_MANY_COLUMNS, _MOST_WEIGHTS = 20_000, 16_000_000
_FAST_RANGES, _BEST_RANGES = (0, 16), (0, 32)
_ROWS_OF_ALL_EPOCHS, _FEWEST_EPOCHS = 16_000, 24


@dataclass(frozen=True)
class Preset:
    """A way to learn tables when nobody says how."""

    name: str  # in ``Recipe(preset=...)`` and ``--preset``
    doc: str  # what it is, in a few words, for lists and help
    plan: Callable[[Facts], Plan]  # every setting, for a table of this kind


def plan_for(preset: str, facts: Facts, overrides: Mapping[str, Any]) -> Plan:
    """Return a preset's settings for a table, with overrides, of which None is none."""
    plan = PRESETS[preset].plan(facts)
    chosen = {name: value for name, value in overrides.items() if value is not None}
    alternates = plan.alternates and "dropout" not in chosen
    return replace(plan, **chosen, alternates=alternates)


def _plain(facts: Facts) -> Plan:
    from deltaprop.table_models.plan import Plan, dense
    from deltaprop.training.optimizers import GradientDescent

    epochs = 200 if facts.n_rows < 2_000 else 100 if facts.n_rows < 20_000 else 30
    eta = 0.1 / max(1.0, facts.mean_rate)  # the loss of rates bends as strongly as they are large
    return Plan(
        dense, GradientDescent, hidden=(32,), activation="tanh", dropout=0.0, learning_rate=eta,
        l2=0.0, batch_size=32, epochs=epochs, patience=epochs // 4,
    )  # fmt: skip


def _fast(facts: Facts) -> Plan:
    from deltaprop.table_models.plan import Plan, adam_with_waves, scaled

    if not facts.columns:
        return _of_many_inputs(facts, _MANY_INPUTS_MEMBERS if facts.sparse else 1)
    classes = facts.task != "regression"
    return Plan(
        scaled, adam_with_waves, hidden=_FAST_WIDTHS, activation="selu" if classes else "mish",
        dropout=0.0, learning_rate=0.04 if classes else 0.07, l2=0.0,
        batch_size=_even_batch(facts.n_rows, _FAST_MEMBERS, 2),
        epochs=_epochs(facts.n_rows, _FAST_EPOCHS), patience=None, members=_FAST_MEMBERS,
        label_smoothing=_smoothing(facts), range_choices=_FAST_RANGES, squashes=True,
        counts_errors=True,
    )  # fmt: skip


def _best(facts: Facts) -> Plan:
    from deltaprop.table_models.plan import Plan, adamw_with_waves, embedded

    if not facts.columns:
        return _of_many_inputs(facts, _MANY_INPUTS_MEMBERS)
    classes = facts.task != "regression"
    return Plan(
        embedded, adamw_with_waves, hidden=_BEST_WIDTHS, activation="selu" if classes else "mish",
        dropout=0.15, learning_rate=0.04 if classes else 0.07 if facts.divided else 0.2, l2=0.0,
        batch_size=_even_batch(facts.n_rows, _BEST_MEMBERS, 1),
        epochs=_epochs(facts.n_rows, _BEST_EPOCHS), patience=None, members=_BEST_MEMBERS,
        label_smoothing=_smoothing(facts), range_choices=_BEST_RANGES, alternates=True,
        squashes=True, counts_errors=True, embeds=True,
    )  # fmt: skip


def _of_many_inputs(facts: Facts, members: int) -> Plan:
    """Return the plan for pixels and texts."""
    from deltaprop.table_models.plan import Plan, adam_with_cosine, dense

    batch_size = int(2 ** round(log2(min(max(facts.n_rows / 64, 32), 256))))
    epochs = 120 if facts.n_rows < 2_000 else 60 if facts.n_rows < 20_000 else 30
    width = 128
    if facts.sparse and facts.n_in > _MANY_COLUMNS:  # every step moves all weights
        width, batch_size = 64, max(batch_size, 128)
        members = max(1, min(members, _MOST_WEIGHTS // (width * facts.n_in)))
    return Plan(
        dense, adam_with_cosine, hidden=(width, width), activation="silu", dropout=0.1,
        learning_rate=3e-3, l2=1e-5, batch_size=batch_size, epochs=epochs, patience=epochs // 3,
        members=members,
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


def _check(preset: Preset) -> None:
    """Raise where a preset has no network, or no optimizer, for a small table of some task."""
    from deltaprop.table_models.plan import LOSSES_OF_TASKS, Facts

    for task in LOSSES_OF_TASKS:
        facts = Facts(1, 1, 1, task)
        plan = preset.plan(facts)
        plan.network(facts)
        plan.optimizer()


PRESETS = Registry(
    "preset",
    (
        Preset("fast", "strong after seconds", _fast),
        Preset("best", "an ensemble, as accurate as networks get on tables", _best),
        Preset("plain", "the textbook, gradient descent with nothing hidden", _plain),
    ),
    _check,
)


def presets_in_words() -> str:
    """Return what the presets are, in a line for help and docstrings."""
    return "; ".join(f"{preset.name}: {preset.doc}" for preset in PRESETS.values())


def naming_presets(kind: Kind) -> Kind:
    """Fill in what the presets are, where the docstring of a class says ``{presets}``."""
    indent = " " * 8
    described = fill(presets_in_words(), 100, initial_indent=indent, subsequent_indent=indent)
    kind.__doc__ = kind.__doc__ and kind.__doc__.replace("{presets}", described.strip())
    return kind
