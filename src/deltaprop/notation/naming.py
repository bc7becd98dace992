"""Notations: which layers have which number, and whether single numbers have letters of their own.

The library's own writes W¹ for what leads into layer 1. The tutorial that it grew out of counts the
inputs as layer 1 and the loss as the last one, writes W⁽¹²⁾ for what leads from there to layer 2,
knows linear neurons only, whose a is z, and in its example calls single numbers x, w, h, y and E.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from deltaprop.functional.registry import Registry
from deltaprop.model.layers import ARRAYS
from deltaprop.model.spec import Network
from deltaprop.notation.ids import PER_SAMPLE, Ref

__all__ = ["NOTATIONS", "STANDARD", "Naming"]

# of an array: its name, layer, rows, what is before, and its entries that there are not
_Slots = tuple[tuple[str, int, int, int, tuple[int, ...]], ...]


@dataclass(frozen=True)
class Naming:
    """What numbers are called.

    Parameters
    ----------
    name : str
        As it is asked for.
    doc : str
        One line.
    first_layer : int
        The number of the inputs' layer.
    between : bool
        Whether W has the numbers of the layers on both sides.
    joins_linear : bool
        Whether inputs are z of their layer, and a of linear neurons is z.
    single : bool
        Whether single numbers have letters of their own: x, w, h, y, E.
    linear, counted, n_hidden, n_out
        Of a network: its layers whose a is z, its arrays that are counted through, how many hidden
        layers and how many outputs there are; ``of_network`` sets them.
    turned, plain : frozenset of str
        Of conventions: quantities whose index is written the other way round, and kinds of number
        ("delta", "dW") that are no derivative of the loss and are called by themselves.
    """

    name: str
    doc: str
    first_layer: int = 0
    between: bool = False
    joins_linear: bool = False
    single: bool = False
    linear: frozenset[int] = frozenset()
    counted: _Slots = ()
    n_hidden: int = 0
    n_out: int = 0
    turned: frozenset[str] = frozenset()
    plain: frozenset[str] = frozenset()

    def of_network(self, network: Network) -> Naming:
        """Return the notation with what it has to know of a network."""
        functions = [*(row.name for row in network.activations), network.loss.output]
        linear = [k for k, name in enumerate(functions, start=1) if name == "identity"]
        slots = network.layout.slots if network.has_usual_layers_only else ()
        shapes = [(slot.name, slot.layer + 1, slot.shape, slot.absent) for slot in slots]
        return self.of_shapes(shapes, len(functions), network.n_out, linear)

    def of_shapes(
        self,
        shapes: Iterable[tuple[str, int, tuple[int, ...], tuple[int, ...]]],
        n_layers: int,
        n_out: int,
        linear: Iterable[int] = (),
    ) -> Naming:
        """Return the notation for a network of these arrays.

        ``shapes`` are the name, the layer and the shape of each, with the entries of a vector that
        there are not. ``linear`` are its layers whose a is z.
        """
        counted, before = [], dict.fromkeys(ARRAYS, 0)
        for name, layer, shape, absent in shapes if self.single else ():
            rows = shape[0] if len(shape) > 1 else 1
            counted.append((name, layer, rows, before[name], absent))
            before[name] += rows * shape[-1] - len(absent)
        return replace(
            self,
            linear=frozenset(linear) if self.joins_linear else frozenset(),
            counted=tuple(counted),
            n_hidden=n_layers - 1,
            n_out=n_out,
        )

    def layer(self, number: int) -> str:
        """Return how the number of a layer is written; one of the house's, 0 for the inputs."""
        return str(number + self.first_layer)

    @property
    def of_loss(self) -> int:
        """Return the number of the loss, where it is a layer behind the outputs; else 0."""
        return self.n_hidden + 2 + self.first_layer if self.first_layer else 0

    def joined(self, ref: Ref) -> Ref:
        """Return z in place of a where they are the same, and of the inputs as a layer."""
        if self.joins_linear and ref.quantity == "x" and not ref.index:
            return Ref("z", 0, (), ref.after)
        if ref.quantity == "a" and ref.layer in self.linear:
            return replace(ref, quantity="z")
        return ref

    def place(self, ref: Ref) -> tuple[int, ...]:
        """Return where a number stands in its array: of weights that are counted, as they are."""
        is_counted = bool(self.counted) and ref.quantity not in PER_SAMPLE
        return ref.index[::-1] if is_counted else ref.index

    def of_single(self, ref: Ref) -> tuple[str, str, tuple[int, ...]] | None:
        """Return the letter, the layer and the index of a single number; None for the usual ones.

        Weights and biases are counted through, neuron by neuron. The index is counted from 0; that
        of an only output is left out.
        """
        if not self.single or not (ref.index or ref.quantity == "loss"):
            return None
        neuron = ref.index[:-1] if self.n_out == 1 else ref.index
        match ref.quantity:
            case "loss" if not ref.index:
                return "E", "", ()
            case "x":
                return "x", "", ref.index
            case "targets":
                return "t", "", neuron
            case "W" | "b":
                for name, layer, rows, before, absent in self.counted:
                    if (name, layer) == (ref.quantity, ref.layer):
                        *row, column = ref.index
                        column -= sum(j < column for j in absent)
                        return name.lower(), "", (before + column * rows + sum(row),)
            case "a" | "z" if ref.quantity == "a" or ref.layer in self.linear:
                if ref.layer == self.n_hidden + 1:
                    return "y", "", neuron
                return "h", self.layer(ref.layer) if self.n_hidden > 1 else "", ref.index
        return None


STANDARD = Naming("standard", "the library's own: W of layer l as Wˡ")
NOTATIONS: Mapping[str, Naming] = Registry(
    "notation",
    (
        STANDARD,
        Naming(
            "tutorial", "the tutorial's: W⁽¹²⁾, z⁴ = L, and w, h, y, E in the example",
            first_layer=1, between=True, joins_linear=True, single=True,
        ),
    ),
)  # fmt: skip
