"""Reading a working: what each line comes to from the lines before, and how unsure that is.

Whoever works with pen and calculator goes on with what is written, rounded, or with more digits
than are written. So a line is compared with what the lines before give it as they are written, and
may be off by what their rounding moves it: each number that is made on the way, written or not, may
be off by half a unit in its last place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from deltaprop.checking.conventions import HOUSE, Conventions
from deltaprop.checking.kept import DRAWS, WAYS, Kept, halves, is_result, moved_by
from deltaprop.checking.precision import WrittenClaim, is_close
from deltaprop.checking.row import Row
from deltaprop.checking.rules import RIGHT, Rules
from deltaprop.checking.step import Begun, Quantities, Step, operands_of, work_out

__all__ = ["InConvention", "Reading"]

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_MOST_SLACK, _MOST_UNITS = 0.25, 3.0  # of the largest number of an array, and units besides
_ROUGHLY = 4.0  # times the slack of another reading
_EXACT, _EXACT_PART = 1e-12, 1e-2  # of itself, and of its unit: by so much nobody has rounded


@dataclass(frozen=True, eq=False)
class InConvention:
    """A claim as the house would write it: the same digits, another factor or way round.

    Attributes
    ----------
    claim : WrittenClaim
        What is written.
    factor : float
        What is written, as a multiple of the house's number.
    turned : bool
        Whether rows and columns are exchanged.
    """

    claim: WrittenClaim
    factor: float = 1.0
    turned: bool = False

    @property
    def key(self) -> str:
        """Return the quantity."""
        return self.claim.key

    def _house(self, array: Array) -> Array:
        return array.T if self.turned else array

    @cached_property
    def values(self) -> Array:
        """Return the stated numbers, NaN where nothing is stated."""
        return self._house(self.claim.values) / self.factor

    @cached_property
    def units(self) -> Array:
        """Return by how much each may be off."""
        return self._house(self.claim.units) / abs(self.factor)

    @cached_property
    def digits(self) -> npt.NDArray[np.int64]:
        """Return how many significant digits each has."""
        return np.asarray(self._house(self.claim.digits))  # type: ignore[arg-type]

    def close(self, numbers: Array, slack: Array | float = 0.0) -> Flags:
        """Return where these numbers of the house, unsure by ``slack``, may be meant."""
        slack = self._house(slack) if isinstance(slack, np.ndarray) else slack
        close = self.claim.close(self._house(numbers) * self.factor, slack * abs(self.factor))
        return np.asarray(self._house(close))  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class Reading:
    """A working read in some conventions, by the right rules or by wrong ones.

    Attributes
    ----------
    given : Step
        The step, in the house's conventions.
    written : sequence of WrittenClaim
        What is written down, in the order in which it is worked out.
    conventions : Conventions
        How.
    rules : Rules
        By which.
    unit : callable
        ``unit(values)``: the unit in the last place of numbers that are not written down.
    only : tuple of str
        The claims that are asked for, in order; all of them where there are none.
    kept : callable, optional
        The unit of numbers that are kept on the way, where digits are asked for: then a number is
        made from what is written, or was kept. Otherwise what is written may be off by its unit.
    """

    given: Step
    written: Sequence[WrittenClaim]
    unit: Callable[[Array], Array]
    conventions: Conventions = HOUSE
    rules: Rules = RIGHT
    only: tuple[str, ...] = ()
    kept: Callable[[Array], Array] | None = None

    @cached_property
    def step(self) -> Step:
        """Return the step with the objective of the conventions."""
        return self.conventions.step(self.given)

    @cached_property
    def _factors(self) -> list[float]:
        return [self.conventions.factor(claim.key, self.step) for claim in self.written]

    @cached_property
    def _turned(self) -> list[bool]:
        return [self.conventions.turns(claim.key) for claim in self.written]

    @cached_property
    def claims(self) -> list[InConvention]:
        """Return the claims as the house would write them."""
        return [*map(InConvention, self.written, self._factors, self._turned)]

    @cached_property
    def row(self) -> Row:
        """Return the numbers of all claims as the house would write them."""
        return self._as_written.as_house(self._factors, self._turned)

    @cached_property
    def _as_written(self) -> Row:
        return Row.of(self.written)

    @cached_property
    def _rows(self) -> dict[tuple[str, ...], Row]:
        """Return the rows of some of the claims, as far as they were asked for."""
        return {(): self.row}

    @property
    def _own_row(self) -> Row:
        """Return the numbers of the claims that are asked for."""
        if self.only not in self._rows:
            self._rows[self.only] = self.row.only(self.only)
        return self._rows[self.only]

    @cached_property
    def numbers(self) -> Mapping[str, Array]:
        """Return what the working goes on with: the numbers that are written."""
        return self.row.parted(self.row.values)

    @cached_property
    def whole(self) -> frozenset[str]:
        """Return the claims in which every number is written."""
        return frozenset(key for key, values in self.numbers.items() if not np.isnan(values).any())

    @cached_property
    def rounded(self) -> Mapping[str, Flags]:
        """Return by quantity which numbers were rounded.

        Not those that are short by themselves, and made of such.
        """
        found: dict[str, Flags] = {}
        for key, computed in self.computed.items():
            made_of_rounded = any(
                found[operand].any() for operand in operands_of(key, self.step) if operand in found
            )
            if not is_result(key) or made_of_rounded:
                found[key] = np.full(computed.shape, made_of_rounded or key in self.numbers)
                continue
            with np.errstate(all="ignore"):
                unit = self.unit_of(key, computed)
                exact = np.round(computed / unit) * unit
            if key in self.numbers:
                written = self.numbers[key]
                exact = np.where(np.isnan(written), exact, written)
            sure = np.minimum(_EXACT * np.abs(computed), _EXACT_PART * unit)
            found[key] = ~is_close(exact, computed, sure)
        return found

    def unit_of(self, key: str, computed: Array) -> Array:
        """Return the unit in the last place of numbers of the house that are not written down."""
        factor = abs(self.conventions.factor(key, self.step))
        return self.unit(computed * factor) / factor

    @cached_property
    def moved(self) -> Mapping[str, Array]:
        """Return them as often as is drawn, each number half a unit up or down every time."""
        units = self.row.parted(self.row.units)
        return {
            key: values + halves(key, values.shape) * units[key] * self.rounded[key]
            for key, values in self.numbers.items()
            if is_result(key)
        }

    def by(self, rules: Rules, only: tuple[str, ...] = ()) -> Reading:
        """Return the same working read by other rules, perhaps only as far as some claims."""
        other = replace(self, rules=rules, only=only)
        other.__dict__.update({name: getattr(self, name) for name in _SHARED})
        return other

    def otherwise(self, conventions: Conventions, only: tuple[str, ...] = ()) -> Reading:
        """Return the same working read in other conventions, perhaps only as far as some claims."""
        other = replace(self, conventions=conventions, only=only)
        other.__dict__["_as_written"] = self._as_written
        return other

    @cached_property
    def computed(self) -> Quantities:
        """Return what every quantity comes to from the numbers before it, as they are written."""
        return self._work(None)

    @cached_property
    def _computed_row(self) -> Array:
        return self._own_row.joined(self.computed)

    @cached_property
    def slack(self) -> Quantities:
        """Return how unsure each claim is, since the numbers before are rounded."""
        return self._own_row.parted(self._slack_row)

    @cached_property
    def _slack_row(self) -> Array:
        row, number = self._own_row, self._computed_row
        draws = [row.joined(self._work(draw)) for draw in range(DRAWS)]
        slack, most = moved_by(draws, number)
        return np.maximum(np.minimum(slack, self._most_slack), most)

    @property
    def _most_slack(self) -> Array:
        """Return what rounding hardly excuses: a quantity that nothing is sure of proves nothing.

        Hardly, since where terms cancel, as in a loss near 0, only the rounding is left of it.
        """
        row, sizes = self._own_row, np.abs(self._computed_row)
        largest = row.largest(np.where(np.isfinite(sizes), sizes, 0.0))
        units = row.joined({key: self.unit_of(key, self.computed[key]) for key in row.keys})
        return _MOST_SLACK * largest + _MOST_UNITS * row.largest(units)

    def _work(self, draw: int | None) -> Quantities:
        """Work the step out from what is written; a draw moves each number by half a unit."""
        begun = self.begun.setdefault(draw, Begun())
        until = self._own_row.keys[-1]
        return work_out(self.step, self.rules, _AsWritten(self, draw), begun, until)[0]

    @cached_property
    def begun(self) -> dict[int | str | None, Begun]:
        """Return the forward pass by draw: most rules go on from the same one."""
        return {}

    @cached_property
    def off(self) -> dict[str, Flags]:
        """Return by claim where it is not what the numbers before give."""
        return self._own_row.parted(~self._fits(np.array(False)))

    @cached_property
    def is_right(self) -> dict[str, Flags]:
        """Return by claim where it is the right number, whatever the numbers before are."""
        return self.row.parted(self.row.close(self.row.joined(self.step.right)))

    @cached_property
    def nothing(self) -> dict[str, Flags]:
        """Return by claim that no number is right."""
        return self.row.parted(np.zeros(len(self.row.values), bool))

    def _fits(self, right: Flags) -> Flags:
        """Return where a number is ``right``, or what the numbers before give."""
        row, number = self._own_row, self._computed_row
        exactly = row.close(number) | right
        if exactly.all():  # to know how unsure they are costs the most
            return exactly
        roughly = row.close(number, self._slack_row)
        if self.kept is None or not (roughly & ~exactly).any():
            return roughly | right
        return exactly | (roughly & self._fits_kept)

    @cached_property
    def _fits_kept(self) -> Flags:
        """Return where a number is what the numbers before give, as written or as they were kept.

        It tells more than how unsure they are, and costs more.
        """
        kept = self.kept
        assert kept is not None
        row, claims = self._own_row, {claim.key: claim for claim in self.claims}

        def factor(key: str) -> float:
            return self.conventions.factor(key, self.step)

        def made(names: frozenset[str], draw: int | None = None) -> Array:
            on = Kept(claims, self.unit, kept, names, factor, draw)
            return row.joined(work_out(self.step, self.rules, on, until=row.keys[-1])[0])

        *some, everything = (made(names) for names in WAYS)
        draws = [made(WAYS[-1], draw) for draw in range(DRAWS)]
        slack, _ = moved_by(draws, everything)
        fits = [row.close(number, slack) for number in (everything, *some)]
        return np.asarray(np.any(fits, axis=0))

    @cached_property
    def pure(self) -> Quantities:
        """Return what every quantity comes to when nothing that is written is gone on with."""
        return work_out(self.step, self.rules, begun=self.begun.setdefault("pure", Begun()))[0]

    def gives(self, like: Reading, right: Mapping[str, Flags]) -> frozenset[str]:
        """Return the claims every number of which is what the rules make it, or is ``right``.

        They make it from the numbers before. ``like`` is a reading of all claims by the right
        rules: where a number is not even near, as unsure as it is there, nothing more is asked.
        """
        row, is_right = self._own_row, self._own_row.joined(right)
        exactly = row.in_all_of(row.close(self._computed_row) | is_right)
        if not exactly.all():
            near = row.in_all_of(self._roughly(like) | is_right)
            if not near.any():
                return frozenset()
            exactly = row.in_all_of(self._fits(is_right)) & near
        return frozenset(row.named(exactly))

    def gives_exactly(self, right: Mapping[str, Flags]) -> frozenset[str]:
        """Return the claims that the numbers before give as they are written, or are ``right``."""
        row = self._own_row
        return frozenset(
            row.named(row.in_all_of(row.close(self._computed_row) | row.joined(right)))
        )

    def is_loose(self, right: Mapping[str, Flags]) -> bool:
        """Return whether a number that is not ``right`` is given only as its own few digits say."""
        row, right_ones = self._own_row, self._own_row.joined(right)
        off = np.abs(row.values - self._computed_row) - row.units
        off[right_ones] = 0.0
        return bool((off > 0).any() and (off > self._slack_row).any())

    @property
    def expects(self) -> tuple[object, ...]:
        """Return what the claims should come to: the same where no claim tells readings apart."""
        return (*self._factors, *self._turned, self._computed_row.tobytes())

    def n_off(self, like: Reading) -> int:
        """Return how many claims have a number that is far from what the numbers before give."""
        return int((~self._own_row.in_all_of(self._roughly(like))).sum())

    def _roughly(self, like: Reading) -> Flags:
        """Return where numbers may be what the numbers before give, as unsure as in ``like``.

        It costs much less than to know how unsure they are here.
        """
        row = self._own_row
        number, slack, there = (
            self._computed_row,
            like._slack_row[row.at],
            like._computed_row[row.at],
        )
        with np.errstate(all="ignore"):
            size = np.nan_to_num(np.abs(number / there), nan=1.0, posinf=10.0)
        return row.close(number, _ROUGHLY * slack * np.clip(size, 1.0, 10.0))


_SHARED = (
    "step", "_factors", "_turned", "claims", "row", "_as_written", "_rows", "numbers", "whole",
    "rounded", "moved", "begun",
)  # fmt: skip  # by all rules


@dataclass(frozen=True, eq=False)
class _AsWritten:
    """Goes on with what is written, or with what each of these numbers is moved to."""

    reading: Reading
    draw: int | None

    def instead_of(self, key: str, computed: Array) -> Array:
        """Return what the working goes on with."""
        reading, draw = self.reading, self.draw if is_result(key) else None
        if draw is None:
            written = reading.numbers.get(key)
        else:
            moved = reading.moved.get(key)
            written = None if moved is None else moved[draw]
        if written is not None and key in reading.whole:
            return written
        if draw is not None:
            half = halves(key, computed.shape)[draw] * reading.rounded.get(key, True)
            computed = computed + half * reading.unit_of(key, computed)
        return computed if written is None else np.where(np.isnan(written), computed, written)

    def ahead(self, key: str, computed: Array) -> Array:
        """Return a quantity as it is written, for whoever takes it where another one belongs."""
        reading = self.reading
        return self.instead_of(key, computed) * reading.conventions.factor(key, reading.step)
