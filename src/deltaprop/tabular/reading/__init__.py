"""From whatever users bring to a table of typed columns."""
