"""Intros and credits, which are found because the episodes of a season share their sound."""
