"""What is installed, what importing it costs, and what the code may import."""

import ast
import functools
import importlib.metadata
import importlib.resources
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import deltaprop

pytestmark = pytest.mark.smoke

REPOSITORY = Path(__file__).resolve().parent.parent
SOURCE = REPOSITORY / "src" / "deltaprop"
PYPROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
MODULES = sorted(SOURCE.rglob("*.py"))

HEAVY = {
    "narwhals", "pandas", "polars", "pyarrow", "rich", "safetensors",
    "scipy", "sklearn", "torch", "typer", "yaml",
}  # fmt: skip
UNSAFE = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}


@functools.cache
def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def dotted(node):
    """Return the name of what is called, with what it belongs to; none for what has no name."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return getattr(node, "id", "")


def imports(path, *, top_level_only=False):
    """Yield (module, line) for each absolute import, also through importlib.import_module."""
    tree = tree_of(path)
    inside = {
        id(node)
        for function in (ast.walk(tree) if top_level_only else ())
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if id(node) in inside:
            continue
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module, node.lineno
        elif (
            isinstance(node, ast.Call)
            and dotted(node.func) in {"import_module", "importlib.import_module", "__import__"}
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            yield str(node.args[0].value), node.lineno


def root(module):
    return module.partition(".")[0]


def test_there_is_one_version():
    assert deltaprop.__version__ == importlib.metadata.version("deltaprop")
    assert "version" in PYPROJECT["project"]["dynamic"]


def test_the_package_announces_its_types():
    package = importlib.resources.files("deltaprop")
    assert package.joinpath("py.typed").is_file()
    assert package.joinpath("_native.pyi").is_file()


def test_the_installed_metadata_lists_the_extras():
    extras = importlib.metadata.metadata("deltaprop").get_all("Provides-Extra")
    assert set(PYPROJECT["project"]["optional-dependencies"]) == set(extras)


def test_the_command_is_installed():
    scripts = importlib.metadata.entry_points(group="console_scripts", name="deltaprop")
    assert [script.value for script in scripts] == ["deltaprop.cli.main:main"]


def test_importing_deltaprop_loads_nothing_heavy():
    program = "import json, sys, deltaprop; print(json.dumps(sorted(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert {root(name) for name in json.loads(result.stdout)} & HEAVY == set()


@pytest.mark.slow
def test_nothing_loads_with_pickle():
    for path in MODULES:
        assert [(name, line) for name, line in imports(path) if root(name) in UNSAFE] == [], path
        for call in (node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call)):
            where = f"{path}, line {call.lineno}"
            for keyword in call.keywords:
                if keyword.arg in {"allow_pickle", "weights_only"}:
                    expected = keyword.arg == "weights_only"
                    assert ast.unparse(keyword.value) == str(expected), where
            if dotted(call.func) == "torch.load":
                assert any(k.arg == "weights_only" for k in call.keywords), where


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in MODULES
        if path.relative_to(SOURCE).parts[0] in {"errors.py", "functional", "model"}
    ],
    ids=lambda path: str(path.relative_to(SOURCE)),
)
def test_the_core_imports_numpy_and_nothing_else(path):
    allowed = sys.stdlib_module_names | {"deltaprop", "numpy"}
    foreign = {root(name) for name, _ in imports(path)} - allowed
    if path == SOURCE / "model" / "sealed.py":
        at_import = {root(name) for name, _ in imports(path, top_level_only=True)} - allowed
        assert at_import == set()
        foreign -= {"safetensors"}
    assert foreign == set()
