"""What the cells of a notebook ask when somebody has changed its first one."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import partial

import numpy as np

from deltaprop import languages
from deltaprop.explaining.document.blocks import Lines
from deltaprop.explaining.document.style import Style
from deltaprop.explaining.explanation import Explanation
from deltaprop.explaining.renderers.common_text import line_text, proof_text
from deltaprop.explaining.worked_step import WorkedStep
from deltaprop.notation.naming import STANDARD
from deltaprop.training.optimizers import hyperparameters

__all__ = ["fingerprint", "is_known_rule", "proved", "told"]

_ROOM = 96  # columns of a cell's output


def is_known_rule(worked: WorkedStep) -> bool:
    """Return whether the optimizer is one of deltaprop's, so that code can make it again."""
    return type(worked.update.rule).__module__.partition(".")[0] == "deltaprop"


def fingerprint(worked: WorkedStep) -> str:
    """Return a few digits that are others as soon as something given of the step is another."""
    trace, update = worked.trace, worked.update
    rule = [update.after.parameters.flat]  # where nobody knows what the optimizer does
    described = [repr(trace.network), repr(update.train_biases)]
    if is_known_rule(worked):
        rule = [part for part in update.state.values() if isinstance(part, np.ndarray)]
        counts = {n: v for n, v in update.state.items() if not isinstance(v, np.ndarray)}
        settings = {n: repr(value) for n, value in hyperparameters(update.rule).items()}
        described += [type(update.rule).__name__, repr(update.learning_rate), repr(settings)]
        described += [repr(counts)]
    masks = [mask for mask in trace.masks if mask is not None]
    arrays = [trace.a[0], trace.targets, trace.shares, trace.parameters.flat, *masks, *rule]
    told = "\n".join([*described, *(repr(array.shape) for array in arrays)]).encode()
    parts = [told, *(np.ascontiguousarray(array, dtype="<f8").tobytes() for array in arrays)]
    return f"{zlib.crc32(b''.join(parts)):08x}"


def told(step: Explanation, phase: str, language: str = "en", notation: str = STANDARD.name) -> str:
    """Return the lines of a phase of a step as text; or "overview", the network with its numbers.

    Parameters
    ----------
    step : Explanation
        The step as it is now.
    phase : str
        "forward", "loss", "backward", "gradient", "update", "after" or "overview".
    language : str
        Of the words.
    notation : str
        A key of ``NOTATIONS``.

    Returns
    -------
    str
        Lines of at most 96 columns.
    """
    if phase == "overview":
        return step.to_terminal(
            detail="overview", language=language, notation=notation, width=_ROOM
        )
    style = Style(detail="neurons", language=language, notation=notation)
    return "\n".join(_lines(step, phase, style))


def proved(step: Explanation, language: str) -> str:
    """Return what central differences say of the gradients of a step, in a language."""
    return step.verify().to_terminal(partial(languages.told, language=language))


def _lines(step: Explanation, phase: str, style: Style) -> Iterator[str]:
    document = step.document(style, shortened=True)
    for section in document.sections:
        for part in section.parts:
            lines = (line for b in part.blocks if isinstance(b, Lines) for line in b.lines)
            for line in lines if part.name == phase else ():
                yield from line_text(line, document, _ROOM)
                if (proof := document.proofs.get(line.step.id)) is not None:
                    yield f"    {proof_text(proof, document.words)}"
