"""Every example of docs/ecosystem.md runs as it stands there."""

import re
from pathlib import Path

import pytest

import deltaprop as dp

PAGE = Path(__file__).parents[2] / "docs" / "ecosystem.md"


def blocks():
    """Return the code below each heading; the first is where all begin."""
    sections = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = {
        section.partition("\n")[0]: "\n".join(
            re.findall(r"^```python\n(.*?)^```", section, flags=re.MULTILINE | re.DOTALL)
        )
        for section in sections
    }
    return {name: code for name, code in found.items() if code}


BEGINNING, *EXAMPLES = blocks()


@pytest.mark.parametrize("heading", EXAMPLES)
@pytest.mark.one_in(3)
def test_an_example_runs(heading, tmp_path, monkeypatch):
    code = blocks()
    for library in re.findall(r"^(?:import|from) (\w+)", code[heading], flags=re.MULTILINE):
        pytest.importorskip(library)
    monkeypatch.chdir(tmp_path)
    if heading == "MLflow":
        import mlflow

        mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
        mlflow.set_experiment("examples")
        code[heading] = code["skops"] + code[heading] + "mlflow.sklearn.autolog(disable=True)\n"
    exec(code[BEGINNING] + code[heading], {"__name__": "example"})


def types_within(value, seen):
    """Yield the names of deltaprop's types that an object is made of."""
    if id(value) in seen:
        return
    seen[id(value)] = value
    kind = type(value)
    if kind.__module__.startswith("deltaprop."):
        yield f"{kind.__module__}.{kind.__qualname__}"
    parts = [*value.values()] if isinstance(value, dict) else []
    parts += [*value] if isinstance(value, (list, tuple)) else []
    names = [*getattr(value, "__dict__", ()), *getattr(kind, "__slots__", ())]
    for part in parts + [getattr(value, name, None) for name in names]:
        yield from types_within(part, seen)


@pytest.mark.parametrize("table", ["numbers", "words"])
@pytest.mark.parametrize("kind", [dp.MLPClassifier, dp.MLPRegressor])
@pytest.mark.one_in(3)
def test_the_types_that_skops_has_to_trust_are_listed(make, request, kind, table, trusted):
    X, y = request.getfixturevalue(table)
    model = make(kind).fit(X, y if kind is dp.MLPClassifier else X["height"])
    found = {name for name in types_within(model, {}) if ".functional." not in name}
    assert found
    assert found <= set(trusted), found - set(trusted)
