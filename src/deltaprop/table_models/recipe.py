"""How a table is learnt: a preset with overrides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from deltaprop.errors import SettingError, UnknownNameError, nearest_name, shown
from deltaprop.functional.losses import LOSSES
from deltaprop.functional.settings import positive_int
from deltaprop.model.stored import record
from deltaprop.table_models.plan import Facts, Plan
from deltaprop.table_models.presets import PRESETS, naming_presets, plan_for
from deltaprop.table_models.scoring import ClassWeight, Metric, check_class_weight, check_metric
from deltaprop.training.batches import check_seed
from deltaprop.training.checks import check_computing, check_stopping

__all__ = ["Recipe", "losses_of_numbers"]

_SHARE = 0.15


@naming_presets
@dataclass(frozen=True)
class Recipe:
    """Settings of a fit; None means: as the preset has it for this table.

    Attributes
    ----------
    preset : str
        {presets}.
    hidden : tuple of int, optional
        Widths of the hidden layers; empty for linear, logistic or softmax regression.
    activation : str, optional
        Of every hidden layer.
    dropout : float, optional
        Probability of dropping a hidden activation.
    learning_rate : float, optional
        The highest learning rate.
    l2 : float, optional
        Penalty on the weights.
    batch_size : int, optional
        Rows per step.
    epochs : int, optional
        Passes at most.
    patience : int, optional
        Epochs without improvement before it stops.
    members : int, optional
        Networks whose outputs are averaged. Each holds out another share of the rows.
    ranges : int, optional
        Into how many ranges numbers are divided, too (``TableEncoder.with_ranges``); 0 for none.
        When left out, "fast" and "best" find out whether that helps.
    label_smoothing : float, optional
        e in t' = (1 - e) t + e / k; classes only.
    validation_share : float, optional
        Share of the rows that a single member holds out to choose the best epoch, when no
        validation table is given; 0.15 when left out. Each of k members holds out a k-th, or with
        0 none does.
    seed : int
        Of the split, the initial weights, shuffling and dropout.
    engine : str
        Which engine runs the steps.
    time_budget : float, optional
        Seconds that a fit may take, start to end. After a look at this machine's speed fewer epochs
        are planned than the preset has, where those would be too few fewer members, and of a table
        that cannot be encoded in a tenth of the time fewer rows, drawn by lot.
    calibrate : bool, optional
        Whether the rows held out also fit the temperature of the probabilities (classes only).
        When left out, they do where there are some.
    loss : str, optional
        What is minimized where numbers are predicted, "half_squared_error" when left out: "poisson"
        for counts and rates, "huber", or any other loss for numbers that is registered. The target
        is a number then, whatever it looks like. Of "poisson", and of any loss whose output is not
        the identity, the targets are learnt as they are; else standardized, so that the threshold
        of "huber" is one standard deviation. The epoch with the least loss is kept; of counts that
        is the one with the least mean Poisson deviance.
    metric : str or callable, optional
        What chooses the best epoch, on the rows held out: "accuracy", "balanced_accuracy", "f1"
        (the mean over the classes), "auc" or "log_loss" of classes, "r2", "rmse", "mae" or
        "poisson_deviance" of numbers; or ``metric(outputs, targets)``, higher being better, which
        is given probabilities of shape (n, k) and places in the sorted classes, of several labels 0
        and 1 of shape (n, k), or numbers in the target's unit. A
        callable is not saved with the model.
    class_weight : "balanced" or dict, optional
        A further factor of each row's weight, by its class (1 where it is not named); "balanced"
        is n / (classes * rows of the class). The probabilities are then those of such rows.
    remember_rows : bool
        Whether the model keeps a few bytes of each row, so that ``evaluate`` can say which rows it
        has learnt. Whoever has the model can then find out whether a row they know was among them.
    """

    preset: str = "fast"
    hidden: tuple[int, ...] | None = None
    activation: str | None = None
    dropout: float | None = None
    learning_rate: float | None = None
    l2: float | None = None
    batch_size: int | None = None
    epochs: int | None = None
    patience: int | None = None
    members: int | None = None
    ranges: int | None = None
    label_smoothing: float | None = None
    validation_share: float | None = None
    seed: int = 0
    engine: str = "auto"
    time_budget: float | None = None
    calibrate: bool | None = None
    metric: Metric | None = None
    class_weight: ClassWeight | None = None
    loss: str | None = None
    remember_rows: bool = True

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            near = nearest_name(str(self.preset), PRESETS)
            hint = f" Did you mean {near!r}?" if near else ""
            raise SettingError(
                f"preset is {shown(self.preset)}; it is one of {', '.join(PRESETS)}.{hint}"
            )
        if not 0 <= self.held_share < 1:
            raise SettingError(
                f"validation_share is {self.validation_share!r}; it is a share of the rows, in "
                "[0, 1)."
            )
        for name in ("dropout", "label_smoothing"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < 1:
                raise SettingError(f"{name} is {value!r}; it is a number from 0 up to below 1.")
        if self.calibrate is not None and not isinstance(self.calibrate, bool):
            raise SettingError(f"calibrate is {self.calibrate!r}; it is None, True or False.")
        if self.members is not None:
            positive_int(self.members, "members")
        if self.ranges is not None and self.ranges != 0:
            positive_int(self.ranges, "ranges")
        if self.loss is not None and self.loss not in losses_of_numbers():
            raise UnknownNameError("loss for numbers", self.loss, losses_of_numbers())
        if not isinstance(self.remember_rows, bool):
            raise SettingError(f"remember_rows is {self.remember_rows!r}; it is True or False.")
        check_metric(self.metric)
        check_class_weight(self.class_weight)
        check_seed(self.seed)
        epochs = 1 if self.epochs is None else self.epochs
        check_computing(self.batch_size, "float32", None)
        check_stopping(epochs, self.patience, 0.0, self.time_budget)
        # every other setting is checked where it is used: there, on the smallest table
        smallest = Facts(1, 1, 1, "regression")
        plan = self.plan(smallest)
        plan.network(smallest)
        plan.optimizer()

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain data, ready for JSON; without a metric that is no name."""
        facts = {item.name: getattr(self, item.name) for item in fields(self)}
        if not isinstance(self.metric, str):
            facts["metric"] = None
        if isinstance(self.class_weight, Mapping):
            facts["class_weight"] = {str(k): float(v) for k, v in self.class_weight.items()}
        return facts

    @classmethod
    def from_dict(cls, data: object) -> Recipe:
        """Return the recipe that ``to_dict`` described.

        Raises
        ------
        DataError, SettingError
            Anything that ``to_dict`` would not have written; the values may come from a stranger.
        """
        return record(cls, data, "recipe")

    @property
    def held_share(self) -> float:
        """Return the share of the rows that a single member holds out."""
        return _SHARE if self.validation_share is None else self.validation_share

    @property
    def standardizes(self) -> bool:
        """Return whether numbers are learnt less their mean, in deviations; else as they are."""
        row = LOSSES[self.loss or "half_squared_error"]
        return row.targets == "real" and row.output == "identity"

    def plan(self, facts: Facts) -> Plan:
        """Return every setting for a table of this kind."""
        overrides = {item.name: getattr(self, item.name, None) for item in fields(Plan)}
        if self.ranges is not None:
            overrides["range_choices"] = (self.ranges,)
        return plan_for(self.preset, facts, overrides)

    def seeds(self, members: int) -> list[int]:
        """Return the seed of each member's start, order and masks."""
        return [(self.seed + 1_000_003 * i) % 2**64 for i in range(members)]


def losses_of_numbers() -> tuple[str, ...]:
    """Return the names of the losses that learn numbers, not classes."""
    return tuple(name for name, row in LOSSES.items() if row.targets in ("real", "count"))
