"""A learner's own numbers on the command line: what comes of them was worked out with pencil."""

import json
from math import exp, log, tanh

import pytest

from deltaprop.cli.main import main


def sigmoid(z):
    return 1 / (1 + exp(-z))


def curved():
    """Return the tutorial's loss and its new w5 and w6, the hidden neurons being sigmoids."""
    h1, h2 = sigmoid(1.25), sigmoid(3.8)
    error = h1 + h2 - 4
    return error**2 / 2, 1 - 0.1 * error * h1, 1 - 0.1 * error * h2


E, W5, W6 = "loss[0]", "W.2.after[0,0]", "W.2.after[1,0]"
# what is typed behind "explain", and some of what must come out, by id
CHANGES = {
    "any number": (
        "tutorial --set x=1,1 --set w1=0.7 --set t=3", {E: 10.125, W5: 0.01, W6: -1.385},
    ),
    "single inputs": ("tutorial --set x1=2 --set x2=0", {E: (4 - 5.6) ** 2 / 2}),
    "an id": ("tutorial --set W1[0,1]=0", {E: (4 - 1.25 - 1.5) ** 2 / 2}),
    "an id of a file": ("tutorial --set W.1[0,1]=0", {E: (4 - 1.25 - 1.5) ** 2 / 2}),
    "a printed symbol": ("tutorial --set W¹₁₂=0", {E: (4 - 1.25 - 1.5) ** 2 / 2}),
    "a whole array": ("tutorial --set W2=2;0", {E: (4 - 2.5) ** 2 / 2}),
    "one number for all of it": ("tutorial --set W2=0", {E: 8.0, W5: 0.1 * 4 * 1.25}),
    "biases where there were none": ("tutorial --set b2=-1", {E: 0.05**2 / 2}),
    "a fraction": ("tutorial --set t=101/20", {E: 0.0}),
    "full width": ("tutorial --set t=５．０５", {E: 0.0}),
    "a minus of typography": ("tutorial --set t=−1", {E: 6.05**2 / 2}),
    "brackets": ("tutorial --set x=[1,1] --set t=[3]", {E: (3 - 7.3) ** 2 / 2}),
    "the rate, called eta": ("tutorial --set eta=0.2", {W5: 1 - 0.2 * 1.3125}),
    "the rate, as a letter": ("tutorial --set η=0.2", {W5: 1 - 0.2 * 1.3125}),
    "the rate, as an option": ("tutorial --learning-rate 0.2", {W5: 1 - 0.2 * 1.3125}),
    "two samples": (
        "tutorial --set x=1,0.5;1,1 --set t=4;3", {"loss": (1.05**2 + 4.3**2) / 4},
    ),
    "a penalty": ("tutorial --set l2=0.1", {"loss": 0.55125 + 0.05 * 18.79}),
    "another activation": (
        "tutorial --activation sigmoid", dict(zip((E, W5, W6), curved(), strict=True)),
    ),
    "an activation for each layer": (
        "tutorial --activation 1=tanh,2=tanh",
        {E: (4 - tanh(tanh(1.25) + tanh(3.8))) ** 2 / 2},
    ),
    "another loss": (
        "tutorial --loss binary_cross_entropy --set t=1", {E: log(1 + exp(-5.05))},
    ),
}  # fmt: skip


def values_of(capfd, words):
    status = main(["explain", *words.split(), "--format", "json"])
    out, err = capfd.readouterr()
    assert status == 0, err
    return {step["id"]: step["value"] for step in json.loads(out)["steps"]}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_gives_what_pencil_and_paper_give(change, capfd):
    words, expected = CHANGES[change]
    found = values_of(capfd, words)
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-12, abs=1e-14), name


REFUSED = {
    "a name of nothing": ("tutorial --set w9=1", "'w9'. Did you mean 'w6'?"),
    "a number too many": ("tutorial --set x=1,2,3", "x has a row of 3 numbers; expected 2"),
    "a word": ("tutorial --set t=four", "t is 'four'; write numbers like 0.5"),
    "a power": ("tutorial --set x1=2²", "x1 is '2²'; write numbers"),
    "nothing": ("tutorial --set w1=", "write a name and its numbers"),
    "infinity": ("tutorial --set w1=1e400", "w1 is '1e400'"),
    "targets for one of two samples": ("tutorial --set x=1,1;2,2", "x has 2 samples but t has 1"),
    "a rate of 0": (
        "tutorial --learning-rate 0",
        "learning_rate is 0.0; it is a finite number > 0",
    ),
    "no steps": ("tutorial --steps 0", "expected 1 to 10,000"),
    "Keras' name of an activation": ("tutorial --activation linear", "mean 'identity'?"),
    "MATLAB's name": ("tutorial --activation logsig", "mean 'sigmoid'?"),
    "a capital": ("tutorial --activation Sigmoid", "mean 'sigmoid'?"),
    "a framework's loss": ("tutorial --loss mse", "mean 'half_squared_error'?"),
    "targets a loss cannot learn": ("tutorial --loss cross_entropy", "probabilities"),
    "a whole array in --only": ("tutorial --only z.1", "name one of it, such as z.1[0,0]"),
    "a misspelt example": ("tutoriel", "mean 'tutorial'?"),
    "a score too large": ("softmax --scores 1000,0", "Take the largest score off all of them"),
    "a class there is not": ("softmax --scores 1,2,3 --target 3", "0 to 2"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_gets_one_paragraph(case, capfd):
    words, said = REFUSED[case]
    assert main(["explain", *words.split()]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert said in err
    assert len(err.strip().splitlines()) == 1


def test_steps_go_on_until_it_is_learnt(capfd):
    w1, w2, w3, w4, w5, w6 = 0.5, 1.5, 2.3, 3.0, 1.0, 1.0
    ys = []
    while not ys or abs(ys[-1] - 4) > 0.01:
        h1, h2 = w1 + 0.5 * w2, w3 + 0.5 * w4
        ys.append(w5 * h1 + w6 * h2)
        d = 0.05 * (ys[-1] - 4)
        w1, w2, w3, w4, w5, w6 = (
            w1 - d * w5, w2 - d * w5 / 2, w3 - d * w6, w4 - d * w6 / 2, w5 - d * h1, w6 - d * h2
        )  # fmt: skip
    assert main(["explain", "tutorial", "--learning-rate", "0.05", "--steps", "50"]) == 0
    text = capfd.readouterr().out
    assert f"Learnt after {len(ys) - 1} steps" in text
    rows = [line.split() for line in text.splitlines()]
    told = [float(row[2]) for row in rows if len(row) == 7 and row[0].isdecimal()]
    assert told == [pytest.approx(y, rel=1e-5) for y in ys]


def test_a_rate_far_too_large_is_said_to_be(capfd):
    assert main(["explain", "tutorial", "--learning-rate", "10", "--steps", "20"]) == 0
    assert "the learning rate is too large" in " ".join(capfd.readouterr().out.split())


def test_what_is_saved_is_right_and_a_slip_in_it_is_found(tmp_path, capfd):
    path = tmp_path / "mine.yaml"
    assert main(["explain", "tutorial", "--set", "t=3", "--save", str(path)]) == 0
    assert main(["mark", str(path)]) == 0
    text = path.read_text("utf-8")
    assert "loss: 2.10125" in text
    path.write_text(text.replace("loss: 2.10125", "loss: 4.2025"), "utf-8")
    capfd.readouterr()
    assert main(["mark", str(path)]) == 1
    assert "half" in capfd.readouterr().out


def test_softmax_beside_sigmoid_with_a_target(capfd):
    assert main(["explain", "softmax", "--scores", "1,2,3", "--target", "2"]) == 0
    out = capfd.readouterr().out
    total = exp(1) + exp(2) + exp(3)
    for number in (exp(1) / total, exp(3) / total, exp(3) / total - 1, sigmoid(1)):
        assert f"{number:.4f}"[:-1] in out
