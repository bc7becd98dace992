"""Exercises to print, with their keys."""
