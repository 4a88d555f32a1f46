"""The ages of certificates, by which titles are kept from children's profiles.

Certificates are texts: OMDb gives those of the MPA and of the TV Parental Guidelines, owners write those of their
country. The ages follow the authorities' own descriptions: MPA (filmratings.com), TV Parental Guidelines
(tvguidelines.org), BBFC (bbfc.co.uk: PG "should not unsettle a child aged around eight or older"), FSK (fsk.de).
`web/js/certificates.js` has the same table.
"""

from __future__ import annotations

import re

AGES = {
    "G": 0,
    "U": 0,
    "TV-Y": 0,
    "TV-G": 0,
    "TV-Y7": 7,
    "TV-Y7-FV": 7,
    "PG": 8,
    "GP": 8,
    "TV-PG": 10,
    "PG-13": 13,
    "TV-14": 14,
    "R": 17,
    "TV-MA": 17,
    "NC-17": 18,
    "R18": 18,
    "X": 18,
}
"""The youngest age for which each certificate is meant; certificates with a number, such as "FSK 12", have that age."""

_NUMBERED = re.compile(r"(?:FSK[ -]?)?(\d{1,2})[A+]?")


def is_suitable(certificate: str | None, age_limit: int | None) -> bool:
    """Return whether a profile with an age limit may play a title; without a known age, none with a limit may."""
    age = age_of(certificate)
    return age_limit is None or (age is not None and age <= age_limit)


def age_of(certificate: str | None) -> int | None:
    """Return from which age a title is suitable; None if it has no certificate, or one of an unknown meaning."""
    word = " ".join((certificate or "").upper().split())
    if word in AGES:
        return AGES[word]
    numbered = _NUMBERED.fullmatch(word)
    return int(numbered[1]) if numbered else None
