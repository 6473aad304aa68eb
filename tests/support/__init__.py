"""Helpers that tests and benchmarks share, by theme."""
