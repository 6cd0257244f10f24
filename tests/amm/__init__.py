"""Tests of the pool families."""
