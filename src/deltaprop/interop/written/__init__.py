"""Programs as texts: what is written here is read by programs, not by people."""
