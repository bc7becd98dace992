"""Another number, activation, loss or a class more: a worked example, changed as data."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, TypeAlias

import numpy as np

from deltaprop.errors import SettingError
from deltaprop.explaining.given_numbers import Given, span
from deltaprop.explaining.typed_numbers import only_one, rows_of, text_of
from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.functional.losses import LOSSES
from deltaprop.notation.ids import Ref

__all__ = ["A_CLASS", "Change", "changed"]

A_CLASS = "class"  # among what is named as changed: a class more

# a key of the wording, and what fills it in; of a class more, with ids in braces
Change: TypeAlias = tuple[str, str]

_SCALARS = {
    "learning_rate": "learning_rate", "eta": "learning_rate", "η": "learning_rate",
    "l2": "l2", "l1": "l1",
}  # fmt: skip
_TIDY = (0.5, -0.5, 1.0, 1.5, -1.0, -1.5)  # weights of a class that is new


def changed(
    data: Mapping[str, Any],
    numbers: Mapping[str, object],
    *,
    learning_rate: float | None = None,
    activation: str | Mapping[int, str] | None = None,
    loss: str | None = None,
    add_class: bool = False,
) -> tuple[dict[str, Any], tuple[Change, ...]]:
    """Return a worked example with other numbers, and what was changed.

    Parameters
    ----------
    data : mapping
        In the worked-example format; left as it is.
    numbers : mapping
        By name: "x", "t", "x1", "w1" where the example has such symbols, "W1[0,2]", "b.2", "l2".
        Numbers, arrays, or text: "1,1", rows after ";".
    learning_rate : float, optional
        eta.
    activation : str or mapping, optional
        Of all hidden layers, or by layer, counted from 1; "1=tanh,2=relu" says the same.
    loss : str, optional
        A registered loss.
    add_class : bool
        An output more, with weights of its own and target 0. Arrays in ``numbers`` may have the
        old width or the new one.

    Returns
    -------
    data : dict
        Without claims and steps, which were made about other numbers.
    changes : tuple
        Keys of the wording with what fills them in.

    Raises
    ------
    UnknownNameError
        No number, activation or loss is called so; the message offers the nearest.
    SettingError
        A value that does not fit.
    """
    work = _Work(data)
    if add_class:
        work.add_class()
    if activation is not None:
        work.set_activation(activation)
    if loss is not None:
        work.set_loss(loss)
    if learning_rate is not None:
        work.set_number("learning_rate", learning_rate)
    for name, value in numbers.items():
        work.set_number(name, value)
    if not work.changes:
        return work.data, ()
    n, m = len(work.named.rows("x")), len(work.named.rows("targets"))
    if n != m:
        raise SettingError(f"x has {n} samples but t has {m}; give both, rows parted by ';'.")
    for made_about_others in ("claims", "steps"):
        work.data.pop(made_about_others, None)
    work.retitle()
    return work.data, tuple(work.changes)


class _Work:
    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data: dict[str, Any] = deepcopy(dict(data))
        self.layers: list[dict[str, Any]] = [dict(layer) for layer in self.data["layers"]]
        self.data["layers"] = self.layers
        self.named = Given(self.data)
        self.before = [np.shape(layer["W"]) for layer in self.layers]
        self.changes: list[Change] = []
        self.touched: list[str] = []  # the names of what is changed

    # what is changed

    def add_class(self) -> None:
        """Add an output with tidy weights, no bias, and target 0."""
        last = self.layers[-1]
        rows = [list(row) for row in last["W"]]
        known = list(zip(*rows, strict=True))
        cycles = (
            [_TIDY[(i + k) % len(_TIDY)] for i in range(len(rows))] for k in range(len(_TIDY))
        )
        column = next((c for c in cycles if tuple(c) not in known), list(_TIDY[: len(rows)]))
        last["W"] = [[*row, weight] for row, weight in zip(rows, column, strict=True)]
        if last.get("b") is not None:
            last["b"] = [*last["b"], 0.0]
        targets, place = self.data["targets"], len(rows[0])
        if not self.named.labels():
            self.data["targets"] = [[*row, 0] for row in self.named.rows("targets")]
        layer = len(self.layers)
        told = [(Ref("W", layer, (i, place)), weight) for i, weight in enumerate(column)]
        if last.get("b") is not None:
            told.append((Ref("b", layer, (place,)), 0.0))
        if self.data["targets"] is not targets:
            told.append((Ref("targets", 0, (0, place)), 0.0))
        said = ", ".join(f"{{{ref.id}}} = {number:g}" for ref, number in told)
        self.note(A_CLASS, ("class more", said))

    def set_activation(self, wanted: str | Mapping[int, str]) -> None:
        """Set the activation of all hidden layers, or of those that are named."""
        hidden = len(self.layers) - 1
        if isinstance(wanted, str) and "=" not in wanted:
            if not hidden:
                raise SettingError(
                    f"The activation {wanted!r} is one of hidden layers, and there is none: the "
                    "only layer gives the output, whose function the loss brings."
                )
            chosen = dict.fromkeys(range(1, hidden + 1), wanted)
        else:
            chosen = _by_layer(wanted)
        for layer, name in chosen.items():
            if not 1 <= layer <= len(self.layers):
                raise SettingError(
                    f"There is no layer {layer} for the activation {name!r}; the hidden layers "
                    f"are {span(hidden)}."
                )
            row = ACTIVATIONS[name]
            self.layers[layer - 1]["activation"] = row.name
            self.note(f"f{layer}", ("", f"f{layer} = {row.name.replace('_', ' ')}"))

    def set_loss(self, name: str) -> None:
        """Set the loss, with the output that it brings."""
        row = LOSSES[name.replace("-", "_")]
        self.layers[-1].pop("activation", None)
        self.data["loss"] = row.name
        self.note("L", ("", f"L = {row.name.replace('_', ' ')}"))

    def set_number(self, name: str, value: object) -> None:
        """Set one number, or an array."""
        key = _SCALARS.get(name.strip())
        refs = [] if key is not None else self.named.resolve(name)
        are_biases = bool(refs) and all(ref.quantity == "b" for ref in refs)
        given = rows_of(value, name, may_lack=are_biases)
        if key is not None:
            self.set_setting(key, only_one(given, name))
        else:
            for ref in refs:
                self.assign(name, ref, given)
        called = "η" if key == "learning_rate" else name.strip()
        self.note(called, ("", f"{called} = {text_of(given)}"))

    def note(self, name: str, change: Change) -> None:
        """Remember what is changed, and how it is told."""
        self.changes.append(change)
        self.touched.append(name)

    def set_setting(self, key: str, number: float) -> None:
        """Set eta or the strength of a penalty."""
        own = self.data.get("optimizer")
        if key == "learning_rate" and isinstance(own, Mapping) and key in own:
            self.data["optimizer"] = {**own, key: number}
        else:
            self.data[key] = number

    def retitle(self) -> None:
        """Say that it is another example now: what title and source say may hold no more."""
        self.data["changed"] = [*dict.fromkeys((*(self.data.get("changed") or ()), *self.touched))]
        title = str(self.data.get("title", ""))
        titles = self.data.get("titles")
        chinese = titles.get("zh", title) if isinstance(titles, Mapping) else title
        if title and not title.startswith("Changed: "):
            self.data["title"] = f"Changed: {title}"
            self.data["titles"] = {"zh": f"已改动：{chinese}"}

    # where it stands

    def assign(self, name: str, ref: Ref, given: list[list[float]]) -> None:
        """Put numbers where they belong."""
        if ref.quantity in ("x", "targets"):
            flat = not isinstance(self.data[ref.quantity][0], list)
            self.data[ref.quantity] = self.batch(name, ref, given, flat)
            return
        layer = self.layers[ref.layer - 1]
        shape = self.named.shape(ref)
        old = layer.get(ref.quantity) or [None] * shape[0]  # a layer without biases
        array = np.array(old, dtype=object)
        if ref.index:
            array[ref.index] = only_one(given, name)
        else:
            array = self.filled(name, ref, array, given)
        layer[ref.quantity] = array.tolist()
        if ref.quantity == "b" and all(each is None for each in layer["b"]):
            del layer["b"]

    def filled(self, name: str, ref: Ref, array: Any, given: list[list[float]]) -> Any:
        """Return an array of a layer with other numbers; a single one fills it.

        A neuron without a bias keeps none, but where no other neuron has one.
        """
        values = np.array(given, dtype=object)
        if values.size == 1:
            there = [place for place in np.ndindex(array.shape) if array[place] is not None]
            for place in there or np.ndindex(array.shape):
                array[place] = values.item()
            return array
        values = values[0] if array.ndim == 1 and len(values) == 1 else values
        n_before = self.before[ref.layer - 1][1]
        if values.shape == array.shape:
            return values
        if values.shape == (*array.shape[:-1], n_before):  # the class that is new keeps its own
            array[..., :n_before] = values
            return array
        expected, found = _size(array.shape), _size(values.shape)
        raise SettingError(f"{name} is {found}; expected {expected}, or one number alone.")

    def batch(self, name: str, ref: Ref, given: list[list[float]], flat: bool) -> list[Any]:
        """Return inputs or targets with other numbers."""
        rows = self.named.rows(ref.quantity)
        if ref.index:
            rows[ref.index[0]][ref.index[1]] = only_one(given, name)
        elif flat and ref.quantity == "targets":
            rows = [[value] for row in given for value in row]
        else:
            width, grown = len(rows[0]), self.before[-1] != np.shape(self.layers[-1]["W"])
            if ref.quantity == "targets" and grown and {len(row) for row in given} == {width - 1}:
                given = [[*row, 0] for row in given]
            for row in given:
                if len(row) != width:
                    raise SettingError(
                        f"{name} has a row of {len(row)} numbers; expected {width}"
                        + (", with rows parted by ';'." if len(given) > 1 else ".")
                    )
            rows = given
        if flat:
            return [value for row in rows for value in row]
        return rows


def _by_layer(wanted: str | Mapping[int, str]) -> dict[int, str]:
    if isinstance(wanted, Mapping):
        return dict(wanted)
    found = {}
    for part in wanted.split(","):
        layer, _, name = part.partition("=")
        if not (layer.strip().isascii() and layer.strip().isdigit() and name.strip()):
            raise SettingError(
                f"The activation is {wanted!r}; write a name such as sigmoid, or 1=tanh,2=relu."
            )
        found[int(layer[:6])] = name.strip()
    return found


def _size(shape: tuple[int, ...]) -> str:
    """Return how many numbers an array has: "3 numbers", "2 x 3 numbers"."""
    return f"{' x '.join(map(str, shape))} numbers"
