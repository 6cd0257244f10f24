"""Grading: what was predicted of a transaction's swaps, what its block did, and a proven cause where the two differ."""
