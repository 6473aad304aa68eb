"""The tests, and in `support` their helpers."""
