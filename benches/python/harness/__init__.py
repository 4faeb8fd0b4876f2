"""How cases are timed."""
