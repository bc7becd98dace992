"""optuna searches settings, and prunes from a callback."""

import pytest

optuna = pytest.importorskip("optuna")


def test_a_study(make, words):
    from sklearn.model_selection import cross_val_score

    X, y = words

    def objective(trial):
        rate = trial.suggest_float("learning_rate_init", 1e-3, 1e-1, log=True)
        return cross_val_score(make(learning_rate_init=rate), X, y, cv=3).mean()

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(objective, n_trials=4)
    assert study.best_value > 0.75
    assert len({trial.value for trial in study.trials}) > 1


def test_a_trial_is_pruned_from_a_callback(make, words):
    X, y = words
    optuna.logging.set_verbosity(optuna.logging.WARNING)

    def objective(trial):
        def told(state):
            trial.report(state.history.loss[-1], len(state.history.loss))
            if trial.number and len(state.history.loss) == 2:
                raise optuna.TrialPruned

        return make(callbacks=[told]).fit(X, y).loss_

    study = optuna.create_study()
    study.optimize(objective, n_trials=2)
    states = [trial.state.name for trial in study.trials]
    assert states == ["COMPLETE", "PRUNED"]
    assert len(study.trials[1].intermediate_values) == 2
