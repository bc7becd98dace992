"""The shape of the house: what import-linter does not see."""

import ast
import functools
import re
import tomllib
from pathlib import Path

import pytest

from deltaprop import __file__ as package
from deltaprop.checking.mistakes import MISTAKES
from deltaprop.explaining.renderers.registry import RENDERERS
from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.functional.initializers import INITIALIZERS
from deltaprop.functional.losses import LOSSES
from deltaprop.model.layers import LAYERS
from deltaprop.practice.exercises.levels import LEVELS
from deltaprop.tabular.encoding.kinds import COLUMN_KINDS
from deltaprop.training.optimizers import OPTIMIZERS
from deltaprop.training.schedules import SCHEDULES

ROOT = Path(package).parent
REPOSITORY = Path(__file__).parent.parent
ARCHITECTURE = (REPOSITORY / "docs" / "architecture.md").read_text("utf-8")
TO_ADD = re.findall(
    r"^\| (an? .*?) \| (.*?) \| (.*?) \| (.*?) \|$",
    ARCHITECTURE.split("## To add a")[1].split("\n## ")[0],
    re.MULTILINE,
)
MODULES = {
    ".".join(("deltaprop", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(
        ".__init__"
    ): path
    for path in ROOT.rglob("*.py")
}


@functools.cache
def tree_of(path):
    return ast.parse(path.read_text("utf-8"))


def imports_of(nodes):
    """Yield what is imported at run time, at the top and in functions; not for types alone."""
    for node in nodes:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            yield from imports_of(node.orelse)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for name in node.names:
                full = f"{node.module}.{name.name}"
                yield full if full in MODULES else node.module
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        else:
            yield from imports_of(ast.iter_child_nodes(node))


@pytest.mark.slow
def test_no_modules_import_each_other_in_a_circle():
    graph = {
        name: set(imports_of(tree_of(path).body)) & {*MODULES}
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
    if path.suffix != ".py":
        text = path.read_text("utf-8")
        if path.suffix == ".po":  # sentences are no words of the code; what they are of is
            return {*re.findall(r"^#\. (\w+)", text, re.MULTILINE)}
        return {path.stem, *re.findall(r"\w+", re.sub(r"//.*", "", text))}
    found, nodes = {path.stem}, list(ast.walk(tree_of(path)))
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
    paths += [*ROOT.rglob("*.css"), *ROOT.rglob("*.po")]
    return {path: words_of(path) for path in paths}


def place(name):
    return REPOSITORY / name if name.startswith("native/") else ROOT / name


def test_the_table_of_what_to_touch_is_there():
    assert len(TO_ADD) >= 13


@pytest.mark.parametrize(("what", "touch", "tests", "words"), TO_ADD)
def test_what_is_touched_to_add_something(code, what, touch, tests, words):
    named = {place(name) for name in re.findall(r"`([^`]+)`", touch)}
    there = {path for path, found in code.items() if found & set(words.split(", "))}
    assert {str(path) for path in named} == {str(path) for path in there}, what


REGISTRIES = {
    "an activation": ACTIVATIONS, "a loss": LOSSES, "an initializer": INITIALIZERS,
    "an optimizer": OPTIMIZERS, "a learning rate schedule, or a setting of one": SCHEDULES,
    "a layer": LAYERS,
    "a kind of column": COLUMN_KINDS, "a form of explanation": RENDERERS,
    "a named mistake": MISTAKES, "a level of practice": LEVELS,
}  # fmt: skip


def tables_in(text):
    """Return the constants of each list and the constant keys of each mapping in a text."""
    tables = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Dict | ast.List)]
    entries = [node.keys if isinstance(node, ast.Dict) else node.elts for node in tables]
    return [{n.value for n in found if isinstance(n, ast.Constant)} for found in entries]


def tables_of(names, tables):
    """Return the tables that have an entry for each of these names."""
    return [table for table in tables if {*names} <= table]


@pytest.fixture(scope="module")
def tests():
    paths = (REPOSITORY / "tests").rglob("*.py")
    return {p.relative_to(REPOSITORY).as_posix(): tables_in(p.read_text("utf-8")) for p in paths}


@pytest.mark.parametrize(
    ("what", "named"), [(what, named) for what, _, named, _ in TO_ADD if what in REGISTRIES]
)
def test_what_is_written_in_tests_to_add_something(tests, what, named):
    """What has a row for everything there is wants another; the rest reads the registry."""
    needed, _, where_it_can = named.partition("also")
    needed, more = (set(re.findall(r"`([^`]+)`", part)) for part in (needed, where_it_can))
    found = {f for f, tables in tests.items() if tables_of(REGISTRIES[what], tables)}
    assert needed <= found <= needed | more, what


def test_every_registry_of_the_table_has_a_row():
    assert {*REGISTRIES} <= {what for what, *_ in TO_ADD}


def test_a_table_with_a_row_for_everything_is_seen():
    for code, n in (("{'a': 1, 'b': 2, 'c': 3}", 1), ("['a', 'b']", 1), ("{'a': {'b': 1}}", 0)):
        assert len(tables_of("ab", tables_in(code))) == n


def test_every_door_of_the_walk_is_there():
    walk = ARCHITECTURE.split("## From a CSV to an explained number")[1].split("\n## ")[0]
    doors = re.findall(r"`([\w/]+\.(?:py|cpp))`", walk)
    assert len(doors) > 25
    assert [door for door in doors if not place(door).exists()] == []


def rooms():
    """Yield the folders in the list of rooms that have files named in them, and these names."""
    folders, found = [], {}
    for line in ARCHITECTURE.split("```text")[1].split("```")[0].splitlines():
        indent = len(line) - len(line.lstrip())
        folders = [(margin, name) for margin, name in folders if margin < indent]
        opened = re.match(r"\s*((?:\w+/)+)(?:\s|$)", line)
        folders += [(indent, opened[1])] if opened else []
        found.setdefault("".join(name for _, name in folders), []).append(line)
    for room, lines in found.items():
        names = re.findall(r"[\w*/]+\.(?:py|cpp|hpp)\b", "\n".join(lines))
        if names:
            yield room, names


@pytest.mark.parametrize(("room", "names"), [*rooms()])
def test_the_list_of_rooms_names_what_is_there(room, names):
    folder = REPOSITORY / room
    gone = {n for n in names if not [*folder.glob(n), *REPOSITORY.glob(n), *ROOT.glob(n)]}
    assert gone == set(), f"{room} of docs/architecture.md has no such file"
    if folder == ROOT or ROOT in folder.parents:
        there = {path.name for path in folder.glob("*.py")} - {"__init__.py"}
        assert there - {*names} == set(), f"{room} of docs/architecture.md does not name them"


GUIDES = [REPOSITORY / "CONTRIBUTING.md", REPOSITORY / "native" / "README.md"]
GUIDES += sorted(ROOT.rglob("README.md"))


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_what_a_guide_sends_one_to_is_there(guide):
    """A path, or a file of the room that the guide stands in."""
    text = guide.read_text("utf-8")
    names = re.findall(r"`((?:[\w.-]+/)+[\w.-]+|[\w-]+\.(?:py|css|js|cpp|hpp|def))`", text)
    assert len(names) >= 5

    def is_there(name):
        folders = [REPOSITORY, ROOT, guide.parent]
        if any(folder.joinpath(name + end).exists() for folder in folders for end in ("", ".py")):
            return True
        room = guide.parent if guide.parent != REPOSITORY else REPOSITORY / "tests"
        return any(room.rglob(name))

    assert [name for name in names if not name.startswith("..") and not is_there(name)] == []


def asks_for_a_kind(node):
    """Tell whether code chooses by the name of a kind of column, or may by its class."""
    if isinstance(node, ast.ImportFrom):
        return "tabular.encoding.kinds." in (node.module or "")
    compares = isinstance(node, ast.Compare | ast.Match)
    if not (compares or isinstance(node, ast.Tuple | ast.List | ast.Set | ast.Dict)):
        return False
    texts = {n.value for n in ast.walk(node) if isinstance(n, ast.Constant)} & {*COLUMN_KINDS}
    if not compares:
        return len(texts) > 1
    return bool(texts) and any(
        "kind" in (getattr(n, "attr", ""), getattr(n, "id", "")) for n in ast.walk(node)
    )


@pytest.mark.rest
def test_only_a_kind_of_column_knows_its_name():
    kinds = ROOT / "tabular" / "encoding" / "kinds"
    found = {
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in MODULES.values()
        if kinds not in path.parents
        for node in ast.walk(tree_of(path))
        if asks_for_a_kind(node)
    }
    assert not found, "what differs from kind to kind stands in the class of the kind"


@pytest.mark.parametrize(
    "code",
    [
        "column.kind == 'date'",
        "kind in ('text', x)",
        "ORDERED = 'numeric', 'date'",
        "from deltaprop.tabular.encoding.kinds.text import TextColumn",
    ],
)
def test_choosing_by_the_name_of_a_kind_is_seen(code):
    assert any(map(asks_for_a_kind, ast.walk(ast.parse(code))))


TOOLS = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["tool"]
LONGEST = 400  # lines of a file


def test_no_file_is_longer_than_four_hundred_lines():
    paths = [p for folder in ("src", "native", "tests") for p in (REPOSITORY / folder).rglob("*")]
    kinds = (".py", ".pyi", ".cpp", ".hpp", ".def", ".js", ".css")
    long = {
        path.relative_to(REPOSITORY).as_posix()
        for path in paths
        if path.suffix in kinds and len(path.read_bytes().splitlines()) > LONGEST
    }
    assert long == set(), (
        f"longer than {LONGEST} lines: move something that stands by itself into a file of its own"
    )


def test_nothing_private_is_reached_into_with_the_linter_silenced():
    silent = [str(p) for p in MODULES.values() if re.search(r"noqa.*SLF", p.read_text("utf-8"))]
    rules = TOOLS["ruff"]["lint"]
    assert silent == []
    assert "SLF" in rules["select"]
    assert [
        files for files, ignored in rules["per-file-ignores"].items() if "SLF001" in ignored
    ] == ["tests/**"]


ONES = re.compile(
    r"(^|_)(estimators?|classifiers?|regressors?|mlps?|learners?)(_|$)", re.IGNORECASE
)
OURS = re.compile(r"(parts?|asked|kinds?)$")  # what estimators are called in their own room, too


def any_for_estimators(path, tree):
    """Yield what is called an estimator, or returns one, and has Any for its type, or none."""

    def is_one(name):
        return ONES.search(name) or ("estimators" in path.parts and OURS.match(name))

    for node in ast.walk(tree):
        name, annotation = "", None
        if isinstance(node, ast.arg):
            name, annotation = node.arg, node.annotation
        elif isinstance(node, ast.AnnAssign):
            name, annotation = ast.unparse(node.target).split(".")[-1], node.annotation
        elif isinstance(node, ast.FunctionDef) and node.name.endswith(("estimator", "estimators")):
            name, annotation = node.name, node.returns
        text = "" if annotation is None else ast.unparse(annotation)
        if is_one(name) and (not text or re.search(r"\bAny\b", text)):
            yield f"{path.name}:{node.lineno}: {name}: {text or 'no type'}"


def test_an_estimator_behind_any_is_seen():
    tree = ast.parse(
        "def fit(estimator: Any, X: Any): ...\n"
        "def take(parts: Sequence[Any], mlp): ...\n"
        "def restore_estimator(saved: X) -> Any: ...\n"
        "class A:\n    classifier: dict[str, Any]\n"
    )
    assert len(list(any_for_estimators(ROOT / "estimators" / "x.py", tree))) == 5


def test_nothing_that_is_an_estimator_has_any_for_its_type():
    assert [
        line for path in MODULES.values() for line in any_for_estimators(path, tree_of(path))
    ] == []


def test_mypy_knows_what_an_estimator_inherits():
    """A class that inherits from Any has every attribute, for mypy."""
    assert TOOLS["mypy"]["strict"]
    for override in TOOLS["mypy"]["overrides"]:
        lax = not override.get("disallow_subclassing_any", True)
        assert not (lax and any("estimators" in module for module in override["module"]))
