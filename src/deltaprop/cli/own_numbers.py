"""Options of explain that change a worked example, and what writes it to a file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from deltaprop.cli.options import finite, option, switch, whole
from deltaprop.cli.show import plain, say
from deltaprop.errors import DataError, OutputError, SettingError
from deltaprop.languages import told

if TYPE_CHECKING:
    from deltaprop.explaining import Explanation, Repeated, WorkedExample
    from deltaprop.notation.ids import Ref

__all__ = [
    "ActivationOption",
    "AddClassOption",
    "ConventionOption",
    "ForceOption",
    "LossOption",
    "OwnNumbers",
    "RateOption",
    "SaveOption",
    "SetOption",
    "StepOption",
    "StepsOption",
    "UntilOption",
    "WatchOption",
    "refuse_to_overwrite",
    "repeated",
    "save_example",
]

SetOption: TypeAlias = Annotated[
    list[str] | None,
    option(
        "NAME=NUMBERS",
        'Another number, as often as you like: x=1,1  t=3  w1=0.7  "W1[0,2]=-1"  b2=0.5; '
        'rows: "x=1,0; 0,1"; a neuron without a bias: b1=0.1,null.',
        "--set",
    ),
]
ConventionOption: TypeAlias = Annotated[
    list[str] | None,
    option(
        "NAME",
        "Written as others do: squared-error, sum, per-sample-delta, t-minus-y, out-in, columns, "
        "...; as often as you like.",
        "--convention",
    ),
]
RateOption: TypeAlias = Annotated[float | None, finite("ETA", "Another learning rate.")]
ActivationOption: TypeAlias = Annotated[
    str | None, option("NAME", "Another activation of the hidden layers; 1=tanh of the first.")
]
LossOption: TypeAlias = Annotated[
    str | None, option("NAME", "Another loss, with the output that it brings.")
]
AddClassOption: TypeAlias = Annotated[
    bool, switch("--add-class", "An output more, with tidy weights and target 0.")
]
SaveOption: TypeAlias = Annotated[
    str | None,
    option("FILE", "Write the worked example to a .yaml or .json file, for explain and mark."),
]
ForceOption: TypeAlias = Annotated[bool, switch("--force", "Write over a file that is there.")]
_USUAL = "0.01"  # how near to its target an output has to be
StepsOption: TypeAlias = Annotated[
    int | None, whole("N", "Repeat until it is learnt, at most so often: a table and a curve.")
]
UntilOption: TypeAlias = Annotated[
    str | None,
    option("M", "How far outputs may be from targets, 0.01; or loss=0.001; or none."),
]
StepOption: TypeAlias = Annotated[int | None, whole("K", "Step K of the repeated ones in full.")]
WatchOption: TypeAlias = Annotated[
    str | None, option("NAME,...", "Parameters in the table of steps, such as w1,w5 or W2.")
]


@dataclass(frozen=True)
class OwnNumbers:
    """What a learner wants other than in the example."""

    numbers: Sequence[str]
    learning_rate: float | None
    activation: str | None
    loss: str | None
    add_class: bool

    @property
    def given(self) -> list[str]:
        """Return the options that were given."""
        options: dict[str, Any] = {
            "--set": self.numbers or None,
            "--learning-rate": self.learning_rate,
            "--activation": self.activation,
            "--loss": self.loss,
            "--add-class": self.add_class or None,
        }
        return [name for name, value in options.items() if value is not None]

    def change(self, worked: WorkedExample, source: str) -> WorkedExample:
        """Return the example with these numbers."""
        numbers: dict[str, object] = {}
        for text in self.numbers:
            name, equals, value = text.partition("=")
            if not (equals and name.strip() and value.strip()):
                raise SettingError(f"--set is {text!r}; write a name and its numbers, like x=1,1.")
            if name.strip() in numbers:
                raise SettingError(f"--set gives {name.strip()} twice.")
            numbers[name.strip()] = value
        try:
            return worked.with_(
                numbers, learning_rate=self.learning_rate, activation=self.activation,
                loss=self.loss, add_class=self.add_class,
            )  # fmt: skip
        except DataError as error:
            raise DataError(f"{source}: {error}") from error


def repeated(
    explanation: Explanation,
    data: Mapping[str, Any] | None,
    steps: int | None,
    step: int | None,
    until: str | None,
    watch: str | None,
) -> Explanation | Repeated:
    """Return the steps until it is learnt, or one of them; ``data`` are those of an example."""
    from deltaprop.explaining.given_numbers import symbols_of, watched
    from deltaprop.explaining.repeated import Measure, repeat

    if steps is None and (until is not None or watch is not None):
        raise SettingError("--until and --watch belong to --steps.")
    if steps is None and step is None:
        return explanation
    if step is not None and step < 1:
        raise SettingError(f"--step is {step}; steps are counted from 1.")
    chosen: Sequence[str | tuple[str, Ref]] | None = None
    if watch is not None:
        names = re.split(r",(?![^\[]*\])", watch)  # a comma within brackets parts nothing
        given = [name.strip() for name in names if name.strip()]
        chosen = given if data is None else watched(data, given)
    again = repeat(
        explanation,
        steps if steps is not None else step or 1,
        # a single step is shown whether or not it was needed
        until=Measure.read(until or _USUAL) if steps is not None else None,
        watch=chosen,
        symbols={} if data is None else symbols_of(data),
    )
    return again if step is None else again.step(step)


def refuse_to_overwrite(path: str | None, *, force: bool) -> None:
    """Raise OutputError where a file is there already, and nobody said that it may go."""
    if path is not None and not force and Path(path).exists():
        raise OutputError(
            f"{path} is there already, and would be lost. Give another name, or --force."
        )


def save_example(data: dict[str, Any], path: str, language: str) -> None:
    """Write a worked example to a file, with comments where it is YAML."""
    from deltaprop.explaining.example_files import data_text
    from deltaprop.explaining.example_template import comments_of
    from deltaprop.model.files import write_atomically

    write_atomically(path, data_text(path, data, comments_of(data, language)).encode("utf-8"))
    say(told(f"written to {plain(path)}"))
