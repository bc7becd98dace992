"""A page where a network learns and every number can be touched: from a server, or as one file."""
