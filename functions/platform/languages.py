"""The languages in which emails and receipts are written; those of the site are in `web/languages.py`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LANGUAGES = ("en", "de")
"""The codes of the languages (ISO 639-1); the first one is used if a person has chosen none of them."""

_RANGE = re.compile(
    r"\s*(?P<code>[a-z]{2})(?:-[a-z0-9-]+)?\s*(?:;\s*q=(?P<weight>[01](?:\.\d{1,3})?)\s*)?", re.IGNORECASE
)


def language_of(headers: Mapping[str, str]) -> str:
    """Return the preferred language of a request (`Accept-Language`, RFC 9110, section 12.5.4).

    Returns "" if the request names none of the languages. The site names the language of its page.
    """
    weights: dict[str, float] = {}
    for text in headers.get("Accept-Language", "")[:200].split(","):
        found = _RANGE.fullmatch(text)
        if found and (code := found["code"].lower()) in LANGUAGES:
            weights[code] = max(weights.get(code, 0), float(found["weight"] or 1))
    best = max(weights, key=lambda code: weights[code], default="")
    return best if weights.get(best) else ""


def known_language(code: str) -> str:
    """Return the language with a code, or the first one if there is no such language."""
    return code if code in LANGUAGES else LANGUAGES[0]
