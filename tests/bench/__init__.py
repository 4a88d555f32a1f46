"""Benchmarks: comparisons with alternatives, and measurements of the product."""
