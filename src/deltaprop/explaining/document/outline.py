"""From an explanation to a document: what is said about a step, in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from itertools import groupby

import numpy as np

from deltaprop.explaining.derivation.strongest import neurons_to_show
from deltaprop.explaining.document.blocks import (
    Block,
    Cell,
    Document,
    Equations,
    Lines,
    Overview,
    OverviewLayer,
    OverviewNode,
    Proof,
    Section,
    Sentence,
    Shown,
    Table,
)
from deltaprop.explaining.document.equations import equations
from deltaprop.explaining.document.head import head
from deltaprop.explaining.document.labels import column_titles, loss_in_words, naming_of
from deltaprop.explaining.document.style import DETAILS, Style
from deltaprop.explaining.document.tokens import MatrixEquation
from deltaprop.explaining.language import words_of
from deltaprop.explaining.worked_step import WorkedStep
from deltaprop.functional.expressions import Operand, substituted
from deltaprop.notation.digits import Line, number_text
from deltaprop.notation.ids import Ref, read_ref
from deltaprop.notation.image import Image
from deltaprop.notation.symbols import symbol
from deltaprop.widths import clip

__all__ = ["MOST_NUMBERS", "document"]

MOST_NUMBERS = 400  # that are told one by one when nobody asked for them
_MOST_NODES = 8  # of a layer, in the overview
_MOST_SAMPLES = 10  # of a batch
_LONGEST_NAME = 40  # columns
_MOST_IMAGES = 4
_FAR = 10  # times a step: farther than that the second order alone is no guide
_WORTH_A_REASON = 1e-9  # of the promised change: a smaller gap has no reason but rounding


def document(
    worked: WorkedStep, style: Style, *, most: int = MOST_NUMBERS, shortened: bool = False
) -> Document:
    """Return what is said about a step: overview, layers, neurons, the batch, promise and fact.

    At most ``most`` numbers are described one by one when nobody asked for them; a step of more
    has none of them or, ``shortened``, its strongest.
    """
    chosen = worked
    if shortened and not worked.wanted and worked.n_numbers > most:
        chosen = worked.shortened
    return _Outline(worked, chosen, style, most).document()


class _Outline:
    def __init__(self, worked: WorkedStep, chosen: WorkedStep, style: Style, most: int) -> None:
        self.worked, self.chosen = worked, chosen
        self.style, self.most = style, most
        self.trace = worked.shown
        self.words: Mapping[str, str] = words_of(style.language)
        self.n_samples = len(self.trace.a[0])
        self.naming = naming_of(worked.names, self.trace.network, style, worked.written)

    def number(self, value: float) -> str:
        return number_text(value, self.style.digits)

    def document(self) -> Document:
        e = self.worked
        described = Document(
            title=e.names.title_in(self.style.language) or self.words["document"],
            conventions=tuple(head(e, self.style, self.naming)),
            sections=tuple(self._sections()),
            style=self.style,
            n_samples=self.n_samples,
            naming=self.naming,
            named=self._named,
            worked=e,
        )
        # measuring takes several passes per gradient: only where gradients are told
        return replace(described, proofs=self._proofs) if any(described.lines()) else described

    def _named(self, ref: Ref) -> Ref:
        if ref.quantity == "loss" and self.worked.derivation.loss_is_of_one_sample():
            return Ref("loss", after=ref.after)
        return ref

    def _phase(self, name: str) -> str:
        """Return the heading of a phase; that of plain networks has their formulas."""
        general, written = f"{name} of layers", self.worked.written
        otherwise = f"{name} otherwise"
        if name == "backward" and "delta" in written.plain:
            return self.words[otherwise]
        plain = self.trace.network.is_dense_only and not (name == "forward" and written.turned)
        return self.words[name if plain or general not in self.words else general]

    def _sections(self) -> Iterator[Section]:
        one_number = bool(self.worked.wanted)
        detail = self.style.detail
        chosen = (detail,) if detail else ("neurons",) if one_number else DETAILS
        make = {
            "overview": self._overview_section,
            "layers": self._layers_section,
            "neurons": self._neurons_section,
        }
        for name in chosen:
            yield make[name]()
        if not one_number:
            if self.n_samples > 1:
                yield self._batch_section()
            yield self._promise_section()

    # overview

    def _overview_section(self) -> Section:
        blocks: list[Block] = [self._network_block(), *self._images()]
        return Section("overview", self.words["overview"], tuple(blocks))

    def _network_block(self) -> Overview:
        trace, words, names = self.trace, self.words, self.worked.names
        titles = column_titles(trace.network, self.style.language, self.naming)
        called = {0: names.inputs_in(self.style.language), len(trace.z): names.outputs}
        return Overview(
            tuple(self._network_column(t, k, called.get(k, ())) for k, t in enumerate(titles)),
            words["sample"].format(number=1) if self.n_samples > 1 else "",
            self._targets(),
            self.number(trace.loss),
            words["loss L"].format(letter=self._loss_letter),
        )

    @property
    def _loss_multiple(self) -> float:
        return self.worked.written.multiple("loss")

    @property
    def _loss_letter(self) -> str:
        return symbol(Ref("loss"), 1, self.naming).letter.text

    def _targets(self) -> str:
        """Return the targets of the first sample; of many outputs those that are not 0."""
        t, names = self.trace.targets[0], self.worked.names.outputs
        if len(t) <= _MOST_NODES:
            return ", ".join(self.number(float(v)) for v in t)
        places = [int(j) for j in np.flatnonzero(t)[:_MOST_NODES]]
        called = [clip(names[j], _LONGEST_NAME) if names else f"t{j + 1}" for j in places]
        some = [f"{n} = {self.number(float(t[j]))}" for n, j in zip(called, places, strict=True)]
        return ", ".join([*some, "…"])

    def _network_column(self, title: str, layer: int, names: tuple[str, ...]) -> OverviewLayer:
        values = self.trace.a[layer][0]
        z = self.trace.z[layer - 1][0] if layer else None
        delta = self.trace.delta[layer - 1][0] if layer else None
        nodes = tuple(
            OverviewNode(
                Ref("a" if layer else "x", layer, (0, j)),
                clip(names[j], _LONGEST_NAME) if names else "",
                "" if z is None else self.number(float(z[j])),
                self.number(float(values[j])),
                "" if delta is None else self.number(float(delta[j])),
            )
            for j in neurons_to_show(self.trace, layer, 0, _MOST_NODES)
        )
        return OverviewLayer(title, nodes, len(values) - len(nodes))

    def _images(self) -> Iterator[Image]:
        """Yield rows that are images, and the deltas of their pixels."""
        shape = self.worked.names.image
        if not shape:
            return
        for s in range(min(self.n_samples, _MOST_IMAGES)):
            which = f" {self.words['sample'].format(number=s + 1)}" if self.n_samples > 1 else ""
            for key, rows, signed in (
                ("image", self.trace.a[0], False),
                ("image delta", self.worked.trace.dx, True),
            ):
                values = rows[s].reshape(*shape[:2], -1).mean(axis=2)
                largest = float(np.abs(values).max()) or 1.0
                ink = values / largest
                yield Image(self.words[key] + which, ink if signed else ink.clip(0, 1), signed)

    # layers

    def _equations(self) -> Iterator[MatrixEquation]:
        """Yield the matrix equations; what no matrices tell says its name in the language."""
        of_loss = bool(self.naming.of_loss)
        for equation in equations(self.worked, self.style.digits, loss_is_layer=of_loss):
            loss = equation.note and loss_in_words(
                equation.note, self.worked.written, self.style.language
            )
            yield replace(equation, note=loss)

    def _layers_section(self) -> Section:
        parts = tuple(
            Section(phase, self._phase(phase), (Equations(tuple(group)),))
            for phase, group in groupby(self._equations(), key=lambda equation: equation.phase)
        )
        return Section("layers", self.words["layers"], (), parts)

    # neurons

    def _neurons_section(self) -> Section:
        words, count = self.words, f"{self.worked.n_numbers:,}"
        title, asked = words["neurons"], self.style.detail or self.worked.wanted
        if not asked and self.chosen is self.worked and self.worked.n_numbers > self.most:
            sentence = Sentence(words["shown on request"].format(count=count))
            return Section("neurons", title, (sentence,))
        blocks = []
        shown = len(self.chosen.steps)
        if not self.worked.wanted and shown < self.worked.n_numbers:
            blocks.append(Sentence(words["strongest"].format(shown=f"{shown:,}", count=count)))
        judged = [p.verdict for p in self._proofs.values() if p.is_judged]
        if judged:
            right = words["proved"].format(right=judged.count("right"), count=len(judged))
            blocks.append(Sentence(right, "failed" if "wrong" in judged else "proved"))
        parts = tuple(
            Section(phase, self._phase(phase), (*self._about(phase), self._lines(tuple(lines))))
            for phase, lines in self._phases()
        )
        return Section("neurons", title, tuple(blocks), parts)

    def _lines(self, lines: tuple[Line, ...]) -> Lines:
        """Return the lines; what has one symbol in the notation is told once."""

        def joined(operand: Operand) -> Operand:
            return replace(operand, id=self.naming.joined(read_ref(operand.id)).id)

        if not (self.naming.linear or self.naming.counted):
            return Lines(lines)
        told = (line for line in lines if self.naming.joined(line.step.ref) == line.step.ref)
        groups = groupby(told, key=lambda line: (line.step.quantity, line.step.ref.layer))
        order = (
            each
            for _, group in groups
            for each in sorted(group, key=lambda line: self.naming.place(line.step.ref))
        )
        steps = ((each, substituted(each.step.expression, joined)) for each in order)
        return Lines(
            tuple(replace(each, step=replace(each.step, expression=e)) for each, e in steps), lines
        )

    def _about(self, phase: str) -> Iterator[Sentence]:
        """Yield what the lines of a phase leave open: the factor 1 of linear neurons."""
        if phase == "backward" and self.naming.of_loss:
            numbers = {"letter": self._loss_letter, "number": self.naming.of_loss}
            yield Sentence(self.words["first delta"].format(**numbers))
        hidden = self.trace.network.computing_layers[:-1]
        if phase == "backward" and any(layer.activation == "identity" for layer in hidden):
            yield Sentence(self.words["slope of a linear neuron"])

    def _phases(self) -> Iterator[tuple[str, Iterator[Line]]]:
        lines = self.chosen.lines(self.style.digits)
        yield from groupby(lines, key=lambda line: line.step.phase)

    @cached_property
    def _proofs(self) -> dict[str, Proof]:
        return {
            name: Proof(
                entry.verdict,
                self.number(entry.measured * self.worked.written.multiple(read_ref(name).quantity)),
                number_text(entry.relative_error, 2),
            )
            if entry.is_judged
            else Proof(entry.verdict, "", "")
            for name, entry in self.chosen.proof.items()
            if name != "loss"
        }

    # the batch

    def _batch_section(self) -> Section:
        batch, words = self.worked.batch, self.words
        order = sorted(batch.samples, key=lambda each: each.cosine)[:_MOST_SAMPLES]
        head = (words["of sample"], "ℓ", "|g|", words["along"], "")
        rows = tuple(
            (
                str(each.sample + 1),
                Shown(self.number(each.loss * self._loss_multiple)),
                Shown(self.number(each.norm)),
                Shown(f"{each.cosine:.3f}"),
                words["against"].strip() if each.cosine < 0 else "",
            )
            for each in order
        )
        blocks: list[Block] = [Table(head, rows)]
        if len(batch.samples) > len(order):
            more = f"{len(batch.samples) - len(order):,}"
            blocks.append(Sentence(words["more samples"].format(count=more)))
        left = words["cancellation"].format(
            share=f"{batch.uncancelled:.0%}", norm=self.number(batch.norm)
        )
        blocks.append(Sentence(left))
        if batch.conflict is not None:
            s, r, cosine = batch.conflict
            conflict = words["conflict"].format(one=s + 1, other=r + 1, cosine=f"{cosine:.3f}")
            blocks.append(Sentence(conflict))
        return Section("batch", words["batch"], tuple(blocks))

    # promise and fact

    def _promise_section(self) -> Section:
        e, words = self.worked, self.words
        promised, bent, brought = (
            change * self._loss_multiple
            for change in (e.predicted_change, e.second_order_change, e.actual_change)
        )
        facts = (
            ("loss before", "", e.shown.loss),
            ("loss after", "", e.shown_after.loss),
            ("promised", "gradient times step", promised),
            ("bent", "half curvature", bent),
            ("together", "", promised + bent),
            ("brought", "", brought),
        )
        notes = {
            note: words["bracketed"].format(words[note]) if note else "" for _, note, _ in facts
        }
        rows = tuple(
            (words[what] + notes[note], self._figure(value)) for what, note, value in facts
        )
        reasons = tuple(Sentence(reason) for reason in self._reasons(promised, bent, brought))
        return Section("promise", words["promise"], (Table((), rows), *reasons))

    def _figure(self, value: float) -> Cell:
        """Return a number; in words where it is beyond the floats and no loss itself."""
        is_told = np.isfinite(value) or value == self.worked.shown_after.loss
        return Shown(self.number(value)) if is_told else self.words["no number"]

    def _reasons(self, promised: float, bent: float, brought: float) -> Iterator[str]:
        """Yield why promise and fact differ, and what follows for the length of the step."""
        words, gap = self.words, brought - promised
        if not np.isfinite([promised, bent, brought]).all():
            yield words["promise overflows" if np.isfinite(brought) else "step overflows"]
            return
        if abs(gap) <= _WORTH_A_REASON * abs(promised):
            yield words["promise kept"]
            return
        rest = gap - bent
        yield words["gap"].format(
            gap=self.number(gap), bent=self.number(bent), rest=self.number(rest)
        )
        crossed = self.worked.n_crossed_kinks
        if crossed:
            yield words["crossed kinks"].format(count=f"{crossed:,}")
        if promised < 0 < brought:
            yield words["step too long"]
        times = -promised / (2 * bent) if promised < 0 < bent else np.inf
        if times <= _FAR:
            yield words["best length"].format(times=number_text(times, 3))
