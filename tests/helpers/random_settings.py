"""Random optimizers and schedules for hypothesis, and random choices of settings."""

from dataclasses import fields

from hypothesis import strategies as st

from deltaprop.training import schedules
from deltaprop.training.optimizers import OPTIMIZERS


def settings_of(which):
    """Return some of these settings: few, for many exclude each other."""
    names = sorted(which)
    return st.lists(st.sampled_from(names), max_size=3, unique=True).flatmap(
        lambda some: st.fixed_dictionaries({name: which[name] for name in some})
    )


RATES = st.floats(1e-9, 10)


# of the settings of all kinds, those that are no number between 0 and 1
SETTINGS = {
    "learning_rate": RATES, "every": st.integers(1, 99), "factor": st.floats(0.01, 2),
    "cycles": st.integers(1, 30), "nesterov": st.booleans(), "epsilon": RATES,
    "weight_decay": RATES,
}  # fmt: skip


def some_of(cls, **others):
    """Build ones of a frozen class whose fields are settings."""
    settings = {field.name: st.floats(0.001, 0.999) for field in fields(cls)} | SETTINGS | others
    return st.builds(cls, **{field.name: settings[field.name] for field in fields(cls)})


SIMPLE = st.one_of(
    *(some_of(cls) for cls in schedules.SCHEDULES.values() if cls is not schedules.Warmup)
)


WARMED = st.builds(schedules.Warmup, SIMPLE, st.integers(1, 9))


SCHEDULES = st.one_of(SIMPLE, WARMED, st.builds(schedules.Warmup, WARMED, st.integers(1, 9)))


SHARES = st.floats(0, 1, exclude_max=True)


OPTIMIZER = st.one_of(
    *(some_of(cls, learning_rate=st.one_of(RATES, SCHEDULES)) for cls in OPTIMIZERS.values())
)
