"""Reading a working: what each line comes to from the lines before, and how unsure that is.

Whoever works with pen and calculator goes on with what is written, rounded, or with more digits
than are written. So a line is compared with what the lines before give it as they are written, and
may be off by what their rounding moves it: each number that is made on the way, written or not, may
be off by half a unit in its last place.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from deltaprop.checking.conventions import HOUSE, Conventions
from deltaprop.checking.precision import Claim
from deltaprop.checking.rules import RIGHT, Rules
from deltaprop.checking.step import Begun, Quantities, Step, work_out
from deltaprop.model.layers import ARRAYS

__all__ = ["InConvention", "Reading"]

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_MOST_SLACK, _MOST_UNITS = 0.25, 3.0  # of the largest number of an array, and units besides
_ROUGHLY = 4.0  # times the slack of another reading
_DRAWS = 12
_SIGMAS = 2.5  # of half a unit either way, each number by itself; 4.3 of what rounding really does


@dataclass(frozen=True, eq=False)
class InConvention:
    """A claim as the house would write it: the same digits, another factor or way round.

    Attributes
    ----------
    claim : Claim
        What is written.
    factor : float
        What is written, as a multiple of the house's number.
    turned : bool
        Whether rows and columns are exchanged.
    """

    claim: Claim
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
    written : sequence of Claim
        What is written down, in the order in which it is worked out.
    conventions : Conventions
        How.
    rules : Rules
        By which.
    unit : callable
        ``unit(values)``: the unit in the last place of numbers that are not written down.
    until : str or None
        The last quantity that is asked for; the whole step where left out.
    """

    given: Step
    written: Sequence[Claim]
    unit: Callable[[Array], Array]
    conventions: Conventions = HOUSE
    rules: Rules = RIGHT
    until: str | None = None

    @cached_property
    def step(self) -> Step:
        """Return the step with the objective of the conventions."""
        return self.conventions.step(self.given)

    @cached_property
    def claims(self) -> list[InConvention]:
        """Return the claims as the house would write them."""
        return [
            InConvention(
                claim, self.conventions.factor(claim.key, self.step),
                self.conventions.turns(claim.key),
            )
            for claim in self.written
        ]  # fmt: skip

    @cached_property
    def numbers(self) -> Mapping[str, Array]:
        """Return what the working goes on with: the numbers that are written."""
        return {claim.key: claim.values for claim in self.claims}

    @cached_property
    def whole(self) -> frozenset[str]:
        """Return the claims in which every number is written."""
        return frozenset(key for key, values in self.numbers.items() if not np.isnan(values).any())

    @cached_property
    def moved(self) -> Mapping[str, Array]:
        """Return them as often as is drawn, each number half a unit up or down every time."""
        return {
            claim.key: claim.values + _halves(claim.key, claim.values.shape) * claim.units
            for claim in self.claims
            if _is_result(claim.key)
        }

    def by(self, rules: Rules, until: str | None = None) -> Reading:
        """Return the same working read by other rules, perhaps only as far as a quantity."""
        other = replace(self, rules=rules, until=until)
        other.__dict__.update(
            step=self.step,
            claims=self.claims,
            numbers=self.numbers,
            whole=self.whole,
            moved=self.moved,
            begun=self.begun,
        )
        return other

    @cached_property
    def computed(self) -> Quantities:
        """Return what every quantity comes to from the numbers before it, as they are written."""
        return self._work(None)

    @cached_property
    def slack(self) -> Quantities:
        """Return how unsure each of them is, since the numbers before are rounded."""
        squares = {key: np.zeros_like(value) for key, value in self.computed.items()}
        with np.errstate(all="ignore"):
            for draw in range(_DRAWS):
                for key, value in self._work(draw).items():
                    square = (value - self.computed[key]) ** 2
                    squares[key] += np.where(np.isfinite(square), square, 0.0)
        slacks = {key: _SIGMAS * np.sqrt(square / _DRAWS) for key, square in squares.items()}
        return {key: np.minimum(slack, self._most_slack(key)) for key, slack in slacks.items()}

    def _most_slack(self, key: str) -> float:
        """Return what no rounding excuses: a quantity that nothing is sure of proves nothing."""
        sizes = np.abs(self.computed[key])
        largest = float(np.max(sizes, initial=0.0, where=np.isfinite(sizes)))
        return _MOST_SLACK * largest + _MOST_UNITS * float(np.max(self.unit(self.computed[key])))

    def _work(self, draw: int | None) -> Quantities:
        """Work the step out from what is written; a draw moves each number by half a unit."""
        begun = self.begun.setdefault(draw, Begun())
        return work_out(self.step, self.rules, _AsWritten(self, draw), begun, self.until)[0]

    @cached_property
    def begun(self) -> dict[int | str | None, Begun]:
        """Return the forward pass by draw: most rules go on from the same one."""
        return {}

    @cached_property
    def off(self) -> dict[str, Flags]:
        """Return by claim where it is not what the numbers before give."""
        return {c.key: ~c.close(self.computed[c.key], self.slack[c.key]) for c in self.claims}

    @cached_property
    def pure(self) -> Quantities:
        """Return what every quantity comes to when nothing that is written is gone on with."""
        return work_out(self.step, self.rules, begun=self.begun.setdefault("pure", Begun()))[0]

    def gives(self, claim: InConvention, like: Reading, right: Flags) -> bool:
        """Return whether every number of a claim is what the rules make it, or is right.

        They make it from the numbers before. ``like`` is a reading whose slack is known.
        """
        if not (self._roughly(claim, like) | right).all():
            return False
        return bool((claim.close(self.computed[claim.key], self.slack[claim.key]) | right).all())

    @property
    def expects(self) -> tuple[object, ...]:
        """Return what the claims should come to: the same where no claim tells readings apart."""
        return tuple((c.factor, c.turned, self.computed[c.key].tobytes()) for c in self.claims)

    def n_off(self, like: Reading) -> int:
        """Return how many claims have a number that is far from what the numbers before give."""
        return sum(not self._roughly(claim, like).all() for claim in self.claims)

    def _roughly(self, claim: InConvention, like: Reading) -> Flags:
        """Return where a claim may be what the numbers before give, as unsure as in ``like``.

        It costs much less than to know how unsure they are here.
        """
        number, slack = self.computed[claim.key], like.slack[claim.key]
        with np.errstate(all="ignore"):
            size = np.nan_to_num(np.abs(number / like.computed[claim.key]), nan=1.0, posinf=10.0)
        return claim.close(number, _ROUGHLY * slack * np.clip(size, 1.0, 10.0))


@lru_cache(maxsize=4096)
def _is_result(key: str) -> bool:
    """Return whether a quantity is worked out, not given."""
    return key.partition(".")[0] not in ARRAYS or key.endswith(".after")


@lru_cache(maxsize=512)
def _halves(key: str, shape: tuple[int, ...]) -> Array:
    """Return for every draw and number a half, up or down; the same ones each time."""
    rng = np.random.default_rng(zlib.crc32(key.encode()))
    return np.asarray(rng.integers(0, 2, size=(_DRAWS, *shape)) - 0.5, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class _AsWritten:
    """Goes on with what is written, or with what each of these numbers is moved to."""

    reading: Reading
    draw: int | None

    def instead_of(self, key: str, computed: Array) -> Array:
        """Return what the working goes on with."""
        reading, draw = self.reading, self.draw if _is_result(key) else None
        if draw is None:
            written = reading.numbers.get(key)
        else:
            moved = reading.moved.get(key)
            written = None if moved is None else moved[draw]
        if written is not None and key in reading.whole:
            return written
        if draw is not None:
            computed = computed + _halves(key, computed.shape)[draw] * reading.unit(computed)
        return computed if written is None else np.where(np.isnan(written), computed, written)
