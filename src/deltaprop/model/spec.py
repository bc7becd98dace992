"""Network: a frozen description of a feed-forward network and the loss it minimizes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

import numpy as np
import numpy.typing as npt

from deltaprop.errors import SettingError, ShapeError, shown
from deltaprop.functional.activations import ACTIVATIONS, Activation
from deltaprop.functional.losses import LOSSES, Loss
from deltaprop.functional.settings import at_least_zero, from_zero_below_one, positive_int
from deltaprop.masked import refuse_masked
from deltaprop.model.layers import LAYERS, Dense, Dropout, Layer
from deltaprop.model.parameters import Layout, Parameters, Slot, numbers_of

__all__ = ["Network"]

Array = npt.NDArray[np.float64]
_CACHED = ("activations", "layout")


@dataclass(frozen=True, init=False)
class Network:
    """A feed-forward network: layers, and the loss that decides its output activation.

    z^l = a^(l-1) W^l + b^l and a^l = f_l(z^l), with a^0 = x; the last activation belongs to the
    loss. The objective is the mean loss plus l2/2 sum(W^2) plus l1 sum|W|, biases left out.

    Parameters
    ----------
    sizes : sequence of int
        n_0, ..., n_L: the inputs, the width of each hidden layer, the outputs. Two numbers make
        linear, logistic or softmax regression.
    hidden : str or sequence of str
        The activation of every hidden layer, or one each.
    loss : str
        A registered loss; see ``LOSSES``.
    bias : bool
        Whether layers have biases.
    dropout : float
        Probability of dropping each hidden activation in training.
    label_smoothing : float
        e in t' = (1 - e) t + e / k, for the cross-entropies.
    l2, l1 : float
        Penalties on the weights: l2/2 sum(W^2) and l1 sum|W|.

    Raises
    ------
    SettingError
        When a size, name or range is wrong.

    Examples
    --------
    >>> Network([4, 16, 3], hidden="relu", loss="cross_entropy").n_parameters
    131
    """

    n_in: int
    layers: tuple[Layer | Dropout, ...]
    loss_name: str
    label_smoothing: float
    l2: float
    l1: float
    computing_layers: tuple[Layer, ...] = field(repr=False, compare=False)
    dropouts: tuple[Dropout | None, ...] = field(repr=False, compare=False)
    sizes: tuple[int, ...] = field(repr=False, compare=False)
    loss_factor: Fraction = field(default=Fraction(1), init=False, repr=False)
    penalty_factor: Fraction = field(default=Fraction(1), init=False, repr=False)
    penalty_in_gradient: bool = field(default=True, init=False, repr=False)

    def __init__(
        self,
        sizes: Sequence[int],
        hidden: str | Sequence[str] = "relu",
        loss: str = "cross_entropy",
        bias: bool = True,
        *,
        dropout: float = 0.0,
        label_smoothing: float = 0.0,
        l2: float = 0.0,
        l1: float = 0.0,
    ) -> None:
        if not isinstance(sizes, (list, tuple, np.ndarray)) or len(sizes) < 2:
            raise SettingError(
                f"sizes is {sizes!r}; expected at least two whole numbers: inputs and outputs, "
                "with the widths of the hidden layers between them, such as [4, 16, 3]."
            )
        if not isinstance(hidden, Iterable):
            raise SettingError(
                f"hidden is {hidden!r}; expected the name of an activation, or one for each layer."
            )
        if any(isinstance(size, tuple(LAYERS.values())) for size in sizes):
            raise SettingError(
                "sizes holds layers; a network of layers is "
                f"Network.from_layers({shown(sizes[0])}, [...]), with them in the list."
            )
        n_hidden = len(sizes) - 2
        activations = [hidden] * n_hidden if isinstance(hidden, str) else list(hidden)
        if len(activations) != n_hidden:
            raise SettingError(
                f"hidden names {len(activations)} activations but sizes has {n_hidden} hidden "
                "layers; give one name for all of them or one each."
            )
        layers: list[Layer | Dropout] = []
        for n_out, activation in zip(sizes[1:-1], activations, strict=True):
            layers.append(Dense(n_out, activation, bias))
            if dropout:
                layers.append(Dropout(dropout))
        layers.append(Dense(sizes[-1], None, bias))
        self._describe(sizes[0], layers, loss, label_smoothing, l2, l1)

    @classmethod
    def from_layers(
        cls,
        n_in: int,
        layers: Sequence[Layer | Dropout],
        loss: str = "cross_entropy",
        *,
        label_smoothing: float = 0.0,
        l2: float = 0.0,
        l1: float = 0.0,
    ) -> Network:
        """Return a network of the given layers.

        Parameters
        ----------
        n_in : int
            n_0, the number of inputs.
        layers : sequence
            Of the kinds in ``LAYERS``, in order; the last is a ``Dense``.
        loss : str
            A registered loss.
        label_smoothing, l2, l1 : float
            As for ``Network``.

        Returns
        -------
        Network
            The description.
        """
        network = object.__new__(cls)
        network._describe(n_in, layers, loss, label_smoothing, l2, l1)
        return network

    def _describe(
        self,
        n_in: int,
        layers: Sequence[Layer | Dropout],
        loss: str,
        label_smoothing: float,
        l2: float,
        l1: float,
    ) -> None:
        computing: list[Layer] = []
        sizes = [positive_int(n_in, "The number of inputs")]
        dropouts: list[Dropout | None] = []
        waiting: Dropout | None = None
        for layer in layers:
            if isinstance(layer, Dropout):
                if waiting is not None:
                    raise SettingError("Two Dropout layers stand in a row; one is enough.")
                waiting = layer
            elif isinstance(layer, tuple(LAYERS.values())):
                computing.append(layer)
                sizes.append(layer.width(sizes[-1]))
                dropouts.append(waiting)
                waiting = None
            else:
                known = ", ".join(kind.__name__ for kind in LAYERS.values())
                raise SettingError(f"{layer!r} is no layer; expected {known}.")
        if not computing or waiting is not None or not isinstance(computing[-1], Dense):
            raise SettingError("A network ends in a Dense layer; its loss reads that layer's z.")
        row = LOSSES[loss]
        own = computing[-1].activation
        if own not in (None, "identity", row.output):
            raise SettingError(
                f"The last layer has activation {own!r}, but {loss} brings its own output, "
                f"{row.output}. Leave the activation of the last layer out."
            )
        if label_smoothing and row.smooth is None:
            raise SettingError(
                f"label_smoothing has no meaning for {loss}; it belongs to the cross-entropies."
            )
        facts = {
            "n_in": sizes[0],
            "sizes": tuple(sizes),
            "layers": tuple(layers),
            "loss_name": loss,
            "label_smoothing": from_zero_below_one(label_smoothing, "label_smoothing"),
            "l2": at_least_zero(l2, "l2"),
            "l1": at_least_zero(l1, "l1"),
            "computing_layers": tuple(computing),
            "dropouts": tuple(dropouts),
        }
        for name, fact in facts.items():
            object.__setattr__(self, name, fact)

    def __getstate__(self) -> dict[str, object]:
        # a copy looks its activations up again: engines know a registry's rows by identity
        return {name: fact for name, fact in vars(self).items() if name not in _CACHED}

    @property
    def n_out(self) -> int:
        """Return n_L, the number of outputs."""
        return self.sizes[-1]

    @property
    def loss(self) -> Loss:
        """Return the registry row of the loss, multiplied by ``loss_factor``."""
        row = LOSSES[self.loss_name]
        return row if self.loss_factor == 1 else row.times(self.loss_factor)

    @property
    def penalty_strengths(self) -> tuple[float, float]:
        """Return l2 and l1, multiplied by ``penalty_factor``."""
        factor = float(self.penalty_factor)
        return self.l2 * factor, self.l1 * factor

    @property
    def has_penalized_gradient(self) -> bool:
        """Return whether gradients have a part that no sample causes."""
        return self.penalty_in_gradient and bool(self.l2 or self.l1)

    def with_loss_times(self, factor: Fraction) -> Network:
        """Return the network with its loss multiplied by a factor, as some conventions have it."""
        return self._but(loss_factor=self.loss_factor * factor)

    def with_penalties_times(self, factor: Fraction) -> Network:
        """Return the network with its penalties multiplied by a factor: without their 1/2."""
        return self._but(penalty_factor=self.penalty_factor * factor)

    def with_penalties_in_gradient(self, included: bool) -> Network:
        """Return the network with gradients of the whole loss, or of the data's alone."""
        return self._but(penalty_in_gradient=included)

    def without_penalties(self) -> Network:
        """Return the network without l2 and l1, as where the step alone has them."""
        return self._but(l2=0.0, l1=0.0)

    def _but(self, **facts: object) -> Network:
        network = copy(self)
        for name, fact in facts.items():
            object.__setattr__(network, name, fact)
        return network

    @cached_property
    def activations(self) -> tuple[Activation, ...]:
        """Return the row of f_l for each hidden layer."""
        return tuple(
            ACTIVATIONS[layer.activation or "identity"] for layer in self.computing_layers[:-1]
        )

    @cached_property
    def layout(self) -> Layout:
        """Return where each array stands in the flat parameter vector."""
        slots: list[Slot] = []
        start = 0
        for index, (n_in, layer) in enumerate(zip(self.sizes, self.computing_layers, strict=False)):
            for name, shape in layer.shapes(n_in).items():
                factor = layer.learning_rate_factor_of(name)
                absent = layer.absent(name) if isinstance(layer, Dense) else ()
                slots.append(
                    Slot(index, name, shape, start, name in layer.penalized, factor, absent)
                )
                start = slots[-1].stop
        return Layout(tuple(slots), len(self.computing_layers))

    @property
    def is_dense_only(self) -> bool:
        """Return whether there is nothing but dense layers and dropout, in their usual form.

        That is what the named mistakes are about.
        """
        return self.layout.learning_rate_factors() is None and self.has_usual_layers_only

    @property
    def has_usual_layers_only(self) -> bool:
        """Return whether each layer is a dense one as it usually is: z = a W + b."""
        return all(
            isinstance(layer, Dense) and layer.parametrization == "standard"
            for layer in self.computing_layers
        )

    def has_bias(self, index: int) -> bool:
        """Return whether layer ``index`` + 1 has a b, if only of some neurons."""
        return "b" in self.computing_layers[index].shapes(self.sizes[index])

    @property
    def n_parameters(self) -> int:
        """Return the number of weights and biases."""
        return len(self.layout.places)

    def init(self, rng: np.random.Generator) -> Parameters:
        """Return initial parameters, drawn by each layer's initializer.

        Parameters
        ----------
        rng : numpy.random.Generator
            Where the numbers come from; the same generator state gives the same parameters.

        Returns
        -------
        parameters : Parameters
            float64, in one flat vector.
        """
        if not isinstance(rng, np.random.Generator):
            raise SettingError(
                f"init needs a numpy Generator, such as numpy.random.default_rng(0); found {rng!r}."
            )
        # what does not fit into the memory fails here, before anything is drawn
        parameters = Parameters(self.layout, np.empty(self.layout.size))
        layers = zip(self.sizes, self.computing_layers, parameters.layers, strict=False)
        for n_in, layer, views in layers:
            for name, array in layer.initialize(rng, n_in).items():
                views[name][...] = array
        return parameters

    def parameters(
        self,
        W: Sequence[npt.ArrayLike | None],
        b: Sequence[npt.ArrayLike | None] | None = None,
        **others: Sequence[npt.ArrayLike | None],
    ) -> Parameters:
        """Return parameters holding the given numbers.

        Parameters
        ----------
        W : sequence of array_like
            W[l] of shape (n_l, n_(l+1)); None where a layer has none.
        b : sequence of array_like or None, optional
            b[l] of shape (n_(l+1),), None for a neuron without a bias; left out, biases are 0.
        **others : sequence of array_like or None
            The arrays of other layers by name, such as ``s``, one entry for each layer.

        Returns
        -------
        parameters : Parameters
            Copies of the numbers, float64.

        Raises
        ------
        ShapeError
            When an array is missing or its shape does not fit.
        """
        n_layers = len(self.computing_layers)
        given = {"W": list(W), "b": [None] * n_layers if b is None else list(b)}
        given |= {name: list(arrays) for name, arrays in others.items()}
        for name, arrays in given.items():
            if len(arrays) != n_layers:
                raise ShapeError(
                    f"{name} has {len(arrays)} arrays but the network has {n_layers} layers."
                )
        parameters = Parameters(self.layout, np.zeros(self.layout.size))
        for index, views in enumerate(parameters.layers):
            found = {name: arrays[index] for name, arrays in given.items()}
            for name, array in found.items():
                if array is not None and name not in views:
                    raise ShapeError(f"Layer {index + 1} has no {name}, but one was given.")
            for name, view in views.items():
                array = found.get(name)
                if array is None:
                    if name != "b":
                        raise ShapeError(f"{name} of layer {index + 1} is missing.")
                    continue
                what = f"{name} of layer {index + 1}"
                refuse_masked(array, what)
                values = numbers_of(array, what, self.layout.lacks(index + 1, name))
                if values.shape != view.shape:
                    raise ShapeError(
                        f"{name} of layer {index + 1} has shape {values.shape}; "
                        f"expected {view.shape}."
                    )
                view[...] = values
        self.layout.refuse_absent(parameters.flat)
        return parameters

    def describe(self) -> str:
        """Return one line: sizes, activations, loss, parameters."""
        hidden = zip(self.computing_layers, self.sizes[1:], self.activations, strict=False)
        shown = [str(self.n_in)]
        for layer, width, row in hidden:
            called = row.name if isinstance(layer, Dense) else layer.kind.replace("_", " ")
            shown.append(f"{width} {called}")
        shown.append(f"{self.n_out} {self.loss.output}")
        return f"{' -> '.join(shown)}, {self.loss_name}, {self.n_parameters:,} parameters"
