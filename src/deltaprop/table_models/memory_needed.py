"""Whether there is the memory that a training takes, before it begins."""

from __future__ import annotations

import numpy as np

from deltaprop.memory import check_memory
from deltaprop.table_models.plan import Facts, Plan
from deltaprop.tabular import Encoder, Features, SparseRows, TableEncoder

__all__ = ["check_room", "check_room_for_looking"]

_NUMBER = 4  # bytes of an input, in the precision of the steps
_COPIES = 1.1  # of the rows: they stand in memory once, and a few of them while they are judged
_OF_A_ROW = 200  # bytes: a column as it is encoded, targets, the mark by which the row is known
_OF_A_ROW_AND_MEMBER = 32  # the rows that a member learns from, and their order
# now, at its best, as the kernels have it, its gradient and the optimizer's state
_OF_A_PARAMETER = 56
_OF_AN_ENTRY = 16  # of sparse rows


def check_room_for_looking(features: Features) -> None:
    """Raise, or warn, where there is not the memory to find out what the columns are.

    The rows that are learnt from are taken out of these.
    """
    if isinstance(features, SparseRows):
        own = features.data.nbytes + features.indices.nbytes
    elif isinstance(features, np.ndarray):
        own = features.nbytes
    else:
        own = int(features.to_native().estimated_size())
    check_memory(
        own + _OF_A_ROW * len(features),
        f"Looking at {len(features):,} rows",
        "Take fewer rows or columns, or a machine with more.",
    )


def check_room(facts: Facts, plan: Plan, inputs: Encoder, features: Features, n_held: int) -> None:
    """Raise, or warn, where a plan for rows, and ``n_held`` further ones, needs too much memory."""
    n_rows = facts.n_rows + n_held
    rows = _COPIES * _NUMBER * n_rows * facts.n_in
    if isinstance(features, SparseRows):
        rows = float(_OF_AN_ENTRY * len(features.data))
    elif isinstance(inputs, TableEncoder) and inputs.is_sparse:
        rows = 0.0  # how many terms the cells have, nobody has counted yet
    rows += n_rows * (_OF_A_ROW + _OF_A_ROW_AND_MEMBER * plan.members)
    n_parameters = plan.network(facts).n_parameters * plan.members
    less = ["fewer rows", "fewer columns"]
    if isinstance(inputs, TableEncoder):
        less += ["fewer categories"] if any(c.is_one_hot for c in inputs.columns) else []
        less += ["no ranges (--ranges 0)"] if any(c.n_ranges for c in inputs.columns) else []
    less += ["fewer networks (--members 1)"] if plan.members > 1 else []
    less += ["narrower layers (--hidden)"] if _OF_A_PARAMETER * n_parameters > rows else []
    check_memory(
        rows + _OF_A_PARAMETER * n_parameters,
        f"Learning from {n_rows:,} rows of {facts.n_in:,} inputs, {n_parameters:,} parameters in "
        "all,",
        f"Take {', '.join(less)}, or a machine with more.",
    )
