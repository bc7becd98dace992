"""``deltaprop new``: a worked example to begin with, by questions or by options."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from deltaprop.cli.language import language_of
from deltaprop.cli.options import LanguageOption, finite, option, switch, whole
from deltaprop.cli.own_numbers import ForceOption, refuse_to_overwrite, save_example
from deltaprop.cli.show import asked, complain, plain, say
from deltaprop.languages import told

__all__ = ["EXAMPLE", "new"]

EXAMPLE = "Example: deltaprop new mine.yaml --sizes 2,3,1"
_USUAL = {
    "sizes": "2,2,1", "activation": "tanh", "loss": "half_squared_error", "learning_rate": 0.1,
    "rows": 1,
}  # fmt: skip
QUESTIONS = {
    "en": {
        "file": "File",
        "sizes": "Sizes: inputs, hidden layers, outputs",
        "activation": "Activation of the hidden layers",
        "loss": "Loss",
        "learning_rate": "Learning rate",
        "rows": "Samples",
        "next": "Change its numbers in an editor, then: deltaprop explain {path}",
    },
    "zh": {
        "file": "文件",
        "sizes": "各层大小：输入、隐藏层、输出",
        "activation": "隐藏层的激活函数",
        "loss": "损失函数",
        "learning_rate": "学习率",
        "rows": "样本个数",
        "next": "用编辑器改动其中的数，然后运行：deltaprop explain {path}",
    },
}


def new(
    path: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE",
            help="Where to write it: .yaml has comments, or .json; if left out, it is asked for, "
            "or printed where nobody can be asked.",
        ),
    ] = None,
    sizes: Annotated[
        str | None, option("N,N,...", "Inputs, widths of hidden layers, outputs.")
    ] = None,
    activation: Annotated[str | None, option("NAME", "Of the hidden layers.")] = None,
    loss: Annotated[str | None, option("NAME", "Which brings the output.")] = None,
    learning_rate: Annotated[float | None, finite("ETA", "How far the step goes.")] = None,
    rows: Annotated[int | None, whole("N", "Samples.")] = None,
    no_bias: Annotated[bool, switch("--no-bias", "Without biases.")] = False,
    seed: Annotated[int, whole("N", "Another one gives other numbers.")] = 0,
    title: Annotated[str, option("TEXT", "What it is called.")] = "",
    language: LanguageOption = None,
    force: ForceOption = False,
) -> int:
    """Write a worked example to change and to work out.

    In a terminal what is not given is asked for; elsewhere the usual is taken, but for the sizes.
    """
    from deltaprop.cli.outputs import check_outputs
    from deltaprop.errors import SettingError
    from deltaprop.explaining.example_files import data_text
    from deltaprop.explaining.example_template import comments_of, template
    from deltaprop.explaining.examples import worked_example
    from deltaprop.functional.activations import ACTIVATIONS
    from deltaprop.functional.losses import LOSSES
    from deltaprop.notation.languages import wording_in

    language = language_of(language)
    questions = wording_in(language, QUESTIONS)
    asks = sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()

    def writable(name: str) -> str:
        check_outputs({"FILE": name}, {})
        refuse_to_overwrite(name, force=force)
        data_text(name, {})  # a name that would not be read again is refused
        return name

    if path is not None:
        writable(path)
    elif asks:
        path = _asked(questions["file"], "example.yaml", writable)
    if sizes is None and not asks:
        raise SettingError("--sizes says how large the network is, such as 2,3,1.")

    def chosen(name: str, given: Any, read: Callable[[str], Any]) -> Any:
        if given is not None:
            return read(str(given))
        return _asked(questions[name], _USUAL[name], read) if asks else _USUAL[name]

    data = template(
        chosen("sizes", sizes, _sizes),
        chosen("activation", activation, lambda text: ACTIVATIONS[_underscored(text)].name),
        chosen("loss", loss, lambda text: LOSSES[_underscored(text)].name),
        chosen("learning_rate", learning_rate, _rate),
        chosen("rows", rows, _count),
        bias=not no_bias, seed=_not_negative(seed), title=title,
    )  # fmt: skip
    data["title"] = told(data["title"], language)
    worked_example(data).explain()  # whatever is refused is refused before it is written
    if path is None:
        say(data_text("example.yaml", data, comments_of(data, language)).rstrip("\n"), result=True)
        return 0
    save_example(data, path, language)
    say(questions["next"].format(path=plain(path)))
    return 0


def _asked(question: str, usual: Any, read: Callable[[str], Any]) -> Any:
    """Return what somebody answers, asked again as long as it does not fit."""
    from deltaprop.errors import DeltapropError, SettingError

    while True:
        try:
            answer = asked(f"{question} [{usual}]: ").strip()
        except EOFError:
            raise SettingError("The questions were not answered; nothing was written.") from None
        try:
            return read(answer or str(usual))
        except DeltapropError as error:
            complain(str(error))


def _sizes(text: str) -> tuple[int, ...]:
    from deltaprop.cli.options import parse_widths
    from deltaprop.errors import SettingError
    from deltaprop.explaining.example_template import template

    try:
        widths = parse_widths(text)
    except SettingError:
        raise SettingError(f"The sizes are {text!r}; write them like 2,3,1.") from None
    template(widths)  # refuses what is no page of numbers
    return widths


def _underscored(name: str) -> str:
    return name.strip().replace("-", "_")


def _rate(text: str) -> float:
    from deltaprop.explaining.typed_numbers import only_one, rows_of
    from deltaprop.functional.settings import positive

    return positive(
        only_one(rows_of(text, "The learning rate"), "The learning rate"), "learning_rate"
    )


def _count(text: str) -> int:
    from deltaprop.errors import SettingError
    from deltaprop.explaining.example_template import MOST_ROWS

    if not (text.isascii() and text.isdigit() and 1 <= int(text[:7]) <= MOST_ROWS):
        raise SettingError(f"The samples are {text!r}; from 1 to {MOST_ROWS} fit on a page.")
    return int(text)


def _not_negative(seed: int) -> int:
    from deltaprop.errors import SettingError

    if seed < 0:
        raise SettingError(f"--seed is {seed}; it is 0 or more.")
    return seed
