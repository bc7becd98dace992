"""to_code: a network as a script that runs as it is."""

from __future__ import annotations

from deltaprop.errors import SettingError
from deltaprop.interop.forward import forward
from deltaprop.interop.written.script import SCRIPTS
from deltaprop.model.backprop import require_fit
from deltaprop.model.parameters import Parameters
from deltaprop.model.spec import Network

__all__ = ["to_code"]


def to_code(network: Network, parameters: Parameters, language: str = "numpy") -> str:
    """Return a network as the text of a script that runs as it is.

    x -> z^1 -> a^1 -> ... -> p, each line an equation of a layer or an activation.

    Parameters
    ----------
    network : Network
        The layers and the loss, whose output is p.
    parameters : Parameters
        The numbers that are written into it.
    language : {"numpy", "torch"}
        What the script needs: ``predict(x)`` in NumPy, or a trainable ``Model`` of PyTorch.

    Returns
    -------
    str
        Python. As a program it reads rows of numbers, separated by commas, and prints those of p.

    Raises
    ------
    SettingError
        When there is no such language, or a function of the network has no formula.
    ShapeError
        When the parameters are another network's.
    """
    if language not in SCRIPTS:
        raise SettingError(f"There is no script in {language!r}; it is {' or '.join(SCRIPTS)}.")
    require_fit(network, parameters)
    stages = forward(network, parameters)
    return SCRIPTS[language](network, parameters, stages)
