"""Check the sentences that a job shows to people: complete, short, without paths, markup or names from programs."""

from __future__ import annotations

import re

LONGEST = 240

_FORBIDDEN = {
    "a path": r"(?:^|\s|')(?:/|[A-Za-z]:\\)\w",
    "an address": r"https?://|sig=",
    "markup": r"</?\w+[^>]*>",
    "the name of a class": r"\b[A-Z]\w+(?:Error|Exception|Fault|Unavailable|Segment)\b|\b[a-z]+_[a-z_]+\b",
    "a program's message": r"ffmpeg|ffprobe|\[\w+ @ 0x|0x[0-9a-f]{6}|Traceback|Invalid data found",
}


def faults_of_sentence(sentence: str) -> list[str]:
    """Return what is wrong with a sentence; empty if nothing is."""
    found = [what for what, pattern in _FORBIDDEN.items() if re.search(pattern, sentence)]
    if not re.match(r"[A-Z\d“it]", sentence) or not sentence.endswith("."):
        found.append("not a whole sentence")
    if len(sentence) > LONGEST or "\n" in sentence:
        found.append("too long")
    return found
