"""The page in a browser: brackets as tall as their matrices, the picture with the new weights."""

import pytest

NUMBERS = """
return Object.fromEntries([...document.querySelectorAll(".network text.number[data-again]")]
  .map(text => [text.closest("[data-id]").dataset.id, text.textContent]));
"""
BRACKETS = """
return [...document.querySelectorAll("mtable")].map(table => {
  const style = getComputedStyle(table), sides = [style.borderLeftWidth, style.borderRightWidth];
  const signs = [...table.parentElement.querySelectorAll(":scope > mo")];
  return [Math.min(...sides.map(parseFloat)), signs.length,
          Math.max(...signs.map(sign => sign.getBoundingClientRect().height))];
});
"""


@pytest.mark.rest
def test_brackets_are_drawn_at_the_matrix(page, iris):
    drawn = page(iris).execute_script(BRACKETS)
    assert len(drawn) > 10
    assert all(width >= 1 and signs == 2 and not height for width, signs, height in drawn)


def test_the_picture_shows_the_new_weights_at_the_step_again(page, tutorial):
    driver = page(tutorial)
    before = driver.execute_script(NUMBERS)
    driver.execute_script("document.getElementById('a.2.after[0,0]').click()")
    again = driver.execute_script(NUMBERS)
    old, new = tutorial.trace, tutorial.update.after
    assert before["W.2[0,0]"] == "1"
    assert float(again["W.2[0,0]"]) == pytest.approx(new.parameters.W[1][0, 0], rel=1e-5)
    assert float(again["a.2[0,0]"]) == pytest.approx(new.a[2][0, 0], rel=1e-5)
    assert float(again["loss[0]"]) == pytest.approx(new.loss, rel=1e-4)
    driver.execute_script("document.getElementById('a.2[0,0]').click()")
    assert driver.execute_script(NUMBERS) == before
    assert float(before["a.2[0,0]"]) == old.a[2][0, 0]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("form", ["terminal", "html", "latex", "markdown", "spoken", "notebook"])
@pytest.mark.one_in(5)
def test_the_factor_1_of_a_linear_neuron_is_called_its_slope(tutorial, iris, form, language):
    words = {"en": "factor 1 in", "zh": "因子 1"}[language]
    assert words in " ".join(tutorial.to(form, language=language).split())
    assert words not in iris.to(form, language=language)  # it has none
