"""The code cells of a notebook: what is given, the step, and the comparison of every number."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from deltaprop.explaining.document.blocks import Document
from deltaprop.explaining.renderers.notebook.live import fingerprint, is_known_rule
from deltaprop.explaining.worked_step import WorkedStep
from deltaprop.functional.losses import sample_shares
from deltaprop.model.layers import ARRAYS
from deltaprop.notation.digits import Line
from deltaprop.notation.naming import STANDARD
from deltaprop.notation.write import Notation, write
from deltaprop.training.optimizers import hyperparameters

__all__ = [
    "HELD",
    "Given",
    "arithmetic_code",
    "arithmetic_definition",
    "check_code",
    "check_definition",
    "given_code",
    "is_own",
    "proof_code",
    "repeat_code",
]

Array = npt.NDArray[np.float64]

_MOST_WRITTEN = 600  # numbers of an array that are written out; more are packed
_NEAR = '''\
def holds(value, text):
    """Return whether a number is displayed rightly, to a unit in the last digit."""
    digits, _, exponent = text.partition("e")
    places = len(digits.partition(".")[2]) - int(exponent or 0)
    return str(value) == text or abs(value - float(text)) <= 1.001 * 10.0**-places
'''
_CHECK = '''\
{near}
original = "{original}"  # of the numbers that the text shows


def check(step, phase, shown):
    """Compare displayed numbers with what deltaprop works out; of other numbers, tell them."""
    if fingerprint(step) != original:
        print(told(step, phase, {written}))
        return
    for name, text in shown.items():
        value = step.derivation.known(read_ref(name)).value
        assert holds(value, text), f"{fails}"
    print(f"{holds}")


if fingerprint(step) != original:
    print("{changed}")
    print(told(step, "overview", {written}))'''
_ARITHMETIC = '''\
from math import *

{near}

def check(lines):
    """Compare displayed results with what the displayed right-hand sides come to."""
    for name, arithmetic, text in lines:
        try:
            value = float(eval(arithmetic))
        except OverflowError:
            value = inf
        except (ValueError, ZeroDivisionError):
            value = nan
        assert holds(value, text), f"{fails}"
    print(f"{holds}")'''
HELD = {
    "forward": "trace.z, trace.a",
    "backward": "trace.delta",
    "gradient": "trace.gradients.layers",
    "update": "step.update.after.parameters.layers",
}
_IMPORTS = """\
import numpy as np
import deltaprop as dp
from deltaprop.explaining.renderers.notebook.live import fingerprint, proved, told
from deltaprop.notation.ids import read_ref
"""
_UNPACKED = '''\
import base64
import zlib

import numpy as np


def unpacked(text, kind, *shape):
    """Return packed numbers: the bytes of each place together, compressed, in base 85."""
    plain = zlib.decompress(base64.b85decode(text))
    places = np.frombuffer(plain, np.uint8).reshape(np.dtype(kind).itemsize, -1)
    return places.T.copy().view(kind).astype(float).reshape(shape)
'''
_GIVEN_STEP = """\
class GivenStep:
    name = "given"
    learning_rate = {rate!r}

    def init(self, n):
        return {{}}

    def step(self, state, flat, gradient, eta, decayed):
        flat[:] = after.flat
"""
_GIVEN_MASKS = '''\
class GivenMasks:
    """Stands for a generator: draws the dropout masks that were drawn."""

    def __init__(self, *kept):
        self.kept = list(kept)

    def bytes(self, length):
        kept = self.kept.pop(0).ravel()
        drawn = np.zeros(length // 4, dtype="<u4")
        drawn[: kept.size] = 0xFFFFFFFF * kept
        return drawn.tobytes()
'''


@dataclass(frozen=True)
class Given:
    """What a notebook starts from, as code."""

    packed: str  # large arrays, by name; "" where there are none
    network: str  # with its parameters and the batch
    step: str  # leaves ``step`` and ``trace``


def given_code(worked: WorkedStep, own_rule: str, live: str) -> Given:
    """Return code that makes what is given, and takes the step.

    What an optimizer that is not deltaprop's own does cannot be written into code: its new
    parameters are given, and ``own_rule`` says so; ``live`` says that the numbers can be changed.
    """
    writer = _Writer(worked)
    network, step = "\n".join(writer.given()), "\n".join(writer.step(own_rule))
    packed = ""
    if writer.packed:
        rows = [f'    "{name}": {text},' for name, text in writer.packed.items()]
        packed = "\n".join([_UNPACKED, "packed = {", *rows, "}"])
    return Given(packed, f"{_IMPORTS}\n# {live}\n{network}", step)


def check_definition(worked: WorkedStep, document: Document) -> str:
    """Return code that defines ``check``, and tells the step where the first cell is another."""
    language, notation = document.style.language, document.naming.name
    written = f'"{language}"' + (f', "{notation}"' if notation != STANDARD.name else "")
    return _CHECK.format(
        original=fingerprint(worked), written=written,
        changed=document.words["notebook changed"], **_said(document, "shown"),
    )  # fmt: skip


def arithmetic_definition(document: Document) -> str:
    """Return code that defines ``check`` where no step can be taken."""
    return _ARITHMETIC.format(**_said(document, "lines"))


def _said(document: Document, numbers: str) -> dict[str, str]:
    """Return what both definitions have in common; ``numbers`` is what they call them."""
    fails = document.words["notebook fails"]
    return {
        "near": _NEAR,
        "holds": document.words["notebook holds"].format(count=f"{{len({numbers})}}"),
        "fails": fails.format(name="{name}", value="{value!r}", text="{text}"),
    }


def proof_code(language: str) -> str:
    """Return code that holds the gradients of the step to central differences."""
    return "print(step.verify())" if language == "en" else f'print(proved(step, "{language}"))'


def check_code(worked: WorkedStep, phase: str, lines: Sequence[Line]) -> str:
    """Return code that compares displayed numbers with those of ``step``."""
    known = is_known_rule(worked)
    shown = [
        f'        "{line.step.id}": "{line.shown}",'
        for line in lines
        if _is_its_value(line) and (known or not _is_state(line))
    ]
    return "\n".join(["check(", "    step,", f'    "{phase}",', "    {", *shown, "    },", ")"])


def repeat_code(data: Mapping[str, Any], language: str, notation: str) -> str:
    """Return code that takes the step again and again, as a document about that was made."""
    until = data["until"] and f"{data['until']['measure']}={data['until']['limit']!r}"
    is_plain = language == "en" and notation == STANDARD.name
    style = f'language="{language}", notation="{notation}"'
    shown = "again" if is_plain else f"again.to_terminal({style})"
    watched = ", ".join(f'({name!r}, read_ref("{id_}"))' for name, id_ in data["watched"])
    return "\n".join(
        [
            "from deltaprop.explaining import repeat", "",
            f"again = repeat(step, {data['at_most']}, until={until!r}, watch=[{watched}])",
            f"print({shown})",
        ]
    )  # fmt: skip


def arithmetic_code(lines: Sequence[Line]) -> str:
    """Return code that compares displayed results with what their right-hand sides come to."""
    rows = []
    for line in lines:
        if line.step.has_formula:
            plain = write(line.step.expression, Notation(line.text))
            rows.append(f'        ("{line.step.id}", "{plain}", "{line.shown}"),')
    return "\n".join(["check(", "    [", *rows, "    ]", ")"])


# what is given


class _Writer:
    def __init__(self, worked: WorkedStep) -> None:
        self.worked = worked
        self.trace, self.update = worked.trace, worked.update
        self.packed: dict[str, str] = {}

    def given(self) -> Iterator[str]:
        """Yield code that makes the network, its parameters and the batch."""
        network = self.trace.network
        yield "net = dp.Network.from_layers("
        yield f"    {network.n_in},"
        yield "    ["
        for layer in network.layers:
            yield f"        {_call(layer)},"
        yield "    ],"
        yield f"    loss={network.loss_name!r},"
        for setting in ("label_smoothing", "l2", "l1"):
            if getattr(network, setting):
                yield f"    {setting}={getattr(network, setting)!r},"
        yield ")"
        yield from self.parameters("params", self.trace.parameters.flat)
        yield f"x = {self.array('x', self.trace.a[0])}"
        yield f"targets = {self.array('targets', self.trace.targets)}"
        if is_known_rule(self.worked):
            update = self.update
            settings = [f"learning_rate={update.learning_rate!r}"]
            settings += [f"{n}={value!r}" for n, value in hyperparameters(update.rule).items()]
            yield f"rule = dp.{type(update.rule).__name__}({', '.join(settings)})"

    def parameters(self, name: str, flat: Array) -> Iterator[str]:
        """Yield code that makes parameters: arrays written out, or packed where they are many."""
        if _is_packed(flat):
            yield f"{name} = net.init(np.random.default_rng(0))"
            yield f"{name}.flat[:] = {self.array(name, flat)}"
            return
        layout = self.trace.network.layout
        layers: list[dict[str, list[Any]]] = [{} for _ in range(layout.n_layers)]
        for slot in layout.slots:
            layers[slot.layer][slot.name] = slot.listed(slot.of(flat))
        yield f"{name} = net.parameters("
        names = dict.fromkeys(["W", *(name for arrays in layers for name in arrays)])
        for key in names:
            if any(key in arrays for arrays in layers):
                yield f"    {key}=["
                for arrays in layers:
                    yield f"        {arrays.get(key)},"
                yield "    ],"
        yield ")"

    def step(self, own_rule: str) -> Iterator[str]:
        """Yield code that takes the step."""
        update, known = self.update, is_known_rule(self.worked)
        if not known:
            yield f"# {own_rule}"
            yield from self.parameters("after", update.after.parameters.flat)
            yield from ("", "", _GIVEN_STEP.format(rate=update.learning_rate), "")
            yield "rule = GivenStep()"
        kept = [(mask > 0).astype(float) for mask in self.trace.masks if mask is not None]
        if kept:
            yield from (_GIVEN_MASKS, "")
        yield "step = dp.explain("
        yield from ("    net,", "    params,", "    x,", "    targets,")
        yield "    optimizer=rule,"
        if known and not self.is_fresh():
            yield "    state={"
            yield from (f'        "{name}": {self.value(name)},' for name in update.state)
            yield "    },"
        yield f"    train_biases={update.train_biases!r},"
        yield from self.weighing()
        if kept:
            yield "    rng=GivenMasks("
            yield from (f"        {self.array(f'mask {n}', m)}," for n, m in enumerate(kept))
            yield "    ),"
        if names := self.worked.written.asked.names:
            yield f"    convention={list(names)!r},"
        yield ")"
        shown = self.worked.shown is not self.trace
        yield f"trace = step.{'shown' if shown else 'trace'}"
        yield "trace.loss"

    def value(self, name: str) -> str:
        """Return code for a part of the optimizer's state."""
        value = self.update.state[name]
        return self.array(name, value) if isinstance(value, np.ndarray) else repr(value)

    def weighing(self) -> Iterator[str]:
        """Yield how samples are combined; where they have weights, their shares are given."""
        trace, asked = self.worked.as_given
        shares = trace.shares
        for reduction in (asked, "mean", "sum"):
            if np.array_equal(shares, sample_shares(len(shares), reduction=reduction)):
                yield f"    reduction={reduction!r},"
                return
        written = self.array("shares", shares)
        yield f"    sample_weight={written},  # what each sample's loss is multiplied by"
        yield '    reduction="sum",'

    def is_fresh(self) -> bool:
        """Return whether the step is the optimizer's first."""
        before = self.update.state
        first = self.update.rule.init(self.trace.parameters.flat.size)
        return before.keys() == first.keys() and all(
            np.array_equal(value, first[name]) for name, value in before.items()
        )

    def array(self, name: str, values: Array) -> str:
        """Return code for an array: its numbers, or where they are many what they are packed as."""
        if not _is_packed(values):
            return f"np.array({values.tolist()})"
        self.packed[name] = _pack(values)
        return f'packed["{name}"]'


def _is_its_value(line: Line) -> bool:
    """Return whether the line shows its number; where all cancels, it shows what is left."""
    shown = float(line.shown)
    if not (np.isfinite(line.step.value) and np.isfinite(shown)):
        return line.shown == str(line.step.value)
    mantissa, _, exponent = line.shown.partition("e")
    unit = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    return abs(shown - line.step.value) <= unit


def is_own(worked: WorkedStep) -> bool:
    """Return whether the network has an activation or a loss that was registered by the user."""
    network = worked.as_given[0].network
    slopes = [network.loss.delta_per_sample, *(row.f_prime for row in network.activations)]
    return any(slope.__module__.partition(".")[0] != "deltaprop" for slope in slopes)


def _is_state(line: Line) -> bool:
    """Return whether it is a number that an optimizer keeps for a weight."""
    return line.step.phase == "update" and line.step.quantity not in ARRAYS


# arrays


def _call(layer: Any) -> str:
    """Return the call that makes a layer: its first setting, and those that are not usual."""
    first, *others = fields(layer)
    settings = [repr(getattr(layer, first.name))]
    for item in others:
        value = getattr(layer, item.name)
        if value != item.default or item.name in ("activation", "bias"):
            settings.append(f"{item.name}={value!r}")
    return f"dp.{type(layer).__name__}({', '.join(settings)})"


def _is_packed(values: Array) -> bool:
    return values.size > _MOST_WRITTEN or not bool(np.all(np.isfinite(values)))


def _pack(values: Array) -> str:
    """Return code that unpacks an array, on one line: nobody reads it."""
    kind = next((kind for kind in ("u1", "<f4") if _fits(values, kind)), "<f8")
    # exponents beside exponents: what is alike compresses
    places = values.astype(kind).reshape(-1, 1).view(np.uint8).T
    text = base64.b85encode(zlib.compress(places.tobytes())).decode()
    return f'unpacked("{text}", "{kind}", {", ".join(map(str, values.shape))})'


def _fits(values: Array, kind: str) -> bool:
    with np.errstate(invalid="ignore", over="ignore"):
        return np.array_equal(values.astype(kind).astype(float), values)
