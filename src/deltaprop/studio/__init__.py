"""The studio: a page in which a person's own network learns, and every number can be touched."""
