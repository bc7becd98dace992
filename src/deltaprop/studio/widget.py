"""The studio in a notebook: the same page in a frame, with the engine in it, and no server.

>>> from deltaprop.studio.widget import Studio  # doctest: +SKIP
>>> studio = Studio(net, x, labels, parameters=parameters, learning_rate=0.1)  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError, MissingExtraError, SettingError, ShapeError
from deltaprop.model.layers import Dense
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network
from deltaprop.studio.page import studio_page
from deltaprop.studio.tables import OpenTable
from deltaprop.tabular import Table, as_frame
from deltaprop.tabular.libraries import pl

try:
    import anywidget
    import traitlets
except ImportError as error:
    raise MissingExtraError("The studio's widget", "deltaprop[notebook]") from error

__all__ = ["Studio"]

MOST_LAYERS, MOST_NEURONS = 6, 64  # as page/setup.js has them
_ADDRESS = {"learning_rate": "learningRate", "batch_size": "batchSize"}
_ROWS, _TARGET = "rows", "y"  # what the page calls them


class Studio(anywidget.AnyWidget):
    """A studio in a cell.

    Parameters
    ----------
    network : Network, optional
        Which one it opens with: dense layers, behind two inputs or those of ``x``.
    x : ndarray of shape (n, n_0) or DataFrame, optional
        Rows to learn from; an array as it is, a table's columns made numbers as those of a file.
    y : array_like of shape (n,), optional
        A label (whole number or text) or a number for each row.
    parameters : Parameters, optional
        Where the network begins; first weights by scheme and seed when left out.
    language : {"en", "zh"}
        Of its words.
    height : int
        Of the cell, in pixels.
    **setup
        What else differs from the usual, as the address of a studio tells it: ``data="moons"``,
        ``data_n=200``, ``held=0``, ``optimizer="adam"``, ``learning_rate=0.1``, ``batch_size=8``,
        ``seed=3``.

    Attributes
    ----------
    setup : dict
        What is tried, as plain data; follows the page.
    step : int
        How many steps were taken, when the run last stood still.
    figures : dict
        Loss and share that is right then, of training and held out rows.
    network : Network
        The network that is tried, once the page has told it.
    parameters : Parameters
        Its parameters when the run last stood still, in all their bits.

    Raises
    ------
    SettingError, ShapeError, DataError
        The network is none that the studio can show, or does not fit the rows.
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
        x: Any = None,
        y: npt.ArrayLike | None = None,
        *,
        parameters: Parameters | None = None,
        language: str = "en",
        height: int = 860,
        **setup: Any,
    ) -> None:
        told: dict[str, Any] = {} if network is None else _told(network)
        table = None
        if x is not None or y is not None:
            table, classes = _rows(x, y)
            task = "classes" if classes else "numbers"
            told |= {"data": "own", "data-file": _ROWS, "data-target": _TARGET, "data-task": task}
        if network is not None:
            _refuse_unfit(network, table, 0 if table is None else classes)
        told |= {_ADDRESS.get(key, key.replace("data_", "data-")): v for key, v in setup.items()}
        edits = [] if parameters is None else [[0, parameters.flat.tolist()]]
        run = {"address": urlencode(told), "step": 0, "edits": edits}
        page = studio_page(language, in_notebook=run, table=table)
        super().__init__(_page=page, height=height)

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
    if not plain or not small:
        raise SettingError(
            "The studio shows dense layers, all with biases or none, up to "
            f"{MOST_LAYERS} hidden ones of up to {MOST_NEURONS} neurons; this network has the "
            f"sizes {list(network.sizes)}."
        )
    return {
        "layers": ".".join(f"{layer.n_out}-{layer.activation}" for layer in hidden),
        "loss": network.loss_name, "l2": network.l2, "l1": network.l1,
        "biases": str(biases == {True}).lower(),
    }  # fmt: skip


def _rows(x: Any, y: npt.ArrayLike | None) -> tuple[OpenTable, int]:
    """Return rows as a table that a page opens, and how many classes they have, 0 for numbers."""
    if x is None or y is None:
        raise DataError("Rows are x and y, the inputs and what is asked of them.")
    answers = np.asarray(y)
    if answers.dtype == object:
        answers = answers.astype(str)
    if answers.ndim != 1 or len(answers) != len(x):
        raise ShapeError(
            f"y has the shape {answers.shape}; expected one for each row of x, {len(x)}."
        )
    if isinstance(x, np.ndarray):
        if x.ndim != 2 or not np.isfinite(x).all():
            raise DataError("x as an array has rows of finite numbers, all of the same length.")
        names = [f"x{i + 1}" for i in range(x.shape[1])]
        frame = pl.DataFrame(x.astype(np.float64), schema=names, orient="row")
    else:
        frame = as_frame(x).to_native()
    asks_numbers = answers.dtype.kind == "f"
    values = answers if asks_numbers or answers.dtype.kind in "iu" else answers.astype(str)
    if _TARGET in frame.columns:
        raise DataError(f"x has a column {_TARGET}; the labels get this name.")
    frame = frame.with_columns(pl.Series(_TARGET, values))
    table = OpenTable(Table(as_frame(frame), _ROWS), _TARGET, as_it_is=isinstance(x, np.ndarray))
    return table, 0 if asks_numbers else len(np.unique(answers))


def _refuse_unfit(network: Network, table: OpenTable | None, classes: int) -> None:
    """Raise ShapeError where a network has other inputs, outputs or targets than the rows."""
    n_in = 2 if table is None else table.table.frame.width - 1
    if network.n_in != n_in and (table is None or table.as_it_is):
        raise ShapeError(f"The network has {network.n_in} inputs; the rows have {n_in}.")
    if table is None:
        return
    n_out, kinds = (classes, ("distribution", "unit")) if classes else (1, ("real",))
    if network.n_out != n_out or network.loss.targets not in kinds:
        asked = f"{classes} classes" if classes else "a number"
        raise ShapeError(
            f"The rows ask for {asked}; the network has {network.n_out} outputs and the loss "
            f"{network.loss_name}."
        )
