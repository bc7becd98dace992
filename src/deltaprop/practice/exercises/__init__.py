"""Exercises: numbers searched from a seed, answers judged, hints from the derivation."""
