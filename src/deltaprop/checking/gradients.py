"""The referee: gradients against central differences of the loss, entry by entry.

What is wrong is looked up among the named mistakes (``checking.search``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from deltaprop.checking.conventions import Convention, asked_for
from deltaprop.checking.effects import Effect, effect_of
from deltaprop.checking.given_gradients import flat_numbers, is_one_number
from deltaprop.checking.locate import locate, slips
from deltaprop.checking.named_mistakes import Claimed, name_mistakes
from deltaprop.checking.otherwise import read_otherwise
from deltaprop.checking.precision import relative_error
from deltaprop.checking.referee import Referee, Stated
from deltaprop.checking.report import EntryCheck, GradientReport
from deltaprop.checking.single import is_single, room_of_gradients
from deltaprop.checking.step import Step
from deltaprop.errors import SettingError
from deltaprop.functional.losses import sample_shares
from deltaprop.functional.settings import positive, positive_int
from deltaprop.interop.models import takes_models
from deltaprop.model.backprop import (
    Trace,
    draw_masks,
    require_fit,
    smoothed_targets,
    trace_step,
)
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.model.targets import dense_targets, prepare_inputs, prepare_targets

__all__ = [
    "Claim", "EntryCheck", "GradientReport", "check_gradients", "check_trace", "of_infinite_loss"
]  # fmt: skip

Array = npt.NDArray[np.float64]
GradientFunction: TypeAlias = Callable[[Network, Parameters, Array, Array], object]
Claim: TypeAlias = Parameters | npt.ArrayLike | GradientFunction | None

_MOST_ENTRIES = 2000
_AFTER = "parameters after the step"


@takes_models
def check_gradients(
    network: Network,
    parameters: Parameters,
    x: npt.ArrayLike,
    targets: npt.ArrayLike,
    *,
    gradients: Claim = None,
    loss: float | None = None,
    after: Parameters | npt.ArrayLike | None = None,
    learning_rate: float | None = None,
    sample_weight: npt.ArrayLike | None = None,
    reduction: str = "mean",
    convention: object = None,
    tolerance: float = 1e-6,
    max_entries: int | None = _MOST_ENTRIES,
    rng: np.random.Generator | None = None,
) -> GradientReport:
    """Compare gradients with fourth-order central differences of the loss, entry by entry.

    dL/dw = (8 (L(w+h) - L(w-h)) - (L(w+2h) - L(w-2h))) / 12h + O(h^4). An entry is right when
    it is within ``tolerance`` relative, plus the rounding noise of the loss divided by h. Where
    the differences from the left and from the right disagree, the loss has a kink, and the entry
    is reported as such instead of judged.

    Numbers that somebody else claims and that are wrong are compared with what each named mistake
    (``MISTAKES``) gives, made in all layers or only in some; the report names those that fit.

    Parameters
    ----------
    network : Network
        The network and its loss, penalties included. Or a module of PyTorch, or a fitted multilayer
        perceptron of scikit-learn; then the parameters are left out:
        ``check_gradients(module, x, targets, gradients=module)`` judges the module's ``.grad``.
    parameters : Parameters
        Where the gradient is taken; left as they are.
    x : array_like of shape (n, n_0)
        The input batch.
    targets : array_like of shape (n,) or (n, n_L)
        Integer labels, one-hot rows, or values.
    gradients : Parameters, array_like, list, dict, module or callable, optional
        What somebody says the gradients are: flat numbers, a list of arrays in any usual order, a
        dict such as {"dW1": ..., "db1": ...}, tensors or a module of PyTorch (their ``.grad``), W
        with a row per input or per output, a neuron without a bias left out, None or 0; or a
        function of (network, parameters, x, targets) that returns them, or (loss, gradients), or
        (loss, gradients, parameters after the step). Left out, ``backpropagate``'s are checked.
    loss : float, optional
        What somebody says the loss is; checked as the entry "loss".
    after : Parameters or array_like, optional
        What somebody says the parameters are after one step of gradient descent; checked against
        w - eta g with the claimed gradients, as entries "W.1.after[0,2]".
    learning_rate : float, optional
        eta; needed with ``after``.
    sample_weight : array_like of shape (n,), optional
        As for ``backpropagate``.
    reduction : {"mean", "sum"}
        As for ``backpropagate``.
    convention : str, list of str or mapping, optional
        In which convention the claimed numbers are written: "samples: sum", "per-sample-delta",
        {"loss": "squared_error"}; a choice of ``CONVENTIONS``. Numbers that are right in one that
        nobody declared get the verdict "right, in another convention", and the report its name.
    tolerance : float
        Relative error up to which an entry is right.
    max_entries : int or None
        Measure at most this many entries, evenly spread; None measures all.
    rng : numpy.random.Generator, optional
        Draws one set of dropout masks, used throughout; without it nothing is dropped.

    Returns
    -------
    GradientReport
        True when all is right as it was asked for; ``report.verdict`` says what it is else,
        ``report.worst`` names the worst entry, ``report.mistake`` the mistake.

    Raises
    ------
    ShapeError
        When the claimed numbers cannot be matched with the parameters.
    SettingError
        When ``learning_rate`` is missing, or the function changes the parameters it is given.
    """
    tolerance = positive(tolerance, "tolerance")
    if max_entries is not None:
        max_entries = positive_int(max_entries, "max_entries")
    require_fit(network, parameters)
    inputs = prepare_inputs(network, x)
    dense = dense_targets(prepare_targets(network, targets, len(inputs)), network.n_out)
    shares = sample_shares(len(inputs), sample_weight, reduction=reduction)
    masks = draw_masks(network, len(inputs), rng)
    asked = asked_for(convention)
    claims = _claims(network, parameters, inputs, dense, gradients, asked.turns("dW.1"))
    loss = claims.loss if loss is None else loss
    after = (
        claims.after
        if after is None
        else flat_numbers(parameters, after, _AFTER, outputs_first=asked.turns("W.1"))
    )
    if learning_rate is not None:
        learning_rate = positive(learning_rate, "learning_rate")
    elif after is not None:
        raise SettingError("after needs learning_rate: it is checked against w - eta g.")

    step = Step(
        network, parameters, inputs, smoothed_targets(network, dense), shares, learning_rate or 0.0
    )
    wanted, idle = asked.fitting(step)
    effect = effect_of(wanted, step, wanted)
    referee = Referee(network, parameters, inputs, dense, shares, masks, tolerance, effect)
    with np.errstate(over="ignore", invalid="ignore"):
        trace = trace_step(network, parameters, inputs, dense, shares, masks)
    right = effect.gradients_of(trace)
    claimed = right if claims.gradients is None else claims.gradients
    places = _spread(network, max_entries)
    own = claims.gradients is None
    single = not own and is_single(claimed)
    with np.errstate(over="ignore", invalid="ignore"):
        room = room_of_gradients(trace) if single else None
    said = Stated(claimed, places, loss, after, step.learning_rate, own, room)
    entries = referee.check(said)
    verdicts = np.array([entry.verdict for entry in entries[: len(places)]])
    judged = np.array(places)[np.isin(verdicts, ("right", "wrong"))]
    wrong = np.array(places)[verdicts == "wrong"]
    used = single and any(
        each.verdict == "right" and relative_error(each.claimed, each.measured) > tolerance
        for each in entries[: len(places)]
    )
    note = " ".join([*([_OF_SINGLE] if used else []), *map(_idle, idle)])
    report = GradientReport(entries, network.n_parameters, tolerance, note=note)
    if not np.isfinite(referee.here):
        return replace(report, where=of_infinite_loss(referee.here, "no gradient can be measured"))
    if not report.wrong or (said.are_own and wrong.size):
        return report  # ``backpropagate`` itself wrong would explain nothing
    otherwise = read_otherwise(report, referee, said, step, trace, wanted)
    named_step = wanted.step(step)
    stated = Claimed(
        named_step, right / effect.gradients, claimed / effect.gradients, judged,
        None if loss is None else loss / effect.loss, after,
    )  # fmt: skip
    by_part: dict[str, list[str]] = {}
    for entry in report.wrong:
        by_part.setdefault(entry.part, []).append(entry.name)
    named_for = all(mask is None for mask in masks)
    mistakes = name_mistakes(stated, by_part) if named_for else ()
    named = any(mistake.part == "gradients" for mistake in mistakes)
    if wrong.size and not named:
        mistakes = slips(stated, wrong, by_part["gradients"][0]) + mistakes
    where = locate(stated, wrong, named=named) if wrong.size and not otherwise.conventions else ""
    return replace(otherwise, mistakes=mistakes, where=where)


_OF_SINGLE = "The claimed gradients are in float32, and are judged as near as that comes."


def _idle(choice: Convention) -> str:
    """Return what is said of a convention that was declared where it says nothing."""
    return f"The convention {choice.name} says nothing here: it is about {choice.needs}."


def of_infinite_loss(loss: float, consequence: str) -> str:
    """Return what is said where the loss is infinite or NaN."""
    return (
        f"The loss is {loss:g} at these parameters, beyond all numbers, so {consequence}. Are the "
        "inputs, the targets or the weights very large? Scale them, or train again with a smaller "
        "learning rate."
    )


def check_trace(
    trace: Trace, *, tolerance: float = 1e-6, entries: Sequence[int] | None = None
) -> GradientReport:
    """Check the gradients and the loss of a pass that was made, on its own batch and masks.

    ``entries`` are places in ``parameters.flat`` to measure; at most 2000, evenly spread, when left
    out.
    """
    tolerance = positive(tolerance, "tolerance")
    referee = Referee(
        trace.network, trace.parameters, trace.a[0], trace.targets, trace.shares, trace.masks,
        tolerance, Effect(penalized=float(trace.network.penalty_in_gradient)),
    )  # fmt: skip
    places = _spread(trace.network, _MOST_ENTRIES) if entries is None else entries
    checked = [
        *referee.check_gradients(trace.gradients.flat, places), referee.check_loss(trace.loss)
    ]  # fmt: skip
    return GradientReport(tuple(checked), trace.network.n_parameters, tolerance)


@dataclass(frozen=True)
class _Claims:
    gradients: Array | None = None
    loss: float | None = None
    after: Array | None = None


def _claims(
    network: Network,
    parameters: Parameters,
    x: Array,
    targets: Array,
    gradients: Claim,
    outputs_first: bool,
) -> _Claims:
    """Read what was given, or what the given function returns; W perhaps with rows for outputs."""

    def read(given: object, what: str = "gradients") -> Array:
        return flat_numbers(parameters, given, what, outputs_first=outputs_first)

    if gradients is None:
        return _Claims()
    if not callable(gradients) or hasattr(gradients, "named_parameters"):
        return _Claims(read(gradients))
    before = parameters.flat.copy()
    returned: Any = gradients(network, parameters, x, targets)
    if not np.array_equal(parameters.flat, before, equal_nan=True):
        parameters.flat[...] = before
        raise SettingError(
            "The function changed the parameters it was given (they are restored); let it make "
            "its step on parameters.copy() and return that as the third result."
        )
    several = isinstance(returned, tuple) and len(returned) in (2, 3)
    if not several or not is_one_number(returned[0]) or is_one_number(returned[1]):
        return _Claims(read(returned))
    loss, flat, *rest = returned
    after = read(rest[0], _AFTER) if rest else None
    return _Claims(read(flat), None if loss is None else float(loss), after)


def _spread(network: Network, at_most: int | None) -> list[int]:
    places = network.layout.places
    if at_most is not None and len(places) > at_most:
        evenly = np.linspace(0, len(places) - 1, at_most).round().astype(int)
        places = places[np.unique(evenly)]
    return [int(i) for i in places]
