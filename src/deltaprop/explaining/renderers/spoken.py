"""A document for a screen reader: one sentence a line, in reading order, every sign in words.

Screen readers skip or misread raised and lowered digits, the minus of a number, ∂, δ, ′ and what
is drawn with characters. Here nothing is a picture: formulas are said from left to right with
their parentheses, matrices row by row, and the head of a column before each of its cells.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache

from deltaprop.explaining.document import blocks, tokens
from deltaprop.explaining.document.blocks import Document
from deltaprop.explaining.document.tokens import Entries
from deltaprop.explaining.renderers.spoken_words import (
    SPOKEN,
    Words,
    said,
    said_call,
    said_function,
    said_letter,
    said_number,
    said_power,
)
from deltaprop.functional.expressions import Quotient
from deltaprop.notation.chart import Bars, Curve
from deltaprop.notation.digits import Line
from deltaprop.notation.ids import Ref, read_ref
from deltaprop.notation.image import Image
from deltaprop.notation.naming import Naming
from deltaprop.notation.symbols import Letter, symbol
from deltaprop.notation.write import Notation, leaf_writer, write, written

__all__ = ["write_document"]


def write_document(document: Document) -> str:
    """Return a document as sentences, a line each; what belongs together has no blank line."""
    return "\n".join(_lines(document)).strip("\n") + "\n"


def _name(ref: Ref, document: Document, part: str = "") -> str:
    """Return a symbol as it is read out, letter first: "W 1 3 of layer 2"."""
    language = document.style.language
    return _spoken_symbol(document.named(ref), document.n_samples, document.naming, language, part)


@lru_cache(maxsize=8192)
def _spoken_symbol(ref: Ref, n_samples: int, naming: Naming, language: str, part: str) -> str:
    words, of = SPOKEN[language], symbol(ref, n_samples, naming)

    def letter(of: Letter) -> str:
        text = unicodedata.normalize("NFD", f"{of.text} {of.below}").replace("_", " ")
        return " ".join("".join(map(said_letter, text)).split())

    name = " ".join([letter(of.letter), *of.index])
    if of.summed:
        return words["all"].format(symbol=name)
    if part:
        name = words["part"].format(symbol=name, part=said(part, words))
    if of.layer:
        one, _, other = of.layer.strip("()").partition(",")
        of_layers = words["layers" if other else "layer"]
        name = of_layers.format(symbol=name, layer=one, one=one, other=other)
    if of.derivative_of is not None:
        name = words["by"].format(above=letter(of.derivative_of), symbol=name)
    elif of.state:
        name = words["kept"].format(state=of.state, symbol=name)
    return words["new"].format(symbol=name) if of.prime else name


def _spoken_notation(
    line: Line, words: Words, symbol: Callable[[Ref], str] | None, more: str = ""
) -> Notation:
    """Return how a line is said in symbols, or with its numbers put in, from left to right."""

    def rest(count: int, number: str) -> str:
        together = words["rest"].format(more=more.format(count=f"{count:,}"), number=number)
        return parentheses(together)

    def parentheses(inner: str) -> str:
        return words["parentheses"].format(inner=inner)

    def sum_of(terms: list[str], signs: tuple[int, ...]) -> str:
        first = terms[0] if signs[0] > 0 else words["negative"].format(number=terms[0])
        rest = zip(terms[1:], signs[1:], strict=True)
        return first + "".join(words["+" if sign > 0 else "-"] + term for term, sign in rest)

    def one(part: str) -> str:
        enclosed = part.startswith(words["open"]) or " " not in part
        return part if enclosed else parentheses(part)

    def comparison(left: str, relation: str, right: str) -> str:
        return parentheses(words["if"].format(left=left, relation=words[relation], right=right))

    def call(name: str, arguments: list[str]) -> str:
        return said_call(name, words) + parentheses(words[","].join(arguments))

    of = None if symbol is None else lambda name: symbol(read_ref(name))
    return Notation(
        leaf_writer(line, of, lambda text: said_number(text, words), words["pi"], rest),
        times=words["*"],
        sum=sum_of,
        quotient=lambda above, below: words["/"].join((above, below)),
        power=lambda base, exponent: said_power(one(base), one(exponent), words),
        comparison=comparison,
        call=call,
        parentheses=parentheses,
        is_negative=lambda text: False,  # "times minus 2" needs no parentheses to be understood
    )


def _lines(document: Document) -> Iterator[str]:
    words = SPOKEN[document.style.language]
    parts = [said(text, words) for text in (document.title, *document.conventions)]
    for section in document.sections:
        for part in (section, *section.parts):
            parts += ["", *([said(part.title, words)] if part.title else [])]
            parts += (text for block in part.blocks for text in _block(block, document, words))
    for text in parts:
        yield text if not text or text.endswith(tuple(".。!?:：")) else text + words["."]


def _block(block: blocks.Block, document: Document, words: Words) -> Iterator[str]:
    match block:
        case blocks.Sentence():
            yield said(block.text, words)
        case blocks.Table():
            yield from _rows(block, document, words)
        case blocks.Overview():
            yield from _overview(block, document, words)
        case Image():
            rows, columns = block.values.shape
            yield said(block.title, words)
            yield words["picture"].format(rows=rows, columns=columns)
        case Curve():
            ends = {name: said_number(text, words) for name, text in block.ends.items()}
            ends |= {"title": said(block.title, words), "below": said(block.below, words)}
            yield words["curve"].format_map(ends)
        case Bars():
            pairs = zip(block.names, block.texts, strict=True)
            yield said(block.title, words)
            yield from (said(n, words) + words[":"] + said_number(t, words) for n, t in pairs)
        case blocks.Equations():
            for equation in block.equations:
                yield from _equation(equation, document, words)
        case blocks.Lines():
            for line in block.lines:
                yield from _line(line, document, words)


def _line(line: Line, document: Document, words: Words) -> Iterator[str]:
    """Yield a number: its formula in symbols, the formula in numbers, what it comes to."""

    def name(ref: Ref) -> str:
        return _name(ref, document)

    left = name(line.step.ref)
    result = words["=" if line.exact else "≈"] + said_number(line.shown, words)
    more = document.words["more terms"]
    notations = (_spoken_notation(line, words, of, more) for of in (name, None))
    formulas = written(line, said_number(line.shown, words), *notations)
    if formulas:
        left += words["="] + formulas[0]
    if len(formulas) > 1:
        yield left
        yield words["numbers"].format(formula=formulas[1] + result)
    else:
        yield left + result
    proof = document.proofs.get(line.step.id)
    if proof is not None:
        yield _proof(proof, document, words)


def _proof(proof: blocks.Proof, document: Document, words: Words) -> str:
    figures = {"central difference": proof.measured, "relative error": proof.error}
    parts = [
        document.words[name].format(number=said_number(n, words)) for name, n in figures.items()
    ]
    parts = parts if proof.is_judged else [document.words[proof.verdict]]
    return words[proof.verdict if proof.is_judged else "kink"] + words[":"] + words[","].join(parts)


# tables, the network, matrices


def _rows(table: blocks.Table, document: Document, words: Words) -> Iterator[str]:
    """Yield each row, the head of its column before each cell."""

    def cell(of: blocks.Cell) -> str:
        if isinstance(of, Ref):
            return _name(of, document)
        return said(of.text if isinstance(of, blocks.Shown) else of, words)

    head = [cell(of) for of in table.head] or [""] * len(table.rows[0])
    for row in table.rows:
        parts = [cell(of) for of in row]
        if table.head:
            pairs = [
                words[":"].join((of, text)) if of else text
                for of, text in zip(head, parts, strict=True) if text
            ]  # fmt: skip
            yield words[";"].join(pairs)
        else:
            yield words[":"].join((parts[0], words[","].join(text for text in parts[1:] if text)))


def _overview(overview: blocks.Overview, document: Document, words: Words) -> Iterator[str]:
    """Yield a sentence for each neuron, layer by layer."""
    if overview.note:
        yield said(overview.note, words)
    for layer in overview.layers:
        yield said(layer.title, words)
        for node in layer.nodes:
            names = [_name(node.ref, document), *([said(node.name, words)] if node.name else [])]
            letters = {"z": node.z, "a": node.a, said_letter("δ").strip(): node.delta}
            if not (node.z or node.delta):  # an input is nothing but its number
                pause = words[","].strip() if node.name else ""
                yield words[","].join(names) + pause + words["="] + said_number(node.a, words)
                continue
            yield words[":"].join((words[","].join(names), words[";"].join(
                letter + words["="] + said_number(number, words)
                for letter, number in letters.items() if number
            )))  # fmt: skip
        if layer.more:
            yield document.words["more"].format(count=f"{layer.more:,}")
    yield document.words["target"] + words["="] + said(overview.targets, words)
    yield overview.loss_name + words["="] + said(overview.loss, words)


def _equation(equation: tokens.MatrixEquation, document: Document, words: Words) -> Iterator[str]:
    """Yield an equation in symbols, then every matrix of it, then what it comes to."""
    left = _name(equation.left, document, equation.part)
    if equation.right:
        right = "".join(_token(token, document, words) for token in equation.right)
        yield " ".join((left + words["="] + right).split())
        for token in equation.numbers:
            if isinstance(token, Entries):
                applied = "" if token.is_argument else token.applied
                yield _matrix(_applied(applied, token, document, words), token.cells, words)
            elif isinstance(token, tokens.Constant):
                symbols, numbers = (_constant(token, document, words, of) for of in (True, False))
                if symbols != numbers:
                    yield symbols + words["="] + numbers
    elif equation.phase == "backward":
        yield left + words[":"] + document.words["given by"].format(loss=equation.note)
    else:
        yield left + words[":"] + document.words["after the step"]
    result = left if equation.exact else left + words["rounded"]
    yield _matrix(result, equation.result, words)
    if equation.more:
        yield document.words["more of this form"].format(count=f"{equation.more:,}")


def _token(token: tokens.Token, document: Document, words: Words) -> str:
    """Return a piece of an equation in symbols."""
    match token:
        case Entries():
            return _applied(token.applied, token, document, words)
        case tokens.Constant():
            text = _constant(token, document, words, True)
            enclosed = isinstance(token.line.step.expression, Quotient)
            return words["parentheses"].format(inner=text) if enclosed else text
        case tokens.Joint(sign=sign):
            # the product of matrices; of entries, it is said so
            return words[{"": "*", "*": "entries *", "/": "entries /"}.get(sign, sign)]
        case tokens.Open(function=function, fenced=fenced):
            of = said_call(function, words) if function else ""
            return of + (words["open"] if fenced else "")
        case tokens.Close(raised="T"):
            return words["close"] + words["is transposed"]
    raised = said_power("", token.raised, words) if token.raised else ""
    return words["close"] + raised


def _applied(applied: str, token: Entries, document: Document, words: Words) -> str:
    """Return a matrix by name: transposed, or a function of it."""
    name = _name(token.ref, document, token.part)
    if token.transposed:
        name = words["transposed"].format(symbol=name)
    return said_function(applied, name, words) if applied else name


def _constant(token: tokens.Constant, document: Document, words: Words, in_symbols: bool) -> str:
    name = (lambda ref: _name(ref, document)) if in_symbols else None
    return write(token.line.step.expression, _spoken_notation(token.line, words, name))


def _matrix(name: str, cells: tokens.Cells, words: Words) -> str:
    """Return a matrix row by row."""
    rows = [words[","].join(said_number(text, words) for text in row) for row in cells.texts]
    shape = words["shape"].format(symbol=name, rows=cells.shape[0], columns=cells.shape[1])
    if cells.more_rows or cells.more_columns:
        shape = words["first"].format(shape=shape)
    if cells.shape[0] > 1:
        rows = [words["row"].format(number=n, cells=row) for n, row in enumerate(rows, start=1)]
    return words[":"].join((shape, words[";"].join(rows)))
