"""What was planned for a run that may be resumed, in a file beside its checkpoints."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from deltaprop.errors import ModelFileError
from deltaprop.functional.settings import positive_int
from deltaprop.model.files import write_atomically
from deltaprop.model.stored import record
from deltaprop.table_models.plan import Plan
from deltaprop.table_models.recipe import Recipe

__all__ = ["Begun"]


@dataclass(frozen=True)
class Begun:
    """What measuring decided: it might turn out otherwise on another day."""

    ranges: int  # into how many numbers are divided
    members: int
    epochs: int
    rows: int | None = None  # how many were drawn, where there was no time for all
    pieces: int | None = None  # of the file that were read, where there was no time for all of it

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not None and (name, value) != ("ranges", 0):
                positive_int(value, name)

    @staticmethod
    def file(checkpoint: str | os.PathLike[str]) -> Path:
        """Return the file that stands beside the checkpoints of this name."""
        return Path(f"{os.fspath(checkpoint)}.plan")

    @classmethod
    def read(cls, checkpoint: str | os.PathLike[str]) -> Begun | None:
        """Return what an earlier run planned, None when there was none; refuse a damaged file."""
        path = cls.file(checkpoint)
        try:
            return record(cls, json.loads(path.read_text(encoding="utf-8")), "plan")
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError):
            raise ModelFileError(
                f"{path} does not say what was planned for the run; it is damaged. Train without "
                "resuming."
            ) from None

    @classmethod
    def write(
        cls,
        plan: Plan,
        rows: int | None,
        checkpoint: str | os.PathLike[str],
        pieces: int | None = None,
    ) -> None:
        """Keep what matters of a plan; raise OutputError when it cannot be written."""
        begun = cls(plan.range_choices[0], plan.members, plan.epochs, rows, pieces)
        write_atomically(cls.file(checkpoint), json.dumps(asdict(begun)).encode())

    def plan(self, plan: Plan, recipe: Recipe) -> Plan:
        """Return a plan as the earlier run had it, except for what somebody chose.

        A plan that would have had fewer of either belongs to other settings: it is left as it is,
        and reading the checkpoints says what differs.
        """
        if self.members > plan.members or self.epochs > plan.epochs:
            return plan
        members = self.members if recipe.members is None else plan.members
        epochs = self.epochs if recipe.epochs is None else plan.epochs
        return replace(plan, members=members, epochs=epochs)
