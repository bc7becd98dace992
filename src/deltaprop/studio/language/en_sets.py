"""English words of the studio: sets given as a formula (page/formula.js)."""

__all__ = ["WORDS"]

WORDS = {
    "set formula": "A formula",
    "about formula": "What a formula of x1 and x2 says about points at random.",
    "formula": "Formula",
    "formula examples": "Examples",
    "formula hint": (
        "A formula gives a number to be learnt. A condition such as x1 > 0 gives two classes; "
        "several, parted by semicolons, give one class each to the points where they hold first, "
        "and one to the rest. There are + - * / ^, and, or, pi, exp, log, sqrt, abs, sin, cos, "
        "tanh, max, min."
    ),
    "formula empty": "Write a formula of x1 and x2, such as sin(3*x1)*x2.",
    "formula long": "A formula has {most} characters at most.",
    "formula sign": "At character {place}, “{found}” is not known in a formula.",
    "formula name": (
        "At character {place}, “{found}” is not known; there are x1, x2, pi, {functions}."
    ),
    "formula wanted": (
        "At character {place} a number, x1, x2, a function or a bracket is wanted, not “{found}”."
    ),
    "formula ends": (
        "The formula ends at character {place}, where a number, x1, x2, a function or a bracket "
        "is wanted."
    ),
    "formula after": (
        "At character {place}, “{found}” can't follow; a sign such as * may be missing before it."
    ),
    "formula open": "The bracket opened at character {opened} is not closed.",
    "formula call": "At character {place}, {name} needs brackets: {name}(x1).",
    "formula one": "At character {place}, {name} takes one number.",
    "formula several": "At character {place}, {name} takes two numbers or more, parted by commas.",
    "formula chain": "At character {place} stands a second comparison; join two by “and”.",
    "formula many": "There may be {most} conditions at most.",
    "formula no condition": (
        "At character {place} begins a part that is no condition; parts between semicolons have "
        "a < or >."
    ),
    "formula nowhere": "Hardly anywhere on the plane from -1 to 1 does this come to a number.",
    "formula large": (
        "This comes to numbers as large as {largest}; up to {most} can be asked for. Divide it."
    ),
}
