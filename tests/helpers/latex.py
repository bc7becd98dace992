"""LaTeX read back as arithmetic."""

import math
import re
import shutil
import subprocess

import pytest

from deltaprop.explaining.document.style import Style
from deltaprop.explaining.renderers.json import to_data
from deltaprop.notation.latex import (
    latex_number,
)

# LaTeX read back as arithmetic


class Reader:
    """Reads the arithmetic of formulas in LaTeX, knowing LaTeX and not the renderer."""

    TOKEN = re.compile(r"\s*(\\[A-Za-z]+|\d+\.?\d*|\.\d+|.)")
    RELATIONS = {">": ">", "<": "<", "=": "==", r"\ge": ">=", r"\le": "<="}  # noqa: RUF012

    def __init__(self, text):
        self.tokens = [t for t in self.TOKEN.findall(text) if t not in (r"\left", r"\right")]
        self.at = 0

    def read(self):
        value = self.sum()
        assert self.at == len(self.tokens), self.tokens[self.at :]
        return value

    @property
    def here(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, *expected):
        token = self.here
        assert not expected or token in expected, (token, expected, "".join(self.tokens))
        self.at += 1
        return token

    def sum(self):
        sign = -1 if self.here == "-" and self.take() else 1
        value = sign * self.product()
        while self.here in ("+", "-"):
            sign = 1 if self.take() == "+" else -1
            value += sign * self.product()
        return value

    def product(self):
        value = self.power()
        while self.here in (r"\times", r"\cdot", "/"):
            if self.take() == "/":
                value /= self.power()
            else:
                value *= self.power()
        return value

    def power(self):
        base = self.atom()
        if self.here == "^":
            self.take()
            base **= self.group()
        return base

    def group(self):
        self.take("{")
        value = self.sum()
        self.take("}")
        return value

    def atom(self):
        token = self.take()
        if token[0].isdigit() or token[0] == ".":
            return float(token)
        if token == "(":
            value = self.sum()
            self.take(")")
            return value
        if token == "[":
            return self.bracket()
        if token == "|":
            value = self.sum()
            self.take("|")
            return abs(value)
        if token == r"\frac":
            above = self.group()
            return above / self.group()
        if token == r"\sqrt":
            return math.sqrt(self.group())
        if token == r"\mathrm":
            return self.upright()
        return {r"\ln": math.log, r"\exp": math.exp, r"\tanh": math.tanh, r"\max": max}[token](
            *self.arguments()
        )

    def upright(self):
        self.take("{")
        name = ""
        while self.here != "}":
            name += self.take()
        self.take("}")
        if name == "e":
            self.take("^")
            return math.exp(self.group())
        assert name == "erf", name
        return math.erf(*self.arguments())

    def arguments(self):
        self.take("(")
        values = [self.sum()]
        while self.here == ",":
            self.take()
            values.append(self.sum())
        self.take(")")
        return values

    def bracket(self):
        if self.here == r"\text":  # [13 more: 0.5]
            while self.take() != ":":
                pass
            value = self.sum()
            self.take("]")
            return value
        left = self.sum()
        relation = self.RELATIONS[self.take()]
        right = self.sum()
        self.take("]")
        return float(eval(f"{left!r} {relation} {right!r}"))


def read_back(formula):
    try:
        return Reader(formula).read()
    except OverflowError:
        return math.inf


PYTHON = {"exp": math.exp, "log": math.log, "tanh": math.tanh, "max": max, "sqrt": math.sqrt,
          "abs": abs, "erf": math.erf}  # fmt: skip


PROOF = re.compile(r" *\\q?quad \{\\scriptstyle (.*)\}$")


def equations_and_proofs(document):
    """Return by id the equation of a document, its rows joined; and the proof beside it."""
    found, proofs = {}, {}
    for block in re.findall(r"\\begin\{align\*\}(.*?)\\end\{align\*\}", document, re.DOTALL):
        name = None
        for row in block.strip().splitlines():
            formula, _, comment = row.partition(" % ")
            formula = re.sub(r" \\\\\*?(\[4pt\])?$", "", formula)
            name = comment or name
            if name is None:
                continue
            proof = PROOF.search(formula)
            if proof:
                formula = formula[: proof.start()].rstrip("&")
                proofs[name] = proof[1]
            before = "" if comment else found[name]
            found[name] = (
                before + " " + formula.replace("&", " ", 1).replace(r"\quad ", "")
            ).strip()
    return found, proofs


def equations_of(document):
    return equations_and_proofs(document)[0]


def same_as_json(explanation, document):
    """Hold the numbers of a document against those of the JSON, line by line."""
    equations, proofs = equations_and_proofs(document)
    steps = to_data(explanation.document(Style(detail="neurons")), explanation)["steps"]
    assert list(equations) == [step["id"] for step in steps]
    assert list(proofs) == [step["id"] for step in steps if "proof" in step]
    for step in steps:
        parts = re.split(r" *(?:=|\\approx)(?![^\[\]]*\]) *", equations[step["id"]])
        assert parts[-1] == latex_number(step["shown"]), step
        relation = r"\approx" if not step["exact"] else "="
        assert equations[step["id"]].rstrip().endswith(f"{relation} {parts[-1]}")
        if len(parts) == 4:
            expected = eval(step["expression"], {"__builtins__": {}}, PYTHON)
            assert read_back(parts[-2]) == pytest.approx(expected, rel=1e-12), (step, parts)


def compiled(document, engine, folder, *, every_character=True):
    """Compile a document; skip where there is no LaTeX, fail where a line is too long."""
    if shutil.which(engine) is None:
        pytest.skip(f"no {engine} here")
    (folder / "it.tex").write_text(document, encoding="utf-8")
    done = subprocess.run(
        [engine, "-interaction=nonstopmode", "-halt-on-error", "it.tex"],
        cwd=folder, capture_output=True, timeout=300, check=False,
    )  # fmt: skip
    log = (folder / "it.log").read_text(encoding="utf-8", errors="replace")
    if "ctexart.cls' not found" in log:
        pytest.skip("no ctex here")
    assert done.returncode == 0, log[-3000:]
    assert "Overfull \\hbox" not in log
    assert not every_character or "Missing character" not in log
    assert (folder / "it.pdf").stat().st_size > 10_000
