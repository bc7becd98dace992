"""The worked-example format: which keys there are, and what each of them says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from deltaprop.checking.conventions import asked_for
from deltaprop.errors import DataError, DeltapropError, UnknownNameError
from deltaprop.explaining.example_keys import (
    number_of,
    numbers_of,
    refuse_unknown_keys,
    rows_of,
    shown_kind,
    with_numbers,
    without_bias_rows,
)
from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.functional.losses import LOSSES
from deltaprop.functional.outputs import OUTPUTS
from deltaprop.functional.settings import positive
from deltaprop.model.layers import Dense
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.notation.naming import NOTATIONS, STANDARD
from deltaprop.training.optimizers import OPTIMIZERS, Optimizer

__all__ = ["described_by"]

_DIGITS = range(1, 18)  # significant ones
_LONGEST_TEXT = 2_000  # characters of a title, or of a source


def described_by(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the attributes of the ``WorkedExample`` that a mapping describes.

    Raises
    ------
    DataError
        When it says something impossible, or has a key that the format has not.
    """
    missing = [key for key in ("layers", "loss", "x", "targets") if key not in data]
    if missing:
        raise DataError(f"{name} lacks {', '.join(missing)}; see the worked-example format.")
    try:
        refuse_unknown_keys(data)
        data = with_numbers(data)
        if data.get("bias_row") is not None:
            data = without_bias_rows(data)
        network, parameters = _network(data)
        optimizer, state = _optimizer(data, parameters)
        x = rows_of(data["x"], "x", network.n_in)
        targets = _targets(data["targets"], len(x), network.n_out)
        return {
            "title": _text(data.get("title", name), "title"),
            "network": network,
            "parameters": parameters,
            "x": x,
            "targets": targets,
            "optimizer": optimizer,
            "train_biases": bool(data.get("train_biases", True)),
            "reduction": str(data.get("loss_reduction", "mean")),
            "claims": data.get("claims"),
            "conventions": _conventions(data.get("conventions")),
            "digits": _digits(data.get("digits")),
            "titles": _titles(data.get("titles")),
            "source": _source(data.get("source")),
            "changed": _texts(data.get("changed"), "changed"),
            "notation": _notation(data.get("notation")),
            "state": state,
            "steps": _steps(data, network),
            "data": {**data, "layers": _usual(data["layers"]), "x": x, "targets": targets},
        }
    except DeltapropError as error:
        raise DataError(f"{name}: {error}") from None
    except (LookupError, ArithmeticError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{name} is not a worked example: {error}.") from None


# ---- the step


def _optimizer(
    data: Mapping[str, Any], parameters: Parameters
) -> tuple[Optimizer, Mapping[str, Any] | None]:
    """Return the rule of the step, and its state where it is given."""
    given = data.get("optimizer", "gradient_descent")
    chosen = dict(given) if isinstance(given, Mapping) else {"name": given}
    name, state = chosen.pop("name", None), chosen.pop("state", None)
    if name is None:
        raise DataError("optimizer has no name; expected {name: momentum, momentum: 0.9}.")
    if name not in OPTIMIZERS:
        raise UnknownNameError("optimizer", name, OPTIMIZERS)
    rule = OPTIMIZERS[name]
    known = [option.name for option in fields(rule)]
    for option in chosen:
        if option not in known:
            raise UnknownNameError(f"option of {name}", option, [*known, "state"])
    rate = number_of(chosen.pop("learning_rate", _rate(data)), "learning_rate")
    plain = {k: float(v) if isinstance(v, float) else v for k, v in chosen.items()}
    optimizer: Optimizer = rule(rate, **plain)
    return optimizer, None if state is None else _state(state, optimizer, parameters)


def _state(
    given: Mapping[str, Any], optimizer: Optimizer, parameters: Parameters
) -> Mapping[str, Any]:
    """Return an optimizer's state: ``{v: {W.1: [[...]], b.1: [...]}, t: 3}``; the rest is 0."""
    state = dict(optimizer.init(parameters.flat.size))
    for name, value in given.items():
        if name not in state:
            raise UnknownNameError(f"state of {optimizer.name}", name, state)
        if not isinstance(state[name], np.ndarray):
            state[name] = int(value)
            continue
        arrays = parameters.like(np.zeros_like(parameters.flat))
        places = {f"{kind}.{index}": (index, kind) for index, layer in
                  enumerate(arrays.layers, start=1) for kind in layer}  # fmt: skip
        for key, numbers in value.items():
            if key not in places:
                raise UnknownNameError(f"array of {name}", key, places)
            index, kind = places[key]
            array = arrays.layers[index - 1][kind]
            absent = parameters.layout.lacks(index, kind)
            listed = numbers_of(numbers, f"{name} of {key}", may_lack=bool(absent))
            numbers = np.nan_to_num(np.array(listed, dtype=np.float64))  # null is NaN
            if numbers.shape != array.shape:
                raise DataError(
                    f"{name} of {key} has shape {numbers.shape}; expected {array.shape}."
                )
            array[...] = numbers
        parameters.layout.refuse_absent(arrays.flat, f"{name} of ")
        state[name] = arrays.flat
    return state


# ---- the network


def _network(data: Mapping[str, Any]) -> tuple[Network, Parameters]:
    layers = data["layers"]
    if not isinstance(layers, list) or not layers:
        raise DataError("layers is empty; expected at least one with W.")
    dense: list[Dense] = []
    biases = [_bias(layer, index) for index, layer in enumerate(layers, start=1)]
    eta = positive(_rate(data), "learning_rate")
    for index, (layer, b) in enumerate(zip(layers, biases, strict=True), start=1):
        rows = numbers_of(layer["W"], f"W of layer {index}")
        if not all(isinstance(row, list) for row in rows):
            raise ValueError(f"W of layer {index} is one row; expected rows, [[...], ...]")
        if b is not None and len(b) != len(rows[0]):
            raise DataError(
                f"b of layer {index} has shape {(len(b),)}; expected {(len(rows[0]),)}."
            )
        own = number_of(layer.get("learning_rate", eta), f"learning_rate of layer {index}")
        of_b = layer.get("bias_learning_rate", own)
        of_b = number_of(of_b, f"bias_learning_rate of layer {index}")
        dense.append(
            Dense(
                len(rows[0]),
                None if index == len(layers) else layer.get("activation", "identity"),
                bias=b is not None and tuple(each is not None for each in b),
                learning_rate_factor=own / eta,
                bias_learning_rate_factor=of_b / eta,
            )
        )
    network = Network.from_layers(
        len(layers[0]["W"]), dense, _loss(data),
        **{key: number_of(data.get(key) or 0, key) for key in ("l2", "l1", "label_smoothing")},
    )  # fmt: skip
    return network, network.parameters(W=[layer["W"] for layer in layers], b=biases)


def _rate(data: Mapping[str, Any]) -> float:
    return number_of(data.get("learning_rate", 0.1), "learning_rate")


def _usual(layers: list[Any]) -> list[Any]:
    """Return the layers with their biases as a list called b."""
    found = []
    for index, layer in enumerate(layers, start=1):
        rest = {key: value for key, value in layer.items() if key not in ("b", "w0")}
        b = _bias(layer, index)
        found.append({"W": rest.pop("W")} | ({} if b is None else {"b": b}) | rest)
    return found


def _bias(layer: object, index: int) -> list[Any] | None:
    """Return the biases of a layer, which some call w0; a single neuron's may be one number.

    None stands for a neuron without one, and for a layer where no neuron has one.
    """
    if not isinstance(layer, Mapping) or not layer.get("W"):
        raise ValueError(f"layer {index} has no 'W'; expected rows, [[...], ...]")
    given = [layer[key] for key in ("b", "w0") if layer.get(key) is not None]
    if len(given) == 2:
        raise ValueError(f"layer {index} has b and w0, which are the same")
    if not given:
        return None
    b = given[0] if isinstance(given[0], list) else [given[0]]
    found = numbers_of(b, f"b of layer {index}", may_lack=True)
    row = found[0] if len(found) == 1 and isinstance(found[0], list) else found
    return None if all(each is None for each in row) else row


def _loss(data: Mapping[str, Any]) -> str:
    """Return the loss, on the activation of the last layer where it names one."""
    loss, own = str(data["loss"]), data["layers"][-1].get("activation")
    output = LOSSES[loss].output
    if own in (None, "identity", output):
        return loss
    combined = f"{loss}_{own}"
    if combined in LOSSES:
        return combined
    if own not in OUTPUTS:
        raise UnknownNameError("activation", own, [*ACTIVATIONS, *OUTPUTS])
    raise DataError(
        f"the last layer has activation {own!r}, but {loss} brings {output}. Leave the activation "
        f"out, or choose a loss of the outputs: half_squared_error, cross_entropy."
    )


def _digits(value: object) -> int | None:
    """Return to how many significant digits the claims are asked for; None where nobody says."""
    if value is None or (type(value) is int and value in _DIGITS):
        return value
    raise DataError(
        f"digits is {shown_kind(value)}; expected a whole number from {min(_DIGITS)} to "
        f"{max(_DIGITS)}."
    )


_STEP_KEYS = ("x", "targets", "claims")


def _steps(data: Mapping[str, Any], network: Network) -> tuple[Mapping[str, Any], ...]:
    """Return each step as its claims, and the rows it is made with where it has its own."""
    given = data.get("steps")
    if given is None:
        return ()
    if data.get("claims") is not None:
        raise DataError("there are claims and steps; put the claims of the first step into steps.")
    if not isinstance(given, list) or not all(isinstance(one, Mapping) for one in given):
        raise DataError(f"steps is {shown_kind(given)}; expected a list of claims, one per step.")
    found = []
    for number, one in enumerate(given, start=1):
        if not set(_STEP_KEYS) & one.keys():
            found.append({"claims": one})
            continue
        for key in one.keys() - set(_STEP_KEYS):
            raise UnknownNameError(f"key of step {number}", key, _STEP_KEYS)
        own = dict(one)
        if not isinstance(own.get("claims", {}), Mapping):
            raise DataError(
                f"claims of step {number} is {shown_kind(own['claims'])}; expected names."
            )
        if "x" in own:
            own["x"] = rows_of(own["x"], f"x of step {number}", network.n_in)
        if "targets" in own:
            n = len(own.get("x", rows_of(data["x"], "x", network.n_in)))
            own["targets"] = _targets(own["targets"], n, network.n_out)
        found.append(own)
    return tuple(found)


def _targets(values: object, n: int, n_out: int) -> list[Any]:
    """Return rows of targets, or a label for each row; a single row may stand without brackets."""
    numbers = numbers_of(values, "targets")
    if n == 1 and len(numbers) == n_out and not isinstance(numbers[0], list):
        return [numbers]
    return numbers


def _conventions(value: object) -> object:
    """Return conventions as they are given, or raise: as names, one or several, or a mapping."""
    asked_for(value)
    return value


def _titles(value: object) -> dict[str, str]:
    found = value if isinstance(value, Mapping) else {}
    return {
        _text(language, "titles"): _text(title, f"titles[{language!r}]")
        for language, title in found.items()
    }


def _source(value: object) -> str:
    """Return one line; a file may list several sources, or none."""
    return _text("; ".join(_texts(value, "source")), "source")


def _notation(name: object) -> str:
    if name is None:
        return STANDARD.name
    if name not in NOTATIONS:
        raise UnknownNameError("notation", name, NOTATIONS)
    return str(name)


def _texts(value: object, what: str) -> tuple[str, ...]:
    """Return a text, or several; none where there is nothing."""
    several = value if isinstance(value, (list, tuple)) else [value]
    return tuple(_text(one, what) for one in several if one is not None)


def _text(value: object, what: str) -> str:
    """Return a line of text as it is; numbers and dates are texts, too."""
    if isinstance(value, (list, tuple, Mapping)) or len(text := str(value)) > _LONGEST_TEXT:
        long = "longer" if isinstance(value, str) else shown_kind(value)
        raise ValueError(f"{what} is {long}; expected a text of at most {_LONGEST_TEXT} characters")
    return text
