"""The step that comes, as the page is told of it: by the reference's numbers, in every bit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.explaining.explanation import explain
from deltaprop.model.backprop import Trace
from deltaprop.model.targets import dense_targets
from deltaprop.studio.learning import Learning

__all__ = ["step_that_comes"]

Arrays = dict[str, npt.NDArray[Any]]


def step_that_comes(its: Learning) -> tuple[dict[str, Any], Arrays]:
    """Return which rows the step learns from and its loss, and its numbers by their ids."""
    rows = its.batch(its.step)
    worked = explain(
        its.network, its.parameters, its.rows.x[rows], its.rows.t[rows],
        optimizer=its.optimizer, state=its.state, step=its.step, n_steps=its.step + 1,
    )  # fmt: skip
    trace, update = worked.trace, worked.update
    arrays = {
        "parameters": its.parameters.flat.copy(), "gradient": trace.gradients.flat,
        "dataGradient": trace.data_gradients.flat, "after": update.after.parameters.flat,
        "x": its.rows.x[rows], "targets": dense_targets(its.rows.t[rows], its.network.n_out),
        "dx": trace.dx, **_numbers(trace, ""), **_numbers(update.after, ".after"),
        **_states("state", its.state), **_states("stateAfter", update.new_state),
    }  # fmt: skip
    told = {"loss": trace.loss, "rows": rows.tolist(), "step": its.step}
    return told, {name: array.reshape(-1) for name, array in arrays.items()}


def _states(name: str, state: Mapping[str, Any]) -> Arrays:
    """Return what an optimizer keeps, array by array."""
    kept = [value for value in state.values() if isinstance(value, np.ndarray)]
    return {f"{name}_{k}": value for k, value in enumerate(kept)}


def _numbers(trace: Trace, when: str) -> Arrays:
    """Return a pass by the ids of its arrays."""
    found = {f"losses{when}": trace.loss_per_sample, f"loss{when}": np.array([trace.loss])}
    for layer, (z, a) in enumerate(zip(trace.z, trace.a[1:], strict=True), 1):
        found |= {f"z.{layer}{when}": z, f"a.{layer}{when}": a}
        if not when:
            found[f"delta.{layer}"] = trace.delta[layer - 1]
    return found
