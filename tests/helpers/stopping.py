"""What is watched of a run: clocks of its own, figures as a script has them, what was seen."""


class Clock:
    """Seconds that pass only when somebody looks."""

    def __init__(self, tick=1.0):
        self.now, self.tick = 0.0, tick

    def __call__(self):
        self.now += self.tick
        return self.now


class Scripted:
    """Validation figures as a test wants them, by way of the loss a run reads."""

    def __init__(self, monkeypatch, val_loss, val_metric=None):
        from deltaprop.training import run

        self.epoch = -1
        figures = val_metric or [0.5] * len(val_loss)

        def validate(this):
            self.epoch += 1
            if this.validation is not None:
                this.history.val_loss.append(val_loss[self.epoch])
                this.history.val_metric.append(figures[self.epoch])

        monkeypatch.setattr(run.TrainingRun, "_validate", validate)


def remember(seen):
    return lambda state: seen.append(state.parameters.flat.copy())
