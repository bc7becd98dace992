"""One renderer a form: each writes down the same document."""
