"""Notflix's functions: one folder per slice; `bootstrap` is the only place where slices are joined."""
