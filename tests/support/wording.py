"""The form of every text for people, whatever its words are."""

from __future__ import annotations

import re

_SENTENCES = re.compile(r"[A-Z`'].*[a-z].*[.!)]", re.DOTALL)


def is_sentence(text: object) -> bool:
    """Return whether a text begins and ends like a sentence and is not in capitals."""
    return isinstance(text, str) and _SENTENCES.fullmatch(text) is not None and "  " not in text
