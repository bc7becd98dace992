"""Which fix helps: a run that does not learn, and what becomes of it with each change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from deltaprop._version import __version__
from deltaprop.practice.exercises.generate import Draws
from deltaprop.practice.exercises.levels import level_of
from deltaprop.practice.exercises.runs import FAULTS, FIXES, Fault, Fix, Run, Setup
from deltaprop.practice.exercises.task import check_seed
from deltaprop.practice.wording import wording_of

__all__ = ["FixTask"]

_MOST_PICKS = 200
_STUCK = 0.45  # the least loss of a run that does not learn; guessing has 0.69
_LEARNT = 0.15  # the most of one that does
_NO_HELP = 0.3  # the least with a change that is no help; what lies between is no exercise
_MOST_HELPING, _FEWEST = 2, 4  # changes that help; changes to choose from


@dataclass(frozen=True)
class FixTask:
    """A run that does not learn.

    Attributes
    ----------
    seed : int
        Which exercise.
    language : str
        Of the words.
    fault : Fault
        What keeps it from learning.
    run : Run
        The run.
    """

    seed: int
    language: str
    fault: Fault
    run: Run

    @classmethod
    def drawn(cls, level: int, seed: int, language: str, digits: int | None = None) -> FixTask:
        """Return the one of a seed, of which every change has been tried; any level is as hard.

        Raises
        ------
        SettingError
            When there is no such level, seed or language.
        """
        level_of(level)
        check_seed(seed)
        wording_of(language)
        draws = Draws(f"deltaprop fix 1, seed {seed}")
        for _ in range(_MOST_PICKS):
            fault = draws.pick(FAULTS)
            setup = replace(Setup(is_bent=draws.pick((True, True, False))), **fault.changes)
            found = cls(seed, language, fault, Run(setup, draws.pick(range(1_000_000))))
            if found._is_clear():
                return found
        raise AssertionError(f"seed {seed} has no run that does not learn")

    def _is_clear(self) -> bool:
        """Return whether it does not learn, and every change helps or does not, beyond doubt."""
        if self.run.loss < _STUCK or len(self.choices) < _FEWEST:
            return False
        unclear = any(_LEARNT < loss < _NO_HELP for loss in self.outcomes.values())
        return not unclear and 1 <= len(self.helping) <= _MOST_HELPING

    @cached_property
    def choices(self) -> tuple[Fix, ...]:
        """Return the changes that change anything."""
        return tuple(fix for fix in FIXES if fix.change(self.run.setup) != self.run.setup)

    @cached_property
    def outcomes(self) -> Mapping[str, float]:
        """Return by change the loss at the end of the same run with it."""
        return {fix.name: replace(self.run, setup=fix.change(self.run.setup)).loss
                for fix in self.choices}  # fmt: skip

    @property
    def helping(self) -> tuple[str, ...]:
        """Return the changes with which it learns."""
        return tuple(name for name, loss in self.outcomes.items() if loss <= _LEARNT)

    def to_terminal(self, *, width: int = 80) -> str:
        """Return it as text of at most ``width`` columns."""
        from deltaprop.practice.sheets.fixing import sheet

        return sheet(self, width)

    def to_key_terminal(self, *, width: int = 80) -> str:
        """Return what came of each change, as text of at most ``width`` columns."""
        from deltaprop.practice.sheets.fixing import key

        return key(self, width)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data, without what came of the changes."""
        x, t = self.run.rows
        start = self.run.start()
        setup = self.run.setup
        return {
            "format": "deltaprop-fix/1",
            "practice": {"kind": "fix", "seed": self.seed, "version": __version__},
            "network": self.run.network.describe(),
            "learning_rate": setup.learning_rate,
            "epochs": setup.epochs,
            "layers": [
                {name: array.tolist() for name, array in layer.items()} for layer in start.layers
            ],
            "x": x.tolist(),
            "targets": t.tolist(),
            "loss": list(self.run.trained[0]),
            "choices": {fix.name: fix.names[self.language] for fix in self.choices},
        }
