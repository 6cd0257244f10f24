"""Tests of the grading."""
