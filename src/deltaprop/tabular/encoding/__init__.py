"""From a table to the numbers a network learns from, and back."""
