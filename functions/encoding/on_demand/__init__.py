"""Renditions that are encoded when viewers want them, and removed when nobody does."""
