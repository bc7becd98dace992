"""What the user calls things."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from deltaprop.characters import escaped
from deltaprop.errors import SettingError, UnknownNameError
from deltaprop.explaining.derivation.written import AS_IN_THE_HOUSE, Written
from deltaprop.explaining.document.style import Style
from deltaprop.explaining.language import words_of
from deltaprop.languages import told
from deltaprop.languages.names import called, name_and_term, short_name
from deltaprop.model.spec import Network
from deltaprop.notation.naming import NOTATIONS, STANDARD, Naming

__all__ = ["Names", "column_titles", "layer_names", "loss_in_words", "naming_of", "shape_in_words"]


@dataclass(frozen=True)
class Names:
    """What the user calls things.

    Attributes
    ----------
    title : str
        What is explained.
    inputs : tuple of str
        A name per input; empty for x1, x2, ...
    outputs : tuple of str
        A name per output: the classes, or the targets.
    image : tuple of int
        Height and width (and channels) where a row is an image; empty where it is not.
    source : str
        Where the numbers were published.
    titles : mapping
        The title in other languages: {"zh": "..."}.
    changes : tuple
        What is other than in the example: keys of the wording, with what fills them in.
    changed : tuple of str
        The names of what is other than in the source.
    notation : str
        A key of ``NOTATIONS``: in which it is written where nobody asks for another.
    """

    title: str = ""
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    image: tuple[int, ...] = ()
    source: str = ""
    titles: Mapping[str, str] = field(default_factory=dict)
    changes: tuple[tuple[str, str], ...] = ()
    changed: tuple[str, ...] = ()
    notation: str = STANDARD.name

    def __post_init__(self) -> None:
        if self.notation not in NOTATIONS:
            raise UnknownNameError("notation", self.notation, NOTATIONS)
        # whoever gave them: a name that steers a terminal is shown escaped, in every form
        for name in ("title", "source"):
            object.__setattr__(self, name, _on_one_line(getattr(self, name)))
        for name in ("inputs", "outputs", "changed"):
            object.__setattr__(self, name, tuple(map(_on_one_line, getattr(self, name))))
        titles = {language: _on_one_line(title) for language, title in self.titles.items()}
        object.__setattr__(self, "titles", titles)

    @classmethod
    def of_step(
        cls,
        inputs: Sequence[str],
        outputs: Sequence[str],
        where: str = "",
        *,
        image: tuple[int, ...] = (),
        member: tuple[int, int] = (1, 1),
    ) -> Names:
        """Return the names of the step that some rows would cause, in network i of k."""
        i, k = member
        english = f"The step {where or 'these rows'} would cause"
        chinese = f"{told(where or 'these rows', 'zh')} 引起的一步更新".replace("行 ", "行")
        if k > 1:
            english += f", in network {i} of {k}"
            chinese += f"（{k} 个网络中的第 {i} 个）"
        return cls(english, tuple(inputs), tuple(outputs), image, titles={"zh": chinese})

    def title_in(self, language: str) -> str:
        """Return the title in a language; as it is where there is no other."""
        return self.titles.get(language, self.title)

    def inputs_in(self, language: str) -> tuple[str, ...]:
        """Return the names of the inputs in a language: "mass from 3 to 4" is a range of mass."""
        return tuple(told(name, language) for name in self.inputs)

    def require_fit(self, n_in: int, n_out: int) -> None:
        """Raise SettingError unless there is a name for each input and output, or none."""
        _require_count("input", self.inputs, n_in)
        _require_count("output", self.outputs, n_out)
        if self.image and (len(self.image) not in (2, 3) or math.prod(self.image) != n_in):
            shape = " x ".join(map(str, self.image))
            raise SettingError(
                f"An image of shape {shape} is no row of {n_in} inputs; expected height x width, "
                "or height x width x channels."
            )


def _on_one_line(name: str) -> str:
    return escaped(name.replace("\n", " "))


def _require_count(what: str, names: Sequence[str], expected: int) -> None:
    if names and len(names) != expected:
        raise SettingError(f"{len(names)} {what} names for {expected} {what}s.")


def naming_of(
    names: Names, network: Network, style: Style, written: Written = AS_IN_THE_HOUSE
) -> Naming:
    """Return the notation in which a step of a network is written."""
    naming = NOTATIONS[style.notation or names.notation].of_network(network)
    return replace(naming, turned=written.turned, plain=written.plain)


def loss_in_words(name: str, written: Written, language: str) -> str:
    """Return what a loss is called: "squared error" where it has no 1/2."""
    choices = {choice.about: choice.choice for choice in written.conventions.chosen}
    half = "half_squared_error"
    if name.startswith(half) and choices.get("loss", half) != half:
        term = (choices["loss"] + name.removeprefix(half)).replace("_", " ")
        return term if language == "en" else f"{called('loss', name, language)}（{term}）"
    return name_and_term("loss", name, language)


def column_titles(network: Network, language: str, naming: Naming = STANDARD) -> list[str]:
    """Return what stands above the inputs, above each layer and above the output.

    There is little room, and formulas stand beside it: functions are called as in these.
    """
    words, names = words_of(language), layer_names(network, language)
    return [
        words["inputs"],
        *(
            words["layer"].format(number=naming.layer(i), activation=c)
            for i, c in enumerate(names, start=1)
        ),
        words["output"].format(activation=short_name(network.loss.output, language)),
    ]


def shape_in_words(network: Network, language: str) -> str:
    """Return how many numbers there are from layer to layer, and what gives them.

    Each is called by its name in the language, and by its term where it is first mentioned.
    """
    names = layer_names(network, language, named=True)
    names.append(name_and_term("output", network.loss.output, language))
    found = [str(network.sizes[0])]
    for i, (width, name) in enumerate(zip(network.sizes[1:], names, strict=True)):
        short = name.partition("（")[0] if name in names[:i] else name
        found.append(f"{width} {short}".rstrip())
    return " → ".join(found).replace("） →", "）→")


def layer_names(network: Network, language: str, *, named: bool = False) -> list[str]:
    """Return what each layer but the last does to its numbers: its kind, or its activation.

    ``named``: activations by their names in the language and their terms; else as in formulas.
    """
    names = []
    for layer, row in zip(network.computing_layers, network.activations, strict=False):
        kind, activation = "", layer.activation or ("" if layer.names else row.name)
        if layer.names:
            kind = layer.names[language].format_map(vars(layer))
        if activation and language != "en":
            name_of = partial(name_and_term, "activation") if named else short_name
            activation = name_of(activation, language)
        names.append(f"{kind} {activation}".strip())
    return names
