"""``deltaprop explain``: one training step, with every number accounted for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from deltaprop.cli.language import language_of
from deltaprop.cli.options import EncodingOption, LanguageOption, MissingOption, option, whole
from deltaprop.cli.own_numbers import (
    ActivationOption,
    AddClassOption,
    ConventionOption,
    ForceOption,
    LossOption,
    OwnNumbers,
    RateOption,
    SaveOption,
    SetOption,
    StepOption,
    StepsOption,
    UntilOption,
    WatchOption,
    refuse_to_overwrite,
    repeated,
    save_example,
)
from deltaprop.cli.show import in_color, plain, say, terminal_width
from deltaprop.cli.source import (
    RowOption,
    RowsOption,
    RowsTargetOption,
    SourceArgument,
    WantedRow,
    example_of,
    explanation_of,
    explanation_of_example,
    softmax_of,
    source_kind,
)
from deltaprop.languages import told

if TYPE_CHECKING:
    from deltaprop.explaining import Explanation, Repeated
    from deltaprop.explaining.softmax import SoftmaxBesideSigmoid

    Explained: TypeAlias = Explanation | Repeated | SoftmaxBesideSigmoid

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
        str | None, option("ID", "One number and all it is made of: W1[0,2], w5, dE/dh1.")
    ] = None,
    form: Annotated[
        str | None,
        option(
            "FORM",
            "terminal html latex markdown json svg notebook spoken; if left out, by --out.",
            "--format",
        ),
    ] = None,
    language: LanguageOption = None,
    notation: Annotated[
        str | None, option("NAME", "standard, or tutorial: W⁽¹²⁾, z⁴ = L; w, h, y, E.")
    ] = None,
    convention: ConventionOption = None,
    scores: Annotated[str | None, option("Z,Z,...", "With SOURCE softmax: the scores z.")] = None,
    model: Annotated[str | None, option("MODEL", "With SOURCE softmax: whose scores.")] = None,
    out: Annotated[str | None, option("FILE", "Write to a file.")] = None,
    numbers: SetOption = None,
    learning_rate: RateOption = None,
    activation: ActivationOption = None,
    loss: LossOption = None,
    add_class: AddClassOption = False,
    steps: StepsOption = None,
    until: UntilOption = None,
    step: StepOption = None,
    watch: WatchOption = None,
    save: SaveOption = None,
    force: ForceOption = False,
) -> int:
    """Show one step of back-propagation with all its numbers.

    First the whole network, then the equations of the layers, then every single number.
    """
    from deltaprop.cli.outputs import check_outputs
    from deltaprop.errors import SettingError
    from deltaprop.explaining import Explanation
    from deltaprop.explaining.renderers.registry import RENDERERS
    from deltaprop.model.files import write_atomically

    form = _form_of(out) if form is None else RENDERERS[form].name
    language = language_of(language, machine=form == "json")
    if not 1 <= digits <= _MOST_DIGITS:
        raise SettingError(f"--digits is {digits}; it is from 1 to {_MOST_DIGITS}.")
    check_outputs(
        {"--out": out, "--save": save}, {"SOURCE": source, "--data": data, "--model": model}
    )
    refuse_to_overwrite(save, force=force)
    wanted = WantedRow(data, row, target, encoding, missing)
    own = OwnNumbers(numbers or (), learning_rate, activation, loss, add_class)
    if source == "softmax":
        refuse({"--detail": detail, "--only": only, "--save": save, "--steps": steps,
                "--step": step, **dict.fromkeys(own.given, True),
                "--format svg": form == "svg" or None},
               "deltaprop explain softmax")  # fmt: skip
        explained: Explained = softmax_of(scores, model, wanted)
    else:
        if scores is not None or model is not None:
            raise SettingError("--scores and --model belong to: deltaprop explain softmax.")
        explanation, example = _explanation(source, wanted, own, convention, save, language)
        chosen = repeated(explanation, example, steps, step, until, watch)
        if isinstance(chosen, Explanation):
            explained = chosen if only is None else chosen.only(only)
        else:
            refuse({"--detail": detail, "--only": only, "--format svg": form == "svg" or None},
                   "--steps; --step shows one of them in full")  # fmt: skip
            explained = chosen
    in_terminal = {"width": terminal_width(), "color": out is None and in_color()}
    text = explained.to(
        form, options=in_terminal if form == "terminal" else None,
        detail=detail, digits=digits, language=language, notation=notation,
    )  # fmt: skip
    if out is not None:
        write_atomically(out, text.encode("utf-8"))
        say(told(f"written to {plain(out)}"))
    else:
        say(text.rstrip("\n"), result=True)
    return 0


def refuse(options: Mapping[str, object], with_what: str) -> None:
    """Raise SettingError for options that say nothing together with something else."""
    from deltaprop.errors import SettingError

    unused = [name for name, value in options.items() if value is not None]
    if unused:
        raise SettingError(f"{' and '.join(unused)} cannot be used with: {with_what}.")


def _explanation(
    source: str,
    wanted: WantedRow,
    own: OwnNumbers,
    convention: list[str] | None,
    save: str | None,
    language: str,
) -> tuple[Explanation, Mapping[str, Any] | None]:
    """Return the explanation of SOURCE with somebody's own numbers; of an example with its data.

    What is explained is saved where that is asked for.
    """
    from deltaprop.errors import SettingError
    from deltaprop.explaining.as_example import example_of_step, with_claims
    from deltaprop.explaining.examples import worked_example

    if source_kind(source) == "model" or wanted.given:
        if own.given:
            raise SettingError(
                f"{own.given[0]} changes a worked example, and {source} is a model. Save its row "
                "as one first, with --save row.yaml, and explain that."
            )
        explanation = explanation_of(source, wanted)
        if convention is not None:
            explanation = explanation.in_convention(convention)
        if save is not None:
            data = example_of_step(explanation)
            if data is None:
                raise SettingError(
                    f"The row of {source} is no worked example: its network is large, or not only "
                    "of dense layers in their usual form, as train --preset plain makes it."
                )
            save_example(with_claims(worked_example(data)), save, language)
        return explanation, None
    worked = own.change(example_of(source), source)
    if convention is not None:
        worked = worked.in_convention(convention)
    explanation = explanation_of_example(worked, source)
    if save is not None:
        save_example(with_claims(worked), save, language)
    return explanation, worked.data


def _form_of(out: str | None) -> str:
    """Return the format whose files are called so; the terminal's for any other name."""
    from deltaprop.explaining.renderers.registry import RENDERERS

    if out is None:
        return "terminal"
    longest = sorted(RENDERERS.values(), key=lambda row: -len(row.suffix))
    return next((row.name for row in longest if out.lower().endswith(row.suffix)), "terminal")
