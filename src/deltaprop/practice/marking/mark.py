"""mark and Marking: every claimed number judged, every mistake named."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from deltaprop.checking.causes import Explanation
from deltaprop.checking.conventions import Conventions, asked_for
from deltaprop.checking.precision import EPSILON, is_close
from deltaprop.errors import DataError, DeltapropError
from deltaprop.explaining.examples import (
    EXAMPLES,
    WorkedExample,
    built_in_example,
    read_worked_example,
    worked_example,
)
from deltaprop.practice.marking.claims import Claim, entry, read_claims
from deltaprop.practice.marking.judge import (
    COARSE,
    FOLLOWS,
    OTHERWISE,
    RIGHT,
    ROUNDED,
    VERDICTS,
    WRONG,
    Judgement,
    judge,
)
from deltaprop.practice.marking.precision import read_number
from deltaprop.practice.marking.reasons import Reasons
from deltaprop.practice.marking.step import next_step, step_of

__all__ = ["COARSE", "ROUNDED", "VERDICTS", "WRONG", "Mark", "Marking", "mark"]

Index = tuple[int, ...]


@dataclass(frozen=True)
class Mark:
    """The verdict about one claimed number.

    Attributes
    ----------
    claim : str
        The quantity: ``z.1``, ``dW.2``, ``W.1.after``, ``loss``, ...
    index : tuple of int
        Which number of it, counted from 0; empty for a loss.
    claimed : str
        As it was written.
    right : float
        What it should be.
    verdict : str
        "right"; "right, rounded": right, with fewer digits than the rest; "right, but too coarse":
        with fewer digits than are asked for; "follows": would be right if the earlier claims it
        is made from were; or "wrong".
    mistake : str or None
        Of a wrong number: a name of ``MISTAKES``, or "arithmetic".
    candidates : tuple of str
        Every named mistake that gives the claimed numbers equally well; ``mistake`` is the first.
    because : str
        One sentence.
    step : int or None
        In which step, where there are several; the first is 1.
    """

    claim: str
    index: Index
    claimed: str
    right: float
    verdict: str
    mistake: str | None
    candidates: tuple[str, ...]
    because: str
    step: int | None = None

    @property
    def id(self) -> str:
        """Return the name of the number: ``W.1.after[0,2]``, or ``step 2: z.1[0,0]``."""
        return f"{self._where}{entry(self.claim, *self.index)}"

    @property
    def quantity(self) -> str:
        """Return the claim with its step: ``z.1``, or ``step 2: z.1``."""
        return f"{self._where}{self.claim}"

    @property
    def _where(self) -> str:
        return "" if self.step is None else f"step {self.step}: "

    @property
    def difference(self) -> float:
        """Return by how much it is off; 0 where that is float64's rounding."""
        number = read_number(self.claimed, comma=True)
        if number is None or is_close(number.value, self.right, relative=8 * EPSILON):
            return 0.0
        return abs(number.value - self.right)

    @property
    def ok(self) -> bool:
        """Return whether it is right, perhaps rounded or in another convention."""
        return self.verdict in (RIGHT, ROUNDED, OTHERWISE)

    def to_dict(self) -> dict[str, Any]:
        """Return the mark as plain data."""
        return asdict(self) | {
            "index": list(self.index),
            "right": self.right if np.isfinite(self.right) else None,
            "candidates": list(self.candidates),
        }


class Comparison(NamedTuple):
    """How near the numbers of a claim are to the right ones.

    Attributes
    ----------
    exact : bool
        Whether all are the same, but for float64's rounding.
    approximate : bool
        Whether each is within 1e-8 + 1e-5 |right|.
    largest_difference : float
        The largest |claimed - right|.
    """

    exact: bool
    approximate: bool
    largest_difference: float

    @classmethod
    def of(cls, marks: Sequence[Mark]) -> Self:
        """Return it for the marks of a claim."""
        differences = [mark.difference for mark in marks]
        near = [d <= 1e-8 + 1e-5 * abs(m.right) for d, m in zip(differences, marks, strict=True)]
        return cls(not any(differences), all(near), max(differences))

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data; a difference that is not finite is None."""
        largest = self.largest_difference
        return self._asdict() | {"largest_difference": largest if np.isfinite(largest) else None}


@dataclass(frozen=True)
class Marking:
    """A marked working. True when nothing in it is wrong, or too coarse.

    Attributes
    ----------
    title : str
        What was marked.
    marks : tuple of Mark
        One for each claimed number, in the order in which they are worked out.
    conventions : tuple of str
        In which the working is written where the house writes otherwise: "delta: per_sample".
    titles : mapping
        The title in other languages: {"zh": "..."}.
    """

    title: str
    marks: tuple[Mark, ...]
    conventions: tuple[str, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Return whether no number is wrong, so that none follows from one, or too coarse."""
        return not self.wrong and not any(mark.verdict == COARSE for mark in self.marks)

    def __bool__(self) -> bool:
        return self.ok

    @property
    def wrong(self) -> tuple[Mark, ...]:
        """Return the marks of the wrong numbers, without what only follows from them."""
        return tuple(mark for mark in self.marks if mark.verdict == WRONG)

    @property
    def mistakes(self) -> tuple[str, ...]:
        """Return the names of the mistakes made, the earliest first."""
        return tuple(dict.fromkeys(mark.mistake for mark in self.wrong if mark.mistake))

    @property
    def where(self) -> str:
        """Return how far a wrong working is right, and where to look first; "" for a right one."""
        if not self.wrong:
            return ""
        first = self.wrong[0].quantity
        before = [*self.claims][: [*self.claims].index(first)]
        start = f"Right up to {before[-1]}. " if before else ""
        return f"{start}Look at {first} first."

    @cached_property
    def claims(self) -> dict[str, Mark]:
        """Return for each claimed quantity the mark of its worst number."""
        return {
            claim: max(marks, key=lambda mark: VERDICTS.index(mark.verdict))
            for claim, marks in groupby(self.marks, key=lambda mark: mark.quantity)
        }

    @property
    def compared(self) -> dict[str, Comparison]:
        """Return for each claimed quantity how near its numbers are, as lectures print it."""
        return {
            claim: Comparison.of(list(marks))
            for claim, marks in groupby(self.marks, key=lambda mark: mark.quantity)
        }

    @property
    def counts(self) -> dict[str, int]:
        """Return how many numbers got each verdict."""
        found = Counter(mark.verdict for mark in self.marks)
        return {verdict: found[verdict] for verdict in VERDICTS}

    def to_terminal(self, *, width: int = 80, color: bool = False, language: str = "en") -> str:
        """Return the marking as text for a terminal.

        Parameters
        ----------
        width : int
            Columns.
        color : bool
            With ANSI colours for the verdicts.
        language : str
            "en" or "zh".

        Returns
        -------
        str
            Lines of at most ``width`` columns.
        """
        from deltaprop.practice.marking.terminal import render

        return render(self, width=width, color=color, language=language)

    def to_dict(self) -> dict[str, Any]:
        """Return the marking as plain data, fit for JSON."""
        return {
            "format": "deltaprop-marking/1",
            "title": self.title,
            "ok": self.ok,
            "counts": self.counts,
            "mistakes": list(self.mistakes),
            "where": self.where,
            "conventions": list(self.conventions),
            "claims": {
                key: {
                    "verdict": mark.verdict,
                    "mistake": mark.mistake,
                    "because": mark.because,
                    **self.compared[key].to_dict(),
                }
                for key, mark in self.claims.items()
            },
            "marks": [mark.to_dict() for mark in self.marks],
        }

    def __str__(self) -> str:
        return self.to_terminal()


def mark(worked: str | os.PathLike[str] | Mapping[str, Any] | WorkedExample) -> Marking:
    """Recompute a worked example and judge every number somebody claims.

    A number is compared at the precision it is written with, one unit in the last place allowed
    for authors who cut off. The text of a file tells 0.50 from 0.5; in a dict a string does.

    Parameters
    ----------
    worked : str, path, mapping or WorkedExample
        The name of a built-in example, a JSON or YAML file in the worked-example format, what it
        would hold, or what ``read_worked_example`` made of it. Its ``claims`` are marked.

    Returns
    -------
    Marking
        A verdict on each number; wrong ones carry the name of the mistake.

    Raises
    ------
    DataError
        When it is no worked example, claims nothing, or claims what the network does not have.

    Examples
    --------
    >>> marking = mark({
    ...     "layers": [{"W": [[2.0]]}], "loss": "half_squared_error",
    ...     "x": [[3.0]], "targets": [[5.0]], "claims": {"z.1": [[6.0]], "delta.1": [[-1.0]]},
    ... })
    >>> marking.ok, marking.mistakes
    (False, ('sign',))
    """
    example, name = _read(worked)
    marks: list[Mark] = []
    names: dict[str, None] = {}
    given: dict[str, object] = {}  # parameters that were claimed after the step before
    for number, changes in enumerate(example.steps or ({},), start=1):
        one, conventions = example, asked_for(example.conventions)
        if example.steps:
            one = replace(example, **{"claims": None, **changes})
        if one.claims or not example.steps:
            where = name if not example.steps else f"{name}, step {number}"
            judgement, claims = _judged(one, given, conventions, where)
            conventions = judgement.reading.conventions
            found = _marks(judgement, claims, Reasons(one, judgement))
            own = [mark for mark in found if mark.claim not in given]
            marks += [replace(mark, step=number) for mark in own] if example.steps else own
            names |= dict.fromkeys(conventions.names)
        given = {key.removesuffix(".after"): value for key, value in (one.claims or {}).items()
                 if re.fullmatch(r"[Wb]\.\d+\.after", str(key))}  # fmt: skip
        if number < len(example.steps):
            example = next_step(one, conventions)
    return Marking(example.title, tuple(marks), tuple(names), example.titles)


def _judged(
    example: WorkedExample, given: Mapping[str, object], conventions: Conventions, where: str
) -> tuple[Judgement, list[Claim]]:
    """Return the verdicts on a step, which goes on with ``given`` numbers, and its claims."""
    try:
        step = step_of(example)
        claimed = {**given, **(example.claims or {})} if given else example.claims
        claims = read_claims(claimed, step.right, example.digits, step.network.layout)
    except DeltapropError as error:
        raise DataError(f"{where}: {error}") from None
    return judge(step, claims, conventions, frozenset(given)), claims


def _read(worked: object) -> tuple[WorkedExample, str]:
    if isinstance(worked, WorkedExample):
        return worked, worked.title
    if isinstance(worked, Mapping):
        return worked_example(worked), "the example"
    if isinstance(worked, str) and worked in EXAMPLES and not Path(worked).is_file():
        return built_in_example(worked), worked
    if isinstance(worked, (str, os.PathLike)):
        return read_worked_example(worked), os.fspath(worked)
    raise DataError(
        f"mark was given {type(worked).__name__}; expected the path of a worked example, a dict "
        "in its format, or a WorkedExample."
    )


def _marks(judgement: Judgement, claims: list[Claim], reasons: Reasons) -> Iterator[Mark]:
    for claim in claims:
        explanation = judgement.causes.all.get(claim.key, Explanation())
        for index, number in claim.numbers.items():
            verdict = judgement.verdict(claim, index)
            mistake: str | None = None
            candidates: tuple[str, ...] = ()
            if verdict == WRONG:
                candidates = explanation.names
                systematic = judgement.is_systematic(claim.key) and not explanation.rounded
                unnamed = "systematic" if systematic else "arithmetic"
                mistake = (*candidates, unnamed)[0]
                because = reasons.wrong(claim, index, explanation, unnamed)
            elif verdict == COARSE:
                because = reasons.coarse(claim, index)
            elif verdict == FOLLOWS:
                because = reasons.follows(claim, index, judgement.slips_before(claim.key))
            elif verdict == OTHERWISE:
                because = reasons.otherwise(claim, index, judgement.reading.conventions)
            else:
                because = reasons.right(claim, index, rounded=verdict == ROUNDED)
            yield Mark(
                claim.key, index, number.text, float(judgement.right[claim.key][index]), verdict,
                mistake, candidates, because,
            )  # fmt: skip
