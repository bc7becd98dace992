"""`metric` chooses the epoch, and `class_weight` weighs the rows of a class."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import deltaprop as dp
from deltaprop.errors import SettingError, UnknownNameError
from deltaprop.training.metrics import METRICS

SMALL = {"hidden": (8,), "ranges": 0, "epochs": 12, "members": 2}


def _rare(rng, n=400, share=0.1):
    x = rng.normal(size=(n, 3))
    y = np.where(x[:, 0] + rng.normal(size=n) > np.quantile(x[:, 0], 1 - share) + 0.5, "yes", "no")
    return pl.DataFrame(x, schema=["a", "b", "c"]), y


def _numbers(rng, n=200):
    x = rng.normal(size=(n, 2))
    return pl.DataFrame(x, schema=["a", "b"]), 1000 + 50 * (x[:, 0] + 0.5 * rng.normal(size=n))


@pytest.mark.parametrize("name", METRICS)
def test_the_epoch_that_is_kept_is_the_best_by_the_metric(name, rng):
    classes = METRICS[name].task == "classification"
    features, target = _rare(rng) if classes else _numbers(rng)
    model = dp.TableModel.fit(features, target, recipe=dp.Recipe(**SMALL, metric=name))
    for history in model.histories:
        assert history.metric == name
        figures = np.array(history.val_metric)
        best = figures.min() if METRICS[name].lower_is_better else figures.max()
        assert figures[history.best_epoch] == best


def test_errors_are_measured_in_the_unit_of_the_target(rng):
    features, target = _numbers(rng)
    recipe = dp.Recipe(**SMALL, metric="rmse")
    model = dp.TableModel.fit(features, target, recipe=recipe, validation=(features, target))
    history = model.histories[0]
    one = replace(model, members=model.members[:1])
    found = one.evaluate(features, target).figures["rmse"]
    assert history.val_metric[history.best_epoch] == pytest.approx(found, rel=1e-3)


def test_a_function_is_given_probabilities_and_places_or_numbers_in_their_unit(rng):
    seen = []

    def own(outputs, targets):
        seen.append((outputs, targets))
        return -len(seen) % 7

    for features, target in (_rare(rng), _numbers(rng)):
        seen.clear()
        model = dp.TableModel.fit(features, target, recipe=dp.Recipe(**SMALL, metric=own))
        assert model.history.metric == "own"
        outputs, targets = seen[0]
        if model.task == "classification":
            np.testing.assert_allclose(outputs.sum(axis=1), 1.0, rtol=1e-6)
            assert set(targets.tolist()) <= {0, 1}
        else:
            assert np.isin(np.round(targets[:, 0], 6), np.round(target, 6)).all()


def test_a_model_whose_metric_is_a_function_can_be_saved(rng, tmp_path):
    recipe = dp.Recipe(**SMALL, metric=lambda p, y: float((p.argmax(1) == y).mean()))
    dp.TableModel.fit(*_rare(rng), recipe=recipe).save(tmp_path / "m.safetensors")
    assert dp.load(tmp_path / "m.safetensors").recipe.metric is None


def test_class_weights_are_row_weights_by_class_and_are_kept(rng, tmp_path):
    features, target = _rare(rng)
    by_hand = dp.TableModel.fit(
        features, target, recipe=dp.Recipe(**SMALL), sample_weight=np.where(target == "yes", 5, 2)
    )
    recipe = dp.Recipe(**SMALL, class_weight={"yes": 5, "no": 2})
    model = dp.TableModel.fit(features, target, recipe=recipe)
    np.testing.assert_array_equal(model.parameters.flat, by_hand.parameters.flat)
    model.save(tmp_path / "m.safetensors")
    assert dp.load(tmp_path / "m.safetensors").recipe == recipe


@pytest.mark.parametrize("given", [False, True])
def test_balanced_classes_are_found_more_often(given, rng):
    features, target = _rare(rng)
    validation = _rare(rng) if given else None
    recalls = []
    for weight in (None, "balanced"):
        recipe = dp.Recipe(**SMALL, class_weight=weight)
        model = dp.TableModel.fit(features, target, recipe=recipe, validation=validation)
        recalls.append(model.evaluate(*_rare(rng)).classes[1].recall)
    assert recalls[1] > recalls[0] + 0.2


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"metric": "acuracy"}, "Did you mean 'accuracy'"),
        ({"metric": 3}, "No metric is called 3"),
        ({"class_weight": "ballanced"}, "'balanced'"),
        ({"class_weight": {"yes": -1}}, "finite number >= 0"),
        ({"class_weight": {"yes": "much"}}, "finite number >= 0"),
    ],
)
def test_what_is_no_metric_or_weight_is_refused_at_once(settings, said):
    with pytest.raises(SettingError, match=said):
        dp.Recipe(**settings)


def test_what_does_not_fit_the_target_is_refused_before_training(rng):
    with pytest.raises(SettingError, match="belongs to regression"):
        dp.TableModel.fit(*_rare(rng), recipe=dp.Recipe(metric="rmse"))
    with pytest.raises(SettingError, match="the target is a number"):
        dp.TableModel.fit(*_numbers(rng), recipe=dp.Recipe(class_weight="balanced"))
    with pytest.raises(UnknownNameError, match="Did you mean 'yes'"):
        dp.TableModel.fit(*_rare(rng), recipe=dp.Recipe(class_weight={"yess": 2}))
    with pytest.raises(SettingError, match="nothing is left to learn"):
        dp.TableModel.fit(*_rare(rng), recipe=dp.Recipe(class_weight={"yes": 0, "no": 0}))


@pytest.mark.parametrize(("share", "weight"), [(0.1, None), (0.1, "balanced"), (0.45, None)])
def test_where_one_class_is_common_the_loss_chooses_the_epoch_else_errors(share, weight, rng):
    x = rng.normal(size=(600, 3))
    score = x[:, 0] + rng.normal(size=600)
    target = np.where(score > np.quantile(score, 1 - share), "yes", "no")
    recipe = dp.Recipe(**(SMALL | {"epochs": 40}), class_weight=weight)
    model = dp.TableModel.fit(pl.DataFrame(x), target, recipe=recipe)
    by_loss = share < 0.25 and weight is None  # balanced rows weigh as if there were none
    for history in model.histories:
        assert history.metric == "accuracy"
        if by_loss:
            assert history.best_epoch == int(np.argmin(history.val_loss))
        else:
            figures = np.array(history.val_metric)
            assert history.best_epoch == len(figures) - 1 - int(figures[::-1].argmax())
