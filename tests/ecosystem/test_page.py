"""Every example of docs/ecosystem.md runs as it stands there."""

import re
from pathlib import Path

import pytest

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
