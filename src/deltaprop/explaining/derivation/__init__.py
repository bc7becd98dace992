"""From a trace to any number of it, with the expression that it comes from."""
