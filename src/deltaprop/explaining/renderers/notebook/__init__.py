"""A Jupyter notebook that checks its own numbers, and the piece of HTML for cells."""
