"""Text of results: what was asked for, what was measured."""
