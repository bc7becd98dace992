"""``deltaprop train --report``: the page beside the model."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from deltaprop.cli.outputs import check_outputs

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from deltaprop.table_models import TableModel
    from deltaprop.tabular import Dataset

__all__ = ["Wanted", "repeating"]


@dataclass(frozen=True)
class Wanted:
    """The report that was asked for.

    Attributes
    ----------
    path : str or None
        Where it is to be written; None when none is wanted.
    language : str
        "en" or "zh".
    command : str
        What repeats the run.
    rows : ndarray of int, optional
        Which rows of the table the dataset holds, where it does not hold all.
    inputs : mapping
        What the command reads, none of which it may be written over.
    """

    path: str | None
    language: str
    command: str
    rows: npt.NDArray[np.int64] | None = None
    inputs: Mapping[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.path is not None or self.language != "en":
            from deltaprop.reporting.language import words_of

            words_of(self.language)

    def of(self, targets: Sequence[str]) -> Wanted:
        """Return the report of some targets: their names stand in its file's name."""
        if self.path is None:
            return self
        path = Path(self.path)
        named = "".join(c if c.isalnum() else "_" for c in "-".join(targets))
        own = str(path.with_name(f"{path.stem}-{named}{path.suffix}"))
        check_outputs({"--report": own}, self.inputs)
        return replace(self, path=own)

    def write(
        self,
        fitted: TableModel,
        dataset: Dataset,
        validation: Dataset | None,
        seconds: float | None,
    ) -> None:
        """Write it, if it is wanted, in about so many seconds."""
        if self.path is None:
            return
        from deltaprop.reporting import report

        report(
            fitted,
            dataset.features,
            dataset.target,
            self.path,
            language=self.language,
            validation=None if validation is None else (validation.features, validation.target),
            source=dataset.source,
            command=self.command,
            remarks=(*dataset.notes, *dataset.warnings),
            numbers=self.rows,
            seconds=seconds,
        )


def repeating(words: Sequence[str] | None) -> str:
    """Return the command that runs this training once more, from its beginning."""
    return shlex.join(["deltaprop", *(word for word in words or () if word != "--resume")])
