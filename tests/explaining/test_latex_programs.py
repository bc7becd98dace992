"""The LaTeX document as pdflatex, xelatex and KaTeX read it."""

import functools
import json
import re
import shutil
import subprocess

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.explaining import Names
from deltaprop.explaining.softmax import SoftmaxBesideSigmoid
from helpers.explained import adam_in_the_middle_of_a_run, tutorial
from helpers.latex import compiled

KINDS = [(a, loss) for a in dp.ACTIVATIONS for loss in dp.LOSSES]
RULES = [
    None,
    dp.Momentum(0.1),
    dp.Momentum(0.1, nesterov=True),
    dp.RMSProp(),
    dp.Adam(),
    dp.AdamW(),
]
HOSTILE = [
    r"\input{/etc/passwd}", "100% $x^2$ & #1_~", "}{\\end{document}", "^^M^^5c", "a|b<c>\"d\"`e`",
    "数值", "😀\u202e\x07\n\nline", "né ß ø", "?` !` -- ---", "",
]  # fmt: skip


@functools.cache
def hostile():
    rng = np.random.default_rng(0)
    network = dp.Network([len(HOSTILE), 2, 2], "gelu", "cross_entropy")
    names = Names(" ".join(HOSTILE), tuple(HOSTILE), tuple(HOSTILE[:2]))
    x = rng.normal(size=(1, len(HOSTILE)))
    return dp.explain(network, network.init(rng), x, [0], names=names)


def an_image(n=1):
    rng = np.random.default_rng(2)
    network = dp.Network([784, 128, 10])
    x = np.where(rng.random((n, 784)) < 0.3, rng.random((n, 784)), 0.0)
    names = Names("A digit", image=(28, 28))
    return dp.explain(network, network.init(rng), x, [3] * n, names=names)


DOCUMENTS = {
    "adam": adam_in_the_middle_of_a_run,
    "softmax": lambda: SoftmaxBesideSigmoid((2.0, 1.0, -0.5), ("cat", "dog", "a_b|c"), 0),
    "softmax of many": lambda: SoftmaxBesideSigmoid(tuple(np.linspace(-3, 3, 120))),
    "image": an_image,
    "five images": lambda: an_image(5),
}


@pytest.mark.slow
class TestCompiles:
    @pytest.mark.parametrize("notation", ["standard", "tutorial"])
    def test_the_tutorial(self, tmp_path, notation):
        compiled(tutorial().to_latex(notation=notation), "pdflatex", tmp_path)

    @pytest.mark.parametrize("language", ["en", "zh"])
    @pytest.mark.parametrize("name", DOCUMENTS)
    def test_documents_of_every_kind(self, tmp_path, name, language):
        engine = {"en": "pdflatex", "zh": "xelatex"}[language]
        compiled(DOCUMENTS[name]().to_latex(language=language), engine, tmp_path)

    def test_the_strongest_numbers_of_a_large_network(self, tmp_path):
        compiled(an_image().to_latex(detail="neurons"), "pdflatex", tmp_path)

    def test_the_tutorial_in_chinese(self, tmp_path):
        compiled(tutorial().to_latex(language="zh"), "xelatex", tmp_path)

    @pytest.mark.parametrize("engine", ["pdflatex", "xelatex"])
    def test_hostile_names(self, tmp_path, engine):
        compiled(hostile().to_latex(), engine, tmp_path, every_character=False)

    @pytest.mark.parametrize("loss", dp.LOSSES)
    @pytest.mark.parametrize("digits", [2, 6, 12])
    def test_nothing_runs_off_the_page(self, rng, tmp_path, loss, digits):
        activations = list(rng.choice(list(dp.ACTIVATIONS), size=2))
        network = dp.Network([12, 9, 7, 10], activations, loss, l1=0.1, l2=0.01)
        targets = rng.dirichlet(np.ones(10), size=2)
        x = 30 * rng.normal(size=(2, 12))
        explanation = dp.explain(network, network.init(rng), x, targets, optimizer=dp.AdamW())
        one = explanation.only("delta.1[0,0]", "dW.1[0,0]", "W.1.after[0,0]", "loss")
        for told, detail in ((one, "neurons"), (explanation, "layers")):
            compiled(told.to_latex(digits=digits, detail=detail), "pdflatex", tmp_path)


def formulas_of(told, **style):
    """Return what the document and the JSON write for a browser or a notebook to set."""
    document = told.to_latex(**style)
    blocks = re.findall(r"\\begin\{align\*\}.*?\\end\{align\*\}", document, re.DOTALL)
    yield from (block.replace("align*", "aligned") for block in blocks)
    yield from re.findall(r"(?<!\\)\$(.+?)(?<!\\)\$", document.split(r"\begin{document}")[1])
    yield from (step["latex"] for step in json.loads(told.to_json(**style))["steps"])
    for cell in json.loads(told.to_notebook(**style))["cells"]:
        if cell["cell_type"] == "markdown":
            yield from re.findall(r"\$\$(.*?)\$\$", "".join(cell["source"]), re.DOTALL)


@pytest.mark.slow
def test_every_formula_is_read_by_katex(draw, tmp_path):
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("no npm here")
    install = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(tmp_path), "katex@0.16"]
    if subprocess.run(install, capture_output=True, timeout=120, check=False).returncode:
        pytest.skip("npm has no way to the registry")
    formulas = set()
    for number, (activation, loss) in enumerate(KINDS):
        rule = RULES[number % len(RULES)]
        explanation = draw(activation, loss, optimizer=rule, depth=1).explanation
        formulas.update(formulas_of(explanation))
    for name in ("adam", "softmax", "image"):
        for style in ({}, {"language": "zh", "notation": "tutorial"}):
            formulas.update(formulas_of(DOCUMENTS[name](), **style))
    script = (
        "const katex = require('katex');"
        "for (const f of JSON.parse(require('fs').readFileSync('formulas.json')))"
        "katex.renderToString(f, {throwOnError: true, strict: 'error', displayMode: true});"
    )
    (tmp_path / "formulas.json").write_text(json.dumps(sorted(formulas)), encoding="utf-8")
    done = subprocess.run(
        [node, "-e", script], cwd=tmp_path, capture_output=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
