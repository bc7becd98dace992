"""What the referee found: a verdict on every entry, and the name of the mistake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from deltaprop.checking.conventions import HOUSE, Conventions
from deltaprop.checking.named_mistakes import NamedMistake
from deltaprop.widths import wrap

__all__ = ["OTHERWISE", "EntryCheck", "GradientReport"]

OTHERWISE = "right, in another convention"

_WIDTH = 88
_MOST_PLACES = 4
_TOO_LARGE = (
    "the loss is so large that its differences have no digits left for them, and any number would "
    "seem right. Scale the inputs and the targets, and check again."
)


@dataclass(frozen=True)
class EntryCheck:
    """One parameter: the gradient that was claimed and the one that was measured.

    Attributes
    ----------
    name : str
        "W.1[0,2]": quantity, layer counted from 1, index. "loss" for the value itself,
        "W.1.after[0,2]" for a parameter after the step.
    claimed, measured : float
        The gradient, and the central difference of the loss; or the loss; or the parameter, and
        w - eta g with the claimed g.
    relative_error : float
        |claimed - measured| / max(|claimed|, |measured|), beyond the rounding noise of the
        measurement.
    verdict : {"right", "right, in another convention", "wrong", "kink", "undecided"}
        "kink" where the loss has no derivative, so that nothing can be judged; "undecided" where
        the loss is so large that its differences have no digits left for the gradient.
    """

    name: str
    claimed: float
    measured: float
    relative_error: float
    verdict: str

    @property
    def is_judged(self) -> bool:
        """Return whether it could be judged."""
        return self.verdict in ("right", OTHERWISE, "wrong")

    @property
    def part(self) -> str:
        """Return "gradients", "loss" or "update"."""
        if self.name == "loss":
            return "loss"
        return "update" if ".after[" in self.name else "gradients"


@dataclass(frozen=True)
class GradientReport:
    """What the referee found; true when every entry is right as it was asked for.

    Attributes
    ----------
    entries : tuple of EntryCheck
        Every entry that was measured.
    n_parameters : int
        How many there are; more than ``len(entries)`` when a sample was taken.
    tolerance : float
        The relative error up to which an entry is right.
    mistakes : tuple of NamedMistake
        The named mistakes that give the claimed numbers, all that fit equally well; or
        "arithmetic" for a few entries that are wrong by themselves; empty where nothing fits.
    where : str
        Which gradients are wrong, and where to look first, in words.
    otherwise : Conventions
        In which they are right though nobody declared it; the house's where they are not.
    or_else : tuple of Conventions
        Others in which they are just as right.
    note : str
        What is worth knowing of the conventions that were declared.
    """

    entries: tuple[EntryCheck, ...]
    n_parameters: int
    tolerance: float
    mistakes: tuple[NamedMistake, ...] = ()
    where: str = ""
    otherwise: Conventions = HOUSE
    or_else: tuple[Conventions, ...] = ()
    note: str = ""

    @property
    def ok(self) -> bool:
        """Return whether every entry is right, as it was asked for, that has a derivative."""
        return self.verdict == "right"

    @property
    def verdict(self) -> str:
        """Return the worst: right; right, in another convention; undecided; or wrong."""
        found = {entry.verdict for entry in self.entries}
        return next((v for v in ("wrong", "undecided", OTHERWISE) if v in found), "right")

    @property
    def conventions(self) -> tuple[str, ...]:
        """Return the names of the conventions in which it is right though nobody declared them."""
        return self.otherwise.names

    @property
    def wrong(self) -> tuple[EntryCheck, ...]:
        """Return the wrong entries, worst first."""
        wrong = [entry for entry in self.entries if entry.verdict == "wrong"]
        return tuple(sorted(wrong, key=lambda entry: -entry.relative_error))

    @property
    def undecided(self) -> tuple[EntryCheck, ...]:
        """Return the entries of which nothing can be told: the loss is too large beside them."""
        return tuple(entry for entry in self.entries if entry.verdict == "undecided")

    @property
    def worst(self) -> EntryCheck | None:
        """Return the judged entry with the largest relative error."""
        judged = [entry for entry in self.entries if entry.is_judged]
        return max(judged, key=lambda entry: entry.relative_error, default=None)

    @property
    def mistake(self) -> NamedMistake | None:
        """Return the likeliest mistake, or None where nothing is wrong or nothing fits."""
        return self.mistakes[0] if self.mistakes else None

    @property
    def candidates(self) -> tuple[str, ...]:
        """Return the names of all mistakes that fit."""
        return tuple(dict.fromkeys(mistake.name for mistake in self.mistakes))

    @property
    def n_kinks(self) -> int:
        """Return how many entries stand on a kink and were not judged."""
        return sum(entry.verdict == "kink" for entry in self.entries)

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        return self.to_terminal()

    def to_terminal(self, told: Callable[[str], str] = str) -> str:
        """Return what was found as lines of text; ``told`` says a sentence in a language."""
        gradients = [entry for entry in self.entries if entry.part == "gradients"]
        judged = sum(entry.is_judged for entry in gradients)
        right = sum(entry.is_judged and entry.verdict != "wrong" for entry in gradients)
        agree = f"{right} of {judged} gradients agree"
        lines = [f"{agree} with central differences (relative error up to {self.tolerance:g})."]
        if self.conventions:
            lines.append(_in_conventions(self.otherwise, self.or_else))
        if self.note:
            lines.append(self.note)
        if self.n_parameters > len(gradients):
            lines.append(f"A sample of {self.n_parameters} parameters.")
        if self.n_kinks:
            lines.append(f"{self.n_kinks} stand on a kink of the loss and were not judged.")
        if self.undecided:
            lines.append(f"Of {len(self.undecided)} nothing can be told: {_TOO_LARGE}")
        if self.worst is not None:
            w = self.worst
            what = {"loss": "the loss", "update": w.name, "gradients": f"d/d{w.name}"}[w.part]
            against = "expected" if w.part == "update" else "measured"
            lines.append(
                f"{'Worst' if self.wrong else 'Largest error'}: {what}, "
                f"relative error {w.relative_error:.2g}"
            )
            lines.append(f"  claimed {w.claimed:.10g}, {against} {w.measured:.10g}")
        paragraphs = _paragraphs(self.mistakes)
        if self.conventions and paragraphs:
            paragraphs.insert(0, "If that is not meant, it is a mistake.")
        texts = [text for text in (self.where, *paragraphs) if text]
        found = [told(line) if line.startswith(" ") else _filled(told(line)) for line in lines]
        return "\n".join([*found, *(_filled(told(text)) for text in texts)])


def _in_conventions(found: Conventions, same: tuple[Conventions, ...]) -> str:
    """Return in which convention numbers are right, and how to ask for it."""
    written = '", "'.join(found.names)
    declared = f'"{written}"' if len(found.names) == 1 else f'["{written}"]'
    docs = "; ".join(choice.doc for choice in found.chosen)
    other = "; or ".join(" and ".join(one.names) for one in same)
    more = f" The same numbers come of {other}." if same else ""
    named = " and ".join(found.names)
    return (
        f"{OTHERWISE.capitalize()}, {named}: {docs}.{more} To have them judged so, say "
        f"convention={declared}."
    )


def _paragraphs(mistakes: tuple[NamedMistake, ...]) -> list[str]:
    """Return which mistakes were made and what to change, a paragraph each."""
    paragraphs = []
    for part in dict.fromkeys(mistake.part for mistake in mistakes):
        found = [mistake for mistake in mistakes if mistake.part == part]
        if len(found) > 1:
            paragraphs.append("Several mistakes give these very numbers:")
        paragraphs += [
            f"{m.name}, made in {_series(m.places)}: {m.doc}. To change: {m.fix}." for m in found
        ]
        if not all(m.explains_all for m in found):
            paragraphs.append(
                "This explains the uppermost wrong layer; those below have another reason as "
                "well. Correct it and check again."
            )
    return paragraphs


def _series(places: tuple[str, ...]) -> str:
    if len(places) <= _MOST_PLACES:
        return ", ".join(places)
    return f"{places[0]}, {places[1]}, ..., {places[-1]} ({len(places)} arrays)"


def _filled(text: str) -> str:
    return "\n".join(wrap(text, _WIDTH))
