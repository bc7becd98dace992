"""The LaTeX document as pdflatex, xelatex and KaTeX read it."""

import functools
import json
import re
import shutil
import subprocess

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.explaining import Names, built_in_example, latex
from deltaprop.explaining.latex_notation import LatexNotation, equation_parts, latex_symbol

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


def tutorial(**fixed):
    worked = built_in_example("tutorial")
    fixed = {"optimizer": worked.optimizer, "names": Names(worked.title), **fixed}
    return dp.explain(worked.network, worked.parameters, worked.x, worked.targets, **fixed)


@functools.cache
def hostile():
    rng = np.random.default_rng(0)
    network = dp.Network([len(HOSTILE), 2, 2], "gelu", "cross_entropy")
    names = Names(" ".join(HOSTILE), tuple(HOSTILE), tuple(HOSTILE[:2]))
    x = rng.normal(size=(1, len(HOSTILE)))
    return dp.explain(network, network.init(rng), x, [0], names=names)


def compiled(engine, document, folder):
    if shutil.which(engine) is None:
        pytest.skip(f"no {engine} here")
    (folder / "it.tex").write_text(document, encoding="utf-8")
    command = [engine, "-interaction=nonstopmode", "-halt-on-error", "it.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False)
    log = (folder / "it.log").read_text(encoding="utf-8", errors="replace")
    if "ctexart.cls' not found" in log:
        pytest.skip("no ctex here")
    assert done.returncode == 0, log[-3000:]
    assert "Overfull \\hbox" not in log
    assert (folder / "it.pdf").stat().st_size > 10_000


@pytest.mark.slow
class TestCompiles:
    @pytest.mark.parametrize("notation", ["standard", "tutorial"])
    def test_the_tutorial(self, tmp_path, notation):
        compiled("pdflatex", latex.render(tutorial(), notation=notation), tmp_path)

    def test_the_tutorial_in_chinese(self, tmp_path):
        compiled("xelatex", latex.render(tutorial(), language="zh"), tmp_path)

    @pytest.mark.parametrize("engine", ["pdflatex", "xelatex"])
    def test_hostile_names(self, tmp_path, engine):
        compiled(engine, latex.render(hostile()), tmp_path)

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
            compiled("pdflatex", latex.render(told, digits=digits, detail=detail), tmp_path)


@pytest.mark.slow
def test_every_equation_is_read_by_katex(draw, tmp_path):
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("no npm here")
    install = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(tmp_path), "katex@0.16"]
    if subprocess.run(install, capture_output=True, timeout=120, check=False).returncode:
        pytest.skip("npm has no way to the registry")
    formulas = []
    for number, (activation, loss) in enumerate(KINDS):
        rule = RULES[number % len(RULES)]
        explanation = draw(activation, loss, optimizer=rule, depth=1, n=1).explanation
        for line in explanation.lines():
            notations = [LatexNotation(line, symbols, n_samples=2) for symbols in (True, False)]
            symbol = latex_symbol(line.step.ref, 2)
            formulas.append(f"{symbol} {' '.join(equation_parts(line, *notations))}")
        document = latex.render(explanation, detail="layers")
        blocks = re.findall(r"\\begin\{align\*\}.*?\\end\{align\*\}", document, re.DOTALL)
        formulas += [block.replace("align*", "aligned") for block in blocks]
    script = (
        "const katex = require('katex');"
        "for (const f of JSON.parse(require('fs').readFileSync('formulas.json')))"
        "katex.renderToString(f, {throwOnError: true, strict: 'error', displayMode: true});"
    )
    (tmp_path / "formulas.json").write_text(json.dumps(sorted(set(formulas))), encoding="utf-8")
    done = subprocess.run(
        [node, "-e", script], cwd=tmp_path, capture_output=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
