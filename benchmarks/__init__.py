"""Benchmarks: each runs by itself (`make help` lists them) and writes its table into `benchmarks/results`."""
