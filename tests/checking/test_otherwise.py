"""Gradients in other conventions: declared, or found out; never called wrong for that."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deltaprop as dp
from deltaprop.checking.conventions import CONVENTIONS, asked_for
from deltaprop.checking.effects import effect_of
from deltaprop.checking.report import OTHERWISE
from deltaprop.checking.step import Step
from deltaprop.errors import SettingError, UnknownNameError
from deltaprop.functional.losses import LOSSES, sample_shares

TARGETS = {"real": 1.5, "unit": 0.3, "count": 2.0}
# what a program returns says nothing of the delta, of the shapes of what is between, of a state
SEEN = [c for c in CONVENTIONS if c.about not in ("samples_as", "weights", "momentum", "logarithm")
        and c.choice not in ("per_sample", "t_minus_y_in_delta")]  # fmt: skip


class Case:
    """A network, a batch, and what a convention makes of its gradients."""

    def __init__(self, loss, n=3, n_out=2, l2=0.0, reduction="mean", seed=0, hidden=3):
        rng = np.random.default_rng(seed)
        self.network = dp.Network([2, hidden, n_out], "tanh", loss=loss, l2=l2)
        self.parameters, self.x = self.network.init(rng), rng.normal(size=(n, 2))
        kind = LOSSES[loss].targets
        self.t = np.eye(n_out)[rng.integers(0, n_out, n)]
        if kind in TARGETS:
            self.t = rng.random((n, n_out)) if kind == "unit" else rng.integers(0, 4, (n, n_out))
        self.reduction = reduction
        self.trace = dp.backpropagate(*self.given, reduction=reduction)
        shares = sample_shares(n, reduction=reduction)
        self.step = Step(self.network, self.parameters, self.x, self.t, shares, 0.1)

    @property
    def given(self):
        return self.network, self.parameters, self.x, self.t

    def written(self, names):
        """Return gradients and loss as these conventions write them."""
        effect = effect_of(asked_for(names), self.step)
        data, penalty = self.trace.data_loss, self.trace.loss - self.trace.data_loss
        loss = (data * effect.objective + penalty * effect.loss_penalized) * effect.loss
        return effect.gradients_of(self.trace), loss

    def check(self, **claims):
        return dp.check_gradients(*self.given, reduction=self.reduction, **claims)


CASES = {"mean": "sum"}  # of samples: the other one is what was asked for


QUICK = ("half_squared_error", "cross_entropy", "binary_cross_entropy")


@pytest.mark.parametrize(
    "loss", [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in LOSSES]
)
@pytest.mark.parametrize("convention", SEEN, ids=lambda c: c.name)
@pytest.mark.one_in(5)
def test_right_in_another_convention_is_never_called_wrong(loss, convention):
    case = Case(loss, l2=0.3, reduction=CASES.get(convention.choice, "mean"))
    declared, idle = asked_for(convention.name).fitting(case.step)
    if idle:
        report = case.check(convention=convention.name)
        assert report
        assert f"{convention.name} says nothing here: it is about" in str(report)
        return
    gradients, value = case.written(convention.name)
    for claims in ({"gradients": gradients}, {"gradients": gradients, "loss": value}):
        report = case.check(**claims)
        # a sum of means by the sample is a sum: the simplest name, or one as simple
        names = [report.conventions, *(one.names for one in report.or_else)]
        if effect_of(declared, case.step) == effect_of(asked_for(None), case.step):
            assert report
            continue
        assert (convention.name,) in names or report.conventions[0].startswith(convention.about)
        assert report.verdict == OTHERWISE
        assert not report.wrong
        assert {e.verdict for e in report.entries} <= {OTHERWISE, "right"}
        text = str(report)
        assert f"Right, in another convention, {report.conventions[0]}" in text.replace("\n", " ")
        assert "wrong" not in text.casefold()
        assert case.check(**claims, convention=list(report.conventions))
        assert case.check(**claims, convention=convention.name)


def test_what_agrees_in_no_convention_stays_wrong():
    case = Case("half_squared_error")
    gradients, loss = case.written("squared_error")
    report = case.check(gradients=gradients, loss=case.trace.loss)  # the 1/2 in the loss alone
    assert (report.verdict, report.conventions) == ("wrong", ())
    assert report.mistake.name == "half"
    assert case.check(gradients=gradients, loss=loss).verdict == OTHERWISE
    # a loss that is wrong by itself takes nothing from the gradients
    report = case.check(gradients=gradients, loss=17.0)
    assert [entry.name for entry in report.wrong] == ["loss"]
    assert report.conventions == ("loss: squared_error",)
    assert case.check(gradients=7 * gradients).verdict == "wrong"


def test_the_step_tells_a_wrong_sign_from_the_error_signal():
    case = Case("half_squared_error")
    g, w = case.trace.gradients.flat, case.parameters.flat
    says = {"gradients": -g, "learning_rate": 0.1}
    added = case.check(**says, after=w - 0.1 * g)
    assert added.conventions == ("error_signal: t_minus_y",)
    assert added.verdict == OTHERWISE
    climbed = case.check(**says, after=w + 0.1 * g)
    assert (climbed.verdict, climbed.mistake.name) == ("wrong", "sign")
    assert case.check(**says, after=w - 0.1 * g, convention="t-minus-y")
    assert not case.check(**says, after=w + 0.1 * g, convention="t-minus-y")


def test_a_sum_whose_mean_is_taken_in_the_update():
    case = Case("cross_entropy", n=4)
    g, w = case.trace.gradients.flat, case.parameters.flat
    says = {"gradients": 4 * g, "learning_rate": 0.1}
    assert case.check(**says, after=w - 0.1 * g).conventions == ("delta: per_sample_dW_summed",)
    assert case.check(**says, after=w - 0.4 * g).conventions == ("samples: sum",)
    alone = case.check(gradients=4 * g)  # the simplest name first
    assert alone.conventions == ("samples: sum",)
    assert [one.names for one in alone.or_else] == [("delta: per_sample_dW_summed",)]


def test_a_loss_alone_has_a_convention_too():
    case = Case("half_squared_error")
    report = case.check(loss=2 * case.trace.loss)
    assert report.conventions == ("loss: squared_error",)
    assert {e.name for e in report.entries if e.verdict == OTHERWISE} == {"loss"}


def test_square_matrices_with_rows_for_outputs():
    rng = np.random.default_rng(1)
    network = dp.Network([3, 3, 3], "tanh")
    case = network, network.init(rng), rng.normal(size=(4, 3)), [0, 1, 2, 0]
    g = dp.backpropagate(*case).gradients
    turned = [each for W, b in zip(g.W, g.b, strict=True) for each in (W.T, b)]
    report = dp.check_gradients(*case, gradients=turned)
    assert report.conventions == ("weights: out_in",)
    assert dp.check_gradients(*case, gradients=turned, convention="out_in")
    assert not dp.check_gradients(
        *case, gradients=[g.W[0], g.b[0], g.W[1], g.b[1]], convention="out_in"
    )


def test_mistakes_are_named_in_the_declared_convention():
    case = Case("half_squared_error")
    gradients, _ = case.written(["squared_error", "sum"])
    slip = gradients.copy()
    slip[1] += 0.5
    report = case.check(gradients=slip, convention=["squared_error", "samples: sum"])
    assert [entry.name for entry in report.wrong] == ["W.1[0,1]"]
    assert report.wrong[0].measured == pytest.approx(gradients[1])
    assert report.mistake.name == "arithmetic"


def test_any_name_of_a_convention_is_read():
    for name in ("per_sample", "per-sample-delta", "delta: per_sample", "Delta per sample",
                 ["delta: per_sample"], {"delta": "per_sample"}):  # fmt: skip
        assert asked_for(name).names == ("delta: per_sample",)
    assert asked_for("half_squared_error").names == ()
    assert asked_for(["sum", "t-minus-y"]).names == ("samples: sum", "error_signal: t_minus_y")
    with pytest.raises(UnknownNameError, match="per_sample"):
        asked_for("per_sampel")
    with pytest.raises(SettingError, match="both about loss"):
        asked_for(["squared_error", "mean_squared_error"])
    with pytest.raises(SettingError, match="sum and mean are both about samples"):
        asked_for(["sum", "mean"])
    with pytest.raises(SettingError, match="expected names"):
        asked_for([3])


@pytest.mark.rest
@settings(max_examples=12, deadline=None)
@given(
    st.sampled_from(sorted(LOSSES)), st.integers(1, 4), st.integers(1, 3), st.integers(0, 99),
    st.sets(st.sampled_from([c.name for c in SEEN]), min_size=1, max_size=3),
    st.sampled_from([0.0, 0.2]),
)  # fmt: skip
def test_sets_of_conventions(loss, n, n_out, seed, chosen, l2):
    n_out = max(n_out, 1 + (LOSSES[loss].targets == "distribution"))
    case = Case(loss, n, n_out, l2, seed=seed)
    names = [*{name.partition(":")[0]: name for name in sorted(chosen)}.values()]
    declared, _ = asked_for(names).fitting(case.step)
    gradients, _ = case.written(declared)
    assert case.check(gradients=gradients, convention=names), names
    report = case.check(gradients=gradients)
    sums = {"samples: sum", "delta: per_sample_dW_summed"} <= {*declared.names}
    assert report.verdict in ("right", OTHERWISE) or sums, names
