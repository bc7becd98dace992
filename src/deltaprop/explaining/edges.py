"""Which numbers of a layer stand at an edge of the network picture, and which at a node."""

from __future__ import annotations

from collections.abc import Iterator

from deltaprop.explaining.names import Ref, read_ref
from deltaprop.explaining.operands import Reading
from deltaprop.functional.arithmetic import Operand, leaves
from deltaprop.model.backprop import Trace
from deltaprop.model.layers import ARRAYS

__all__ = ["added_at", "edges_of", "parameters_of"]


def parameters_of(trace: Trace, layer: int, i: int, j: int) -> tuple[Ref, ...]:
    """Return the parameters in what z_j reads of a_i: one weight, none where it passes, or more."""
    n_in = trace.network.sizes[layer - 1]
    term = trace.network.numbered[layer - 1].term(n_in, i, j, Reading(trace, layer, 0))
    found = dict.fromkeys(read_ref(leaf.id) for leaf in leaves(term) if isinstance(leaf, Operand))
    return tuple(ref for ref in found if ref.quantity in ARRAYS)


def edges_of(trace: Trace, parameter: Ref) -> Iterator[tuple[int, int]]:
    """Yield the edges that a parameter alone belongs to, as the neurons i and j that they join."""
    layer = trace.network.numbered[parameter.layer - 1]
    n_in = trace.network.sizes[parameter.layer - 1]
    at = Reading(trace, parameter.layer, 0)
    for j in layer.moves(n_in, parameter.quantity, parameter.index):
        part = layer.sensitivity(n_in, parameter.quantity, parameter.index, j, at)
        made_of = () if part is None else leaves(part)
        refs = {read_ref(leaf.id) for leaf in made_of if isinstance(leaf, Operand)}
        for i in sorted({ref.index[1] for ref in refs if ref.quantity not in ARRAYS}):
            if parameters_of(trace, parameter.layer, i, j) == (parameter,):
                yield i, j


def added_at(trace: Trace, layer: int, j: int) -> Ref | None:
    """Return the parameter that is added to z_j as it is, such as a bias."""
    n_in = trace.network.sizes[layer - 1]
    rest = trace.network.numbered[layer - 1].rest(n_in, j, Reading(trace, layer, 0))
    return read_ref(rest.id) if isinstance(rest, Operand) else None
