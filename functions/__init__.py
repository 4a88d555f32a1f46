"""Notflix's functions: one folder a slice, `bootstrap` the only place where they are wired together."""
