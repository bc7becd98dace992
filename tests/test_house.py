"""The shape of the house: what import-linter does not see."""

import ast
import re
from pathlib import Path

import pytest

from deltaprop import __file__ as package

ROOT = Path(package).parent
REPOSITORY = Path(__file__).parent.parent
ARCHITECTURE = (REPOSITORY / "docs" / "architecture.md").read_text("utf-8")
TO_ADD = re.findall(
    r"^\| (an? .*?) \| (.*?) \| (.*?) \|$",
    ARCHITECTURE.split("## To add a")[1].split("\n## ")[0],
    re.MULTILINE,
)
MODULES = {
    ".".join(("deltaprop", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(
        ".__init__"
    ): path
    for path in ROOT.rglob("*.py")
}


def imports_of(nodes):
    """Yield what is imported at run time, at the top and in functions; not for types alone."""
    for node in nodes:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from imports_of(node.orelse)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for name in node.names:
                full = f"{node.module}.{name.name}"
                yield full if full in MODULES else node.module
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        else:
            yield from imports_of(ast.iter_child_nodes(node))


def test_no_modules_import_each_other_in_a_circle():
    graph = {
        name: set(imports_of(ast.parse(path.read_text("utf-8")).body)) & {*MODULES}
        for name, path in MODULES.items()
        if name != "deltaprop"  # the front door names everything, and imports it when it is used
    }
    left = {name: {other for other in found if other in graph} for name, found in graph.items()}
    while free := [name for name, found in left.items() if not found - {name}]:
        for name in free:
            del left[name]
        left = {name: found - {*free} for name, found in left.items()}
    assert not left, f"in circles, or above one: {sorted(left)}"


def words_of(path):
    """Return the words of a file's code: names and texts, without docstrings and comments."""
    text = path.read_text("utf-8")
    if path.suffix != ".py":
        return {path.stem, *re.findall(r"\w+", re.sub(r"//.*", "", text))}
    found, nodes = {path.stem}, list(ast.walk(ast.parse(text)))
    docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= set() if id(node) in docstrings else {*re.findall(r"\w+", node.value)}
        name = getattr(node, "name", None) or getattr(node, "id", None)
        found.add(name or getattr(node, "attr", None))
    return found


@pytest.fixture(scope="module")
def code():
    paths = [*ROOT.rglob("*.py")]
    paths += [p for end in ("cpp", "hpp", "def") for p in (REPOSITORY / "native").rglob(f"*.{end}")]
    return {path: words_of(path) for path in paths}


def place(name):
    return REPOSITORY / name if name.startswith("native/") else ROOT / name


def test_the_table_of_what_to_touch_is_there():
    assert len(TO_ADD) >= 8


@pytest.mark.parametrize(("what", "touch", "words"), TO_ADD)
def test_what_is_touched_to_add_something(code, what, touch, words):
    named = {place(name) for name in re.findall(r"`([^`]+)`", touch)}
    there = {path for path, found in code.items() if found & set(words.split(", "))}
    assert {str(path) for path in named} == {str(path) for path in there}, what


def test_every_door_of_the_walk_is_there():
    walk = ARCHITECTURE.split("## From a CSV to an explained number")[1].split("\n## ")[0]
    doors = re.findall(r"`([\w/]+\.(?:py|cpp))`", walk)
    assert len(doors) > 25
    assert [door for door in doors if not place(door).exists()] == []
