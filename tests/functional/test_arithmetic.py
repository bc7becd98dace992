"""One evaluator: a formula comes to the same of arrays as of single numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaprop.functional.activations import ACTIVATIONS
from deltaprop.functional.arithmetic import FUNCTIONS, evaluate, parse
from deltaprop.functional.arrays import by_formula
from deltaprop.functional.expressions import Operand

NUMBERS = st.floats(-4, 4, allow_subnormal=False)
TEXTS = st.recursive(
    st.sampled_from(["z", "t", "0.5", "2"]),
    lambda part: st.one_of(
        st.tuples(part, st.sampled_from(["+", "-", "*", "/", ">", "<="]), part).map(
            lambda of: f"({of[0]} {of[1]} {of[2]})"
        ),
        st.tuples(st.sampled_from(["sqrt", "abs"]), part).map(lambda of: f"{of[0]}({of[1]})"),
        st.tuples(part, part, part).map(lambda of: f"max({', '.join(of)})"),
    ),
    max_leaves=6,
)


@given(TEXTS, st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=4))
def test_a_formula_of_arrays_is_the_formula_of_each_number(text, pairs):
    z, t = np.array(pairs).T[:, None, :]
    whole = np.broadcast_to(by_formula(text, z=z, t=t), z.shape)
    for i, (one, other) in enumerate(pairs):
        alone = evaluate(parse(text, {"z": Operand("z", one), "t": Operand("t", other)}))
        # overflow and what is not defined may be infinity in one and NaN in the other
        if np.isfinite(alone) and np.isfinite(whole[0, i]):
            assert whole[0, i] == alone


@pytest.mark.parametrize("name", FUNCTIONS)
def test_arrays_have_every_function_that_numbers_have(name):
    of_arrays = by_formula(f"{name}(z)", z=np.array([[0.3, 1.7]]))[0]
    of_numbers = [evaluate(parse(f"{name}({z})", {})) for z in (0.3, 1.7)] if name != "max" else []
    np.testing.assert_allclose(of_arrays, of_numbers or [0.3, 1.7], rtol=1e-14)


@pytest.mark.parametrize("row", ACTIVATIONS.values(), ids=ACTIVATIONS)
def test_the_formula_of_an_activation_is_its_function_of_arrays(row):
    z = np.array([[-3.7, -0.6], [0.4, 2.9]])
    a = row.f(z)
    of_f, of_f_prime = row.arithmetic
    np.testing.assert_allclose(by_formula(of_f, z=z, a=a) * np.ones_like(z), a, rtol=1e-12)
    np.testing.assert_allclose(
        by_formula(of_f_prime, z=z, a=a) * np.ones_like(z), row.f_prime(z, a), rtol=1e-12
    )
