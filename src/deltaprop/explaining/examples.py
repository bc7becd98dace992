"""Worked examples: the built-in ones, and files in the worked-example format."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from deltaprop.errors import DataError, DeltapropError, SettingError, UnknownNameError
from deltaprop.explaining.changes import Change, changed
from deltaprop.explaining.example_files import Written, read_data
from deltaprop.explaining.given_numbers import symbols_of, watched
from deltaprop.model.layers import Dense
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.training.optimizers import OPTIMIZERS, Optimizer

if TYPE_CHECKING:
    from deltaprop.explaining.explanation import Explanation
    from deltaprop.explaining.repeated import Repeated

__all__ = [
    "EXAMPLES",
    "WorkedExample",
    "Written",
    "built_in_example",
    "read_worked_example",
    "worked_example",
]

_LONGEST_TEXT = 2_000  # characters of a title, or of a source


def _built_in(name: str) -> Mapping[str, object]:
    text = files("deltaprop.explaining").joinpath(f"worked/{name}.json").read_text("utf-8")
    data: Mapping[str, object] = json.loads(text, parse_float=Written)
    return data


# Published calculations, with what their authors claim; in the order in which help lists them.
EXAMPLES: Mapping[str, Mapping[str, object]] = {
    name: _built_in(name)
    for name in (
        "tutorial",
        "mazur",
        "han_kamber",
        "negnevitsky_xor",
        "generation5_xor",
        "hmkcode",
        "prakash_jay",
        "iamtrask",
        "ng_ex4",
    )
}


@dataclass(frozen=True)
class WorkedExample:
    """A network with its numbers, a batch, and how the step is taken.

    Attributes
    ----------
    title : str
        What it is.
    network : Network
        Layers and loss.
    parameters : Parameters
        Before the step.
    x, targets : list of list of float
        The batch.
    optimizer : Optimizer
        The rule of the step.
    train_biases : bool
        Whether the step changes biases.
    reduction : str
        "mean" or "sum" over samples.
    claims : dict
        What somebody says the numbers are.
    conventions : dict
        In which conventions the claims are written, where the house writes otherwise.
    titles : dict
        The title in other languages: {"zh": "..."}.
    source : str
        Where it was published: author, work, year, address.
    data : mapping
        In the worked-example format, as it was read; what ``with_`` changes and files are made of.
    changes : tuple
        What ``with_`` has changed: keys of the wording, with what fills them in.
    """

    title: str
    network: Network
    parameters: Parameters
    x: npt.ArrayLike
    targets: npt.ArrayLike
    optimizer: Optimizer
    train_biases: bool = True
    reduction: str = "mean"
    claims: Mapping[str, object] | None = None
    conventions: object = None
    titles: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    data: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    changes: tuple[Change, ...] = ()

    def with_(
        self,
        numbers: Mapping[str, object] | None = None,
        *,
        learning_rate: float | None = None,
        activation: str | Mapping[int, str] | None = None,
        loss: str | None = None,
        add_class: bool = False,
        **others: object,
    ) -> WorkedExample:
        """Return the example with other numbers, another activation or loss, or a class more.

        Parameters
        ----------
        numbers, **others : mapping
            By name: ``x``, ``t``, ``w1`` where the example has such symbols, ids such as
            ``"W1[0,2]"``, whole arrays ``"W1"``. Numbers, arrays, or text such as "1,0; 0,1".
        learning_rate : float, optional
            eta.
        activation : str or mapping, optional
            Of all hidden layers, or by layer counted from 1: ``{1: "tanh"}``.
        loss : str, optional
            A registered loss, with the output that it brings.
        add_class : bool
            An output more, with tidy weights and target 0; ``changes`` says which.

        Returns
        -------
        WorkedExample
            Without claims, which were made about other numbers.

        Raises
        ------
        UnknownNameError
            No number, activation or loss is called so; the message offers the nearest.
        SettingError, DataError
            A value that does not fit.

        Examples
        --------
        >>> example = built_in_example("tutorial").with_(x=[1, 1], w1=0.7, t=3)
        >>> example.x, example.targets
        ([[1, 1]], [[3]])
        """
        if not self.data:
            raise SettingError(
                "This example was made without the data of a file; read it from one."
            )
        data, changes = changed(
            self.data, {**(numbers or {}), **others}, learning_rate=learning_rate,
            activation=activation, loss=loss, add_class=add_class,
        )  # fmt: skip
        if not changes:
            return self
        return replace(worked_example(data, "the changed example"), changes=self.changes + changes)

    def explain(self) -> Explanation:
        """Return its step with every number accounted for.

        Raises
        ------
        DeltapropError
            When the numbers do not fit each other, or overflow.
        """
        from deltaprop.explaining.document.labels import Names
        from deltaprop.explaining.explanation import explain

        return explain(
            self.network, self.parameters, self.x, self.targets,
            optimizer=self.optimizer, train_biases=self.train_biases, reduction=self.reduction,
            names=Names(
                self.title, source=self.source, titles=self.titles, changes=self.changes
            ),
        )  # fmt: skip

    def repeat(
        self,
        n_steps: int = 20,
        *,
        until: float | str | None = 0.01,
        watch: Sequence[str] | None = None,
    ) -> Repeated:
        """Return its step, taken again and again until it is learnt.

        Parameters
        ----------
        n_steps : int
            At most so many.
        until : float or str, optional
            How far outputs may be from their targets; "loss=0.001" for the loss; None for never.
        watch : sequence of str, optional
            Parameters for the table, by any of their names: "w1", "W2[0,1]", "b1".

        Returns
        -------
        Repeated
            A table of the steps; ``step(7)`` is one of them with every number.

        Examples
        --------
        >>> built_in_example("tutorial").repeat(50).n_taken
        13
        """
        from deltaprop.explaining.repeated import repeat

        named = symbols_of(self.data)
        chosen = None if watch is None else watched(self.data, watch)
        return repeat(self.explain(), n_steps, until=until, watch=chosen, symbols=named)


def built_in_example(name: str) -> WorkedExample:
    """Return the built-in example called ``name``, a key of ``EXAMPLES``.

    Raises
    ------
    UnknownNameError
        When there is none; the message offers the nearest one.
    """
    if name not in EXAMPLES:
        raise UnknownNameError("built-in example", name, EXAMPLES)
    return worked_example(EXAMPLES[name])


def read_worked_example(path: str | os.PathLike[str]) -> WorkedExample:
    """Read a worked example from a YAML or JSON file.

    Raises
    ------
    DataError
        When the file cannot be read or says something impossible; the message says where.
    """
    return worked_example(read_data(path), os.fspath(path))


def worked_example(data: Mapping[str, Any], name: str = "the example") -> WorkedExample:
    """Return the worked example that a mapping in the worked-example format describes.

    Parameters
    ----------
    data : mapping
        The keys of the format: layers, loss, x, targets, ...
    name : str
        What messages call it.

    Raises
    ------
    DataError
        When it says something impossible; the message says where.
    """
    missing = [key for key in ("layers", "loss", "x", "targets") if key not in data]
    if missing:
        raise DataError(f"{name} lacks {', '.join(missing)}; see the worked-example format.")
    try:
        network, parameters = _network(data)
        chosen = data.get("optimizer", "gradient_descent")
        if chosen not in OPTIMIZERS:
            raise UnknownNameError("optimizer", chosen, OPTIMIZERS)
        return WorkedExample(
            title=_text(data.get("title", name), "title"),
            network=network,
            parameters=parameters,
            x=_numbers(data["x"], "x"),
            targets=_numbers(data["targets"], "targets"),
            optimizer=OPTIMIZERS[chosen](float(data.get("learning_rate", 0.1))),
            train_biases=bool(data.get("train_biases", True)),
            reduction=str(data.get("loss_reduction", "mean")),
            claims=data.get("claims"),
            conventions=data.get("conventions"),
            titles=_titles(data.get("titles")),
            source=_source(data.get("source")),
            data=data,
        )
    except DeltapropError as error:
        raise DataError(f"{name}: {error}") from None
    except (LookupError, ArithmeticError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{name} is not a worked example: {error}.") from None


def _titles(value: object) -> dict[str, str]:
    found = value if isinstance(value, Mapping) else {}
    return {
        _text(language, "titles"): _text(title, f"titles[{language!r}]")
        for language, title in found.items()
    }


def _source(value: object) -> str:
    """Return one line; a file may list several sources, or none."""
    several = value if isinstance(value, (list, tuple)) else [value]
    lines = [_text(source, "source") for source in several if source is not None]
    return _text("; ".join(lines), "source")


def _text(value: object, what: str) -> str:
    """Return a line of text as it is; numbers and dates are texts, too."""
    if isinstance(value, (list, tuple, Mapping)) or len(text := str(value)) > _LONGEST_TEXT:
        long = "longer" if isinstance(value, str) else _shown(value)
        raise ValueError(f"{what} is {long}; expected a text of at most {_LONGEST_TEXT} characters")
    return text


def _network(data: Mapping[str, Any]) -> tuple[Network, Parameters]:
    layers = data["layers"]
    if not isinstance(layers, list) or not layers:
        raise DataError("layers is empty; expected at least one with W.")
    dense: list[Dense] = []
    for index, layer in enumerate(layers):
        if not isinstance(layer, Mapping) or not layer.get("W"):
            raise ValueError(f"layer {index + 1} has no 'W'; expected rows, [[...], ...]")
        rows = _numbers(layer["W"], f"W of layer {index + 1}")
        if not all(isinstance(row, list) for row in rows):
            raise ValueError(f"W of layer {index + 1} is one row; expected rows, [[...], ...]")
        if layer.get("b") is not None:
            _numbers(layer["b"], f"b of layer {index + 1}")
        last = index == len(layers) - 1
        dense.append(
            Dense(
                len(layer["W"][0]),
                None if last else layer.get("activation", "identity"),
                bias=layer.get("b") is not None,
            )
        )
    network = Network.from_layers(
        len(layers[0]["W"]), dense, str(data["loss"]), l2=float(data.get("l2", 0) or 0),
        l1=float(data.get("l1", 0) or 0),
        label_smoothing=float(data.get("label_smoothing", 0) or 0),
    )  # fmt: skip
    own = layers[-1].get("activation")
    if own not in (None, "identity", network.loss.output):
        raise DataError(
            f"the last layer has activation {own!r}, but {network.loss_name} brings "
            f"{network.loss.output}."
        )
    parameters = network.parameters(
        W=[layer["W"] for layer in layers], b=[layer.get("b") for layer in layers]
    )
    return network, parameters


def _numbers(values: object, what: str) -> list[Any]:
    """Return a list of finite numbers, or of rows of them, as it is; raises on anything else."""
    if not isinstance(values, list):
        raise TypeError(f"{what} is {_shown(values)}; expected rows of numbers, [[...], ...]")
    rows = [values] if not any(isinstance(row, list) for row in values) else values
    for number, row in enumerate(rows, 1):
        if not isinstance(row, list) or len(row) != len(rows[0]):
            raise ValueError(f"{what} is ragged in row {number}; expected rows of one length")
        for cell in row:
            plain = isinstance(cell, (int, float)) and not isinstance(cell, bool)
            if not plain or not math.isfinite(cell):
                raise ValueError(
                    f"{what} holds {_shown(cell)} in row {number}; expected a finite number"
                )
    return values


def _shown(value: object) -> str:
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "a mapping"
    return "null" if value is None else repr(value)[:60]
