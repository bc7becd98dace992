"""The shape of the house: what import-linter does not see."""

import ast
from pathlib import Path

from deltaprop import __file__ as package

ROOT = Path(package).parent
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
