"""Random optimizers and schedules for hypothesis, and random choices of settings."""

from hypothesis import strategies as st

import deltaprop as dp
from deltaprop.training import schedules


def settings_of(which):
    """Return some of these settings: few, for many exclude each other."""
    names = sorted(which)
    return st.lists(st.sampled_from(names), max_size=3, unique=True).flatmap(
        lambda some: st.fixed_dictionaries({name: which[name] for name in some})
    )


RATES = st.floats(1e-9, 10)


SIMPLE = st.one_of(
    st.builds(schedules.Constant, RATES),
    st.builds(schedules.Step, RATES, st.integers(1, 99), st.floats(0.01, 2)),
    st.builds(schedules.Exponential, RATES, st.floats(0.001, 1)),
    st.builds(schedules.Cosine, RATES, st.floats(0, 1), st.floats(0, 0.9)),
    st.builds(schedules.LogCosine, RATES, st.integers(1, 30)),
    st.builds(schedules.OneCycle, RATES, st.floats(0.1, 0.9)),
)


WARMED = st.builds(schedules.Warmup, SIMPLE, st.integers(1, 9))


SCHEDULES = st.one_of(SIMPLE, WARMED, st.builds(schedules.Warmup, WARMED, st.integers(1, 9)))


SHARES = st.floats(0, 1, exclude_max=True)


OPTIMIZER = st.one_of(
    st.builds(dp.GradientDescent, st.one_of(RATES, SCHEDULES)),
    st.builds(dp.Momentum, st.one_of(RATES, SCHEDULES), SHARES, st.booleans()),
    st.builds(dp.RMSProp, st.one_of(RATES, SCHEDULES), SHARES, RATES),
    st.builds(dp.Adam, st.one_of(RATES, SCHEDULES), SHARES, SHARES, RATES),
    st.builds(dp.AdamW, st.one_of(RATES, SCHEDULES), RATES, SHARES, SHARES, RATES),
    st.builds(dp.Lion, st.one_of(RATES, SCHEDULES), RATES, SHARES, SHARES),
    st.builds(dp.Muon, st.one_of(RATES, SCHEDULES), RATES, SHARES, SHARES, SHARES, RATES),
)
