"""The studio in a notebook: the same page in a frame, with the engine in it, and no server.

>>> from deltaprop.studio.widget import Studio  # doctest: +SKIP
>>> studio = Studio(net, parameters, learning_rate=0.1)  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode

import numpy as np

from deltaprop.errors import MissingExtraError, SettingError
from deltaprop.model.layers import Dense
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.studio.page import studio_page

try:
    import anywidget
    import traitlets
except ImportError as error:
    raise MissingExtraError("The studio's widget", "deltaprop[notebook]") from error

__all__ = ["Studio"]

MOST_LAYERS, MOST_NEURONS = 6, 16  # as page/setup.js has them
_ADDRESS = {"learning_rate": "learningRate", "batch_size": "batchSize"}


class Studio(anywidget.AnyWidget):
    """A studio in a cell.

    Parameters
    ----------
    network : Network, optional
        Which one it opens with: dense layers behind two inputs.
    parameters : Parameters, optional
        Where the network begins; first weights by scheme and seed when left out.
    language : {"en", "zh"}
        Of its words.
    height : int
        Of the cell, in pixels.
    **setup
        What else differs from the usual, as the address of a studio tells it: ``data="moons"``,
        ``data_n=200``, ``optimizer="adam"``, ``learning_rate=0.1``, ``batch_size=8``, ``seed=3``.

    Attributes
    ----------
    setup : dict
        What is tried, as plain data; follows the page.
    step : int
        How many steps were taken, when the run last stood still.
    figures : dict
        Loss and share that is right then, of training and held out points.
    parameters : Parameters
        The parameters then, in all their bits.

    Raises
    ------
    SettingError
        The network is none that the studio can show.
    MissingExtraError
        anywidget is not installed.
    """

    _esm = files("deltaprop").joinpath("studio", "page", "widget.js").read_text(encoding="utf-8")
    _page = traitlets.Unicode().tag(sync=True)
    _numbers = traitlets.List(traitlets.Float()).tag(sync=True)
    height = traitlets.Int(860).tag(sync=True)
    setup = traitlets.Dict().tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)
    figures = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        network: Network | None = None,
        parameters: Parameters | None = None,
        *,
        language: str = "en",
        height: int = 860,
        **setup: Any,
    ) -> None:
        told = {} if network is None else _told(network)
        told |= {_ADDRESS.get(key, key.replace("data_", "data-")): v for key, v in setup.items()}
        edits = [] if parameters is None else [[0, parameters.flat.tolist()]]
        run = {"address": urlencode(told), "step": 0, "edits": edits}
        super().__init__(_page=studio_page(language, in_notebook=run), height=height)

    @property
    def network(self) -> Network:
        """The network that is tried, once the page has told it."""
        told: Mapping[str, Any] = self.setup
        return Network(
            told["sizes"], [layer["activation"] for layer in told["layers"]], told["loss"],
            bias=told["biases"], l2=told["l2"], l1=told["l1"],
        )  # fmt: skip

    @property
    def parameters(self) -> Parameters:
        """The parameters when the run last stood still."""
        network = self.network
        return Parameters(network.layout, np.array(self._numbers, dtype=np.float64))


def _told(network: Network) -> dict[str, Any]:
    """Return a network as an address tells it; SettingError: the page cannot show it."""
    layers = network.layers
    hidden = [layer for layer in layers[:-1] if isinstance(layer, Dense)]
    biases = {layer.bias for layer in layers if isinstance(layer, Dense)}
    plain = all(isinstance(layer, Dense) for layer in layers) and biases in ({True}, {False})
    small = len(hidden) <= MOST_LAYERS and all(each.n_out <= MOST_NEURONS for each in hidden)
    if not plain or not small or network.n_in != 2:
        raise SettingError(
            "The studio shows dense layers behind two inputs, all with biases or none, up to "
            f"{MOST_LAYERS} hidden ones of up to {MOST_NEURONS} neurons; this network has the "
            f"sizes {list(network.sizes)}."
        )
    return {
        "layers": ".".join(f"{layer.n_out}-{layer.activation}" for layer in hidden),
        "loss": network.loss_name, "l2": network.l2, "l1": network.l1,
        "biases": str(biases == {True}).lower(),
    }  # fmt: skip
