"""Where tensors live, in which type, how they are multiplied, and on how many threads."""

from __future__ import annotations

import operator
import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from deltaprop.engines.cores import available_cores
from deltaprop.errors import SettingError
from deltaprop.interop.formulas import Multiply, Tensor

__all__ = ["multiplication", "the_device", "threads_of", "type_of"]

_VARIABLE = "DELTAPROP_DEVICE"


def the_device() -> torch.device:
    """Return where to compute.

    That is what the environment says in DELTAPROP_DEVICE, such as "cpu" or "cuda:1"; else PyTorch's
    default device where it is no CPU; else the GPU, where there is one.
    """
    named = os.environ.get(_VARIABLE)
    if named is None:
        usual = torch.get_default_device()
        cuda = usual.type == "cpu" and torch.cuda.is_available()
        return torch.device("cuda", torch.cuda.current_device()) if cuda else usual
    try:
        device = torch.device(named)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        said = str(error).partition("\n")[0]
        raise SettingError(
            f"The environment says {_VARIABLE}={named!r}, and PyTorch cannot compute there: {said}"
        ) from None
    return device


def type_of(dtype: str) -> torch.dtype:
    """Return what numbers are kept as; with "bfloat16" only products are rounded to it."""
    return torch.float64 if dtype == "float64" else torch.float32


def multiplication(dtype: str, device: torch.device) -> Multiply:
    """Return the product of matrices: with "bfloat16" of rounded numbers, added in float32."""
    if dtype != "bfloat16":
        return operator.matmul
    return _on_tensor_cores if device.type == "cuda" else _rounded


def _rounded(first: Tensor, second: Tensor) -> Tensor:
    return first.bfloat16().float() @ second.bfloat16().float()


def _on_tensor_cores(first: Tensor, second: Tensor) -> Tensor:
    multiply = torch.mm if first.ndim == second.ndim == 2 else None
    if first.ndim == second.ndim == 3:
        multiply = torch.bmm
    if multiply is None:
        return _rounded(first, second)
    return multiply(first.bfloat16(), second.bfloat16(), out_dtype=torch.float32)


@contextmanager
def threads_of(asked: int | None) -> Iterator[None]:
    """Compute on so many threads at most, None meaning as many as there are cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(min(asked or available_cores(), available_cores()))
    try:
        yield
    finally:
        torch.set_num_threads(before)
