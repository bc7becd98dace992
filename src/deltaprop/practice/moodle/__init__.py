"""Exercises as questions for a learning platform: Moodle XML."""
