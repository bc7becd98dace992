"""Workings as people write them: each file says what must come of it, by hand or by its source.

``right`` ones are written in other conventions, or rounded at every line; ``wrong`` ones hold one
of the well-known mistakes, ``pairs`` two, or one on top of rounding; ``textbooks`` are published.
"""

from pathlib import Path

import pytest
import yaml

from deltaprop.practice import mark

FOLDER = Path(__file__).parent
PENDING = {}


def cases(*folders):
    found = []
    for folder in folders:
        for path in sorted((FOLDER / folder).glob("*.yaml")):
            name = f"{folder}/{path.stem}"
            reason = PENDING.get(name)
            marks = [pytest.mark.xfail(reason=reason, strict=True)] if reason else []
            found.append(pytest.param(path, id=name, marks=marks))
    return found


@pytest.mark.filterwarnings("ignore::deltaprop.errors.TargetWarning")  # targets out of reach
@pytest.mark.parametrize("path", cases("right", "wrong", "pairs", "textbooks"))
@pytest.mark.one_in(2)
def test_a_working_is_judged_rightly(path):
    expected = yaml.safe_load(path.read_text("utf-8"))["expected"]
    marking = mark(path)
    assert {*marking.mistakes} == {*expected.get("mistakes", ())}, str(marking)
    assert {*marking.conventions} == {*expected.get("conventions", marking.conventions)}
    assert marking.ok is expected["ok"]
