"""Every English sentence, or part of one, that the package can say, found in its source."""

import ast
import re
from pathlib import Path

from deltaprop import __file__ as package
from deltaprop.explaining.language import LANGUAGES
from deltaprop.practice.wording import WORDINGS
from deltaprop.reporting.language import WORDS as REPORTS

ROOT = Path(package).parent
KEYS = {*LANGUAGES["en"], *WORDINGS["en"], *REPORTS["en"]}  # they name sentences of wordings
KEYS |= {key.removeprefix("finding ") for key in KEYS}

# Where texts are no sentences, or have their Chinese beside them.
_ELSEWHERE = re.compile(
    r"(^|/)(language|languages)/|wording\.py$|/renderers/(html|latex|notebook|json)|/spoken\.py$"
    r"|^notation/(?!digits|ids|languages)|/sheets/|/moodle/|^reporting/page/|^benchmark/peers"
    r"|/classroom/page\.py$|^checking/mistakes/|_native|^__init__|^estimators/documentation"
    r"|^explaining/document/outline|^tabular/reading/(units|encodings)\.py|^training/metrics"
    r"|^table_models/__init__"
)
# What only Python says: the command line has no way there.
_FROM_PYTHON = re.compile(
    r"^estimators/(?!files|as_table_model|plain|inputs)|^functional/(loss_checks|registry|arrays)"
    r"|^training/(members|settings|optimizers/|schedules|batches)|^tabular/reading/(frames|series)"
    r"|^tabular/encoding/matrix|^functional/(activations|initializers|rounding)|^checking/given"
    r"|^table_models/calibration|^masked|^model/layers"
)
_NO_SENTENCE = re.compile(
    r"\(\\[dS]|\(\.\*\)|^<|\\[a-z]+ ?[_{]|^\w+\[|^[a-z]\w+\.\d( \w+\.\d.*)?$|^(z|a)\.1 |^b\.1\.after|\d, (level|seed) \{"
    r"|^import |[\u4e00-\u9fff]|\\n  deltaprop|\x08|^can't start new|^Resource temp|^\{\w+\} \* $"
)
_WORDS = re.compile(
    r"[A-Za-z]{2,}[,:;.]? [A-Za-z({'\"-]|[a-z]{2,}[,:;]? \{|\} [a-z]{2,}|^[A-Z][a-z]+ \S+.*[.?]$"
)


def _field(node, taken):
    """Return a name for what stands in braces: the last name that is read in it."""
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "count":
        name = (
            f"{node.args[1].value.split()[-1]}s" if isinstance(node.args[1], ast.Constant) else "n"
        )
    elif isinstance(node, ast.IfExp):
        name = "whether"
    else:
        names = [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]
        names += [n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)]
        no = {
            "len",
            "plain",
            "shown",
            "str",
            "join",
            "names",
            "sorted",
            "map",
            "repr",
            "name_of",
            "type",
            "abs",
            "describe",
            "count",
            "of",
        }
        names = [n.strip("_").lower() for n in names if n not in no] or ["what"]
        name = names[-1]
    base, i = name, 2
    while name in taken:
        name, i = f"{base}{i}", i + 1
    taken.append(name)
    return name


def template_of(node):
    """Return the text of a literal, with names in braces for what it is filled with."""
    if isinstance(node, ast.Constant):
        return node.value.replace("{", "{{").replace("}", "}}")
    taken = []
    return "".join(
        template_of(v) if isinstance(v, ast.Constant) else "{" + _field(v.value, taken) + "}"
        for v in node.values
    )


def skeleton(template):
    return re.sub(r"\{\w*(!t)?\}", "{}", template)


def _docstrings(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                yield first.value


def _literals(tree):
    """Yield each literal that stands by itself, and the phrases chosen from within another."""
    inside = {id(v) for n in ast.walk(tree) if isinstance(n, ast.JoinedStr) for v in n.values}
    keys = {id(n.slice) for n in ast.walk(tree) if isinstance(n, ast.Subscript)}
    keys |= {
        id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr == "split"
    }
    docs = {id(node) for node in _docstrings(tree)}
    specs = {id(n.format_spec) for n in ast.walk(tree) if isinstance(n, ast.FormattedValue)}
    for node in ast.walk(tree):
        if id(node) in inside | keys | docs | specs:
            continue
        if (isinstance(node, ast.Constant) and isinstance(node.value, str)) or isinstance(
            node, ast.JoinedStr
        ):
            yield node


def _chosen(tree):
    """Yield the words chosen between within a sentence: {'a' if ... else 'b'}."""
    for joined in ast.walk(tree):
        if isinstance(joined, ast.JoinedStr):
            for field in joined.values:
                if isinstance(field, ast.FormattedValue):
                    for node in ast.walk(field.value):
                        if isinstance(node, ast.IfExp):
                            yield from (node.body, node.orelse)


def _paragraphs(text):
    return [" ".join(each.split()) for each in re.split(r"\n\s*\n", text.strip())]


def sentences_of(path):
    """Return the templates in a file."""
    tree = ast.parse(path.read_text("utf-8"))
    found = {}
    for node in _literals(tree):
        text = template_of(node)
        if _WORDS.search(text) and not _NO_SENTENCE.search(text):
            found.setdefault(text, node.lineno)
    for node in _chosen(tree):
        if isinstance(node, ast.Constant | ast.JoinedStr) and isinstance(
            getattr(node, "value", ""), str
        ):
            text = template_of(node)
            if re.search(r"[A-Za-z]{2,}", text):
                found.setdefault(text, node.lineno)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if (
                name == "count"
                and len(node.args) > 1
                and isinstance(getattr(node.args[1], "value", None), str)
            ):
                found.setdefault("{n} " + node.args[1].value, node.lineno)
                found.setdefault("{n} " + node.args[1].value + "s", node.lineno)
            if name == "UnknownNameError" and isinstance(node.args[0], ast.Constant):
                found.setdefault(node.args[0].value, node.lineno)
    if path.parent.name == "cli" and path.stem != "main":
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name == path.stem:
                for text in _paragraphs(ast.get_docstring(node) or ""):
                    found.setdefault(text, node.lineno)
    return found


def all_sentences():
    """Return the templates of the package by file."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if not _ELSEWHERE.search(name) and not _FROM_PYTHON.search(name):
            own = {text: at for text, at in sentences_of(path).items() if text not in KEYS}
            if own:
                found[name] = own
    return found


if __name__ == "__main__":
    n = 0
    for name, own in all_sentences().items():
        print("##", name)
        for text in own:
            n += 1
            print(repr(text))
    print(n)
