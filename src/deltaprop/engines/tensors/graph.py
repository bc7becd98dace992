"""Steps recorded once as a CUDA graph, and then only replayed."""

from __future__ import annotations

from collections.abc import Callable

import torch

from deltaprop.interop.formulas import Tensor

__all__ = ["GraphOfSteps"]

_AT_ONCE = 8  # steps of one graph: a launch costs as much as a small step


class GraphOfSteps:
    """Full batches of an epoch, whose order, learning rates and losses stand on the device.

    ``take(rows, eta)`` does one step and returns its loss; ``changed`` are the tensors that it
    changes, which are as before once it is recorded.
    """

    def __init__(
        self, take: Callable[[Tensor, Tensor], Tensor], changed: list[Tensor], size: int, n: int
    ) -> None:
        device, n_steps = changed[0].device, -(-n // size)
        self.order = torch.zeros(n, dtype=torch.int64, device=device)
        self.etas = torch.zeros(n_steps, dtype=torch.float64, device=device)
        self.losses = torch.zeros(n_steps, dtype=changed[0].dtype, device=device)
        self._step = torch.zeros(1, dtype=torch.int64, device=device)
        self._places = torch.arange(size, device=device)
        self._take, self._size = take, size
        kept = [each.clone() for each in changed]
        aside = torch.cuda.Stream(device)
        aside.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(aside):  # whatever is made at the first use is made here
            for _ in range(3):
                self._one()
                self._step.zero_()
        torch.cuda.current_stream(device).wait_stream(aside)
        self._graphs = {k: self._recorded(k) for k in {1, min(_AT_ONCE, max(n // size, 1))}}
        for each, before in zip(changed, kept, strict=True):
            each.copy_(before)

    def begin(self) -> None:
        """Go back to the first step."""
        self._step.zero_()

    def most(self, left: int) -> int:
        """Return how many steps are taken at once where so many are left."""
        return max(k for k in self._graphs if k <= max(left, 1))

    def replay(self, steps: int) -> None:
        """Take as many steps as a graph has."""
        self._graphs[steps].replay()

    def _one(self) -> None:
        rows = self.order[self._step * self._size + self._places]
        loss = self._take(rows, self.etas[self._step].squeeze(0))
        self.losses.index_copy_(0, self._step, loss.reshape(1))
        self._step += 1

    def _recorded(self, steps: int) -> torch.cuda.CUDAGraph:
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            for _ in range(steps):
                self._one()
        self._step.zero_()
        return graph
