"""Training: optimizers, schedules, batches, the loop, and the history of what happened."""
