"""What a document says: sections of a few kinds of blocks, which every renderer writes down.

Nothing here knows a medium. Words are in the document's language; numbers are as displayed;
symbols are refs, which each medium writes in its own way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from deltaprop.explaining.document.style import Style
from deltaprop.explaining.document.tokens import MatrixEquation
from deltaprop.explaining.language import words_of
from deltaprop.explaining.worked_step import WorkedStep
from deltaprop.notation.chart import Bars, Curve
from deltaprop.notation.digits import Line
from deltaprop.notation.ids import Ref
from deltaprop.notation.image import Image
from deltaprop.notation.naming import STANDARD, Naming

__all__ = [
    "Block",
    "Cell",
    "Document",
    "Equations",
    "Lines",
    "Overview",
    "OverviewLayer",
    "OverviewNode",
    "Proof",
    "Section",
    "Sentence",
    "Shown",
    "Table",
]


@dataclass(frozen=True)
class Shown:
    """A number as it is displayed."""

    text: str


# words, a displayed number, or a number's symbol
Cell: TypeAlias = str | Shown | Ref


@dataclass(frozen=True)
class Sentence:
    """A paragraph.

    Attributes
    ----------
    text : str
        In the document's language.
    kind : {"", "proved", "failed"}
        What a page may colour.
    """

    text: str
    kind: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of cells; ``head`` is empty where the first column says what the others are."""

    head: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def figures(self) -> list[bool]:
        """Return for each column whether it has numbers, which stand to the right."""
        columns = zip(*self.rows, strict=True)
        return [any(isinstance(cell, Shown) for cell in column) for column in columns]


@dataclass(frozen=True)
class OverviewNode:
    """A neuron in the overview, its numbers as they are displayed; "" for those it has not."""

    ref: Ref  # an input or an activation
    name: str  # what the user calls it
    z: str
    a: str
    delta: str


@dataclass(frozen=True)
class OverviewLayer:
    """A layer in the overview: the strongest of its neurons, and how many more there are."""

    title: str
    nodes: tuple[OverviewNode, ...]
    more: int


@dataclass(frozen=True)
class Overview:
    """The network with the numbers of one sample: values flow forward, deltas flow back.

    Attributes
    ----------
    layers : tuple of OverviewLayer
        Inputs first.
    note : str
        Which sample; "" where there is only one.
    targets : str
        As displayed, joined by commas; of many outputs as "name = number", those that are not 0.
    loss : str
        As displayed.
    loss_name : str
        What the loss is called: "loss L".
    """

    layers: tuple[OverviewLayer, ...]
    note: str
    targets: str
    loss: str
    loss_name: str

    def table(self, words: Mapping[str, str]) -> Table:
        """Return it as a table: down it the values flow forward, up it the deltas flow back."""
        named = any(node.name for layer in self.layers for node in layer.nodes)
        head = ("", words["neuron"], *([words["name"]] if named else []), "z ↓", "a ↓", "δ ↑")
        rows: list[tuple[Cell, ...]] = []
        for layer in self.layers:
            title = layer.title
            for node in layer.nodes:
                numbers = (Shown(n) if n else "" for n in (node.z, node.a, node.delta))
                rows.append((title, node.ref, *([node.name] if named else []), *numbers))
                title = ""
            if layer.more:
                more = words["more"].format(count=f"{layer.more:,}")
                rows.append(("", more, *[""] * (len(head) - 2)))
        return Table(head, tuple(rows))


@dataclass(frozen=True)
class Equations:
    """Matrix equations, below each other."""

    equations: tuple[MatrixEquation, ...]


@dataclass(frozen=True)
class Lines:
    """Numbers one by one: symbol = symbols = numbers = result.

    ``all_lines`` are those for programs, where they are others: a linear neuron's a is told beside
    its z, even where a notation has one symbol for both.
    """

    lines: tuple[Line, ...]
    all_lines: tuple[Line, ...] = ()


Block: TypeAlias = Sentence | Table | Overview | Image | Curve | Bars | Equations | Lines


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it.

    Attributes
    ----------
    name : str
        For links: "layers", "neurons", "batch"; of a part "forward", "loss", ...
    title : str
        The heading; "" for none.
    blocks : tuple of Block
        What stands under it.
    parts : tuple of Section
        Sections within, one for each phase.
    """

    name: str
    title: str
    blocks: tuple[Block, ...] = ()
    parts: tuple[Section, ...] = ()


@dataclass(frozen=True)
class Proof:
    """What the referee measured for a gradient, as it is displayed.

    Attributes
    ----------
    verdict : {"right", "wrong", "kink", "undecided"}
        "kink" where the loss has no derivative, "undecided" where it is too large to be measured.
    measured, error : str
        The central difference, and the relative error; "" where nothing is judged.
    """

    verdict: str
    measured: str
    error: str

    @property
    def is_judged(self) -> bool:
        """Return whether the gradient could be judged."""
        return self.verdict in ("right", "wrong")


def _itself(ref: Ref) -> Ref:
    return ref


@dataclass(frozen=True)
class Document:
    """All that is to be written down.

    Attributes
    ----------
    title : str
        What it is about.
    conventions : tuple of str
        Sentences that stand above everything.
    sections : tuple of Section
        In order.
    style : Style
        Language and digits.
    n_samples : int
        Where there is only one, its number is left out of symbols.
    naming : Naming
        The notation, with what it has to know of the network.
    proofs : mapping
        By id, "dW.1[0,2]".
    named : callable
        What a number is called here: the loss of the only sample is the loss.
    worked : WorkedStep, optional
        What it is about: for pictures of the network, and for what is given.
    data : mapping, optional
        What programs get where it is not about the numbers of one step.
    """

    title: str
    conventions: tuple[str, ...]
    sections: tuple[Section, ...]
    style: Style
    n_samples: int = 1
    naming: Naming = STANDARD
    proofs: Mapping[str, Proof] = field(default_factory=dict)
    named: Callable[[Ref], Ref] = _itself
    worked: WorkedStep | None = None
    data: Mapping[str, Any] | None = None

    @property
    def words(self) -> Mapping[str, str]:
        """Return the wording of its language."""
        return words_of(self.style.language)

    def blocks(self) -> Iterator[Block]:
        """Yield every block, in order."""
        for section in self.sections:
            for part in (section, *section.parts):
                yield from part.blocks

    def lines(self) -> Iterator[Line]:
        """Yield every number that is described, in the order in which they are worked out."""
        for block in self.blocks():
            if isinstance(block, Lines):
                yield from block.lines

    def all_lines(self) -> Iterator[Line]:
        """Yield every number there is, as programs get them."""
        for block in self.blocks():
            if isinstance(block, Lines):
                yield from block.all_lines or block.lines
