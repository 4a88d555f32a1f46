"""Health: whether the stores answer."""
