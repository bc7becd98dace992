"""``--class-weight`` and ``--metric``: what they are given as, and that they arrive."""

import json

import pytest

from deltaprop.cli.main import main
from deltaprop.cli.options import parse_class_weight
from deltaprop.errors import SettingError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("balanced", "balanced"),
        ("yes=5", {"yes": 5.0}),
        ("yes=5,no=1", {"yes": 5.0, "no": 1.0}),
        (" yes = 5 , no = .5 ", {"yes": 5.0, "no": 0.5}),
        ("Smith, John=2,b=1e-1", {"Smith, John": 2.0, "b": 0.1}),
        ("-1=1,1=9", {"-1": 1.0, "1": 9.0}),
        ("猫=2", {"猫": 2.0}),
    ],
)
def test_weights_are_read(text, expected):
    assert parse_class_weight(text) == expected


@pytest.mark.parametrize("text", ["", "yes", "yes=", "yes=x", "yes=5;no=1", "=3", "a=1,b=x"])
def test_what_is_no_weight_is_refused(text):
    with pytest.raises(SettingError, match="write them like yes=5,no=1"):
        parse_class_weight(text)


def test_both_arrive_in_the_training(tmp_path, capsys):
    rows = "\n".join(f"{i % 7},{i % 3},{'yes' if i % 10 == 0 else 'no'}" for i in range(120))
    (tmp_path / "t.csv").write_text(f"a,b,y\n{rows}\n")
    common = ["train", str(tmp_path / "t.csv"), "--target", "y", "--epochs", "2", "--ranges", "0"]
    assert main([*common, "--metric", "log-loss", "--class-weight", "yes=9", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["history"]["metric"] == "log_loss"
    assert main([*common, "--metric", "rmse"]) == 2
    assert "belongs to regression" in capsys.readouterr().err
