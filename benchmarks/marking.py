"""How often marking is right: about right workings, about one mistake, about two, about slips.

    python benchmarks/marking.py [--right 2000] [--one 2000] [--two 1000] [--slip 500] [--show 5]

Workings are made up by ``learner.py``, which knows nothing of deltaprop: random networks with tidy
numbers, every line rounded and gone on with, some lines left out, in one of the conventions people
use, in one of the ways they write numbers. A right working must not be accused; a planted mistake
must get its name; of two, both must. A slip in the arithmetic must get no mistake's name. With
``--write`` the table goes into docs/performance.md.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from common import write_part
from learner import SQUARED, Convention, Learner, Problem, random_problem
from learner_mistakes import PLANTED, Planted, plant
from learner_writing import WRITERS, to_decimals, to_digits, written

from deltaprop.errors import DataError
from deltaprop.practice import Marking, mark

Rng = np.random.Generator
SHOWS = 20.0  # units in the last place by which a planted mistake moves a number, to be seen at all


@dataclass(frozen=True)
class Case:
    """One working, and what was planted in it."""

    example: dict[str, Any]
    convention: Convention
    how: str
    names: tuple[str, ...]


def random_convention(rng: Rng, problem: Problem) -> Convention:
    """Return the house's convention half of the time, otherwise some other one."""
    if rng.random() < 0.5:
        return Convention()
    many, squared = problem.n > 1, problem.loss in SQUARED
    found = Convention(
        double=squared and bool(rng.random() < 0.4),
        summed=many and bool(rng.random() < 0.3),
        per_output=problem.t.shape[1] > 1 and squared and bool(rng.random() < 0.2),
        minus=bool(rng.random() < 0.3),
        turned=bool(rng.random() < 0.3),
        per_sample=many and bool(rng.random() < 0.5),
    )
    if found.summed:
        found.per_sample = False
    found.late = found.per_sample and bool(rng.random() < 0.3)
    return found


def random_rounding(rng: Rng) -> tuple[Callable[[Any], Any], int]:
    """Return a way to round, and to how many digits."""
    digits = int(rng.integers(2, 7))
    if digits > 2 and rng.random() < 0.5:
        return to_digits(digits), digits
    return to_decimals(digits), digits


def some(rng: Rng, page: dict[str, Any]) -> dict[str, Any]:
    """Return all lines of a page, or half the time only some of them."""
    if rng.random() < 0.5:
        return dict(page)
    kept = {key: value for key, value in page.items() if rng.random() < 0.6}
    return kept or dict(page)


def right_cases(rng: Rng) -> Iterator[Case]:
    """Yield right workings without end."""
    while True:
        problem, convention = random_problem(rng), None
        convention = random_convention(rng, problem)
        rounding, _ = random_rounding(rng)
        page = Learner(problem, convention, rounding, plant()).work()
        if not all(np.isfinite(value).all() for value in page.values()):
            continue  # p was rounded to 0 or 1, and its logarithm is none
        how = str(rng.choice(["number", "plain", *WRITERS]))
        claims = {key: written(value, how) for key, value in some(rng, page).items()}
        steps = [key for key in claims if key.endswith(".after") and key != "loss.after"]
        if convention.minus and not steps:
            continue  # t - y without its step is the wrong sign, number by number: to be declared
        yield Case(problem.example() | {"claims": claims}, convention, how, ())


def planted_cases(rng: Rng, count: int) -> Iterator[Case]:
    """Yield workings with so many mistakes, each of which shows in the numbers, without end."""
    while True:
        problem = random_problem(rng)
        convention = random_convention(rng, problem)
        rounding, digits = random_rounding(rng)
        fitting = [m for m in PLANTED if m.shows(problem)]
        chosen = [fitting[i] for i in rng.choice(len(fitting), count, replace=False)]
        taken = [name for mistake in chosen for name in mistake.formulas]
        if len(set(taken)) < len(taken):
            continue  # two at one place
        page = _seen(problem, convention, rounding, digits, chosen)
        if page is None:
            continue
        how = str(rng.choice(["number", "plain", *WRITERS]))
        claims = {key: written(value, how) for key, value in page.items()}
        names = tuple(mistake.name for mistake in chosen)
        yield Case(problem.example() | {"claims": claims}, convention, how, names)


def _seen(
    problem: Problem,
    convention: Convention,
    rounding: Callable[[Any], Any],
    digits: int,
    chosen: list[Planted],
) -> dict[str, Any] | None:
    """Return the page with the mistakes on it, if each of them shows there."""
    page = Learner(problem, convention, rounding, plant(*chosen)).work()
    if not all(np.isfinite(value).all() for value in page.values()):
        return None
    for mistake in chosen:
        others = [m for m in chosen if m is not mistake]
        without = Learner(problem, convention, rounding, plant(*others)).work()
        unit = {key: np.maximum(10.0**-digits, 0 * np.abs(value)) for key, value in without.items()}
        shown = page.keys() & without.keys()
        if not any((np.abs(page[k] - without[k]) > SHOWS * unit[k]).any() for k in shown):
            return None
    return page


class Slipping(Learner):
    """A learner who writes one wrong number down, and goes on with it."""

    slip: tuple[str, tuple[int, ...], float] | None = None

    def write(self, key: str, value: Any) -> Any:
        """Write a line down, perhaps with the slip in it."""
        line = super().write(key, value)
        if self.slip and self.slip[0] == key:
            line = np.array(line)
            line[self.slip[1]] = self.slip[2]
            self.page[key] = line
        return line


def misread(rng: Rng, value: float, digits: int) -> float:
    """Return another number: one digit is another one, two have changed places, or it is off."""
    text = f"{abs(value):.{max(digits, 3) - 1}e}"
    figures, power = [*text.replace(".", "").partition("e")[0]], text.partition("e")[2]
    at = int(rng.integers(len(figures) - 1))
    how = int(rng.integers(3))
    if how == 0:
        figures[at] = str((int(figures[at]) + int(rng.integers(1, 10))) % 10)
    elif how == 1:
        figures[at : at + 2] = figures[at : at + 2][::-1]
    else:
        return float(np.round(value * rng.uniform(0.3, 2.0), digits))
    return float(np.copysign(float(f"{figures[0]}.{''.join(figures[1:])}e{power}"), value))


def slip_cases(rng: Rng) -> Iterator[Case]:
    """Yield workings with one slip that shows, without end."""
    while True:
        problem = random_problem(rng)
        convention, (rounding, digits) = random_convention(rng, problem), random_rounding(rng)
        convention.turned = False
        page = Learner(problem, convention, rounding, plant()).work()
        key = str(rng.choice(list(page)))
        at = tuple(int(rng.integers(size)) for size in page[key].shape)
        if not np.isfinite(page[key][at]) or not page[key][at]:
            continue
        other = misread(rng, float(page[key][at]), digits)
        learner = Slipping(problem, convention, rounding, plant())
        learner.slip = (key, at, other)
        slipped = learner.work()
        seen = abs(other - page[key][at]) > SHOWS * 10.0**-digits
        if not seen or not all(np.isfinite(value).all() for value in slipped.values()):
            continue
        how = str(rng.choice(["number", "plain", *WRITERS]))
        claims = {name: written(value, how) for name, value in slipped.items()}
        yield Case(problem.example() | {"claims": claims}, convention, how, ("arithmetic",))


def outcome(case: Case, marking: Marking) -> str:
    """Return what marking said, in a word."""
    if case.names == ("arithmetic",):
        if not marking.wrong:
            return "not seen"
        unnamed = set(marking.mistakes) <= {"arithmetic", "systematic"}
        return "called a slip" if unnamed else "named"
    if not case.names:
        return "accused" if marking.wrong else "not accused"
    said = {name for found in marking.wrong for name in found.candidates}
    first = set(marking.mistakes)
    if set(case.names) <= first:
        return "named"
    if set(case.names) <= said | first:
        return "among the candidates"
    if marking.ok or not marking.wrong:
        return "not seen"
    return "half named" if set(case.names) & (said | first) else "not named"


def measure(
    cases: Iterator[Case], count: int, show: int, wanted: str
) -> tuple[Counter[str], dict[str, Counter[str]]]:
    """Mark so many cases; return the outcomes, and those by what was planted."""
    outcomes: Counter[str] = Counter()
    by_name: dict[str, Counter[str]] = {}
    for number in range(count):
        case = next(cases)
        try:
            marking = mark(case.example)
            found = outcome(case, marking)
        except DataError as error:
            found, marking = "refused", error
        outcomes[found] += 1
        by_name.setdefault("+".join(case.names) or case.how, Counter())[found] += 1
        if found != wanted and show > 0:
            show -= 1
            on = [f.name for f in fields(case.convention) if getattr(case.convention, f.name)]
            print(f"--- {number}: {found}; planted {case.names}, convention {on}, {case.how}")
            print(case.example, marking, sep="\n")
    return outcomes, by_name


def main() -> None:
    """Measure what is asked for, print a table, and write it into docs/performance.md."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--right", type=int, default=2000)
    parser.add_argument("--one", type=int, default=2000)
    parser.add_argument("--two", type=int, default=1000)
    parser.add_argument("--slip", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=int, default=0, help="print so many of what went wrong")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    lines = ["| workings | count | outcome |", "|---|---|---|"]
    for what, count, wanted in (
        ("right", options.right, "not accused"),
        ("one mistake", options.one, "named"),
        ("two mistakes", options.two, "named"),
        ("one slip", options.slip, "called a slip"),
    ):
        if not count:
            continue
        planted = {"right": 0, "one mistake": 1, "two mistakes": 2, "one slip": 3}[what]
        rng = np.random.default_rng([options.seed, planted])
        made = {0: right_cases, 3: slip_cases}.get(planted)
        cases = made(rng) if made else planted_cases(rng, planted)
        outcomes, by_name = measure(cases, count, options.show, wanted)
        said = ", ".join(f"{found} {n} ({n / count:.1%})" for found, n in outcomes.most_common())
        lines.append(f"| {what} | {count:,} | {said} |")
        if planted < 2:
            for name, found in sorted(by_name.items()):
                print(f"{name:24} {dict(found)}")
    print("\n".join(lines))
    if options.write:
        write_part("marking", "\n".join(lines))


if __name__ == "__main__":
    main()
