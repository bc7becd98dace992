"""Workings as people write them: each file says what must come of it, by hand or by its source.

``right`` ones are written in other conventions, or rounded at every line; ``wrong`` ones hold one
of the well-known mistakes, ``pairs`` two, or one on top of rounding; ``textbooks`` are published.
"""

from pathlib import Path

import pytest
import yaml

from deltaprop.practice import mark

FOLDER = Path(__file__).parent


def cases(*folders):
    paths = [path for folder in folders for path in sorted((FOLDER / folder).glob("*.yaml"))]
    return [pytest.param(path, id=f"{path.parent.name}/{path.stem}") for path in paths]


@pytest.mark.filterwarnings("ignore::deltaprop.errors.TargetWarning")  # targets out of reach
@pytest.mark.parametrize("path", cases("right", "wrong", "pairs", "textbooks"))
@pytest.mark.one_in(30)
def test_a_working_is_judged_rightly(path):
    expected = yaml.safe_load(path.read_text("utf-8"))["expected"]
    marking = mark(path)
    assert {*marking.mistakes} == {*expected.get("mistakes", ())}, str(marking)
    assert {*marking.conventions} == {*expected.get("conventions", marking.conventions)}
    assert marking.ok is expected["ok"]
