"""Artwork for invented films: scenes painted with numpy, and lettering. A title always gets the same picture."""
