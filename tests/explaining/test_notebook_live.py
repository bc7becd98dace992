"""The first cell of a notebook is alive: another number in it, and everything follows."""

import json
import re

import pytest

import deltaprop as dp
from deltaprop.explaining.language import LANGUAGES
from helpers.explained import tutorial
from helpers.notebooks import SignDescent, executed


def with_other(text, old, new):
    """Return a notebook whose first cell of code holds something else."""
    book = json.loads(text)
    first = next(cell for cell in book["cells"] if cell["cell_type"] == "code")
    code = "".join(first["source"])
    assert old in code
    first["source"] = [code.replace(old, new, 1)]
    return json.dumps(book)


class TestTheFirstCellIsAlive:
    @pytest.mark.parametrize("language", LANGUAGES)
    def test_another_x_and_everything_follows(self, language):
        step = dp.explaining.built_in_example("tutorial").explain()
        text = with_other(step.to_notebook(language=language), "[[1.0, 0.5]]", "[[1.0, 1.0]]")
        names, output = executed(text, changed=True)
        other = dp.explaining.built_in_example("tutorial").with_(x=[1, 1]).explain()
        assert names["step"].trace.loss == other.trace.loss
        told = output.replace(" ", "").replace("\n", "")
        shown = other.to_terminal(detail="neurons", width=200).split("\n")
        lines = [row.strip() for row in shown if row.startswith("  ") and " = " in row]
        assert len(lines) > 20
        for line in lines:
            assert line.replace(" ", "") in told
        assert LANGUAGES[language]["notebook holds"].partition("}")[2] not in output

    def test_a_chinese_one_prints_chinese(self):
        step = dp.explaining.built_in_example("mazur").explain()
        _, output = executed(step.to_notebook(language="zh"))
        words = set(re.findall("[a-z]{3,}", output))
        assert "个数核对无误" in output
        assert words <= {"array", "gradients"}, words  # of reprs, which are Python

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("[[4.0]]", "[[3.0]]"), ("learning_rate=0.1", "learning_rate=0.2"),
            ("[[0.5, 2.3]", "[[0.7, 2.3]"), ("'identity'", "'sigmoid'"),
            ("dp.GradientDescent(learning_rate=0.1)", "dp.Adam(0.01)"),
            ("np.array([[1.0, 0.5]])\ntargets = np.array([[4.0]])",
             "np.ones((3, 2))\ntargets = np.zeros((3, 1))"),
        ],
    )  # fmt: skip
    def test_whatever_is_changed(self, old, new):
        names, output = executed(with_other(tutorial().to_notebook(), old, new), changed=True)
        step = names["step"]
        assert step.verify()
        for phase in ("forward", "loss", "backward", "gradient", "update", "after"):
            for line in step.lines():
                if line.step.phase == phase:
                    assert line.shown in output

    @pytest.mark.parametrize("kind", ["real", "categories", "normalized"])
    @pytest.mark.one_in(3)
    def test_other_kinds_of_layers(self, draw_layers, kind):
        explanation = draw_layers(kind).explanation
        text = explanation.to_notebook(detail="neurons")
        executed(text)
        x = json.dumps(explanation.trace.a[0].tolist())
        if kind == "categories":
            return  # an x that is no category is refused
        executed(
            with_other(text, x, json.dumps((explanation.trace.a[0] + 1).tolist())), changed=True
        )

    @pytest.mark.parametrize("rule", [dp.Adam(), SignDescent()], ids=lambda rule: rule.name)
    def test_with_any_optimizer(self, draw, rule):
        explanation = draw("tanh", optimizer=rule, depth=1, bias=True).explanation
        text = explanation.to_notebook()
        executed(text)
        x = str(explanation.trace.a[0].tolist())
        executed(with_other(text, x, str((explanation.trace.a[0] * 2).tolist())), changed=True)

    def test_steps_until_it_is_learnt(self):
        again = dp.explaining.built_in_example("tutorial").repeat(20, watch=["w5"])
        names, output = executed(again.to_notebook())
        assert names["again"].rows == again.rows
        assert "Learnt after 13 steps" in output
        _, output = executed(with_other(again.to_notebook(), "[[4.0]]", "[[5.05]]"), changed=True)
        assert "It is learnt already" in output
