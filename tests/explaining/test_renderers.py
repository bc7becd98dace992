"""The registry of forms: what is in it is what there is, and a row is all that a new one needs."""

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import SettingError, UnknownNameError
from deltaprop.explaining import built_in_example
from deltaprop.explaining.renderers.registry import RENDERERS, Renderer
from deltaprop.explaining.softmax import SoftmaxBesideSigmoid

TUTORIAL = built_in_example("tutorial")
BOTH = {
    "a step": lambda: dp.explain(
        TUTORIAL.network, TUTORIAL.parameters, TUTORIAL.x, TUTORIAL.targets
    ),
    "softmax": lambda: SoftmaxBesideSigmoid((1.0, 2.0)),
}


@pytest.mark.parametrize("what", BOTH)
@pytest.mark.parametrize("form", RENDERERS)
def test_every_form_is_written_and_saved(what, form, tmp_path):
    told, path = BOTH[what](), tmp_path / f"a{RENDERERS[form].suffix}"
    if (what, form) == ("softmax", "svg"):
        with pytest.raises(SettingError, match="about no network"):
            told.to(form)
        return
    text = told.to(form, path, language="zh")
    if form != "spoken":
        assert text == getattr(told, f"to_{form}")(language="zh")
    assert path.read_text(encoding="utf-8") == text


def test_another_form_is_one_row(monkeypatch, rng):
    def write(document, *, mark="!"):
        return mark.join(line.step.id for line in document.lines())

    monkeypatch.setattr(RENDERERS, "_rows", dict(RENDERERS._rows))
    RENDERERS.register(Renderer("ids", write, ".ids", "the ids alone", detail="neurons"))
    network = dp.Network([1, 1], loss="half_squared_error", bias=False)
    explanation = dp.explain(network, network.init(rng), np.ones((1, 1)), [[0.0]])
    assert explanation.to("ids", options={"mark": " "}).startswith("z.1[0,0] a.1[0,0] loss[0]")


def test_a_form_that_is_not_there_is_refused():
    with pytest.raises(UnknownNameError, match=r"No format is called 'pdf'.*notebook"):
        BOTH["a step"]().to("pdf")


def test_suffixes_tell_the_forms_apart():
    assert len({row.suffix for row in RENDERERS.values()}) == len(RENDERERS)
