"""The compiled part of deltaprop, built from native/."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

def build_info() -> dict[str, str]:
    """Say how this module was compiled.

    Returns
    -------
    dict
        ``compiler`` (gcc, clang, apple-clang, msvc or unknown), ``compiler_version``,
        ``cxx_standard`` (the value of ``__cplusplus``), ``build_type`` and ``architecture``.
    """

def known_names() -> dict[str, Any]:
    """Return what the kernels know.

    Returns
    -------
    dict
        ``activations``, ``losses`` and ``layers``, lists of names; ``optimizers``, by name how many
        numbers each keeps for a parameter.
    """

def cpu_features() -> list[str]:
    """List the instruction sets that this processor and operating system offer.

    Returns
    -------
    list of str
        Names in the compiler's spelling, such as ``avx2``; empty where there is no way to ask.
    """

def say_when_aborted(message: str, status: int, out: int) -> None:
    """Say a sentence where the process aborts for want of memory, and end with a status.

    Parameters
    ----------
    message : str
        What is written then.
    status : int
        With which the process ends.
    out : int
        Where the message goes, or what was written on standard error if it is another reason:
        standard error itself has to be a file, in which the reason stands.
    """

def instruction_sets() -> list[str]:
    """List the builds of the kernels that this machine can run, the fastest first.

    Returns
    -------
    list of str
        Of "avx512", "avx2", "portable".
    """

def has_bfloat16_products() -> bool:
    """Return whether the processor has products of bfloat16 numbers."""

def permutation(order: npt.NDArray[np.int64], key: list[int], counter: list[int]) -> None:
    """Fill ``order`` with 0, ..., n - 1, shuffled by the Philox stream of a key and a counter."""

class Trainer:
    """A network being trained in native code."""

    steps: int

    @property
    def layout(self) -> str:
        """How the numbers of a batch lie: "lanes" or "panels"."""

    @property
    def n_threads(self) -> int:
        """How many threads work on a step: fewer than were offered where it is not worth more.

        Fewer still for a while where the machine is busy with other things, so that threads wait
        for each other.
        """

    @property
    def n_states(self) -> int:
        """How many numbers the optimizer keeps for a parameter."""

    def set_parameters(self, flat: npt.NDArray[np.float64]) -> None:
        """Take the parameters from a flat vector."""

    def get_parameters(self, flat: npt.NDArray[np.float64]) -> None:
        """Write the parameters into a flat vector."""

    def set_state(self, which: int, flat: npt.NDArray[np.float64]) -> None:
        """Take what the optimizer keeps from a flat vector."""

    def get_state(self, which: int, flat: npt.NDArray[np.float64]) -> None:
        """Write what the optimizer keeps into a flat vector."""

    def logits(self, rows: dict[str, Any], out: npt.NDArray[np.float64]) -> None:
        """Write z^L of some rows."""

# trainer, parameters (in and out), rows, targets, weights, order, learning rates, key and counter
# of the masks' Philox stream, should_stop
Epoch: TypeAlias = tuple[
    Trainer,
    npt.NDArray[np.float64],
    dict[str, Any],
    npt.NDArray[Any],
    npt.NDArray[np.float64] | None,
    npt.NDArray[np.int64],
    npt.NDArray[np.float64],
    list[int],
    list[int],
    Callable[[int], bool],
]

def train_epochs(epochs: list[Epoch], n_threads: int) -> list[tuple[float, int, int]]:
    """Run an epoch of each trainer, as many at once as there are threads.

    Returns
    -------
    list of tuple
        The mean loss, the steps done, and how it diverged: 0, or 1 to 3 where the loss, a
        gradient, or a parameter was no longer finite. Parameters stay as they were where no step
        was done or one diverged.
    """

def make_trainer(
    network: dict[str, Any],
    rule: dict[str, Any],
    batch_size: int,
    n_threads: int,
    dtype: str,
    for_training: bool,
    sparse: bool,
    build: str = "",
    layout: str = "",
) -> Trainer:
    """Return a trainer of the fastest build and layout for this, or of those named."""
