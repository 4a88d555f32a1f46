"""Recommendations: a graph of titles, people and views, and what it says to watch next."""
