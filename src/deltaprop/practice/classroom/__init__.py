"""The papers of a class: marked all at once, what was got wrong most, and feedback for each."""
