"""Benchmarks: our figure and a peer's for the same work, measured alternately in one run."""
