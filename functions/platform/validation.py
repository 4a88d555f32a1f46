"""Sentences for validation errors of msgspec."""

from __future__ import annotations


def sentence_of(error: Exception) -> str:
    """Return msgspec's message as a sentence that names the field, such as: `email`: Expected `str`, got `int`."""
    if isinstance(error, UnicodeDecodeError):
        return "The body is not valid UTF-8."
    if isinstance(error, RecursionError):
        return "The JSON is nested too deeply."
    what, _, where = str(error).partition(" - at `")
    if " matching regex " in what:
        what = "The text has a form, or a character, that is not accepted here"
    field = where.rstrip("`").removeprefix("$").lstrip(".")
    return f"`{field}`: {what}." if field else f"{what}."
