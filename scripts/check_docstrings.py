"""Check the docstrings of the public API with numpydoc's rules.

Public is what ``deltaprop.__all__`` names, and the public methods that those classes define. Every
one has a docstring with a summary, whose sections are in order and whose parameters are those of
the signature, in its order. A dataclass may describe its fields under Attributes instead, and a
method for which one sentence is enough may leave its parameters out, all of them.
"""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Iterator

from numpydoc.docscrape import get_doc_object
from numpydoc.validate import validate

import deltaprop

RULES = {
    "GL06",  # a section that numpydoc does not know
    "GL07",  # sections in the wrong order
    "GL08",  # no docstring
    "PR01",  # a parameter is not described
    "PR02",  # a described parameter does not exist
    "PR03",  # parameters in the wrong order
    "PR07",  # a parameter without a description
    "RT03",  # a return value without a description
    "SS01",  # no summary
}


def public_names() -> Iterator[tuple[str, object]]:
    """Yield every public class and function, and the methods that the classes define."""
    for name in deltaprop.__all__:
        thing = getattr(deltaprop, name)
        if not callable(thing) or not getattr(thing, "__module__", "").startswith("deltaprop"):
            continue
        if not inspect.isclass(thing) and not inspect.isroutine(thing):
            continue  # an instance: its class is what is documented
        path = f"{thing.__module__}.{thing.__qualname__}"
        yield path, thing
        if inspect.isclass(thing):
            for method, member in vars(thing).items():
                if not method.startswith("_") and (
                    inspect.isroutine(member) or isinstance(member, property)
                ):
                    yield f"{path}.{method}", member


def described_as_attributes(thing: object) -> bool:
    """Say whether a dataclass has its fields, all of them, under Attributes or Parameters."""
    if not dataclasses.is_dataclass(thing):
        return False
    document = get_doc_object(thing)
    described = {
        name.strip()
        for section in ("Attributes", "Parameters")
        for entry in document[section]
        for name in entry.name.split(",")
    }
    return described >= {field.name for field in dataclasses.fields(thing) if field.init}


def problems() -> Iterator[str]:
    """Yield what is wrong with the public docstrings, one line each."""
    checked = 0
    for path, thing in public_names():
        checked += 1
        skipped: set[str] = set()
        if inspect.isclass(thing) and issubclass(thing, BaseException):
            skipped = {"PR01"}  # made by deltaprop, caught by users
        elif described_as_attributes(thing):
            skipped = {"PR01", "PR02", "PR03"}
        elif not inspect.isclass(thing) and "." in getattr(thing, "__qualname__", "."):
            skipped = set() if get_doc_object(thing)["Parameters"] else {"PR01"}
        for code, message in validate(path)["errors"]:
            if message == "Unknown parameters {'cls'}":
                continue  # numpydoc takes any first argument called cls for a classmethod's
            if code in RULES - skipped:
                yield f"{path}: {code} {message}"
    if checked == 0:
        yield "deltaprop.__all__ names nothing to check"


if __name__ == "__main__":
    found = list(problems())
    for problem in found:
        print(problem, file=sys.stderr)
    sys.exit(bool(found))
