"""What was planned for a run that may be resumed, in a file beside its checkpoints."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

from deltaprop.errors import ModelFileError
from deltaprop.functional.settings import positive_int
from deltaprop.model.files import write_atomically
from deltaprop.table_models.plan import Plan
from deltaprop.table_models.recipe import Recipe

__all__ = ["Begun"]


@dataclass(frozen=True)
class Begun:
    """What measuring decided: it might turn out otherwise on another day.

    Attributes
    ----------
    ranges : int
        Into how many ranges numbers are divided.
    members, epochs : int
        How many networks there are, and the passes of each.
    rows : int or None
        How many rows were drawn, where there was no time for all.
    pieces : int or None
        How many pieces of the file were read, where there was no time for all of it.
    """

    ranges: int
    members: int
    epochs: int
    rows: int | None = None
    pieces: int | None = None

    @staticmethod
    def file(checkpoint: str | os.PathLike[str]) -> Path:
        """Return the file that stands beside the checkpoints of this name."""
        return Path(f"{os.fspath(checkpoint)}.plan")

    @classmethod
    def read(cls, checkpoint: str | os.PathLike[str]) -> Begun | None:
        """Return what an earlier run planned, or None when there was none.

        Raises
        ------
        ModelFileError
            When the file is damaged.
        """
        path = cls.file(checkpoint)
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
            members = positive_int(facts["members"], "members")
            epochs = positive_int(facts["epochs"], "epochs")
            ranges = facts["ranges"]
            rows, pieces = (
                None if facts.get(name) is None else positive_int(facts[name], name)
                for name in ("rows", "pieces")
            )
            ranges = 0 if ranges == 0 else positive_int(ranges, "ranges")
            return cls(ranges, members, epochs, rows, pieces)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, LookupError, RecursionError):
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
        """Keep what matters of a plan.

        Raises
        ------
        OutputError
            When it cannot be written.
        """
        facts = {"ranges": plan.range_choices[0], "members": plan.members, "epochs": plan.epochs}
        if rows is not None:
            facts["rows"] = rows
        if pieces is not None:
            facts["pieces"] = pieces
        write_atomically(cls.file(checkpoint), json.dumps(facts).encode())

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
