"""What of somebody's text is shown as it is."""

from __future__ import annotations

import pytest

from deltaprop.characters import plain_digits, readable
from deltaprop.cli.show import plain
from deltaprop.explaining.renderers.markdown import escaped
from deltaprop.notation.mathml import escape
from deltaprop.widths import text_width

BLANKS = "Nord\u202fEst 中\u3000文 a\u00a0b"


@pytest.mark.parametrize(
    "text", ["", "plain", "né ß", "数值", "😀", BLANKS, "می\u200cروم", "👩\u200d👧"]
)
def test_letters_blanks_and_joiners_stay(text: str) -> None:
    assert readable(text) == text
    assert plain(text) == text
    assert escape(text) == text


@pytest.mark.parametrize(
    "character",
    ["\0", "\n", "\t", "\x1b", "\x7f", "\u202e", "\u2066", "\u2028", "\u2029", "\ufeff", "\ud800",
     "\uffff", "\u200f", "\U000e0001"],
)  # fmt: skip
def test_what_steers_is_replaced(character: str) -> None:
    assert readable(f"a{character}b") == "a b"
    assert readable(f"a{character}b", "?") == "a?b"
    assert readable(f"a{character}b", lambda c: f"<{ord(c)}>") == f"a<{ord(character)}>b"
    assert escape(f"a{character}b") == "a\ufffdb"
    assert character == "\n" or plain(f"a{character}b").isascii()


def test_markdown_takes_any_blank_for_one() -> None:
    assert escaped("a\u3000b\u202e c\u2028d") == "a b c d"


def test_joiners_take_no_column() -> None:
    assert text_width("می\u200cروم") == text_width("میروم") == 5
    assert text_width("中\u3000文") == 6


def test_digits_of_another_width_are_digits_and_raised_ones_are_powers():
    assert plain_digits("２．５　−３") == "2.5 -3"
    assert plain_digits("10² 2.5·10⁻¹") == "10^2 2.5·10^-1"
