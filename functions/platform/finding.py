"""What a test of a service found, in the form that all slices use."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether a service works, and a sentence for the owner; the sentence contains no secret."""

    works: bool
    sentence: str
