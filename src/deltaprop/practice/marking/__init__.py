"""Somebody's numbers judged, and the mistake in them named."""
