"""Counts of instructions: they show a slow-down where clocks are noisy."""
