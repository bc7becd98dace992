"""Arithmetic that programs read comes to the same bits as the tree it was written from."""

import math
import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from deltaprop.functional.arithmetic import evaluate
from deltaprop.functional.expressions import Call, Number, Operand, Power, Product, Quotient, Sum
from deltaprop.notation.digits import Line
from deltaprop.notation.ids import Ref
from deltaprop.notation.mathml import mathml_notation
from deltaprop.notation.steps import DerivationStep
from deltaprop.notation.write import Notation, write

PYTHON = {"exp": math.exp, "tanh": math.tanh, "abs": abs, "__builtins__": {}}


def written(tree):
    """Return a tree as JSON has it, with every digit."""
    return write(tree, Notation(lambda leaf: getattr(leaf, "text", None) or repr(leaf.value)))


numbers = st.floats(-3, 3, allow_subnormal=False).map(lambda v: Operand("x[0,0]", v))
leaves = numbers | st.sampled_from([Number("1"), Number("2"), Number("3.141592653589793")])


def grown(parts):
    several = st.lists(parts, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        several.flatmap(
            lambda terms: st.tuples(
                st.just(terms), st.tuples(*[st.sampled_from((1, -1)) for _ in terms])
            )
        ).map(lambda pair: Sum(*pair)),
        st.lists(parts, min_size=2, max_size=3).map(lambda factors: Product(tuple(factors))),
        st.tuples(parts, parts).map(lambda pair: Quotient(*pair)),
        parts.map(lambda base: Power(base, Number("2"))),
        st.tuples(st.sampled_from(("exp", "tanh", "abs")), parts).map(
            lambda pair: Call(pair[0], (pair[1],))
        ),
    )


@given(st.recursive(leaves, grown, max_leaves=12))
def test_what_is_written_comes_to_the_same_bits(tree):
    value = evaluate(tree)
    if not np.isfinite(value):
        return
    try:
        found = eval(written(tree), PYTHON)
    except (OverflowError, ZeroDivisionError):
        return  # Python has no infinity on the way there
    assert found == value, written(tree)


@given(st.recursive(leaves, grown, max_leaves=12))
def test_every_parenthesis_of_a_page_is_closed(tree):
    line = Line(DerivationStep(Ref("z", 1, (0, 0)), tree, 0.0), "0", False, 17)
    depth = 0
    for sign in re.sub("<[^>]*>", "", write(tree, mathml_notation(line))):
        depth += (sign == "(") - (sign == ")")
        assert depth >= 0
    assert depth == 0
