"""Which mistakes give the lines of a working that do not follow from the lines before them.

Every line is judged by the numbers before it as they are written, so a mistake shows where it is
made and nowhere else, and two mistakes show in two places. Each wrong line is compared with what
every form of every mistake makes of the lines before; where none does, with two forms together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

import numpy as np
import numpy.typing as npt

from deltaprop.checking.mistakes.entries import (
    OF_ENTRIES,
    OtherEntry,
    exchanges,
    other_entries,
    with_entries,
)
from deltaprop.checking.mistakes.forms import Form, forms_for
from deltaprop.checking.readings import Reading
from deltaprop.checking.rules import RIGHT, Rules, changed
from deltaprop.checking.search import Search, only_in, reaches_down
from deltaprop.checking.step import lacking, made_from, rules_for

__all__ = ["Causes", "Explanation"]

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

# log10 of how much surer a claim must be than what dozens of forms give by chance
_EVIDENCE, _EVIDENCE_UNSEEN, _EVIDENCE_FOR_TWO = 1.2, 2.2, 2.6
_BY_ENTRIES = frozenset(mistake.name for mistake in OF_ENTRIES)
_EVIDENCE_OF_ENTRIES = 1.0  # besides that of how many there are
_MOST_ENTRIES = 3
_RARER, _RAREST = 0.15, 3  # the more for each rank below the commonest form, as far as this one
_MOST_PAIRS = 400
_MOST_ROUNDED = 2  # claims; one layer rounded unevenly explains a claim or two, not a dozen


@dataclass(frozen=True)
class Explanation:
    """What gives one wrong claim.

    Attributes
    ----------
    causes : tuple of tuple of Form
        Those that give it equally well, the likeliest first; each is one form, or two together.
    rounded : tuple of float
        What the layer before was rounded to, where only this gives it.
    """

    causes: tuple[tuple[Form, ...], ...] = ()
    rounded: tuple[float, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the mistakes, the likeliest first."""
        return tuple(dict.fromkeys(form.name for cause in self.causes for form in cause))


@dataclass(frozen=True)
class _Tried:
    """A cause and the wrong claims it gives; it has a part in some of the right ones as well.

    Some it gives ``exactly``, by the lines before as they are written.
    """

    cause: tuple[Form, ...]
    gives: frozenset[str]
    reading: Reading
    rules: Rules
    right: tuple[str, ...] = ()
    exactly: frozenset[str] = frozenset()

    @property
    def rarity(self) -> int:
        """Return how rare the forms are."""
        return sum(min(form.rank, _RAREST) for form in self.cause)

    @cached_property
    def is_loose(self) -> bool:
        """Return whether it gives a number only because that one has fewer digits than the rest."""
        keys = tuple(key for key in self.reading.row.keys if key in self.gives)
        return self.reading.by(self.rules, keys).is_loose(self.reading.is_right)

    @cached_property
    def against(self) -> int:
        """Return how many of the right claims it contradicts."""
        if not self.right:
            return 0
        reading = self.reading.by(self.rules, self.right)
        return len(self.right) - len(reading.gives(self.reading, self.reading.nothing))


def _forms(reading: Reading) -> Iterator[Form]:
    """Yield every form, and those on the way down and in the update also in one layer only.

    What can be got wrong in the step of this optimizer alone comes first. What concerns single
    numbers is asked of those that are wrong, by ``Causes.by_entries``, and of all at last.
    """
    step = reading.step
    forms = [form for form in forms_for(step.network) if form.name not in _BY_ENTRIES]
    for form in forms:
        if form.name in step.other_moves:
            yield Form(form.name, form.rules, 0)
    for form in forms:
        if form.name not in step.other_moves:
            yield form
        updates = form.rules.update is not RIGHT.update
        last = step.n_layers if updates else step.n_layers - 1  # whose delta comes of no recursion
        if last > 1 and (updates or reaches_down(form.rules)):
            for layer in range(1, last + 1):
                yield Form(form.name, only_in(form.rules, frozenset({layer})), form.rank + 1)


def _rounded_before(reading: Reading, key: str, right: Mapping[str, Flags]) -> Explanation:
    """Ask once more, with the layer before rounded more than the rest."""
    search = Search(reading.step, reading.claims, {k: ~flags for k, flags in right.items()})
    claim = next(claim for claim in reading.claims if claim.key == key)
    forms = {form.name: form for form in reversed(list(forms_for(reading.step.network)))}
    found = search.with_rounding(claim)
    return Explanation(tuple((forms[name],) for name in found.names), found.rounded)


class Causes:
    """What gives the wrong claims of a working.

    Parameters
    ----------
    reading : Reading
        The working, by the right rules.
    wrong : dict of str to ndarray of bool
        By claim which numbers are wrong; only claims with at least one.
    right : dict of str to ndarray of bool
        By claim which numbers are the right ones, whatever stands before them.
    """

    def __init__(
        self, reading: Reading, wrong: Mapping[str, Flags], right: Mapping[str, Flags]
    ) -> None:
        self.reading = reading
        self.claims = {claim.key: claim for claim in reading.claims}
        self.wrong = wrong
        self.right = right
        self.evidence = {
            key: self._evidence(key, reading.computed[key], reading.slack[key]) for key in wrong
        }
        self._exact = {key: self._evidence(key, reading.computed[key], 0.0) for key in wrong}

    @cached_property
    def single(self) -> dict[str, Explanation]:
        """Return by claim which mistakes give it, each by itself; claims without are left out."""
        found: dict[str, Explanation] = {}
        forms = list(_forms(self.reading)) if self.wrong else []
        self.cover([tried for form in forms if (tried := self.tried((form,)))], found, _EVIDENCE)
        if len(found) < len(self.wrong):
            self.cover(self.unseen(forms), found, 0.0)
        return found

    @cached_property
    def all(self) -> dict[str, Explanation]:
        """Return them with pairs of mistakes, and with what a coarser rounding before explains."""
        found = dict(self.single)
        for key in self.wrong:
            if key not in found and (by_entries := self.by_entries(key)):
                found[key] = by_entries
        if len(found) < len(self.wrong):
            throughout = [f for f in forms_for(self.reading.step.network) if f.name in _BY_ENTRIES]
            tried = [one for form in throughout if (one := self.tried((form,)))]
            self.cover(tried, found, _EVIDENCE)
        if len(found) < len(self.wrong):
            self.cover(self.pairs(found), found, _EVIDENCE_FOR_TWO)
        left = [key for key in self.wrong if key not in found]
        for key in left if len(left) <= _MOST_ROUNDED else ():
            found[key] = _rounded_before(self.reading, key, self.right)
        return {key: found.get(key, Explanation()) for key in self.wrong}

    def _evidence(self, key: str, computed: Array, slack: Array | float) -> float:
        """Return log10 of how unlikely it is to come near the wrong numbers by chance."""
        return float(self._apart(key, computed, slack)[self.wrong[key]].sum())

    def _apart(self, key: str, computed: Array, slack: Array | float) -> Array:
        """Return for each number log10 of how many times its room it is off."""
        claim = self.claims[key]
        with np.errstate(all="ignore"):
            apart = np.abs(claim.values - computed) / (claim.units / 2 + slack)
            return np.log10(np.where(np.isfinite(apart), np.maximum(apart, 1.0), 1.0))

    def tried(self, cause: tuple[Form, ...]) -> _Tried | None:
        """Return what a cause gives; None when it gives none of the wrong claims."""
        rules = _together([form.rules for form in cause])
        if rules is None:
            return None
        moved = self._moved_by(changed(rules))
        wrong = tuple(key for key in moved if key in self.wrong)
        if not wrong:
            return None
        reading = self.reading.by(rules, wrong)
        gives = frozenset(
            key for key in reading.gives(self.reading, self.right)
            if not np.array_equal(reading.computed[key], self.reading.computed[key], equal_nan=True)
        )  # fmt: skip  # what the right rules give as little proves nothing
        right = tuple(key for key in moved if key not in self.wrong)
        exactly = reading.gives_exactly(self.right) & gives
        return _Tried(cause, gives, self.reading, rules, right, exactly) if gives else None

    def _evidence_for(self, one: _Tried, keys: Iterable[str]) -> float:
        """Return log10 of how unlikely a cause gives claims as nearly as it does by chance."""
        return sum((self._exact if key in one.exactly else self.evidence)[key] for key in keys)

    def _moved_by(self, rules: frozenset[str]) -> list[str]:
        """Return the claims that these rules have a part in, from the lines before them."""
        return [key for key, parts in self._rules_behind.items() if not parts.isdisjoint(rules)]

    @cached_property
    def _rules_behind(self) -> dict[str, frozenset[str]]:
        """Return by claim the rules that make it from the lines before, whatever is not written."""
        # where p is written, z still is what it is
        last = f"a.{self.reading.step.n_layers}"
        return {
            key: self._rules_for(key, lambda k: k not in self.reading.whole or k.startswith(last))
            for key in self.claims
        }

    @cached_property
    def _rules_of_all_behind(self) -> dict[str, frozenset[str]]:
        """Return by claim the rules that make it when nothing that is written is gone on with."""
        return {key: self._rules_for(key, lambda _key: True) for key in self.claims}

    def _rules_for(self, key: str, is_open: Callable[[str], bool]) -> frozenset[str]:
        step = self.reading.step
        made = (k for k in made_from(key, step, is_open) if is_open(k))
        return frozenset().union(*(rules_for(k, step) for k in (key, *made)))

    def cover(
        self, tried: Sequence[_Tried], found: dict[str, Explanation], evidence: float
    ) -> None:
        """Explain what is not explained yet, by what gives the most of it first."""
        left = set(self.wrong) - set(found)
        while left:
            proven = [
                one.gives & left
                for one in tried
                if one.gives & left
                and self._evidence_for(one, one.gives & left) >= evidence + _RARER * one.rarity
            ]
            if not proven:
                return
            most = max(map(len, proven))
            shares = {share for share in proven if len(share) == most}
            best = sorted(  # rare ones, too: it is no chance that something gives these claims
                (one for one in tried if one.gives & left in shares),
                key=lambda o: (o.against, o.is_loose, o.rarity),
            )
            for key in best[0].gives & left:
                causes = [one.cause for one in best
                          if key in one.gives and one.against == best[0].against]  # fmt: skip
                found[key] = Explanation(tuple(causes))
            left -= best[0].gives

    def by_entries(self, key: str) -> Explanation | None:
        """Return what gives a claim by numbers of another index, or in each other's places."""
        wrong = [tuple(map(int, at)) for at in np.argwhere(self.wrong[key])]
        shape = self.reading.computed[key].shape
        swaps = exchanges(key, shape, lacking(key, self.reading.step.network.layout))
        forms = [Form("swapped_entries", rules, 0, (two,)) for two, rules in swaps]
        enough = _EVIDENCE_OF_ENTRIES + np.log10(max(len(forms), 1))
        for form in forms if len(wrong) > 1 and self.evidence[key] >= enough else ():
            if self._gives_at(form.rules, key, wrong):
                return Explanation(((form,),))
        if len(wrong) > _MOST_ENTRIES:
            return None
        apart = self._apart(key, self.reading.computed[key], self.reading.slack[key])
        chosen: list[OtherEntry] = []
        for at in wrong:
            others = list(other_entries(self.reading.step, key, at, shape))
            if not others or apart[at] < _EVIDENCE_OF_ENTRIES + np.log10(len(others)):
                return None
            others.sort(key=lambda other: other.sort not in [before.sort for before in chosen])
            given = (o for o in others if self._gives_at(with_entries([o]), key, [at]))
            if (other := next(given, None)) is None:
                return None
            chosen.append(other)
        pairs = tuple(dict.fromkeys(other.ids for other in chosen))
        return Explanation(((Form("wrong_entry", with_entries(chosen[:1]), 0, pairs),),))

    def _gives_at(self, rules: Rules, key: str, at: Sequence[tuple[int, ...]]) -> bool:
        """Return whether rules give some numbers of a claim, and not as the right ones do."""
        reading, others = self.reading.by(rules, (key,)), np.ones_like(self.wrong[key])
        others[tuple(zip(*at, strict=True))] = False
        number, right = reading.computed[key], self.reading.computed[key]
        if any(number[i] == right[i] for i in at):
            return False
        return bool(reading.gives(self.reading, {key: others}))

    def unseen(self, forms: Sequence[Form]) -> list[_Tried]:
        """Return forms that give claims when nothing that is written before is gone on with.

        The lines before may be of another working, as where a program prints some of its numbers.
        """
        right = self.reading.pure
        sure = [
            key for key in self.wrong if self._evidence(key, right[key], 0.0) >= _EVIDENCE_UNSEEN
        ]
        found = []
        for form in forms if sure else ():
            parts = changed(form.rules)
            moved = [key for key in sure if not parts.isdisjoint(self._rules_of_all_behind[key])]
            pure = self.reading.by(form.rules).pure if moved else {}
            gives = frozenset(key for key in moved if self.claims[key].close(pure[key]).all())
            found += [_Tried((form,), gives, self.reading, form.rules)] if gives else []
        return found

    def pairs(self, found: Mapping[str, Explanation]) -> list[_Tried]:
        """Return pairs of forms that give what none gives alone."""
        left = [key for key in self.wrong if key not in found]
        if sum(self.evidence[key] for key in left) < _EVIDENCE_FOR_TWO:
            return []
        moving = [form for form in _forms(self.reading) if self._moves(form, left)]
        pairs = sorted(combinations(moving, 2), key=lambda two: two[0].rank + two[1].rank)
        return [tried for pair in pairs[:_MOST_PAIRS] if (tried := self.tried(pair))]

    def _moves(self, form: Form, keys: Sequence[str]) -> bool:
        if set(self._moved_by(changed(form.rules))).isdisjoint(keys):
            return False
        computed = self.reading.by(form.rules).computed
        return any(
            (np.abs(computed[key] - self.reading.computed[key]) > self.reading.slack[key]).any()
            for key in keys
        )


def _together(rules: Sequence[Rules]) -> Rules | None:
    """Return rules with the changes of all; None when two change the same."""
    if len(rules) == 1:
        return rules[0]
    together: dict[str, object] = {}
    for one in rules:
        own = {part: getattr(one, part) for part in changed(one)}
        if own.keys() & together.keys():
            return None
        together |= own
    return replace(RIGHT, **together)  # type: ignore[arg-type]
