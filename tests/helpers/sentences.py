"""Every English sentence, or part of one, that the command line can say, found in the source."""

import ast
import re
from pathlib import Path

from deltaprop import __file__ as package
from deltaprop.explaining.language import LANGUAGES
from deltaprop.practice.wording import WORDINGS
from deltaprop.reporting.language import WORDS as REPORTS

ROOT = Path(package).parent
_TABLES = (LANGUAGES["en"], WORDINGS["en"], REPORTS["en"])
# they name sentences of a wording
_KEYS = {key for table in _TABLES for key in table}
_KEYS |= {key.removeprefix("finding ") for key in _KEYS}

# Where texts are no sentences, or have their Chinese beside them.
_ELSEWHERE = re.compile(
    r"(^|/)(language|languages)/|wording\.py$|/renderers/(html|latex|notebook|json)|/spoken(_words)?\.py$"
    r"|^notation/(?!digits|ids|languages)|/sheets/|/moodle/|^reporting/page/|^benchmark/peers"
    r"|/classroom/page\.py$|^checking/mistakes/|_native|^__init__|^estimators/documentation"
    r"|^explaining/document/outline|^interop/written/|^exporting/written|^tabular/reading/(units|encodings)\.py|^training/metrics"
    r"|^table_models/__init__|^explaining/live/"
)
_NO_SENTENCE = re.compile(
    r"\(\\[dS]|\(\.\*\)|^<|\\[a-z]+ ?[_{]|^\w+\[|^import |[\u4e00-\u9fff]|\x08"  # patterns, markup
    r"|^[a-z]\w+\.\d( \w+\.\d.*)?$|^(z|a)\.1 |^b\.1\.after|\d, (level|seed) \{|^\{\w+\} \* $"
    r"|\\leftarrow|^\\lambda|^\(delta_|omega\.T$"  # formulas of layers and optimizers
    r"|\\n  deltaprop|^can't start new|^Resource temp"
)
_WORDS = re.compile(
    r"[A-Za-z]{2,}[,:;.]? [A-Za-z({'\"-]|[a-z]{2,}[,:;]? \{|\} [a-z]{2,}|^[A-Z][a-z]+( \S+.*)?[.?]$"
)
_NO_NAMES = {
    "len", "plain", "shown", "str", "join", "names", "sorted", "map", "repr", "name_of", "type",
    "abs", "describe", "count", "of",
}  # fmt: skip


def all_sentences():
    """Return the templates of the package by file, with the lines where they stand."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if not _ELSEWHERE.search(name):
            own = {text: at for text, at in _sentences_of(path).items() if text not in _KEYS}
            if own:
                found[name] = own
    return found


def _sentences_of(path):
    tree = ast.parse(path.read_text("utf-8"))
    nodes = list(ast.walk(tree))
    found = {}
    for node in _literals(nodes):
        text = _template_of(node)
        if _WORDS.search(text) and not _NO_SENTENCE.search(text):
            found.setdefault(text, node.lineno)
    for text, line in (*_chosen(nodes), *_counted(nodes), *_kinds(nodes)):
        found.setdefault(text, line)
    if path.parent.name == "cli" and path.stem != "main":
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name == path.stem:
                for paragraph in re.split(r"\n\s*\n", ast.get_docstring(node) or ""):
                    found.setdefault(" ".join(paragraph.split()), node.lineno)
    return found


def _template_of(node):
    """Return the text of a literal, with names in braces for what it is filled with."""
    if isinstance(node, ast.Constant):
        return node.value.replace("{", "{{").replace("}", "}}")
    taken = []
    parts = (
        _template_of(part) if isinstance(part, ast.Constant) else _field(part.value, taken)
        for part in node.values
    )
    return "".join(parts)


def _field(node, taken):
    """Return a field, called as what is read last for it."""
    names = [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]
    names += [n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)]
    names = [name.strip("_").lower() for name in names if name not in _NO_NAMES]
    base = "whether" if isinstance(node, ast.IfExp) else ["what", *names][-1]
    name = base if base not in taken else f"{base}{taken.count(base) + 1}"
    taken.append(base)
    return "{" + name + "}"


def _literals(nodes):
    """Yield each literal that stands by itself, and those within the fields of another."""
    no = set()
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            no |= {id(part) for part in node.values}
        elif isinstance(node, ast.FormattedValue):
            no.add(id(node.format_spec))
        elif isinstance(node, ast.Subscript):
            no.add(id(node.slice))
        elif isinstance(node, ast.Expr) or getattr(node, "attr", "") == "split":
            no.add(id(node.value))  # a docstring, or words in a text
    for node in nodes:
        if id(node) not in no and (_is_text(node) or isinstance(node, ast.JoinedStr)):
            yield node


def _is_text(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _chosen(nodes):
    """Yield the words chosen between within a sentence: {'a' if ... else 'b'}."""
    fields = (node.value for node in nodes if isinstance(node, ast.FormattedValue))
    for choice in (n for field in fields for n in ast.walk(field) if isinstance(n, ast.IfExp)):
        for node in (choice.body, choice.orelse):
            if _is_text(node) or isinstance(node, ast.JoinedStr):
                text = _template_of(node)
                if re.search(r"[A-Za-z]{2,}", text):
                    yield text, node.lineno


def _calls(nodes, function, place):
    """Yield the text that a function is called with in a place."""
    for node in nodes:
        called = getattr(getattr(node, "func", None), "id", "")
        if called == function and len(node.args) > place and _is_text(node.args[place]):
            yield node.args[place].value, node.lineno


def _counted(nodes):
    for noun, line in _calls(nodes, "count", 1):
        yield from (("{n} " + noun, line), ("{n} " + noun + "s", line))


def _kinds(nodes):
    return _calls(nodes, "UnknownNameError", 0)
