"""What a report says, as plain numbers and texts; nothing here knows how it is drawn."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from deltaprop.table_models import Evaluation
from deltaprop.table_models.calibration import Calibration
from deltaprop.training.history import History

__all__ = [
    "MOST_LOOKED_AT",
    "ClassRow",
    "ColumnFacts",
    "ColumnImportance",
    "Confusion",
    "Figures",
    "Finding",
    "HardRow",
    "Importance",
    "NumberFigures",
    "Origin",
]


MOST_LOOKED_AT = 2000  # columns whose leakage is looked for


@dataclass(frozen=True)
class Origin:
    """What was learnt from what, and how it is done again.

    Attributes
    ----------
    source : str
        What the table is called.
    target : tuple of str
        What was predicted.
    classes : tuple of str
        The classes; empty for numbers.
    n_train, n_val : int
        Rows learnt from, and rows that chose the best epoch.
    own_validation : bool
        Whether the validation rows were given, and not held out of the table.
    n_columns, n_inputs : int
        Columns of the table, and numbers per row that they became.
    sizes : tuple of int
        Neurons of every layer, the input first.
    n_parameters : int
        Numbers that were learnt.
    recipe : str
        The settings, as Python writes them.
    seconds : float
        How long the training took.
    n_members : int
        Networks whose outputs are averaged.
    command : str
        What repeats the run; empty when it was not started from the command line.
    versions : dict of str
        deltaprop, Python and NumPy.
    """

    source: str
    target: tuple[str, ...]
    classes: tuple[str, ...]
    n_train: int
    n_val: int
    own_validation: bool
    n_columns: int
    n_inputs: int
    sizes: tuple[int, ...]
    n_parameters: int
    recipe: str
    seconds: float
    n_members: int
    command: str
    versions: dict[str, str]

    @property
    def folded(self) -> bool:
        """Return whether each row was held out from one of several members, and from no other."""
        return self.n_members > 1 and not self.own_validation and 0 < self.n_val == self.n_train


@dataclass(frozen=True)
class ClassRow:
    """One class.

    Attributes
    ----------
    name : str
        The class.
    learnt : int
        Training rows of it.
    rows : int
        Judged rows of it (its support).
    precision, recall, f1 : float or None
        Of the judged rows; None where there is nothing to divide by.
    """

    name: str
    learnt: int
    rows: int
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True)
class Confusion:
    """Which classes are taken for which.

    Attributes
    ----------
    matrix : tuple of tuple of int
        Judged rows by true class (rows) and predicted class (columns); empty for many classes.
    commonest : tuple of (int, int, int)
        True class, predicted class, rows: the mistakes, the commonest first.
    n_mistakes : int
        Rows that were wrong.
    """

    matrix: tuple[tuple[int, ...], ...]
    commonest: tuple[tuple[int, int, int], ...]
    n_mistakes: int


@dataclass(frozen=True)
class NumberFigures:
    """One predicted number.

    Attributes
    ----------
    name : str
        The target.
    r2, rmse, mae : float
        Of the judged rows, in the target's unit.
    points : tuple of (float, float)
        True and predicted, of a sample of the judged rows.
    n_rows : int
        Judged rows in all.
    poisson_deviance : float or None
        Of counts: the mean of 2 (t ln(t / p) - t + p).
    """

    name: str
    r2: float
    rmse: float
    mae: float
    points: tuple[tuple[float, float], ...]
    n_rows: int
    poisson_deviance: float | None = None


@dataclass(frozen=True)
class ColumnImportance:
    """What shuffling one column costs: mean and standard deviation over the shuffles.

    Attributes
    ----------
    name : str
        The column, or a patch of an image.
    loss_rise, loss_spread : float
        By how much the log loss rises, or the RMSE in the target's unit.
    score_drop, score_spread : float
        By how much the accuracy, or R^2, falls.
    """

    name: str
    loss_rise: float
    loss_spread: float
    score_drop: float
    score_spread: float


@dataclass(frozen=True)
class Importance:
    """Permutation importance on the judged rows.

    Attributes
    ----------
    columns : tuple of ColumnImportance
        The most important first.
    n_candidates : int
        Columns there are; when more than ``columns``, the strongest were taken.
    rows, shuffles : int
        Rows that were predicted, and how often each column was shuffled.
    grid : tuple of int
        Of an image: patches from top to bottom and from left to right; else empty.
    places : tuple of int
        Where in the grid each entry of ``columns`` stands.
    """

    columns: tuple[ColumnImportance, ...]
    n_candidates: int
    rows: int
    shuffles: int
    grid: tuple[int, ...] = ()
    places: tuple[int, ...] = ()


@dataclass(frozen=True)
class HardRow:
    """One of the rows with the largest loss.

    Attributes
    ----------
    row : int
        Its number in its table, from 1.
    cells : tuple of (str, str)
        Columns and cells, the most important columns first.
    n_more : int
        Columns that are not shown.
    true, predicted : str
        The answer and the prediction.
    probability : float or None
        What the true class was given; None for numbers.
    loss : float
        -log p of its class; of numbers the absolute error in the target's unit.
    image : tuple of tuple of float
        Its pixels, where the row is an image; ink from 0 to 1.
    """

    row: int
    cells: tuple[tuple[str, str], ...]
    n_more: int
    true: str
    predicted: str
    probability: float | None
    loss: float
    image: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True)
class ColumnFacts:
    """What was made of a column: its name, its kind, what was done, and its missing cells."""

    name: str
    kind: str
    done: str
    missing: int


@dataclass(frozen=True)
class Finding:
    """Something that is worth a look.

    Attributes
    ----------
    kind : str
        A key of the wording: ``finding KIND``.
    values : dict
        What the sentence is filled with.
    serious : bool
        Whether the figures of the report cannot be trusted before this is cleared up.
    """

    kind: str
    values: dict[str, Any]
    serious: bool = False


@dataclass(frozen=True)
class Figures:
    """All figures about one training.

    Attributes
    ----------
    task : str
        "classification", "regression" or "multilabel".
    origin : Origin
        What was learnt from what.
    history : History
        The epochs.
    training, validation : Evaluation or None
        Figures on training rows (a sample of a very large table), and on validation rows.
    interval : tuple of float, optional
        Where the accuracy lies with 95 % confidence, by Wilson's formula; or R^2.
    classes : tuple of ClassRow
        One each, or one for each label; empty for numbers.
    confusion : Confusion or None
        None for numbers and for labels.
    numbers : tuple of NumberFigures
        One per predicted number; empty for classes.
    calibration : Calibration or None
        None for numbers, and without validation rows.
    importance : Importance
        What each column is worth.
    hardest : tuple of HardRow
        The largest losses first.
    columns : tuple of ColumnFacts
        What was made of them.
    findings : tuple of Finding
        Warnings, the serious ones first.
    remarks : tuple of str
        What was said while the table was read, in English.
    """

    task: str
    origin: Origin
    history: History
    training: Evaluation
    validation: Evaluation | None
    interval: tuple[float, float] | None
    classes: tuple[ClassRow, ...]
    confusion: Confusion | None
    numbers: tuple[NumberFigures, ...]
    calibration: Calibration | None
    importance: Importance
    hardest: tuple[HardRow, ...]
    columns: tuple[ColumnFacts, ...]
    findings: tuple[Finding, ...]
    remarks: tuple[str, ...] = ()

    @property
    def judged(self) -> Evaluation:
        """Return the figures on validation rows, or where there are none, on training rows."""
        return self.training if self.validation is None else self.validation

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)
