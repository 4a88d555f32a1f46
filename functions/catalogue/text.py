"""Text from outside, made safe for the site: no control characters and no marks that reorder a line."""

from __future__ import annotations

import re

UNPRINTABLE = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069"
"""The content of a regex character class: control characters except tab and line ends, line and paragraph separators,
and the marks of the bidirectional algorithm (Unicode Standard Annex 9, section 2)."""

ONE_LINE = rf"^(?=.*\S)[^{UNPRINTABLE}\t\r\n]+$(?!\n)"
"""One line with at least one visible character."""

PARAGRAPHS = rf"^[^{UNPRINTABLE}]*$"
"""Text that may have several lines."""

_REMOVED = re.compile(f"[{UNPRINTABLE}]")


def shortened(text: str, length: int) -> str:
    """Return `text`, cut after a word if it has more than `length` characters."""
    return text if len(text) <= length else text[:length].rsplit(" ", 1)[0].rstrip(" ,;:.") + "…"


def printable(text: str) -> str:
    """Return `text` without its unprintable characters."""
    return _REMOVED.sub("", text)
