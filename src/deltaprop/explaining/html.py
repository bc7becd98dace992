"""The explanation as one HTML file: formulas in MathML, the picture in SVG, no network access.

Everything is there to read without a script; the script adds stepping, clicking and lighting up.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import TYPE_CHECKING

from deltaprop._version import __version__
from deltaprop.errors import SettingError
from deltaprop.explaining.diagram import picture
from deltaprop.explaining.digits import Line, number_text
from deltaprop.explaining.html_layers import BREAK, equations
from deltaprop.explaining.language import words_of
from deltaprop.explaining.mathml import (
    MathmlNotation,
    escape,
    math,
    number,
    operand,
    pieces,
    symbol,
)
from deltaprop.explaining.names import PHASES, Ref, read_ref
from deltaprop.explaining.selection import strongest
from deltaprop.explaining.unicode import NOTATIONS
from deltaprop.functional.arithmetic import Operand
from deltaprop.model.gradcheck import EntryCheck

if TYPE_CHECKING:
    from deltaprop.explaining.explanation import Explanation

__all__ = ["render"]

_DETAILS = ("overview", "layers", "neurons")
_TAGS = {"en": "en", "zh": "zh-Hans"}
_MOST_LINES = 1000  # a step of more is told by its strongest numbers
_MOST_PICTURES = 4  # one for each sample
_LOW_PICTURE = 3  # neurons beneath each other that leave room for the panel below
_MOST_PROVED = 1000  # parameters; measuring each takes several forward passes
_MARKS = {"right": "✓", "wrong": "✗", "kink": "–"}


def render(
    explanation: Explanation,
    digits: int = 6,
    language: str = "en",
    notation: str = "standard",
    detail: str | None = None,
) -> str:
    """Return the explanation as one HTML file that needs nothing else.

    Parameters
    ----------
    explanation : Explanation
        The step.
    digits : int
        Significant digits; a line whose rounding would break it shows more.
    language : {"en", "zh"}
        Of the words.
    notation : {"standard", "tutorial"}
        W of layer l with one number, or with the layers on both sides.
    detail : {"overview", "layers", "neurons"}, optional
        One altitude; all when left out.

    Returns
    -------
    str
        The page.

    Raises
    ------
    SettingError
        When a setting is not one of those.
    """
    if detail is not None and detail not in _DETAILS:
        raise SettingError(f"detail is {detail!r}; it is one of {', '.join(_DETAILS)}.")
    if not 1 <= digits <= 17:
        raise SettingError(f"digits is {digits!r}; it is from 1 to 17.")
    if notation not in NOTATIONS:
        raise SettingError(f"notation is {notation!r}; it is one of {', '.join(NOTATIONS)}.")
    return _Page(explanation, digits, language, notation).document(detail)


@cache
def _asset(name: str) -> str:
    return files("deltaprop.explaining").joinpath(f"page/{name}").read_text(encoding="utf-8")


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


class _Page:
    def __init__(self, explanation: Explanation, digits: int, language: str, notation: str) -> None:
        self.explanation = explanation
        self.trace = explanation.trace
        self.digits, self.language, self.notation = digits, language, notation
        self.words = words_of(language)
        self.told = explanation
        if not explanation.wanted and explanation.n_numbers > _MOST_LINES:
            chosen = tuple(strongest(explanation.derivation))
            self.told = replace(explanation, wanted=chosen)
        self.lines = self.told.lines(digits)
        self.roots = self._roots()
        self.known = {line.step.id for line in self.lines} | set(self.roots)
        self.proofs = self._proofs()

    def _roots(self) -> dict[str, float]:
        """Return what the lines are made of and no line works out."""
        worked_out = {line.step.id for line in self.lines}
        roots: dict[str, float] = {}
        for line in self.lines:
            for leaf in line.step.named_operands():
                if leaf.id not in worked_out:
                    roots[leaf.id] = leaf.value
        return roots

    def _proofs(self) -> dict[str, EntryCheck]:
        if self.trace.network.n_parameters > _MOST_PROVED:
            return {}
        try:
            proof = self.explanation.proof
        except SettingError:
            return {}
        # the loss is proved too; here it is about gradients
        return {name: entry for name, entry in proof.items() if name != "loss"}

    # pieces

    def text(self, key: str, **values: object) -> str:
        """Return words, ready to stand in the page."""
        return escape(self.words[key].format(**values))

    def symbol(self, ref: Ref) -> str:
        """Return a number's symbol."""
        if ref.quantity == "loss" and self.explanation.derivation.loss_is_of_one_sample():
            ref = Ref("loss", after=ref.after)
        return symbol(ref, len(self.trace.a[0]), self.notation)

    def shown(self, value: float, name: str = "") -> str:
        """Return = or ≈ and a number, as MathML."""
        text = number_text(value, self.digits)
        return _result(name, text, exact=_is_exact(text, value))

    # the document

    def document(self, detail: str | None) -> str:
        """Return the whole file."""
        neurons_only = detail is None and bool(self.explanation.wanted)
        chosen = (detail,) if detail else ("neurons",) if neurons_only else _DETAILS
        style, script = _asset("diagram.css") + _asset("page.css"), _asset("page.js")
        policy = (
            f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; "
            "base-uri 'none'; form-action 'none'"
        )
        title = escape(self.explanation.names.title or self.trace.network.describe())
        has_lines = "neurons" in chosen
        if not has_lines:
            self.known = set()
        aside = [*self._overview(), *(self._inspector() if has_lines else ())]
        main = [*(self._layers() if "layers" in chosen else ())]
        main += [*(self._neurons() if has_lines else ())]
        main += [*(() if self.explanation.wanted else self._promise())]
        with_picture = has_lines or "overview" in chosen
        kinds = ["whole" if main and with_picture else "single"]
        kinds += ["tall"] if max(self.trace.network.sizes) > _LOW_PICTURE else []
        return "\n".join(
            [
                "<!DOCTYPE html>",
                f'<html lang="{_TAGS.get(self.language, self.language)}">',
                '<head><meta charset="utf-8">',
                f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
                '<meta name="viewport" content="width=device-width, initial-scale=1">',
                '<meta name="color-scheme" content="light dark">',
                f"<title>{title}</title>",
                f"<style>{style}</style></head>",
                f'<body class="{" ".join(kinds)}">',
                *self._header(title, chosen),
                '<div class="columns">',
                *(['<div class="aside">', *aside, "</div>"] if with_picture else []),
                *(["<main>", *main, "</main>"] if main else []),
                "</div>",
                f"<footer>{self.text('made by', version=__version__)}</footer>",
                f"<script>{script}</script>",
                "</body></html>\n",
            ]
        )

    def _header(self, title: str, chosen: tuple[str, ...]) -> Iterator[str]:
        network, words = self.trace.network, self.words
        n = len(self.trace.a[0])
        over = self.explanation.reduction if n > 1 else "one sample"
        loss = network.loss_name.replace("_", " ")
        rule = words["conventions"].format(loss=loss, mean=words[over].format(count=n))
        if network.l2 or network.l1:
            rule += " " + words["penalties"]
        yield f"<header><h1>{title}</h1>"
        yield f'<p class="network-told">{escape(network.describe())}</p>'
        yield f'<p class="conventions">{escape(rule)}</p>'
        if "neurons" in chosen:
            yield f'<p class="scripted" hidden>{self.text("how to read")}</p>'
            phases = list(dict.fromkeys(line.step.phase for line in self.lines))
            places = [*(["layers"] if "layers" in chosen else []), "given", *phases]
            places += [] if self.explanation.wanted else ["promise"]
            headings = {**words, "given": words["given numbers"]}
            links = "".join(
                f'<li><a href="#{_place(place)}">{escape(_short(headings[place]))}</a></li>'
                for place in places
            )
            yield f'<nav aria-label="{self.text("contents")}"><ul>{links}</ul></nav>'
        yield "</header>"

    def _overview(self) -> Iterator[str]:
        n = min(len(self.trace.a[0]), _MOST_PICTURES)
        yield f'<section id="overview" aria-label="{escape(_short(self.words["overview"]))}">'
        if n > 1:
            buttons = "".join(
                f'<button type="button" data-sample="{s}">'
                f"{self.text('picture sample', number=s + 1)}</button>"
                for s in range(n)
            )
            yield f'<div class="samples" hidden>{buttons}</div>'
        for s in range(n):
            drawn = picture(
                self.explanation, self.digits, self.language, 560,
                notation=self.notation, sample=s, known=self.known,
            )  # fmt: skip
            heading = self.text("picture sample", number=s + 1)
            caption = f"<figcaption>{heading}</figcaption>" if n > 1 else ""
            yield f'<figure class="picture" data-sample="{s}">{caption}{drawn}</figure>'
        yield "</section>"

    def _inspector(self) -> Iterator[str]:
        def button(key: str, name: str, sign: str) -> str:
            label = self.text(key)
            return (
                f'<button type="button" data-go="{name}" aria-label="{label}" title="{label}">'
                f"{sign}</button>"
            )

        yield f'<section id="inspector" hidden aria-label="{self.text("stepper")}">'
        yield f'<div class="stepper" role="group" aria-label="{self.text("stepper")}">'
        yield button("first step", "first", "«") + button("previous step", "previous", "‹")
        yield button("next step", "next", "›") + button("last step", "last", "»")
        form = self.text("step of", number="{number}", count="{count}")
        yield f'<output class="place" data-form="{form}"></output>'
        back = self.text("go back")
        yield f'<button type="button" data-go="back" class="back" disabled>↩ {back}</button></div>'
        yield f'<ol class="trail" aria-label="{self.text("trail")}"></ol>'
        yield '<div class="now" aria-live="polite"><span class="now-formula"></span>'
        yield "<code></code></div>"
        for kind, empty in (("made of", "is given"), ("goes into", "goes nowhere")):
            name = kind.replace(" ", "-")
            yield (
                f'<div class="links"><h2>{self.text(kind)}</h2>'
                f'<ul id="{name}" data-empty="{self.text(empty)}"></ul></div>'
            )
        yield "</section>"

    def _layers(self) -> Iterator[str]:
        yield f'<section id="layers"><h2>{self.text("layers")}</h2>'
        found = equations(self.explanation, self.digits, self.words, self.notation, self.known)
        for phase, formulas in found:
            yield f"<h3>{self.text(phase)}</h3>"
            for formula in formulas:
                parts = " ".join(math(part) for part in formula.split(BREAK))
                yield f'<div class="equation">{parts}</div>'
        yield "</section>"

    def _neurons(self) -> Iterator[str]:
        yield f'<section id="neurons"><h2>{self.text("neurons")}</h2>'
        if len(self.lines) < self.explanation.n_numbers and not self.explanation.wanted:
            count, shown = f"{self.explanation.n_numbers:,}", f"{len(self.lines):,}"
            yield f"<p>{self.text('strongest', shown=shown, count=count)}</p>"
        if self.proofs:
            judged = [e.verdict for e in self.proofs.values() if e.verdict != "kink"]
            told = self.text("proved", right=judged.count("right"), count=len(judged))
            kind = "failed" if "wrong" in judged else "proved"
            yield f'<p class="{kind}">{told}</p>'
        yield f'<section id="given"><h3>{self.text("given numbers")}</h3>'
        refs = [read_ref(name) for name in self.roots]
        groups = groupby(sorted(refs, key=_group), key=lambda ref: _group(ref)[:3])
        for _, group in groups:
            items = "".join(self._given(ref) for ref in group)
            yield f'<ul class="givens">{items}</ul>'
        yield "</section>"
        for phase, in_phase in groupby(self.lines, key=lambda line: line.step.phase):
            yield f'<section id="{_place(phase)}"><h3>{self.text(phase)}</h3>'
            for _, in_layer in groupby(in_phase, key=lambda line: line.step.ref.layer):
                yield '<ol class="lines">'
                yield from (self._line(line) for line in in_layer)
                yield "</ol>"
            yield "</section>"
        yield "</section>"

    def _given(self, ref: Ref) -> str:
        names, called = self.explanation.names, ""
        if ref.quantity in ("x", "targets"):
            own = names.inputs if ref.quantity == "x" else names.outputs
            called = f'<span class="name">{escape(own[ref.index[1]])}</span>' if own else ""
        value = self.shown(self.roots[ref.id], ref.id)
        return (
            f'<li class="line given" id="{ref.id}">{called}<span class="left">'
            f'{math(self.symbol(ref))}</span> <span class="result">{math(value)}</span></li>'
        )

    def _line(self, line: Line) -> str:
        step = line.step
        left = math(self.symbol(step.ref))
        result = math(_result(step.id, line.shown, exact=line.exact))
        parts: list[str] = []
        no_formula = isinstance(step.expression, Operand) and step.expression.id == step.id
        if not no_formula:
            more = self.words["terms left out"]
            for kind, symbol_of in (("symbols", self.symbol), ("numbers", None)):
                found = pieces(step.expression, MathmlNotation(line, symbol_of, more))
                found[0] = f"<mo>=</mo>{found[0]}"
                parts.append(f'<span class="part {kind}">{" ".join(map(math, found))}</span>')
        sign = "negative" if step.value < 0 else "positive" if step.value > 0 else "zero"
        return (
            f'<li class="line step" id="{step.id}"><span class="left">{left}</span>'
            f'<span class="parts">{"".join(parts)}<span class="part result {sign}">{result}'
            f"</span></span>{self._proof(step.id)}</li>"
        )

    def _proof(self, name: str) -> str:
        entry = self.proofs.get(name)
        if entry is None:
            return ""
        verdict = self.text(entry.verdict)
        mark = f'<span role="img" aria-label="{verdict}">{_MARKS[entry.verdict]}</span>'
        if entry.verdict == "kink":
            return f'<span class="proof kink">{mark} {verdict}</span>'
        measured = self.text("central difference", number=number_text(entry.measured, self.digits))
        error = self.text("relative error", number=number_text(entry.relative_error, 2))
        told = f"<span>{measured}</span> <span>{error}</span>".replace("-", "−")
        return f'<span class="proof {entry.verdict}">{mark} <span>{told}</span></span>'

    def _promise(self) -> Iterator[str]:
        e = self.explanation
        rows = (
            ("loss before", e.trace.loss, ""),
            ("loss after", e.update.after.loss, ""),
            ("promised", e.predicted_change, f" ({self.text('gradient times step')})"),
            ("brought", e.actual_change, ""),
        )
        yield f'<section id="promise"><h2>{self.text("promise")}</h2><table>'
        for key, value, remark in rows:
            text = number_text(value, self.digits)
            yield (
                f'<tr><th scope="row">{self.text(key)}{remark}</th>'
                f"<td>{math(number(text))}</td></tr>"
            )
        yield "</table></section>"


def _result(name: str, text: str, *, exact: bool) -> str:
    return f"<mo>{'=' if exact else '≈'}</mo>{operand(name, number(text))}"


def _is_exact(text: str, value: float) -> bool:
    return float(text) == value


def _place(section: str) -> str:
    """Return the id of a section; "loss" alone is the id of a number."""
    return f"phase-{section}" if section in PHASES else section


def _short(heading: str) -> str:
    """Return a heading up to its colon."""
    return heading.replace("：", ":").split(":", maxsplit=1)[0]


def _group(ref: Ref) -> tuple[int, int, str, tuple[int, ...]]:
    """Return what to sort given numbers by: the data, the parameters by layer, the settings."""
    kinds = {"x": 0, "targets": 1, "share": 2, "mask": 3, "W": 4, "b": 4}
    kind = kinds.get(ref.quantity, 5 if ref.layer else 6)
    return (kind, ref.layer, ref.quantity if kind < 6 else "", ref.index)
