"""Usage: how far each viewer got with a title, their watch lists, and their ratings."""
