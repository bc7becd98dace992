"""Worked examples: the built-in ones, and files in the worked-example format."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from deltaprop.checking.conventions import asked_for
from deltaprop.errors import SettingError, UnknownNameError
from deltaprop.explaining.changes import Change, changed
from deltaprop.explaining.example_files import Written, read_data
from deltaprop.explaining.example_format import described_by
from deltaprop.explaining.given_numbers import symbols_of, watched
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.training.optimizers import Optimizer

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
        In which conventions the claims are written, where the house writes otherwise; and its
        explanation.
    digits : int or None
        To how many significant digits the claims are asked for, where somebody says so.
    titles : dict
        The title in other languages: {"zh": "..."}.
    source : str
        Where it was published: author, work, year, address.
    changed : tuple of str
        The names of what is other than where it was published.
    notation : str
        In which it is explained where nobody asks for another.
    state : dict or None
        The optimizer's state before the step, where it is not the first one.
    steps : tuple of dict
        What somebody says of several steps in a row: "claims" of each, perhaps with an "x" and
        "targets" of its own.
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
    digits: int | None = None
    titles: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    changed: tuple[str, ...] = ()
    notation: str = "standard"
    state: Mapping[str, Any] | None = None
    steps: tuple[Mapping[str, Any], ...] = ()
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

    def in_convention(self, convention: object) -> WorkedExample:
        """Return the example in other conventions, without claims, which were written in its own.

        Parameters
        ----------
        convention : str, list of str or mapping
            As for ``explaining.explain``.
        """
        names = {choice.about: choice.choice for choice in asked_for(convention).chosen}
        kept = {k: v for k, v in self.data.items() if k not in ("claims", "steps")}
        data = {**kept, "conventions": names or "house"}
        return replace(self, conventions=data["conventions"], claims=None, steps=(), data=data)

    def explain(self, convention: object = None) -> Explanation:
        """Return its step with every number accounted for.

        Parameters
        ----------
        convention : str, list of str or mapping, optional
            In which it is written, as for ``explaining.explain``; that of the example if left out.

        Raises
        ------
        DeltapropError
            When the numbers do not fit each other, or overflow.
        """
        from deltaprop.explaining.document.labels import Names
        from deltaprop.explaining.explanation import explain

        return explain(
            self.network, self.parameters, self.x, self.targets,
            optimizer=self.optimizer, state=self.state, train_biases=self.train_biases,
            reduction=self.reduction,
            convention=self.conventions if convention is None else convention,
            names=Names(
                self.title, source=self.source, titles=self.titles, changes=self.changes,
                changed=self.changed, notation=self.notation,
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
        When it says something impossible, or has a key that the format has not; the message says
        where, and names the nearest one.
    """
    return WorkedExample(**described_by(data, name))
