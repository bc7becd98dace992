"""``deltaprop explain``: one training step, with every number accounted for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

from deltaprop.cli.options import EncodingOption, MissingOption, option, whole
from deltaprop.cli.show import in_color, plain, say, terminal_width
from deltaprop.cli.source import (
    RowOption,
    RowsOption,
    RowsTargetOption,
    SourceArgument,
    WantedRow,
    explanation_of,
    softmax_of,
)

if TYPE_CHECKING:
    from deltaprop.explaining import Explanation
    from deltaprop.explaining.softmax import SoftmaxBesideSigmoid

    Explained: TypeAlias = Explanation | SoftmaxBesideSigmoid

__all__ = ["EXAMPLE", "explain"]

EXAMPLE = "Example: deltaprop explain tutorial --detail neurons"
_MOST_DIGITS = 17


def explain(
    source: SourceArgument,
    data: RowsOption = None,
    row: RowOption = None,
    target: RowsTargetOption = None,
    encoding: EncodingOption = None,
    missing: MissingOption = None,
    detail: Annotated[
        str | None, option("LEVEL", "overview, layers or neurons; all when left out.")
    ] = None,
    digits: Annotated[int, whole("N", "Significant digits.")] = 6,
    only: Annotated[
        str | None, option("ID", "One number and all it is made of, such as W1[0,2].")
    ] = None,
    form: Annotated[
        str | None,
        option(
            "FORM",
            "terminal html latex markdown json svg notebook spoken; if left out, by --out.",
            "--format",
        ),
    ] = None,
    language: Annotated[str, option("LANG", "en or zh.")] = "en",
    notation: Annotated[str, option("NAME", "standard, or tutorial: W⁽⁰¹⁾.")] = "standard",
    scores: Annotated[str | None, option("Z,Z,...", "With SOURCE softmax: the scores z.")] = None,
    model: Annotated[str | None, option("MODEL", "With SOURCE softmax: whose scores.")] = None,
    out: Annotated[str | None, option("FILE", "Write to a file.")] = None,
) -> int:
    """Show one step of back-propagation with all its numbers.

    First the whole network, then the equations of the layers, then every single number.
    """
    from deltaprop.cli.outputs import check_outputs
    from deltaprop.errors import SettingError
    from deltaprop.explaining.renderers.registry import RENDERERS
    from deltaprop.model.files import write_atomically

    form = _form_of(out) if form is None else RENDERERS[form].name
    if not 1 <= digits <= _MOST_DIGITS:
        raise SettingError(f"--digits is {digits}; it is from 1 to {_MOST_DIGITS}.")
    check_outputs({"--out": out}, {"SOURCE": source, "--data": data, "--model": model})
    wanted = WantedRow(data, row, target, encoding, missing)
    if source == "softmax":
        given = {"--detail": detail, "--only": only}
        unused = [name for name, value in given.items() if value is not None]
        if unused or form == "svg":
            what = " and ".join(unused) or "--format svg"
            raise SettingError(f"{what} cannot be used with: deltaprop explain softmax.")
        explained: Explained = softmax_of(scores, model, wanted)
    else:
        if scores is not None or model is not None:
            raise SettingError("--scores and --model belong to: deltaprop explain softmax.")
        explanation = explanation_of(source, wanted)
        explained = explanation if only is None else explanation.only(only)
    in_terminal = {"width": terminal_width(), "color": out is None and in_color()}
    text = explained.to(
        form, options=in_terminal if form == "terminal" else None,
        detail=detail, digits=digits, language=language, notation=notation,
    )  # fmt: skip
    if out is not None:
        write_atomically(out, text.encode("utf-8"))
        say(f"written to {plain(out)}")
    else:
        say(text.rstrip("\n"), result=True)
    return 0


def _form_of(out: str | None) -> str:
    """Return the format whose files are called so; the terminal's for any other name."""
    from deltaprop.explaining.renderers.registry import RENDERERS

    if out is None:
        return "terminal"
    longest = sorted(RENDERERS.values(), key=lambda row: -len(row.suffix))
    return next((row.name for row in longest if out.lower().endswith(row.suffix)), "terminal")
