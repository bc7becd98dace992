"""A step as data, and the scripts that work it out again in a page with other numbers."""
