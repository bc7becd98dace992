"""Gradients that are right in another convention than the one they were asked for in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from deltaprop.checking.conventions import CONVENTIONS, Conventions, combinations
from deltaprop.checking.effects import Effect, effect_of
from deltaprop.checking.referee import Referee, Stated
from deltaprop.checking.report import OTHERWISE, EntryCheck, GradientReport
from deltaprop.checking.step import Step
from deltaprop.model.backprop import Trace

__all__ = ["read_otherwise"]

_ROUGHLY = 1e-3  # how near a claim has to be for the loss to be measured once more


def read_otherwise(
    report: GradientReport,
    referee: Referee,
    said: Stated,
    step: Step,
    trace: Trace,
    declared: Conventions,
) -> GradientReport:
    """Return the report with the verdict of another convention on what is right in one.

    Gradients, loss and step have to agree: a 1/2 in the loss alone is no convention.

    Parameters
    ----------
    report : GradientReport
        Of numbers some of which are wrong as they were asked for.
    referee : Referee
        Who found that.
    said : Stated
        The numbers.
    step : Step
        What they are about.
    trace : Trace
        The pass.
    declared : Conventions
        What was asked for; only what it says nothing about is guessed.
    """
    wrong = {entry.name for entry in report.wrong}
    found: dict[int, list[tuple[Conventions, tuple[EntryCheck, ...]]]] = {}
    for conventions, effect in _possible(said, step, trace, declared):
        entries = replace(referee, effect=effect).check(said.of(effect, trace))
        still = {entry.name for entry in entries if entry.verdict in ("wrong", "undecided")}
        if still < wrong and not any(e.part == "gradients" for e in entries if e.name in still):
            found.setdefault(len(still), []).append((conventions, entries))
    if not found:
        return report
    best = sorted(found[min(found)], key=lambda pair: _rank(pair[0]))
    (chosen, judged), same = best[0], tuple(conventions for conventions, _ in best[1:])
    entries = tuple(
        replace(new, verdict=OTHERWISE) if (old.verdict, new.verdict) == ("wrong", "right") else old
        for old, new in zip(report.entries, judged, strict=True)
    )
    return replace(report, entries=entries, otherwise=chosen, or_else=same)


def _rank(conventions: Conventions) -> tuple[int, list[int]]:
    """Return what to sort by: fewer departures, and the commoner ones, stand first."""
    names = [choice.name for choice in CONVENTIONS]
    return len(conventions.chosen), sorted(names.index(name) for name in conventions.names)


def _possible(
    said: Stated, step: Step, trace: Trace, declared: Conventions
) -> Iterator[tuple[Conventions, Effect]]:
    """Yield conventions in which the claimed gradients are about right, few departures first."""
    seen = {effect_of(declared, step, declared)}
    gradients = [f"d{slot.name}.{slot.layer + 1}" for slot in step.network.layout.slots]
    # the step need not be stated: gradients alone show which way they point
    keys = [*gradients, "loss", "W.1.after"]
    for conventions in combinations(step, keys, declared):
        effect = effect_of(conventions, step, declared)
        if effect in seen:
            continue
        seen.add(effect)
        if (not said.are_own and _is_about(effect, said, step, trace)) or (
            said.are_own and said.loss is not None
        ):
            yield conventions, effect


def _is_about(effect: Effect, said: Stated, step: Step, trace: Trace) -> bool:
    """Return whether the claimed gradients are about the right ones with this effect."""
    places = [*said.places]
    right = effect.gradients_of(trace)[places]
    room = _ROUGHLY * (np.abs(right) + float(np.max(np.abs(right), initial=0.0)))
    written = effect.house(said.gradients, step.network.layout)[places]
    return bool(np.all(np.abs(written - right) <= room))
