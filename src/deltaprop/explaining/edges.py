"""Which numbers of a layer stand at an edge of the network picture, and which at a node."""

from __future__ import annotations

from deltaprop.explaining.names import Ref, read_ref
from deltaprop.explaining.operands import Reading
from deltaprop.functional.arithmetic import Operand, leaves
from deltaprop.model.backprop import Trace
from deltaprop.model.layers import ARRAYS

__all__ = ["added_at", "parameters_of"]


def parameters_of(trace: Trace, layer: int, i: int, j: int) -> tuple[Ref, ...]:
    """Return the parameters in what z_j reads of a_i: one weight, none where it passes, or more."""
    n_in = trace.inputs[layer - 1].shape[1]
    term = trace.network.numbered[layer - 1].term(n_in, i, j, Reading(trace, layer, 0))
    found = dict.fromkeys(read_ref(leaf.id) for leaf in leaves(term) if isinstance(leaf, Operand))
    return tuple(ref for ref in found if ref.quantity in ARRAYS)


def added_at(trace: Trace, layer: int, j: int) -> Ref | None:
    """Return the parameter that is added to z_j as it is, such as a bias."""
    n_in = trace.inputs[layer - 1].shape[1]
    rest = trace.network.numbered[layer - 1].rest(n_in, j, Reading(trace, layer, 0))
    return read_ref(rest.id) if isinstance(rest, Operand) else None
