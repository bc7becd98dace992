"""Runs that do not learn, and changes to them, as the page tries them: those of practice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from deltaprop.practice.exercises.runs import FAULTS, FIXES, Run, Setup
from deltaprop.practice.sheets.fixing import facts_of

__all__ = ["PREPARED", "mending"]

# "deltaprop practice --kind fix --seed ..." asks about these; of its changes four are offered:
# seed, fault, whether no straight line parts the classes, seed of the rows, changes
PREPARED = (
    (7, "learning_rate_too_low", False, 464159, ("longer", "wider", "faster", "slower")),
    (0, "learning_rate_too_high", False, 79219, ("longer", "slower", "scale", "faster")),
    (1, "no_nonlinearity", True, 237544, ("faster", "longer", "scale", "bend")),
    (4, "symmetric_weights", True, 254016, ("wider", "faster", "draw", "longer")),
    (8, "dead_units", True, 886591, ("bend", "draw", "longer", "faster")),
    (10, "unscaled_inputs", True, 813041, ("scale", "wider", "slower", "longer")),
    (24, "saturated_units", False, 69134, ("faster", "bend", "longer", "draw")),
)
_FAULTS = {fault.name: fault for fault in FAULTS}
_FIXES = {fix.name: fix for fix in FIXES}


def mending(language: str) -> list[dict[str, Any]]:
    """Return the runs: what can be seen of each, how it is set up, and with each change.

    A change has of ``x``, ``parameters`` and the other settings what is other than in the run.
    """
    return [_prepared(language, *row[1:]) for row in PREPARED]


def _prepared(
    language: str, fault: str, is_bent: bool, rows: int, changes: tuple[str, ...]
) -> dict[str, Any]:
    run = Run(replace(Setup(is_bent=is_bent), **_FAULTS[fault].changes), rows)
    own = _trained(run)
    others = []
    for name in changes:
        found = _trained(replace(run, setup=_FIXES[name].change(run.setup)))
        changed = {key: value for key, value in found.items() if value != own[key]}
        others.append({"name": name, "said": _FIXES[name].names[language], **changed})
    targets = run.rows[1][:, 0].astype(int).tolist()
    return {
        "fault": fault, "said": _FAULTS[fault].names[language], "targets": targets,
        "facts": list(facts_of(run, language)), **own, "changes": others,
    }  # fmt: skip


def _trained(run: Run) -> dict[str, Any]:
    """Return what a run is trained from."""
    return {
        "sizes": list(run.network.sizes), "activation": run.setup.activation,
        "learningRate": run.setup.learning_rate, "steps": run.setup.epochs,
        "x": run.rows[0].tolist(), "parameters": run.start().flat.tolist(),
    }  # fmt: skip
