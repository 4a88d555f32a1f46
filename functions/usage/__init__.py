"""Usage: how far each viewer got with a title, what they mean to watch, and what they think of it."""
