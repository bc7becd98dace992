"""Estimators that follow scikit-learn's contract, in ``classifier`` and ``regressor``.

They are not imported here: scikit-learn is an optional part.
"""
