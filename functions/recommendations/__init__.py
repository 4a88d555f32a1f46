"""Recommendations: a graph of titles, people and views, and the recommendations computed from it."""
