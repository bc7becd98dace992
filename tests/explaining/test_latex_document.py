"""A document in LaTeX: its wording, proofs, pictures and blocks."""

import dataclasses
import re
import string

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.explaining import Names
from deltaprop.explaining.document import outline
from deltaprop.explaining.document.blocks import Document, Proof, Section, Sentence, Table
from deltaprop.explaining.document.style import Style
from deltaprop.explaining.language import LANGUAGES
from deltaprop.explaining.renderers.latex import document as latex
from deltaprop.explaining.renderers.latex.picture import picture
from deltaprop.explaining.softmax import SoftmaxBesideSigmoid
from deltaprop.notation.image import Image
from deltaprop.notation.latex import (
    latex_number,
    unknown_to_pdflatex,
)
from helpers.explained import tutorial
from helpers.latex import equations_and_proofs, equations_of


class TestWording:
    def test_both_languages_have_the_same_keys_and_placeholders(self):
        english, chinese = LANGUAGES["en"], LANGUAGES["zh"]
        assert english.keys() == chinese.keys()

        def fields(text):
            return {name for _, name, _, _ in string.Formatter().parse(text) if name}

        for key in english:
            assert fields(english[key]) == fields(chinese[key]), key

    def test_no_english_is_left_in_a_chinese_document(self):
        document = tutorial(names=Names("标题")).to_latex(language="zh")
        text = document.split(r"\begin{document}")[1]
        text = re.sub(r"\\begin\{align\*\}.*?\\end\{align\*\}", "", text, flags=re.DOTALL)
        for words in ("forward", "Backward", "loss", "neuron", "weights", "change"):
            assert words not in text

    def test_pdflatex_has_a_glyph_for_every_word(self):
        assert unknown_to_pdflatex("".join(LANGUAGES["en"].values())) == []

    @pytest.mark.parametrize(
        ("setting", "value"),
        [("detail", "all"), ("notation", "french"), ("language", "fr"), ("digits", 0)],
    )
    def test_unknown_settings_are_refused_by_name(self, setting, value):
        with pytest.raises(dp.errors.DeltapropError, match=str(value)):
            tutorial().to_latex(**{setting: value})

    def test_one_number_and_its_ancestry_is_all_that_is_told_of(self):
        document = tutorial().only("dW.1[0,1]").to_latex()
        assert r"\frac{\partial L}{\partial W^{1}_{12}}" in document
        assert "W'" not in document


class TestProofs:
    """What the referee found stands beside every gradient."""

    def test_every_gradient_has_its_tick_and_its_measurement(self, draw):
        explanation = draw("tanh", depth=1, n=2, n_out=2, l2=0.0, l1=0.0).explanation
        document = outline.document(explanation, Style())
        _, proofs = equations_and_proofs(latex.write_document(document))
        assert list(proofs) == [s.id for s in explanation.steps if s.quantity in ("dW", "db")]
        for name, text in proofs.items():
            proof = document.proofs[name]
            assert text.startswith(r"\checkmark")
            assert rf"\text{{central difference~}}{latex_number(proof.measured)}" in text
            assert rf"\text{{, relative error~}}{latex_number(proof.error)}" in text

    def test_a_wrong_gradient_has_a_cross_and_a_kink_a_question_mark(self):
        document = outline.document(tutorial(), Style())
        proofs = {"dW.1[0,0]": Proof("wrong", "2", "0.5"), "dW.1[0,1]": Proof("kink", "", "")}
        text = latex.write_document(dataclasses.replace(document, proofs=proofs))
        _, found = equations_and_proofs(text)
        assert found["dW.1[0,0]"].startswith(r"\boldsymbol{\times}")
        assert found["dW.1[0,1]"] == r"?\;\, \text{not judged: the loss has a kink here}"

    def test_it_stands_below_an_equation_that_fills_its_row(self, rng):
        network = dp.Network([3, 1], loss="half_squared_error", bias=False)
        x = rng.normal(size=(4, 3))
        explanation = dp.explain(network, network.init(rng), x, np.ones((4, 1)))
        text = explanation.only("dW.1[0,0]").to_latex(digits=12)
        assert re.search(r"^&\\quad \{\\scriptstyle", text, re.MULTILINE)


class TestPictures:
    WORDS = LANGUAGES["en"]

    def squares(self, values, signed=False):
        text = "\n".join(picture(Image("It", np.asarray(values), signed), self.WORDS))
        found = re.findall(r"\\(inked|hollow)\{(.*?)\}\{(.*?)\}\{(.*?)\}", text)
        return [(kind, *map(float, numbers)) for kind, *numbers in found]

    def test_the_area_of_a_square_is_its_ink(self):
        squares = self.squares([[1.0, 0.25], [0.0, 0.04]])
        assert [s[0] for s in squares] == ["inked"] * 3
        sides = np.array([s[3] for s in squares])
        np.testing.assert_allclose(sides / sides[0], [1.0, 0.5, 0.2], atol=0.02)

    def test_rows_run_downwards_and_squares_stand_in_the_middle_of_their_pixel(self):
        (_, x, y, side), *_ = self.squares([[0.0, 0.25], [0.0, 0.0]])
        assert (x + side / 2, y + side / 2) == pytest.approx((1.5, 1.5), abs=0.02)

    def test_what_is_negative_is_outlined_and_the_legend_says_so(self):
        assert [s[0] for s in self.squares([[1.0, -1.0]], signed=True)] == ["inked", "hollow"]
        text = "\n".join(picture(Image("It", np.array([[-1.0]]), True), self.WORDS))
        assert "Full squares are +" in text

    def test_a_large_picture_is_thinned_out(self):
        assert len(self.squares(np.ones((200, 300)))) == 40 * 60

    def test_the_row_and_its_delta_stand_in_the_overview(self, rng):
        network = dp.Network([12, 2])
        names = Names("", image=(3, 4))
        x = rng.random((2, 12))
        text = dp.explain(network, network.init(rng), x, [0, 1], names=names).to_latex()
        assert text.count(r"\begin{picture}(4,3)") == 4
        assert r"\newcommand{\hollow}" in text
        assert r"\newcommand{\hollow}" not in tutorial().to_latex()


class TestEveryBlock:
    def test_the_batch_and_the_promise_are_told(self, draw):
        text = draw("tanh", n=3, n_out=2).explanation.to_latex()
        assert r"sample & $\ell$ &" in text
        assert "cosine with g" in text
        assert r"change promised (gradient $\cdot$ step)" in text

    def test_softmax_beside_sigmoid(self):
        document = SoftmaxBesideSigmoid((2.0, -1.0), ("a_b", "数"), 0).document(Style())
        text = latex.write_document(document)
        assert r"a\_b & ${2}$ &" in text
        assert r"\DeclareUnicodeCharacter{6570}" in text
        assert list(equations_of(text)) == list(
            dict.fromkeys(line.step.id for line in document.lines())
        )

    def test_a_long_table_may_be_broken_over_pages(self):
        scores = tuple(np.linspace(-1, 1, 60))
        text = SoftmaxBesideSigmoid(scores).to_latex()
        assert r"\begin{longtable}[l]{@{}lrrrl@{}}" in text

    def test_a_minus_in_a_sentence_is_a_minus(self):
        section = Section("it", "", (Sentence("It is -1.5e-05 of f'(0), p - t, x-y."),))
        text = latex.write_document(Document("", (), (section,), Style()))
        assert r"It is ${-1.5\times 10^{-5}}$ of f{'}(0), p -- t, x{-}y." in text

    def test_a_long_name_in_a_table_is_broken_into_lines(self):
        table = Table(("name",), (("a long name " * 6,),))
        text = latex.write_document(Document("", (), (Section("it", "", (table,)),), Style()))
        assert "{@{}p{16em}@{}}" in text
