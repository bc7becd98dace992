"""What stands above a step: the network, the conventions, and where its numbers come from."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from deltaprop.explaining.changes import A_CLASS
from deltaprop.explaining.document.labels import loss_in_words, shape_in_words
from deltaprop.explaining.document.style import Style
from deltaprop.explaining.language import words_of
from deltaprop.explaining.worked_step import WorkedStep
from deltaprop.languages import told
from deltaprop.languages.names import called, name_and_term
from deltaprop.model.spec import Network
from deltaprop.notation.digits import ABSENT, number_text
from deltaprop.notation.ids import Ref, read_ref
from deltaprop.notation.naming import Naming
from deltaprop.notation.symbols import symbol
from deltaprop.notation.unicode import symbol_of

__all__ = ["head"]


def head(worked: WorkedStep, style: Style, naming: Naming) -> Iterator[str]:
    """Yield the sentences that say what is shown, and how it is written."""
    network, words, update = worked.trace.network, words_of(style.language), worked.update
    n_samples, language = len(worked.trace.a[0]), style.language

    def number(value: float) -> str:
        return number_text(value, style.digits)

    over = worked.reduction if n_samples > 1 else "one sample"
    mean = words[over].format(count=n_samples)
    loss = loss_in_words(network.loss_name, worked.written, language)
    own = getattr(update.rule, "name", type(update.rule).__name__)
    name, parameters = name_and_term("optimizer", own, language), f"{network.n_parameters:,}"
    yield words["shape"].format(shape=shape_in_words(network, language), count=parameters)
    usual = "delta" not in worked.written.plain
    yield words["conventions" if usual else "conventions otherwise"].format(loss=loss, mean=mean)
    yield from _written(worked, language)
    for row in dict.fromkeys(network.activations):
        for kink in np.array(row.kinks)[:, None]:
            yield words["slope at a kink"].format(
                activation=called("activation", row.name, language),
                place=number(float(kink[0])),
                slope=number(float(row.f_prime(kink, row.f(kink))[0])),
            )
    yield words["step"].format(optimizer=name, rate=number(update.learning_rate))
    if naming.first_layer:
        numbers = {"first": naming.layer(0), "last": naming.of_loss}
        yield words["numbering"].format(**numbers)
    if network.has_penalized_gradient:
        arrays = list(dict.fromkeys(s.name for s in network.layout.slots if s.penalized))
        plain = arrays == ["W"]
        yield words["penalties" if plain else "penalties of"].format(
            arrays=words["and"].join(arrays)
        )
    if network.layout.learning_rate_factors() is not None:
        factors = _rate_factors(network, style, naming)
        yield words["rate factors"].format(factors=words["and"].join(factors))
    if not update.train_biases:
        yield words["biases stay"]
    for slot in network.layout.slots:
        if slot.absent:
            yield words["no bias"].format(
                layer=naming.layer(slot.layer + 1),
                neurons=words["and"].join(str(j + 1) for j in slot.absent), sign=ABSENT,
            )  # fmt: skip
    if worked.names.changes:
        changes = worked.names.changes
        said = (words[key].format(_named(text, naming)) if key else text for key, text in changes)
        yield words["changed"].format(changes=words["further"].join(said))
    source, changed = worked.names.source, worked.names.changed
    if source:
        called_so = words["and"].join(words["a class"] if n == A_CLASS else n for n in changed)
        key = "source after" if changed else "source"
        yield words[key].format(source=source, names=called_so)


def _written(worked: WorkedStep, language: str) -> Iterator[str]:
    """Yield in which conventions it is written and what they change, and which change nothing."""
    words, written = words_of(language), worked.written
    for choice in written.conventions.chosen:
        yield words["written in"].format(name=choice.name, doc=told(choice.doc, language))
    for choice in written.idle:
        yield words["written idle"].format(name=choice.name, needs=told(choice.needs, language))


def _named(text: str, naming: Naming) -> str:
    """Return a text with symbols in place of the ids in braces."""
    return re.sub(r"\{(.+?)\}", lambda found: symbol_of(read_ref(found[1]), 1, naming), text)


def _rate_factors(network: Network, style: Style, naming: Naming) -> Iterator[str]:
    """Yield what the learning rate is multiplied by, for arrays of one name together."""
    layers: dict[tuple[str, float], list[str]] = {}
    for slot in network.layout.slots:
        if slot.learning_rate_factor != 1:
            key = (slot.name, slot.learning_rate_factor)
            layers.setdefault(key, []).append(naming.layer(slot.layer + 1))
    for (name, factor), found in layers.items():
        array = symbol(Ref(name), 1).letter.text
        yield words_of(style.language)["rate factor"].format(
            factor=number_text(factor, style.digits), array=array, layers=", ".join(found)
        )
