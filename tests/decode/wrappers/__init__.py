"""Tests of the wrappers, one module each, and what they wrap."""
