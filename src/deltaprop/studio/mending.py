"""Runs that do not learn, and changes to them, as the page tries them: those of practice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from deltaprop.practice.exercises.runs import FAULTS, FIXES, PREPARED, Run, Setup
from deltaprop.practice.sheets.fixing import facts_of

__all__ = ["mending"]

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
