"""Every form of an explanation read back: its lines, with their numbers."""

import json
import re
from dataclasses import dataclass
from html.parser import HTMLParser

from deltaprop.explaining.document.blocks import Lines, Sentence
from deltaprop.explaining.renderers.notebook import fragment
from deltaprop.explaining.renderers.spoken_words import SPOKEN, said
from deltaprop.functional.expressions import Operand, leaves

STYLES = [
    {"language": language, "notation": notation}
    for language in ("en", "zh")
    for notation in ("standard", "tutorial")
]


NUMBER = re.compile(r"(?<![\w.])(?:\d+(?:\.\d+)?(?:e[+-]\d+)?|inf|nan)(?!\w)")


SIGNED = re.compile(r"(?<![\w.])-?(?:\d+(?:\.\d+)?(?:e[+-]\d+)?|inf|nan)(?!\w)")


MARKS = {"✓": "right", "✗": "wrong", "?": "kink"}


RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


MOST_ROWS = 60  # of a phase, in the piece of HTML


@dataclass(frozen=True)
class Told:
    """One line as a medium tells it: numbers put in, result, and what the referee found."""

    numbers: tuple[str, ...] | None
    exact: bool
    shown: str
    proof: tuple[str, ...] = ()


def expected_of(document, lines=None):
    """Return what is to be displayed, line by line, from the lines and the proofs themselves."""
    told = []
    for line in document.lines() if lines is None else lines:
        expression = line.step.expression
        numbers = tuple(line.text(leaf).lstrip("-") for leaf in leaves(expression))
        operands = [leaf for leaf in leaves(expression) if isinstance(leaf, Operand)]
        opaque = isinstance(expression, Operand) and expression.id == line.step.id
        if opaque or not operands:
            numbers = None
        proof = document.proofs.get(line.step.id)
        found = ()
        if proof is not None:
            found = (proof.verdict, *([proof.measured, proof.error] if proof.measured else []))
        told.append(Told(numbers, line.exact, line.shown, found))
    return told


def assert_same(told, expected, medium):
    assert len(told) == len(expected), medium
    for number, (here, there) in enumerate(zip(told, expected, strict=True)):
        where = (medium, number, here, there)
        assert (here.exact, here.shown, here.proof) == (there.exact, there.shown, there.proof), (
            where
        )
        if here.numbers is None:  # numbers that would only repeat the result are left out
            assert there.numbers in (None, (there.shown.lstrip("-"),)), where
        else:
            assert here.numbers == there.numbers, where


# lines of Unicode: terminal, Markdown, the piece of HTML


def from_parts(parts, exact, proof=()):
    numbers = None
    if len(parts) == 4:
        bare = re.sub(r"\[[^\[\]:：]*[:：] ?", "[", parts[2])  # [33 more: 0.5]
        bare = re.sub(r"[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda m: f" ** {m[0].translate(RAISED)}", bare)
        numbers = tuple(NUMBER.findall(bare))
    return Told(numbers, exact, parts[-1], proof)


def from_unicode(text, proof=()):
    signs = re.findall(r" (=|≈) (?![^\[]*\])", text)
    return from_parts(re.split(r" (?:=|≈) (?![^\[]*\])", text), signs[-1] == "=", proof)


def proof_of(text):
    verdict = MARKS[text[0]]
    return (verdict,) if verdict == "kink" else (verdict, *SIGNED.findall(text))


def unicode_lines(rows, indent):
    """Yield the lines of arithmetic of rows, each with what is continued below it."""
    told = []
    for row in rows:
        text = row.strip()
        if not text:
            continue
        if re.match(rf" {{{indent + 1},}}[✓✗?]", row):
            told[-1][1] = text
        elif row.startswith(" " * (indent + 1)):
            part = 1 if told[-1][1] else 0
            told[-1][part] += " " + text
        else:
            told.append([text, ""])
    return [from_unicode(line, proof_of(proof) if proof else ()) for line, proof in told]


def of_terminal(told, style, document, width):
    text = told.to_terminal(detail="neurons", width=width, **style)
    parts = [part for section in document.sections for part in (section, *section.parts)]
    of_lines = {p.title for p in parts if any(isinstance(block, Lines) for block in p.blocks)}
    rows, inside = [], False
    for row in text.splitlines():
        if row in {part.title for part in parts} - {""}:
            inside = row in of_lines
        elif inside and row.startswith("  "):
            rows.append(row)
    return unicode_lines(rows, 2)


def of_markdown(told, style, document):
    text = told.to_markdown(detail="neurons", **style)
    blocks = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
    lines = [block for block in blocks if not re.search("[┤█▏]", block)]  # what is no drawing
    return unicode_lines([row for block in lines for row in block.splitlines()], 0)


class Rows(HTMLParser):
    """The rows of the tables of lines: those with an equals sign in the fourth cell."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.open = [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        if tag == "td":
            self.rows[-1].append("")
            self.open = True

    def handle_endtag(self, tag):
        self.open = self.open and tag != "td"

    def handle_data(self, data):
        if self.open:
            self.rows[-1][-1] += data


def of_fragment(document):
    for row in Rows(fragment.write_document(document)).rows:
        if len(row) >= 4 and row[3][:2] in ("= ", "≈ "):
            left, formula, numbers, result, *proof = row
            parts = [left, formula, *([numbers] if numbers else []), result[2:]]
            yield from_parts(parts, result[0] == "=", proof_of(proof[0]) if any(proof) else ())


def first_rows(document):
    """Return the lines that the piece of HTML has room for."""
    expected = iter(expected_of(document))
    parts = [part for section in document.sections for part in (section, *section.parts)]
    for block in (block for part in parts for block in part.blocks):
        if isinstance(block, Lines):
            yield from [next(expected) for _ in block.lines][:MOST_ROWS]


# LaTeX: the document, the notebook, the formulas of the JSON

POWER_OF_TEN = re.compile(r"(\d+(?:\.\d+)?)\\times 10\^\{(-?\d+)\}")


IN_LATEX = {r"\checkmark": "right", r"\boldsymbol{\times}": "wrong", "?": "kink"}


def plain_numbers(latex):
    text = POWER_OF_TEN.sub(lambda m: f"{m[1]}e{int(m[2]):+03d}", latex)
    return text.replace(r"\infty", "inf").replace(r"\mathrm{nan}", "nan")


def from_latex(text, proof=""):
    equation = plain_numbers(text)
    signs = re.findall(r"(=|\\approx)(?![^\[\]]*\])", equation)
    parts = re.split(r" *(?:=|\\approx)(?![^\[\]]*\]) *", equation)
    numbers = None
    if len(parts) == 4:
        numbers = tuple(NUMBER.findall(re.sub(r"\[\\text\{[^{}]*\}: ", "[", parts[2])))
    found = ()
    if proof:
        mark, _, rest = proof.partition(r"\;\, ")
        verdict = IN_LATEX[mark]
        bare = re.sub(r"\\text\{[^{}]*\}", " ", plain_numbers(rest))
        found = (verdict, *(SIGNED.findall(bare) if verdict != "kink" else ()))
    return Told(numbers, signs[-1] == "=", parts[-1].strip(), found)


def latex_lines(block):
    told = []
    for row in block.strip().splitlines():
        formula = re.sub(r" ?\\\\\*?(\[4pt\])?$", "", row.partition(" % ")[0])
        formula, _, proof = formula.partition(r"quad {\scriptstyle ")
        formula = re.sub(r"\\q?$", "", formula.rstrip()).rstrip()
        left, _, right = formula.partition("&")
        if left:
            told.append([f"{left} {right}", ""])
        else:
            told[-1][0] += " " + right
        if proof:
            told[-1][1] = proof.removesuffix("}")
    return [from_latex(re.sub(r"\\quad ", "", line), proof) for line, proof in told]


def of_latex(told, style, document):
    text = told.to_latex(detail="neurons", **style)
    ids = re.findall(r"^.* % (\S+)$", text.split(r"\begin{document}")[1], re.MULTILINE)
    assert ids == [line.step.id for line in document.lines()]
    blocks = re.findall(r"\\begin\{align\*\}(.*?)\\end\{align\*\}", text, re.DOTALL)
    return [line for block in blocks for line in latex_lines(block)]


def of_notebook(told, style, document):
    cells = json.loads(told.to_notebook(detail="neurons", **style))["cells"]
    text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    blocks = re.findall(r"\\begin\{aligned\}(.*?)\\end\{aligned\}", text, re.DOTALL)
    return [line for block in blocks for line in latex_lines(block)]


def in_code(told, style):
    """Return the ids and numbers that the notebook's code compares."""
    cells = json.loads(told.to_notebook(detail="neurons", **style))["cells"]
    code = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
    return re.findall(r'^        "([^"]+)": "([^"]+)",$', code, re.MULTILINE)


# JSON


def of_json(told, style, document):
    for step in json.loads(told.to_json(**style))["steps"]:
        proof = step.get("proof", {})
        found = tuple(
            proof[key] for key in ("verdict", "measured", "relative_error") if key in proof
        )
        numbers = tuple(NUMBER.findall(step["expression"])) if step["from"] else None
        yield Told(numbers, step["exact"], step["shown"], found)
        in_formula = from_latex(step["latex"])
        assert (in_formula.shown, in_formula.exact) == (step["shown"], step["exact"])
        assert in_formula.numbers in (None, numbers), step


# words


def from_words(text, words):
    """Return what is said with its numbers as they are displayed."""
    power = re.escape(words["ten"]).replace(r"\{number\}", r"([\d.]+)")
    minus = words["negative"].format(number="")
    text = re.sub(
        power.replace(r"\{exponent\}", rf"({minus})?(\d+)"),
        lambda m: f"{m[1]}e{int(('-' if m[2] else '') + m[3]):+03d}",
        text,
    )
    left_out = (
        re.escape(words["rest"])
        .replace(r"\{more\}", r"(?:[\d,]+ more|其余 [\d,]+ 项)")
        .replace(r"\{number\}", "")
    )
    for gone in (left_out, *words["if"].format(left="|", relation="|", right="|").split("|")):
        text = re.sub(gone, "", text) if gone.strip() else text
    text = text.replace(
        words["squared"].format(base=""), words["power"].format(base="", exponent=2)
    )
    text = text.replace(words["inf"], "inf").replace(words["nan"], "nan")
    return text.replace(minus.strip() + " ", "-").strip(". 。")


def of_spoken(told, style, document):
    """Yield the lines of what is said: a formula, its numbers below it, what the referee found."""
    words = SPOKEN[document.style.language]
    verdicts = {words[verdict] + words[":"]: verdict for verdict in MARKS.values()}
    in_numbers = words["numbers"].format(formula="")
    titles = {
        said(part.title, words) + words["."]
        for section in document.sections
        for part in (section, *section.parts)
        if any(isinstance(block, Lines) for block in part.blocks)
    }
    asides = {
        said(block.text, words)
        for section in document.sections
        for part in (section, *section.parts)
        for block in part.blocks
        if isinstance(block, Sentence)
    }
    lines = []
    for paragraph in told.to("spoken", detail="neurons", **style).split("\n\n"):
        title, *rows = paragraph.rstrip("\n").split("\n")
        if title not in titles:
            continue
        for row in (row for row in rows if row not in asides):
            verdict = next((v for begins, v in verdicts.items() if row.startswith(begins)), None)
            if verdict is not None:
                found = () if verdict == "kink" else SIGNED.findall(from_words(row, words))
                lines[-1][1] = (verdict, *found)
            elif row.startswith(in_numbers):
                lines[-1][0] = row.removeprefix(in_numbers)
                lines[-1][2] = True
            elif words["="] in row or words["≈"] in row:
                lines.append([row, (), False])
    for text, proof, put_in in lines:
        formula, sign, result = re.split(f"({words['=']}|{words['≈']})(?!.*{words['=']})", text)[
            -3:
        ]
        numbers = tuple(NUMBER.findall(from_words(formula, words))) if put_in else None
        yield Told(numbers, sign == words["="], from_words(result, words), proof)


# MathML and SVG

MATHML_POWER = re.compile(
    r"<mn>([−\d.]+)</mn><mo>×</mo><msup><mn>10</mn><mn>(−?\d+)</mn></msup>"
)  # fmt: skip


def words_of(markup):
    """Return what markup says, powers of ten as Python writes them."""

    def power(found):
        return f"<mn>{found[1]}e{int(found[2].replace('−', '-')):+03d}</mn>"

    text = re.sub(r"<mtext>.*?</mtext>", "", MATHML_POWER.sub(power, markup))
    text = re.sub(r"<mi>([−-]?)∞</mi>", r" \1inf ", text).replace("<mi>NaN</mi>", " nan ")
    return re.sub(r"<[^>]*>", " ", text).replace("−", "-")


def of_html(told, style, document):
    page = told.to_html(detail="neurons", **style)
    for name, line in re.findall(r'<li class="line step" id="([^"]*)">(.*?)</li>', page, re.DOTALL):
        numbers = re.search(r'<span class="numbers">(.*?)</span>', line)
        result = words_of(re.search(r'<math class="result[^"]*">(.*?)</math>', line)[1]).split()
        proof = re.search(r'<span class="proof (\w+)">(.*)</span>', line, re.DOTALL)
        found = ()
        if proof is not None:
            measured = SIGNED.findall(words_of(proof[2])) if proof[1] != "kink" else ()
            found = (proof[1], *measured)
        put_in = tuple(NUMBER.findall(words_of(numbers[1]))) if numbers else None
        yield name, Told(put_in, result[0] == "=", "".join(result[1:]), found)


def of_svg(told, style):
    """Return the ids and numbers of the neurons in the picture."""
    rows = (
        r'<g class="row [^"]*" data-id="([^"]*)">.*?<text class="number[^"]*"[^>]*>([^<]*)</text>'
    )
    return re.findall(rows, told.to_svg(**style))
