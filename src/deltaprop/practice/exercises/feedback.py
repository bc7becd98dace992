"""What is said about an answer."""

from __future__ import annotations

from deltaprop.notation.ids import read_ref
from deltaprop.practice.exercises.task import Task
from deltaprop.practice.marking.mark import COARSE, WRONG, Mark
from deltaprop.practice.marking.reasons import shown
from deltaprop.practice.wording import mistake_described

__all__ = ["feedback", "should_be"]


def feedback(task: Task, mark: Mark) -> str:
    """Return one sentence about an answer, which does not tell the right number."""
    words = task.words
    facts = {"symbol": task.lines.symbol(read_ref(mark.id)), "claimed": mark.claimed[:20]}
    least = task.rules.least_digits
    if mark.verdict == COARSE:
        return words["too few digits"].format(**facts, least=least)
    if mark.ok:
        return words["is right"].format(**facts)
    if mark.verdict != WRONG:
        return words["follows"].format(**facts)
    if not mark.candidates:
        return words["slip"].format(**facts)
    name, *others = mark.candidates
    described = mistake_described(name, task.language)
    text = words["wrong"].format(**facts, mistake=name, described=described)
    if others:
        text += words["or"].format(names=words["separator"].join(others))
    return text


def should_be(task: Task, mark: Mark) -> str:
    """Return the sentence about an answer, and the right number."""
    right = task.words["should be"].format(right=shown(mark.right))
    return feedback(task, mark) + ("" if mark.ok else right)
