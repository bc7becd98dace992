"""The nodes of the network picture: a card for each neuron, with its numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from deltaprop.explaining.derivation.edges import added_at
from deltaprop.explaining.derivation.strongest import neurons_to_show
from deltaprop.explaining.document.labels import naming_of
from deltaprop.explaining.document.style import Style
from deltaprop.explaining.language import words_of
from deltaprop.explaining.worked_step import WorkedStep
from deltaprop.model.layers import ARRAYS
from deltaprop.notation.digits import number_text
from deltaprop.notation.ids import Ref, read_ref
from deltaprop.notation.mathml import escape
from deltaprop.notation.unicode import symbol_of
from deltaprop.widths import clip

__all__ = ["BOLD", "LAST_GAP", "Cards", "Node", "sign_of"]

_MOST_NODES = 10  # of a layer
_CARD, _WIDE_CARD, _ROW, _PADDING = 100, 118, 17, 6  # the size of a node
_GAP, LAST_GAP = 92, 40  # beside nodes; before the loss
_BETWEEN = ((2, 72), (4, 40), (6, 26), (_MOST_NODES, 18))  # below nodes, for layers of such a size
_TOP = 46  # room for the titles
_LONGEST = 7  # characters of a number that fit beside its symbol
BOLD = 7.0  # width of a character in a heading


@dataclass(frozen=True)
class Node:
    """A card: its lines, where it stands, and which numbers it is about."""

    x: float
    y: float
    rows: tuple[tuple[str, str, str, float], ...]  # id, symbol, number, value
    title: str
    also: tuple[str, ...]
    kind: str
    place: int  # within its layer; -1 for what gathers the rest

    @property
    def height(self) -> float:
        """Return the height of the card."""
        return len(self.rows) * _ROW + 2 * _PADDING + (15 if self.title else 0)

    @property
    def middle(self) -> float:
        """Return where edges meet it."""
        return self.y + self.height / 2


class Cards:
    """Where the nodes of a picture at least so wide stand, and what they show of one sample.

    ``known`` are the ids that may be used, all when left out. Where ``least_gap``, the room
    between layers, is narrow, fewer labels find room.
    """

    def __init__(
        self,
        worked: WorkedStep,
        style: Style,
        width: int,
        sample: int,
        known: Collection[str] | None,
        least_gap: float = _GAP,
    ) -> None:
        self.worked = worked
        self.trace = worked.shown
        self.digits, self.naming = (
            style.digits,
            naming_of(worked.names, worked.trace.network, style, worked.written),
        )
        self.words = words_of(style.language)
        self.inputs = worked.names.inputs_in(style.language)
        self.sample, self.known = sample, known
        layers = len(self.trace.a)
        widest = max(a.shape[1] for a in self.trace.a)
        self.card = _WIDE_CARD if widest > 99 else _CARD
        fixed = (layers + 1) * self.card + LAST_GAP + 4
        self.gap = max(least_gap, (width - fixed) / (layers - 1))
        self.between = next(space for most, space in _BETWEEN if min(widest, _MOST_NODES) <= most)
        self.width = fixed + (layers - 1) * self.gap
        self.columns = [self._column(layer) for layer in range(layers)]
        self.height = max(column[-1].y + column[-1].height for column in self.columns)
        self.columns = [self._centred(column) for column in self.columns]

    # text

    def number(self, value: float) -> str:
        """Return a number that fits beside its symbol."""
        text = number_text(float(value), self.digits)
        for digits in range(self.digits - 1, 0, -1):
            if len(text) <= _LONGEST:
                break
            text = number_text(float(value), digits)
        return text.replace("-", "−")

    def symbol(self, ref: Ref) -> str:
        """Return a symbol without the sample, which the heading names."""
        return symbol_of(ref, 1, self.naming)

    def id(self, *names: str) -> str:
        """Return the attributes that tell which numbers an element shows."""
        refs = (read_ref(name) for name in names if name)
        told = [*dict.fromkeys(self.naming.joined(ref).id for ref in refs)]
        shown = [name for name in told if self.known is None or name in self.known]
        if not shown:
            return ""
        also = f' data-also="{escape(" ".join(shown[1:]))}"' if shown[1:] else ""
        return f' data-id="{escape(shown[0])}"{also}'

    def again(self, name: str) -> str:
        """Return the attribute that tells what a number is with the new weights, if it changes."""
        if not name:
            return ""
        ref, after = read_ref(name), self.worked.shown_after
        if ref.quantity == "a":
            value = after.a[ref.layer][ref.index]
        elif ref.quantity == "loss":
            value = after.loss_per_sample[ref.index] if ref.index else after.loss
        elif ref.quantity in ARRAYS:
            value = after.parameters.layers[ref.layer - 1][ref.quantity][ref.index]
        else:
            return ""
        return f' data-again="{self.number(value)}"'

    # nodes

    def x(self, column: int) -> float:
        """Return where a column starts; the loss is the last."""
        last = column == len(self.trace.a)
        return 2 + column * (self.card + self.gap) - (self.gap - LAST_GAP if last else 0)

    def _column(self, layer: int) -> list[Node]:
        chosen = neurons_to_show(self.trace, layer, self.sample, _MOST_NODES)
        y, nodes = float(_TOP), []
        for j in chosen:
            node = self._input(j, y) if layer == 0 else self._neuron(layer, j, y)
            nodes.append(node)
            y += node.height + self.between
        left_out = self.trace.a[layer].shape[1] - len(chosen)
        if left_out:
            more = self.words["more"].format(count=f"{left_out:,}")
            nodes.append(Node(self.x(layer), y, (("", "", more, 0.0),), "", (), "rest", -1))
        return nodes

    def _input(self, i: int, y: float) -> Node:
        value = self.trace.a[0][self.sample, i]
        ref = Ref("x", 0, (self.sample, i))
        names = self.inputs
        rows = ((ref.id, self.symbol(ref), self.number(value), value),)
        return Node(self.x(0), y, rows, names[i] if names else "", (f"kept.1{_at(ref)}",), "x", i)

    def _neuron(self, layer: int, j: int, y: float) -> Node:
        trace, s = self.trace, self.sample
        a, delta = Ref("a", layer, (s, j)), Ref("delta", layer, (s, j))
        value, slope = trace.a[layer][s, j], trace.delta[layer - 1][s, j]
        rows = [
            (a.id, self.symbol(a), self.number(value), value),
            (delta.id, self.symbol(delta), self.number(slope), slope),
        ]
        also = [f"{name}.{layer}{_at(a)}" for name in ("z", "upstream", "sample_delta")]
        also += [f"kept.{layer + 1}{_at(a)}"]
        also += [f"{name}.{layer}.after{_at(a)}" for name in ("z", "a")]
        b = added_at(trace, layer, j)
        if b is not None:
            bias = trace.parameters.layers[layer - 1][b.quantity][b.index]
            rows.insert(0, (b.id, self.symbol(b), self.number(bias), bias))
            also += [replace(b, quantity=f"d{b.quantity}").id, replace(b, after=True).id]
        title = ""
        if layer == len(trace.z):
            t = Ref("targets", 0, (s, j))
            target = trace.targets[s, j]
            rows.append((t.id, self.symbol(t), self.number(target), target))
            also.append(f"smoothed_targets[{s},{j}]")
            names = self.worked.names.outputs
            title = names[j] if names else ""
        return Node(self.x(layer), y, tuple(rows), title, tuple(also), "neuron", j)

    def _centred(self, column: list[Node]) -> list[Node]:
        down = (self.height - (column[-1].y + column[-1].height)) / 2
        return [replace(node, y=node.y + down) for node in column]

    def loss_node(self) -> Node:
        """Return the node of the loss."""
        value = self.trace.loss_per_sample[self.sample]
        alone = self.worked.derivation.loss_is_of_one_sample()
        whole = self.symbol(Ref("loss"))
        own = (f"loss[{self.sample}]", whole if alone else "ℓ", self.number(value), value)
        total = ("loss", whole, self.number(self.trace.loss), self.trace.loss)
        rows = [own] if alone else [own, total]
        if self.naming.of_loss:  # the deltas begin with that of the loss by itself
            rows.append(("", self.symbol(Ref("delta", len(self.trace.a))), "1", 1.0))
        also = ("loss", "l2_penalty", "l1_penalty", f"loss.after[{self.sample}]", "loss.after")
        node = Node(self.x(len(self.columns)), 0, tuple(rows), "", also, "loss", 0)
        return replace(node, y=_TOP + (self.height - _TOP - node.height) / 2)

    def svg_of(self, node: Node) -> Iterator[str]:
        """Yield a node as a card with a row for each number."""
        own = [row[0] for row in node.rows if row[0]]
        # the activation stands for its node; the numbers of the card carry their own ids
        own.sort(key=lambda name: not name.startswith("a."))
        also = [*own[1:], *node.also]
        yield f'<g class="node {node.kind}"{self.id(*own[:1], *also)}>'
        yield (
            f'<rect x="{node.x:.4g}" y="{node.y:.5g}" width="{self.card}" '
            f'height="{node.height:.5g}" rx="9"/>'
        )
        y = node.y + _PADDING
        if node.title:
            y += 15
            shown = clip(node.title, self.card / BOLD - 2)
            yield f"<title>{escape(node.title)}</title>"
            yield f'<text class="name" x="{node.x + 10:.5g}" y="{y - 2:.5g}">{escape(shown)}</text>'
        for name, symbol, number, value in node.rows:
            y += _ROW
            base = y - 4.5
            if not symbol:
                yield (
                    f'<text class="rest" x="{node.x + self.card / 2:.5g}" y="{base:.5g}">'
                    f"{escape(number)}</text>"
                )
                continue
            kind = "gradient" if symbol[0] in "δ∂" else "value"
            of = f' data-of="{name}"' if name else ""
            yield (
                f'<g class="row {kind}"{self.id(name)}>'
                f'<text class="symbol" x="{node.x + 10:.5g}" y="{base:.5g}">{escape(symbol)}</text>'
                f'<text class="number {sign_of(value)}" x="{node.x + self.card - 10:.5g}" '
                f'y="{base:.5g}"{of}{self.again(name)}>{number}</text></g>'
            )
        yield "</g>"


def _at(ref: Ref) -> str:
    return f"[{','.join(map(str, ref.index))}]"


def sign_of(value: float) -> str:
    """Return negative, positive or zero."""
    return "negative" if value < 0 else "positive" if value > 0 else "zero"
