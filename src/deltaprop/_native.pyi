"""The compiled part of deltaprop, built from native/."""

from collections.abc import Callable
from typing import TypedDict

import numpy as np
import numpy.typing as npt

def build_info() -> dict[str, str]:
    """Say how this module was compiled.

    Returns
    -------
    dict
        ``compiler`` (gcc, clang, apple-clang or unknown), ``compiler_version``,
        ``cxx_standard`` (the value of ``__cplusplus``), ``build_type`` and ``architecture``.
    """

class KnownNames(TypedDict):
    """What the kernels know: losses with their targets, layers and optimizers with their needs."""

    activations: list[str]
    losses: dict[str, str]
    layers: dict[str, list[str]]
    optimizers: dict[str, int]

def known_names() -> KnownNames:
    """Return what the kernels know, by name."""

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

class Layer:
    """A layer as the kernels are told of it, all keywords given.

    Beside those below: what ``known_names()["layers"]`` names for its kind.
    """

    def __init__(
        self,
        *,
        kind: str,
        n_in: int,
        n_out: int,
        bias: bool,
        activation: str,
        drop_threshold: int,
        drop_probability: float,
        rates: list[float],
        **asked: object,
    ) -> None: ...

class Network:
    """A network as the kernels are told of it."""

    def __init__(
        self, *, layers: list[Layer], loss: str, label_smoothing: float, l2: float, l1: float
    ) -> None: ...

class Rule:
    """How an optimizer makes a step of a gradient: its name, and all of its settings but eta."""

    def __init__(self, *, name: str, **settings: object) -> None: ...

class Rows:
    """Rows as they lie in memory: a matrix, or the arrays of a CSR matrix."""

    def __init__(
        self,
        *,
        data: npt.NDArray[np.generic],
        starts: npt.NDArray[np.int64] | None,
        columns: npt.NDArray[np.int32] | None,
    ) -> None: ...

class Trainer:
    """A network being trained in native code; ``rule`` None: it only predicts."""

    steps: int

    def __init__(
        self,
        *,
        network: Network,
        rule: Rule | None,
        batch_size: int,
        n_threads: int,
        dtype: str,
        sparse: bool,
        build: str,
        layout: str,
        threads_from: float,
        lost_share: float,
    ) -> None: ...
    def set_parameters(self, flat: npt.NDArray[np.float64]) -> None:
        """Take the parameters from a flat vector."""

    def set_state(self, which: int, flat: npt.NDArray[np.float64]) -> None:
        """Take what the optimizer keeps from a flat vector."""

    def get_state(self, which: int, flat: npt.NDArray[np.float64]) -> None:
        """Write what the optimizer keeps into a flat vector."""

    def logits(self, rows: Rows, out: npt.NDArray[np.float64]) -> None:
        """Write z^L of some rows."""

class Epoch:
    """One pass over the rows, for one trainer; ``flat`` is read and written."""

    def __init__(
        self,
        *,
        trainer: Trainer,
        flat: npt.NDArray[np.float64],
        rows: Rows,
        targets: npt.NDArray[np.number],
        weights: npt.NDArray[np.float64] | None,
        order: npt.NDArray[np.int64],
        learning_rates: npt.NDArray[np.float64],
        mask_key: list[int],
        mask_counter: list[int],
        mask_word: int,
        total: float,
        should_stop: Callable[[int], bool],
    ) -> None: ...

class Outcome:
    """What an epoch came to: losses added up over rows, steps done, what was not finite if any."""

    @property
    def total(self) -> float: ...
    @property
    def steps(self) -> int: ...
    @property
    def diverged(self) -> str | None: ...

def train_epochs(epochs: list[Epoch], n_threads: int) -> list[Outcome]:
    """Run an epoch of each, as many at once as there are threads.

    Parameters stay as they were where no step was done or one diverged.
    """
