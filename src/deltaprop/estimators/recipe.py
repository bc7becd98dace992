"""How a table is learnt when nobody says how: sizes, optimizer, epochs, by the number of rows."""

from __future__ import annotations

from dataclasses import dataclass
from math import log2

from deltaprop.errors import SettingError
from deltaprop.model.spec import Network
from deltaprop.training.batches import check_seed
from deltaprop.training.checks import check_settings
from deltaprop.training.optimizers import Adam
from deltaprop.training.schedules import Cosine

__all__ = ["Recipe"]


@dataclass(frozen=True)
class Recipe:
    """Settings of a fit; None means: choose by the table.

    Attributes
    ----------
    hidden : tuple of int
        Widths of the hidden layers; empty for linear, logistic or softmax regression.
    activation : str
        Of every hidden layer.
    dropout : float
        Probability of dropping a hidden activation.
    learning_rate : float
        Of Adam at the start; it falls to 0 as a cosine.
    l2 : float
        Penalty on the weights.
    batch_size : int, optional
        Rows per step; a 64th of the rows as a power of two, from 32 to 256.
    epochs : int, optional
        Passes at most; 120 for a small table, 60 from 2,000 rows, 30 from 20,000.
    patience : int, optional
        Epochs without improvement before it stops; a third of the epochs.
    validation_share : float
        Share of the rows held out to choose the best epoch, when no validation table is given.
    seed : int
        Of the split, the initial weights, shuffling and dropout.
    engine : str
        Which engine runs the steps.
    time_budget : float, optional
        Seconds after which training stops.
    calibrate : bool
        Whether the validation rows also fit the temperature of the probabilities (classes only).
    """

    hidden: tuple[int, ...] = (128, 128)
    activation: str = "silu"
    dropout: float = 0.1
    learning_rate: float = 3e-3
    l2: float = 1e-5
    batch_size: int | None = None
    epochs: int | None = None
    patience: int | None = None
    validation_share: float = 0.15
    seed: int = 0
    engine: str = "auto"
    time_budget: float | None = None
    calibrate: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.validation_share < 1:
            raise SettingError(
                f"validation_share is {self.validation_share!r}; it is a share of the rows, in "
                "[0, 1)."
            )
        if not 0 <= self.dropout < 1:
            raise SettingError(f"dropout is {self.dropout!r}; it is a number from 0 up to below 1.")
        if not isinstance(self.calibrate, bool):
            raise SettingError(f"calibrate is {self.calibrate!r}; it is True or False.")
        check_seed(self.seed)
        epochs = 1 if self.epochs is None else self.epochs
        check_settings(
            self.batch_size, epochs, "float32", self.patience, 0.0, self.time_budget, None
        )
        # every other setting is checked where it is used: there, on the smallest table
        self.network(1, 1, "half_squared_error")
        self.optimizer()

    def network(self, n_in: int, n_out: int, loss: str) -> Network:
        """Return the network for a table with these inputs and outputs."""
        return Network(
            [n_in, *self.hidden, n_out],
            hidden=self.activation,
            loss=loss,
            dropout=self.dropout,
            l2=self.l2,
        )

    def optimizer(self) -> Adam:
        """Return Adam whose learning rate falls as a cosine."""
        return Adam(Cosine(self.learning_rate))

    def batch_size_for(self, n: int) -> int:
        """Return the rows of a step for a table of n rows."""
        if self.batch_size is not None:
            return self.batch_size
        return int(2 ** round(log2(min(max(n / 64, 32), 256))))

    def epochs_for(self, n: int) -> int:
        """Return the passes, at most, for a table of n rows."""
        if self.epochs is not None:
            return self.epochs
        return 120 if n < 2_000 else 60 if n < 20_000 else 30

    def patience_for(self, n: int) -> int:
        """Return the epochs without improvement before it stops."""
        return max(1, self.epochs_for(n) // 3) if self.patience is None else self.patience
