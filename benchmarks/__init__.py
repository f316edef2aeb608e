"""Timings of the audit beside pytest's floor and beside its peers, all in one run: `python -m benchmarks`."""
