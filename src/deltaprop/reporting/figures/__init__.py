"""From a model and its rows to the figures of a report."""
