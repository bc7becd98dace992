"""How many threads NumPy's matrix products use."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from itertools import pairwise

from threadpoolctl import ThreadpoolController

from deltaprop.model.layers import Dense
from deltaprop.model.spec import Network

__all__ = ["BlasThreads"]

# Multiply-adds of a layer's product from which a second thread earns more than it costs to wake.
_WORTH_A_THREAD = 16_000_000


@cache
def _controller() -> ThreadpoolController:
    """Return what sets the threads of NumPy, found once: that takes milliseconds."""
    return ThreadpoolController()


class BlasThreads:
    """Limits the threads of NumPy's matrix products for the steps of one network.

    Waking threads for small products takes longer than computing them, and far longer on a machine
    that is busy, so products below 16 million multiply-adds stay on one. Others take at most
    ``n_threads``; None means as many as NumPy takes by itself.
    """

    def __init__(self, network: Network, batch_size: int, n_threads: int | None) -> None:
        shapes = zip(network.computing_layers, pairwise(network.sizes), strict=True)
        largest = max(batch_size * a * b for layer, (a, b) in shapes if isinstance(layer, Dense))
        self._limit = 1 if largest < _WORTH_A_THREAD else n_threads
        self._controller = None if self._limit is None else _controller()

    def limited(self) -> AbstractContextManager[object]:
        """Return a context in which the limit holds."""
        if self._controller is None:
            return nullcontext()
        limit: AbstractContextManager[object] = self._controller.limit(
            limits=self._limit, user_api="blas"
        )
        return limit
